"""The ledger through the API: listing, counting and retrying calls."""

from __future__ import annotations

import time
from typing import Any

from .support.polling import wait_until
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.workspace import Workspace

TIMEOUT_SECONDS = 20
# The error of an org's validation rule.
REFUSED = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def listed(workspace: Workspace, **query: Any) -> list[str]:
    """The ids of all listed calls, read page by page."""
    calls: list[str] = []
    while True:
        response = workspace.api("GET", "sync-logs", params=query)
        assert response.status_code == 200, response.text
        page = response.json()
        calls += [item["callId"] for item in page["items"]]
        if page["nextCursor"] is None:
            return calls
        assert page["items"]
        query["cursor"] = page["nextCursor"]


def summary(workspace: Workspace, **query: Any) -> dict[str, Any]:
    """The numbers of the workspace's calls."""
    response = workspace.api("GET", "sync-logs/summary", params=query)
    assert response.status_code == 200, response.text
    counts: dict[str, Any] = response.json()
    return counts


def test_calls_are_listed_newest_first_filtered_by_status_and_counted(
    workspace: Workspace, stranger: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Listed", Company="Sample", Phone=number)
    bodies = [report(number), report(case="web-call"), report(number)]
    rows = []
    for body in bodies:
        rows.append(workspace.log_call(body))
        time.sleep(1)  # rows are ordered by second
    newest_first = [call_id(body) for body in reversed(bodies)]
    assert listed(workspace) == newest_first
    assert listed(workspace, limit=1) == newest_first
    assert listed(workspace, status="success", limit=1) == [newest_first[0], newest_first[2]]
    assert listed(workspace, status="error") == []

    item = workspace.api("GET", "sync-logs", params={"limit": 1}).json()["items"][0]
    assert item["salesforceTaskId"] == rows[-1]["salesforce_task_id"]
    assert item["phoneNumber"] == number
    assert "call" not in item

    counts = summary(workspace)
    assert (counts["since"], counts["total"]) == (None, 3)
    assert {status: n for status, n in counts["statuses"].items() if n} == {"success": 2, "skipped": 1}
    assert sum(counts["errorCodes"].values()) == 1
    assert summary(workspace, since=int(rows[1]["created_at"]))["total"] == 2

    assert listed(stranger) == []
    assert summary(stranger)["total"] == 0


def test_invalid_list_parameters_are_refused(stranger: Workspace) -> None:
    for path, query in (
        ("sync-logs", {"limit": 0}),
        ("sync-logs", {"status": "broken"}),
        ("sync-logs", {"cursor": "broken"}),
        ("sync-logs/summary", {"since": "yesterday"}),
    ):
        response = stranger.api("GET", path, params=query)
        assert (response.status_code, response.json()["code"]) == (400, f"invalid_{next(iter(query))}")


def test_a_call_without_a_record_is_logged_after_a_retry(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    body = report(number)
    assert workspace.log_call(body)["status"] == "not_found"
    salesforce.add("Lead", LastName="Late", Company="Sample", Phone=number)
    response = workspace.api("POST", f"sync-logs/{call_id(body)}/retry")
    assert (response.status_code, response.json()) == (202, {"status": "queued"})
    wait_until_logged(workspace, call_id(body))
    assert len(salesforce.activities("Task", call_id(body))) == 1

    response = workspace.api("POST", "sync-logs/no-such-call/retry")
    assert (response.status_code, response.json()["code"]) == (404, "no_such_call")


def test_all_calls_with_the_same_error_code_are_logged_after_a_retry(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Ruled", Company="Sample", Phone=number)
    salesforce.refuse("Task", REFUSED, times=3)
    bodies = [report(number) for _ in range(3)]
    rows = [workspace.log_call(body) for body in bodies]
    assert {(row["status"], row["error_code"]) for row in rows} == {("error", REFUSED)}
    assert summary(workspace)["errorCodes"] == {REFUSED: 3}

    for queued in (3, 0):
        response = workspace.api("POST", "sync-logs/retry", json={"errorCode": REFUSED})
        assert (response.status_code, response.json()) == (202, {"queued": queued})
    for body in bodies:
        wait_until_logged(workspace, call_id(body))
        assert len(salesforce.activities("Task", call_id(body))) == 1


def wait_until_logged(workspace: Workspace, call: str) -> None:
    """Waits until a call that was queued again is logged."""

    def look() -> bool:
        row = workspace.row(call)
        return row is not None and row["status"] == "success"

    wait_until(look, TIMEOUT_SECONDS, f"call {call} is logged")
