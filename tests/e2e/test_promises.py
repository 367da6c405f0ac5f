"""Every accepted call is logged exactly once, with one thing going wrong at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from .support.polling import wait_until
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.stack import Stack
from .support.workspace import Workspace

BOOKED = {
    "intent": "Scheduling",
    "appointment_booked": True,
    "appointment_date": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
    "appointment_time": "2:00 PM",
}


def counts(salesforce: Salesforce, body: dict[str, Any], *, org: int = 1) -> tuple[int, int]:
    """The number of Tasks and of Events of a call."""
    call = call_id(body)
    return len(salesforce.activities("Task", call, org=org)), len(salesforce.activities("Event", call, org=org))


def test_twenty_identical_reports_become_one_task_and_one_event(
    stack: Stack, workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Once", Company="Sample", Phone=number)
    body = report(number, appointment=BOOKED)
    workspace.report_concurrently([body] * 20)
    assert workspace.settled(call_id(body))["status"] == "success"
    wait_until(lambda: stack.messages("CallQueueUrl") == 0, 20, "all twenty messages are done")
    assert counts(salesforce, body) == (1, 1)


NO_RESPONSE: dict[str, dict[str, Any]] = {
    "executed, no response": {"kind": "dropAfter"},
    "not executed, no response": {"kind": "dropBefore"},
    "executed, 502": {"kind": "answerAfter", "status": 502, "body": "<html>Bad Gateway</html>"},
    # Longer than Ringlog waits.
    "executed after the timeout": {"kind": "delay", "milliseconds": 12_000},
}


def test_a_write_without_a_response_is_made_exactly_once(workspace: Workspace, faults: Salesforce, number: str) -> None:
    lead = faults.add("Lead", LastName="Lost", Company="Sample", Phone=number)
    bodies = {}
    for case, fault in NO_RESPONSE.items():
        bodies[case] = body = report(number, appointment=BOOKED)
        faults.fault("composite", fault)
        workspace.report(body)
        row = workspace.reaches(call_id(body), "retrying", "success")
        assert (row["salesforce_record_id"], faults.faults()) == (lead, [])
    rows = {case: workspace.retried(call_id(body)) for case, body in bodies.items()}
    assert {case: row["status"] for case, row in rows.items()} == dict.fromkeys(NO_RESPONSE, "success")
    assert {case: counts(faults, body) for case, body in bodies.items()} == dict.fromkeys(NO_RESPONSE, (1, 1))
    for case, row in rows.items():
        (task,) = faults.activities("Task", call_id(bodies[case]))
        assert row["salesforce_task_id"] == task["Id"], case


def test_ten_concurrent_calls_refresh_an_expired_session_once(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Expired", Company="Sample", Phone=number)
    assert workspace.log_call(report(number))["status"] == "success"  # with the session that expires
    salesforce.clear_requests()
    salesforce.expire_sessions()
    bodies = [report(number) for _ in range(10)]
    workspace.report_concurrently(bodies)
    assert {workspace.settled(call_id(body))["status"] for body in bodies} == {"success"}
    assert salesforce.requests()["token"] == 1
    tokens = salesforce.tokens()
    assert (tokens["refreshes"], tokens["concurrentRefreshes"], tokens["reusedRefreshTokens"]) == (1, 0, 0)
    assert [counts(salesforce, body) for body in bodies] == [(1, 0)] * 10


def test_a_refresh_that_salesforce_is_already_processing_does_not_disconnect(
    workspace: Workspace, faults: Salesforce, number: str
) -> None:
    faults.add("Lead", LastName="Processing", Company="Sample", Phone=number)
    faults.expire_sessions()
    faults.fault("token", {"kind": "preset", "name": "tokenRequestInProcess"}, times=None)
    body = report(number)
    workspace.report(body)
    row = workspace.reaches(call_id(body), "retrying")
    assert "already being processed" in row["error_message"]
    assert workspace.status()["state"] == "connected"
    faults.clear_faults()
    assert workspace.retried(call_id(body))["status"] == "success"
    assert workspace.status()["state"] == "connected"
    assert counts(faults, body) == (1, 0)


def test_calls_after_a_revocation_wait_until_a_reconnect(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Revoked", Company="Sample", Phone=number)
    salesforce.revoke_grants()
    bodies = [report(number) for _ in range(10)]
    workspace.report_concurrently(bodies)
    for body in bodies:
        workspace.reaches(call_id(body), "waiting_for_connection")
    status = workspace.status()
    assert (status["connected"], status["state"]) == (False, "reconnect_required")
    assert "expired access/refresh token" in status["reason"]
    assert [counts(salesforce, body) for body in bodies] == [(0, 0)] * 10

    workspace.connect()
    assert {workspace.settled(call_id(body))["status"] for body in bodies} == {"success"}
    assert [counts(salesforce, body) for body in bodies] == [(1, 0)] * 10
    assert (workspace.status()["state"], workspace.status()["reason"]) == ("connected", None)


def test_a_lead_that_is_created_after_the_call_is_found_later(
    stack: Stack, workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    body = report(number)
    assert workspace.log_call(body)["status"] == "not_found"
    lead = salesforce.add("Lead", LastName="Late", Company="Sample", Phone=number)
    # By itself, the call would be tried again five minutes after it ended.
    workspace.make_due(call_id(body))
    stack.sweep()
    workspace.reaches(call_id(body), "success")
    (task,) = salesforce.activities("Task", call_id(body))
    assert task["WhoId"] == lead


def claimed(workspace: Workspace, body: dict[str, Any]) -> bool:
    """Whether a worker has claimed the call."""
    row = workspace.row(call_id(body))
    return row is not None and "lease_owner" in row


def test_calls_in_flight_at_a_disconnect_are_never_logged_in_another_org(
    workspace: Workspace, faults: Salesforce, number: str
) -> None:
    for org in (1, 2):
        faults.add("Lead", org=org, LastName="Twofold", Company="Sample", Phone=number)
    # By the time that the delayed searches run, the session has ended.
    faults.fault("search", {"kind": "delay", "milliseconds": 4000}, times=5)
    attempted = [report(number) for _ in range(5)]
    workspace.report_concurrently(attempted)
    wait_until(lambda: all(claimed(workspace, body) for body in attempted), 20, "the calls are in flight")
    assert workspace.api("DELETE", "disconnect").status_code == 200
    for body in attempted:
        workspace.reaches(call_id(body), "waiting_for_connection")
    not_attempted = [report(number) for _ in range(5)]
    workspace.report_concurrently(not_attempted)
    for body in not_attempted:
        workspace.reaches(call_id(body), "waiting_for_connection")

    workspace.connect(faults.user(org=2))
    for body in attempted:
        row = workspace.reaches(call_id(body), "error")
        assert row["error_code"] == "org_changed"
    new = report(number)
    workspace.report(new)
    assert {workspace.reaches(call_id(body), "success")["status"] for body in [*not_attempted, new]} == {"success"}
    bodies = [*attempted, *not_attempted, new]
    assert [counts(faults, body, org=2) for body in bodies] == [(0, 0)] * 5 + [(1, 0)] * 6
    assert [counts(faults, body) for body in bodies] == [(0, 0)] * 11


def test_a_disconnect_during_a_refresh_leaves_no_active_grant(
    workspace: Workspace, faults: Salesforce, number: str
) -> None:
    faults.add("Lead", LastName="Crossing", Company="Sample", Phone=number)
    others = faults.grants() - 1
    faults.expire_sessions()
    faults.clear_requests()
    faults.fault("token", {"kind": "delay", "milliseconds": 4000})
    # The disconnect tries three times to revoke, and fails. The refresh that is in progress succeeds, but its tokens
    # belong to no connection.
    faults.fault("revoke", {"kind": "preset", "name": "serverUnavailable"}, times=3)
    bodies = [report(number) for _ in range(5)]
    workspace.report_concurrently(bodies)
    wait_until(lambda: faults.requests().get("token"), 20, "the refresh has begun")
    assert workspace.api("DELETE", "disconnect").status_code == 200
    assert faults.grants() == others + 1
    for body in bodies:
        workspace.reaches(call_id(body), "waiting_for_connection")
    wait_until(lambda: faults.grants() == others, 20, "the tokens that arrived too late are revoked")
    assert workspace.status()["state"] == "disconnected"

    workspace.connect()
    assert {workspace.reaches(call_id(body), "success")["status"] for body in bodies} == {"success"}
    assert [counts(faults, body) for body in bodies] == [(1, 0)] * 5
    assert faults.tokens()["concurrentRefreshes"] == 0
