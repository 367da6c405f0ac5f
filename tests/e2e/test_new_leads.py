"""New Leads for unknown callers, if the workspace wants them; and dry runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.workspace import Workspace


@pytest.fixture
def strict(salesforce: Salesforce) -> Iterator[Salesforce]:
    """The orgs, with a rule against duplicate Leads."""
    salesforce.settings(duplicateRules=[{"object": "Lead", "by": "phone", "action": "alert"}])
    yield salesforce
    salesforce.settings(duplicateRules=[])


@pytest.fixture
def makes_leads(workspace: Workspace) -> Workspace:
    """A connected workspace that wants a Lead for each unknown caller."""
    workspace.change_settings(noMatch="create_lead")
    return workspace


def test_calls_from_one_new_number_create_one_lead(makes_leads: Workspace, salesforce: Salesforce, number: str) -> None:
    """Two concurrent calls, and one before search knows the Lead."""
    bodies = [report(number) for _ in range(3)]
    makes_leads.report_concurrently(bodies[:2])
    rows = [makes_leads.settled(call_id(body)) for body in bodies[:2]]
    rows.append(makes_leads.log_call(bodies[2]))
    (lead,) = salesforce.people("Lead", "Phone", number)
    assert (lead["Company"], lead["LeadSource"]) == ("Unknown", "Voice AI")
    for row, body in zip(rows, bodies, strict=True):
        assert (row["status"], row["salesforce_record_id"]) == ("success", lead["Id"])
        (task,) = salesforce.activities("Task", call_id(body))
        assert task["WhoId"] == lead["Id"]
    assert "new_lead" in {row["decision"]["rule"] for row in rows}


def test_a_new_lead_has_the_name_that_vapi_reports(makes_leads: Workspace, salesforce: Salesforce, number: str) -> None:
    body = report(number)
    body["message"]["customer"]["name"] = body["message"]["call"]["customer"]["name"] = "Nina Newcomer"
    assert makes_leads.log_call(body)["status"] == "success"
    (lead,) = salesforce.people("Lead", "Phone", number)
    assert (lead["FirstName"], lead["LastName"]) == ("Nina", "Newcomer")


def test_a_call_is_logged_on_the_record_that_a_new_lead_would_duplicate(
    makes_leads: Workspace, strict: Salesforce, number: str
) -> None:
    # Matching searches only Leads here, but the org's rule finds the Contact.
    makes_leads.change_settings(matchOrder=["Lead"])
    contact = strict.add("Contact", LastName="Known", Phone=f"({number[2:5]}) {number[5:8]}-{number[8:]}")
    body = report(number)
    row = makes_leads.log_call(body)
    assert (row["status"], row["salesforce_record_id"], row["decision"]["rule"]) == ("success", contact, "duplicate")
    (task,) = strict.activities("Task", call_id(body))
    assert task["WhoId"] == contact
    assert strict.people("Lead", "Phone", number) == []


def test_no_lead_is_created_if_one_exists_that_matching_does_not_search(
    makes_leads: Workspace, salesforce: Salesforce, number: str
) -> None:
    makes_leads.change_settings(matchOrder=["Contact"])
    lead = salesforce.add("Lead", LastName="Known", Company="Sample", Phone=number)
    row = makes_leads.log_call(report(number))
    assert (row["status"], row["salesforce_record_id"], row["decision"]["rule"]) == ("success", lead, "only_candidate")


def test_a_dry_run_shows_everything_and_writes_nothing(
    makes_leads: Workspace, salesforce: Salesforce, number: str
) -> None:
    def dry_run() -> dict[str, object]:
        body = {"callId": "try-1", "phoneNumber": number, "dryRun": True}
        response = makes_leads.api("POST", "test-sync", json=body)
        assert response.status_code == 200, response.text
        preview: dict[str, object] = response.json()
        return preview

    preview = dry_run()
    payloads = preview["payloads"]
    assert isinstance(payloads, dict)
    assert (payloads["lead"]["Phone"], payloads["lead"]["Company"]) == (number, "Unknown")
    assert (payloads["task"]["CallObject"], payloads["task"]["WhoId"]) == ("test-try-1", None)
    assert preview["decision"] == {"rule": "no_candidate", "chosen": None}

    contact = salesforce.add("Contact", FirstName="Cora", LastName="Contact", MobilePhone=number)
    preview = dry_run()
    assert preview["candidates"] == [
        {"id": contact, "recordType": "Contact", "name": "Cora Contact", "field": "MobilePhone", "exactness": "exact"}
    ]
    assert preview["decision"] == {"rule": "only_candidate", "chosen": {"recordType": "Contact", "id": contact}}
    payloads = preview["payloads"]
    assert isinstance(payloads, dict)
    assert (payloads["lead"], payloads["task"]["WhoId"]) == (None, contact)

    assert makes_leads.row("test-try-1") is None
    assert salesforce.activities("Task", "test-try-1") == []
    assert salesforce.people("Lead", "Phone", number) == []


def test_a_test_call_writes_what_its_dry_run_showed(workspace: Workspace, salesforce: Salesforce, number: str) -> None:
    salesforce.add("Lead", LastName="Tested", Company="Sample", Phone=number)
    body = {"callId": "try-1", "phoneNumber": number}
    preview = workspace.api("POST", "test-sync", json={**body, "dryRun": True}).json()["payloads"]["task"]
    result = workspace.api("POST", "test-sync", json=body).json()
    assert result["success"] is True, result
    (task,) = salesforce.activities("Task", "test-try-1")
    assert task["Id"] == result["salesforceTaskId"]
    assert {field: task[field] for field in preview} == preview

    # Once the call is logged, a dry run shows where, and has nothing to write.
    again = workspace.api("POST", "test-sync", json={**body, "dryRun": True}).json()
    for field in ("success", "salesforceRecordId", "salesforceTaskId", "salesforceEventId"):
        assert again[field] == result[field], field
    assert again["payloads"] == {"lead": None, "task": None, "event": None}
