"""The main path: a call ends and appears in Salesforce."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import UTC, datetime

import pytest

from local.stack.settings import ROOT

from .support.polling import wait_until
from .support.reports import call_id, report, sample
from .support.salesforce import Salesforce
from .support.secrets import Secrets
from .support.stack import Stack
from .support.workspace import Workspace

NEXT_YEAR = datetime.now(UTC).year + 1


@pytest.mark.parametrize(
    ("date", "start", "end"),
    [
        (f"{NEXT_YEAR}-01-20", f"{NEXT_YEAR}-01-20T19:00:00", f"{NEXT_YEAR}-01-20T20:00:00"),
        (f"{NEXT_YEAR}-07-15", f"{NEXT_YEAR}-07-15T18:00:00", f"{NEXT_YEAR}-07-15T19:00:00"),
    ],
    ids=["winter time", "summer time"],
)
def test_a_call_with_an_appointment_becomes_a_task_and_an_event(
    workspace: Workspace, salesforce: Salesforce, number: str, date: str, start: str, end: str
) -> None:
    lead = salesforce.add("Lead", LastName="Winter", Company="Sample", Phone=number)
    booked = {
        "intent": "Scheduling",
        "appointment_booked": True,
        "appointment_date": date,
        "appointment_time": "2:00 PM",
        "appointment_type": "Consultation",
        "appointment_notes": "Bring the licence list.",
    }
    body = report(number, appointment=booked)
    row = workspace.log_call(body)

    (task,) = salesforce.activities("Task", call_id(body))
    assert task["WhoId"] == lead
    assert task["Subject"] == "Inbound Call - Scheduled Appointment"
    assert (task["Status"], task["Priority"], task["Type"], task["TaskSubtype"]) == (
        *("Completed", "Normal", "Call", "Call"),
    )
    assert (task["CallType"], task["CallDurationInSeconds"], task["CallObject"]) == ("Inbound", 125, call_id(body))
    assert body["message"]["analysis"]["summary"] in task["Description"]

    (event,) = salesforce.activities("Event", call_id(body))
    assert event["WhoId"] == lead
    assert event["Subject"] == "Consultation - Scheduled via Voice AI"
    # The workspace's time zone is that of the user in Salesforce: America/New_York.
    assert (event["StartDateTime"][:19], event["EndDateTime"][:19]) == (start, end)
    assert "Bring the licence list." in event["Description"]

    assert row["status"] == "success"
    assert row["salesforce_record_id"] == lead
    assert row["salesforce_record_type"] == "Lead"
    assert row["salesforce_task_id"] == task["Id"]
    assert row["salesforce_event_id"] == event["Id"]
    assert row["appointment_created"] is True
    assert "due_at" not in row


def test_a_call_is_logged_on_a_contact_if_no_lead_has_the_number(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    contact = salesforce.add("Contact", LastName="Known", MobilePhone=f"({number[2:5]}) {number[5:8]}-{number[8:]}")
    body = report(number)
    row = workspace.log_call(body)
    assert (row["status"], row["salesforce_record_type"]) == ("success", "Contact")
    (task,) = salesforce.activities("Task", call_id(body))
    assert (task["WhoId"], task["Subject"]) == (contact, "Inbound Call")
    assert salesforce.activities("Event", call_id(body)) == []


def test_an_outbound_call_is_logged_as_one(workspace: Workspace, salesforce: Salesforce, number: str) -> None:
    salesforce.add("Lead", LastName="Called", Company="Sample", Phone=number)
    body = report(number, case="outbound-call")
    assert workspace.log_call(body)["status"] == "success"
    (task,) = salesforce.activities("Task", call_id(body))
    assert (task["Subject"], task["CallType"]) == ("Outbound Call", "Outbound")


def test_a_web_call_without_a_number_is_skipped(workspace: Workspace, salesforce: Salesforce) -> None:
    body = report(case="web-call")
    row = workspace.log_call(body)
    assert row["status"] == "skipped"
    assert row["error_message"]
    assert salesforce.activities("Task", call_id(body)) == []


def test_an_unknown_caller_is_searched_for_again_in_five_minutes(workspace: Workspace, number: str) -> None:
    row = workspace.log_call(report(number))
    assert row["status"] == "not_found"
    assert 240 < int(row["due_at"]) - time.time() < 360


def test_a_second_report_updates_the_task_and_creates_no_other(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Twice", Company="Sample", Phone=number)
    body = report(number)
    first = workspace.log_call(body)
    body["message"]["analysis"]["summary"] = "The caller wants thirteen licences."
    body["message"]["timestamp"] += 1000
    assert workspace.post(body).status_code == 200

    def updated() -> bool:
        return "thirteen" in salesforce.activities("Task", call_id(body))[0]["Description"]

    wait_until(updated, 20, "the Task has the new summary")
    (task,) = salesforce.activities("Task", call_id(body))
    assert task["Id"] == first["salesforce_task_id"]


def test_the_status_has_no_tokens(workspace: Workspace, salesforce: Salesforce) -> None:
    status = workspace.status()
    assert (status["connected"], status["state"]) == (True, "connected")
    assert status["instanceUrl"] == salesforce.url
    assert status["userName"]
    assert not [name for name in status if "oken" in name]


def test_calls_of_an_unconnected_workspace_are_logged_when_it_connects(
    stranger: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Patient", Company="Sample", Phone=number)
    body = report(number)
    assert stranger.post(body).status_code == 200

    def is_waiting() -> bool:
        row = stranger.row(call_id(body))
        return row is not None and row["status"] == "waiting_for_connection"

    wait_until(is_waiting, 20, "the call waits for a connection")
    stranger.connect()
    assert stranger.settled(call_id(body))["status"] == "success"
    assert len(salesforce.activities("Task", call_id(body))) == 1


def test_disconnecting_ends_the_connection_and_can_be_repeated(workspace: Workspace) -> None:
    for _ in range(2):
        response = workspace.api("DELETE", "disconnect")
        assert (response.status_code, response.json()) == (
            *(200, {"success": True, "message": "Salesforce disconnected"}),
        )
    assert workspace.status()["connected"] is False


def test_a_call_takes_two_salesforce_requests_and_appears_within_two_seconds(
    workspace: Workspace, salesforce: Salesforce, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    salesforce.add("Lead", LastName="Quick", Company="Sample", Phone=number)
    workspace.log_call(report(number))  # warms up the functions
    salesforce.clear_requests()
    body = report(number)
    started = time.monotonic()
    assert workspace.post(body).status_code == 200
    responded = time.monotonic()
    wait_until(lambda: salesforce.activities("Task", call_id(body)), 20, "the Task exists")
    appeared = time.monotonic()
    workspace.settled(call_id(body))
    with capsys.disabled():
        print(
            f"\n  the webhook responded after {(responded - started) * 1000:.0f} ms; "
            f"the Task existed {(appeared - responded) * 1000:.0f} ms later"
        )
    assert appeared - responded < 2
    assert salesforce.requests() == {"search": 1, "composite": 1}


def test_a_report_of_4_megabytes_is_accepted(workspace: Workspace, salesforce: Salesforce, number: str) -> None:
    salesforce.add("Lead", LastName="Talkative", Company="Sample", Phone=number)
    body = report(number)
    line = "User: And then another thing came to my mind that I wanted to tell you about.\n"
    body["message"]["artifact"]["transcript"] = line * (4_000_000 // len(line))
    assert len(json.dumps(body)) > 4_000_000
    assert workspace.log_call(body)["status"] == "success"
    (task,) = salesforce.activities("Task", call_id(body))
    assert len(task["Description"]) <= 32_000


def test_the_printed_commands_log_the_sample_call(stack: Stack, salesforce: Salesforce, secrets: Secrets) -> None:
    script = "set -e\n" + "\n".join(stack.commands.values()) + '\nprintf "\\n%s" "$SECRET"'
    result = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    secrets.add(result.stdout.splitlines()[-1])
    assert '{"received":true}' in result.stdout
    sample_call = call_id(sample("appointment"))
    wait_until(lambda: salesforce.activities("Task", sample_call), 2, "the sample call's Task")
    assert len(salesforce.activities("Event", sample_call)) == 1
