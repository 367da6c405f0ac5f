"""Real-world reports: the sample events, from the webhook to Salesforce."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .support.reports import call_id, report, sample
from .support.salesforce import Salesforce
from .support.workspace import Workspace

# The month of the samples' appointments is moved to a year far in the future.
SAMPLE_MONTH, FUTURE_MONTH = "2027-01-", "2037-01-"


def report_of(case: str, number: str | None) -> dict[str, Any]:
    """The sample as a report of a new call, with this number."""
    body: dict[str, Any] = json.loads(json.dumps(sample(case)).replace(SAMPLE_MONTH, FUTURE_MONTH))
    message = body["message"]
    message["call"]["id"] = call_id(report())
    if number:
        for level in (message, message["call"]):
            if "customer" in level:
                level["customer"]["number"] = number
    return body


@pytest.fixture
def known(salesforce: Salesforce, number: str) -> str:
    """The number of a Lead."""
    salesforce.add("Lead", LastName="Known", Company="Sample", Phone=number)
    return number


EVENTS = {
    "date-instant-and-time": ("15T19:00:00", "15T20:00:00"),
    "duration-with-unit": ("15T19:00:00", "15T19:45:00"),
    "type-not-provided": ("15T15:00:00", "15T16:00:00"),
    "nested-appointment": ("15T20:00:00", "15T21:00:00"),
    "json-text": ("15T19:00:00", "15T20:00:00"),
    "appointment-datetime": ("15T19:00:00", "15T20:00:00"),
    "appointments-list": ("15T20:00:00", "15T21:00:00"),
    "values-in-lists": ("15T19:00:00", "15T20:00:00"),
    "local-datetime-as-time": ("15T15:00:00", "15T16:00:00"),
    "local-datetime-as-date": ("15T19:00:00", "15T20:00:00"),
    "rfc3339-time": ("15T19:00:00", "15T20:00:00"),
    "time-with-zone-word": ("15T19:00:00", "15T20:00:00"),
}


@pytest.mark.parametrize("case", EVENTS)
def test_an_event_has_the_times_that_were_agreed(
    workspace: Workspace, salesforce: Salesforce, known: str, case: str
) -> None:
    body = report_of(case, known)
    row = workspace.log_call(body)
    assert (row["status"], row["appointment_created"]) == ("success", True), row
    (event,) = salesforce.activities("Event", call_id(body))
    times = tuple(event[field][:19] for field in ("StartDateTime", "EndDateTime"))
    assert times == tuple(FUTURE_MONTH + time for time in EVENTS[case])
    assert event["Subject"] == "Appointment - Scheduled via Voice AI"


REFUSALS = {
    "midnight-z-without-time": "appointment_without_time",
    "time-instant-of-another-day": "appointment_contradictory",
    "cancelled-by-status": "appointment_not_made",
    "scheduled-false": "appointment_not_made",
    "booked-in-other-words": "appointment_unclear",
    "rescheduled": "appointment_other_intent",
    "voicemail-with-appointment": "appointment_in_voicemail",
}


@pytest.mark.parametrize("case", REFUSALS)
def test_an_uncertain_appointment_is_in_the_task_and_creates_no_event(
    workspace: Workspace, salesforce: Salesforce, known: str, case: str
) -> None:
    body = report_of(case, known)
    row = workspace.log_call(body)
    assert (row["status"], row["error_code"]) == ("success", REFUSALS[case])
    assert salesforce.activities("Event", call_id(body)) == []
    (task,) = salesforce.activities("Task", call_id(body))
    assert task["Subject"] == "Inbound Call"
    assert f"Date: {FUTURE_MONTH}15" in task["Description"]


def test_placeholders_for_missing_values_are_ignored(workspace: Workspace, salesforce: Salesforce, known: str) -> None:
    body = report_of("not-provided", known)
    row = workspace.log_call(body)
    assert (row["status"], row.get("error_code")) == ("success", None)
    (task,) = salesforce.activities("Task", call_id(body))
    assert "ppointment" not in task["Description"]


def test_a_caller_who_withholds_their_number_is_found_by_the_one_they_give(
    workspace: Workspace, salesforce: Salesforce, known: str
) -> None:
    body = report_of("withheld-but-told", None)
    body["message"]["analysis"]["structuredData"]["phone_number"] = known
    row = workspace.log_call(body)
    assert (row["status"], row["error_code"]) == ("skipped", "phone_number_withheld")
    workspace.change_settings(useGivenNumber=True)
    assert workspace.api("POST", f"sync-logs/{call_id(body)}/retry").status_code == 202
    row = workspace.reaches(call_id(body), "success")
    assert (row["error_code"], row["appointment_created"]) == ("number_given_by_caller", True)
    (task,) = salesforce.activities("Task", call_id(body))
    assert "number given by the caller" in task["Description"]


def test_a_new_lead_has_the_reported_name_and_the_task_the_transcript(
    workspace: Workspace, salesforce: Salesforce, new_number: Callable[[], str]
) -> None:
    workspace.change_settings(noMatch="create_lead", includeTranscript=True)
    number = new_number()
    workspace.log_call(report_of("lead-name-from-data", number))
    (lead,) = salesforce.people("Lead", "Phone", number)
    assert (lead["FirstName"], lead["LastName"]) == ("Ann", "Invented")
    body = report_of("transcript-as-list", new_number())
    workspace.log_call(body)
    (task,) = salesforce.activities("Task", call_id(body))
    assert "AI: Hello.\nUser: Hi." in task["Description"].replace("\r\n", "\n")


def test_a_doubled_prefix_is_read_and_an_unanswered_call_has_its_date(
    workspace: Workspace, salesforce: Salesforce, known: str
) -> None:
    assert workspace.log_call(report_of("doubled-prefix", f"+1{known}"))["status"] == "success"
    body = report_of("unanswered-sent-again", known)
    workspace.log_call(body)
    (task,) = salesforce.activities("Task", call_id(body))
    assert task["ActivityDate"] == "2026-11-20"


def test_a_chat_is_accepted_and_a_web_call_is_logged_on_the_record_that_it_names(
    workspace: Workspace, salesforce: Salesforce
) -> None:
    workspace.report(sample("report-without-call"))
    contact = salesforce.add("Contact", LastName="Visitor")
    nobody = "003Zz0000000000IAA"
    for record, status, code in [
        (contact, "success", None),
        (nobody, "not_found", "record_not_found"),
        (contact.lower(), "skipped", "record_id_unreadable"),
    ]:
        body = report_of("web-call", None)
        body["message"]["call"]["assistantOverrides"] = {"metadata": {"salesforceRecordId": record}}
        row = workspace.log_call(body)
        assert (row["status"], row.get("error_code")) == (status, code), record
