"""Real-world orgs: duplicate rules, hidden and encrypted fields, and people who edit what Ringlog writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.workspace import Browser, Workspace

APPOINTMENT = {"appointment_date": "2027-06-01", "appointment_time": "2:00 PM"}


def as_written(number: str) -> str:
    """A North American number as people write it."""
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}"


@pytest.fixture
def org(salesforce: Salesforce) -> Iterator[Salesforce]:
    """The orgs, for changing their settings, which are restored afterwards."""
    yield salesforce
    salesforce.clear_faults()
    salesforce.settings(duplicateRules=[], customFields=[], unfilterableFields=[], hiddenFields=[], apiDisabled=False)


@pytest.fixture
def makes_leads(workspace: Workspace) -> Workspace:
    """A connected workspace that wants a Lead for each unknown caller."""
    workspace.change_settings(noMatch="create_lead")
    return workspace


def named(body: dict[str, Any], name: str) -> dict[str, Any]:
    """The report, with the caller's name."""
    body["message"]["customer"]["name"] = body["message"]["call"]["customer"]["name"] = name
    return body


def test_a_duplicate_with_another_number_is_turned_down(
    makes_leads: Workspace, org: Salesforce, new_number: Callable[[], str]
) -> None:
    number, other = new_number(), new_number()
    namesake = org.add("Lead", FirstName="Nora", LastName="Namesake", Company="Sample", Phone=as_written(other))
    org.settings(duplicateRules=[{"object": "Lead", "by": "name", "action": "alert"}])
    row = makes_leads.log_call(named(report(number), "Nora Namesake"))
    (lead,) = org.people("Lead", "Phone", number)
    assert (row["status"], row["salesforce_record_id"], row["decision"]["rule"]) == ("success", lead["Id"], "new_lead")
    (turned_down,) = row["decision"]["turnedDown"]
    assert (turned_down["id"], turned_down["why"]) == (namesake, "other_number")


def test_the_record_of_a_blocking_duplicate_rule_is_named(
    makes_leads: Workspace, org: Salesforce, new_number: Callable[[], str]
) -> None:
    number, other = new_number(), new_number()
    namesake = org.add("Contact", FirstName="Nils", LastName="Namesake", Phone=as_written(other))
    org.settings(duplicateRules=[{"object": "Lead", "by": "name", "action": "block"}])
    body = named(report(number), "Nils Namesake")
    row = makes_leads.log_call(body)
    assert (row["status"], row["error_code"]) == ("error", "DUPLICATES_DETECTED")
    assert namesake in row["error_message"]
    assert org.activities("Task", call_id(body)) == []


def test_a_record_with_the_number_in_a_custom_field_gets_no_second_lead(
    makes_leads: Workspace, org: Salesforce, number: str
) -> None:
    org.settings(customFields=[{"object": "Contact", "name": "Direct_Line__c", "type": "phone"}])
    contact = org.add("Contact", LastName="Directly", Direct_Line__c=as_written(number))
    row = makes_leads.log_call(report(number))
    assert (row["status"], row["error_code"]) == ("skipped", "possible_match")
    assert [one["id"] for one in row["decision"]["turnedDown"]] == [contact]
    assert org.people("Lead", "Phone", number) == []


@pytest.mark.parametrize("form", ["{} / 234-555-0120", "{} (3rd shift)", "T: {} F: 234-555-0120", "{} 24h"])
def test_a_number_next_to_another_one_or_a_note_is_found(
    workspace: Workspace, org: Salesforce, number: str, form: str
) -> None:
    contact = org.add("Contact", LastName="Noted", Phone=form.format(f"{number[2:5]}-{number[5:8]}-{number[8:]}"))
    row = workspace.log_call(report(number))
    assert (row["status"], row["salesforce_record_id"]) == ("success", contact)


def test_encrypted_phone_fields_do_not_fail_a_call(
    makes_leads: Workspace, org: Salesforce, new_number: Callable[[], str]
) -> None:
    number, stranger = new_number(), new_number()
    fields = ["Phone", "MobilePhone"]
    more = ["HomePhone", "OtherPhone", "AssistantPhone"]
    encrypted = [f"Lead.{field}" for field in fields] + [f"Contact.{field}" for field in fields + more]
    org.settings(unfilterableFields=encrypted)
    row = makes_leads.log_call(report(number))
    (lead,) = org.people("Lead", "Phone", number)
    assert (row["status"], row["salesforce_record_id"]) == ("success", lead["Id"])
    makes_leads.change_settings(noMatch="skip")
    row = makes_leads.log_call(report(stranger))
    assert (row["status"], row["error_code"]) == ("not_found", "not_found")
    assert "some minutes late" in row["error_message"]


def test_hidden_fields_cost_extra_requests_only_once(workspace: Workspace, org: Salesforce, number: str) -> None:
    org.settings(hiddenFields=["Lead.MobilePhone", "Contact.HomePhone", "Contact.OtherPhone"])
    org.add("Contact", LastName="Known", Phone=as_written(number))
    assert workspace.log_call(report(number))["status"] == "success"
    org.clear_requests()
    assert workspace.log_call(report(number))["status"] == "success"
    counts = org.requests()
    assert (counts.get("search"), counts.get("composite")) == (1, 1), counts


def test_a_missing_owner_is_not_taken_for_a_missing_record(workspace: Workspace, org: Salesforce, number: str) -> None:
    for name in ("Bea", "Ben"):
        org.add("Lead", LastName=name, Company="Sample", Phone=as_written(number))
    message = "invalid cross reference id"
    org.refuse("Task", "INVALID_CROSS_REFERENCE_KEY", message=message, fields=["OwnerId"])
    body = report(number)
    row = workspace.log_call(body)
    assert (row["status"], row["error_code"]) == ("error", "INVALID_CROSS_REFERENCE_KEY")
    assert "owner" in row["error_message"]
    assert len(row["decision"]["candidates"]) == 2
    assert org.activities("Task", call_id(body)) == []


def test_a_failed_flow_keeps_its_error_id(workspace: Workspace, org: Salesforce, number: str) -> None:
    org.add("Lead", LastName="Flowing", Company="Sample", Phone=as_written(number))
    message = (
        "We can't save this record: the “Log calls” process failed. <b>Error ID: 1234567890-12345 (-987654321)</b>"
    )
    org.refuse("Task", "CANNOT_EXECUTE_FLOW_TRIGGER", message=message)
    row = workspace.log_call(report(number))
    assert (row["status"], row["error_code"]) == ("error", "CANNOT_EXECUTE_FLOW_TRIGGER")
    assert "Error ID: 1234567890-12345 (-987654321)" in row["error_message"]
    assert "<b>" not in row["error_message"]


def test_a_page_instead_of_json_refreshes_the_session(workspace: Workspace, org: Salesforce, number: str) -> None:
    org.add("Lead", LastName="Moved", Company="Sample", Phone=as_written(number))
    page = "<html><title>URL No Longer Exists</title></html>"
    org.fault("search", {"kind": "answer", "status": 404, "body": page, "contentType": "text/html"})
    assert workspace.log_call(report(number))["status"] == "success"


def test_an_edition_without_the_api_cannot_be_connected(stranger: Workspace, org: Salesforce) -> None:
    org.settings(apiDisabled=True)
    browser = Browser()
    callback = stranger.allow(browser, stranger.begin_connect(browser))
    response = browser.get(callback, timeout=35)
    assert (response.status_code, response.json()["code"]) == (400, "api_disabled")
    assert stranger.status()["connected"] is False


def second(body: dict[str, Any], summary: str, **appointment: Any) -> dict[str, Any]:
    """A later report of the same call."""
    body["message"]["timestamp"] += 1000
    body["message"]["analysis"]["summary"] = summary
    if appointment:
        body["message"]["analysis"]["structuredData"] = appointment
    return body


def test_a_persons_edits_are_kept_and_new_facts_added_below(workspace: Workspace, org: Salesforce, number: str) -> None:
    org.add("Lead", LastName="Tended", Company="Sample", Phone=as_written(number))
    body = report(number, appointment=APPOINTMENT)
    call = call_id(body)
    assert workspace.log_call(body)["status"] == "success"
    (task,), (event,) = org.activities("Task", call), org.activities("Event", call)
    note = f"Ada: called back.\n\n{task['Description']}"
    org.person("edit", id=task["Id"], fields={"Subject": "Quote", "Description": note})
    times = {"StartDateTime": "2027-06-03T09:00:00Z", "EndDateTime": "2027-06-03T10:00:00Z"}
    org.person("edit", id=event["Id"], fields=times)

    # A retry changes none of it.
    assert workspace.api("POST", f"sync-logs/{call}/retry").status_code == 202
    row = workspace.settled(call)
    assert (row["status"], row["error_code"]) == ("success", "kept_by_person")
    # A later report reverts nothing, and adds what is new once.
    for _ in range(2):
        workspace.report(second(body, "Wants two quotes.", **{**APPOINTMENT, "appointment_time": "4:00 PM"}))
        row = workspace.settled(call)
    (task,), (event,) = org.activities("Task", call), org.activities("Event", call)
    assert task["Subject"] == "Quote"
    assert task["Description"] == f"{note}\n\nWants two quotes.\n\nCall {call}"
    assert event["StartDateTime"].startswith("2027-06-03T09:00:00")
    assert "Event.StartDateTime" in row["error_message"]


def test_an_edit_between_two_of_our_requests_is_not_overwritten(
    workspace: Workspace, org: Salesforce, number: str
) -> None:
    org.add("Lead", LastName="Quick", Company="Sample", Phone=as_written(number))
    body = report(number)
    call = call_id(body)
    assert workspace.log_call(body)["status"] == "success"
    edit = {"id": "newest:Task", "fields": {"Description": "Mine."}}
    org.fault("sobject", {"kind": "person", "before": True, "action": {"edit": edit}})
    workspace.report(second(body, "Wants two quotes."))
    workspace.settled(call)
    (task,) = org.activities("Task", call)
    assert task["Description"] == f"Mine.\n\nWants two quotes.\n\nCall {call}"


def test_a_later_appointment_follows_a_moved_task(
    workspace: Workspace, org: Salesforce, new_number: Callable[[], str]
) -> None:
    number, other = new_number(), new_number()
    org.add("Lead", LastName="First", Company="Sample", Phone=as_written(number))
    elsewhere = org.add("Contact", LastName="Right", Phone=as_written(other))
    body = report(number)
    call = call_id(body)
    assert workspace.log_call(body)["status"] == "success"
    (task,) = org.activities("Task", call)
    org.person("move", id=task["Id"], whoId=elsewhere)
    workspace.report(second(body, "Wants two quotes.", **APPOINTMENT))
    row = workspace.settled(call)
    assert (row["status"], row["salesforce_record_id"]) == ("success", elsewhere)
    (task,), (event,) = org.activities("Task", call), org.activities("Event", call)
    assert (task["WhoId"], event["WhoId"]) == (elsewhere, elsewhere)
