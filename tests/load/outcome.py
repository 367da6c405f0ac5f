"""The outcome of a run: that each call was logged exactly once, and how long that took."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from boto3.dynamodb.conditions import Key

from tests.e2e.support.logs import lines
from tests.e2e.support.salesforce import Salesforce
from tests.e2e.support.stack import Stack

from .traffic import NOISY_ORG, QUIET_ORG, Call, Tenant


def wait_until_empty(stack: Stack, seconds: float) -> None:
    """Waits until the queue has no messages, including those in flight."""
    deadline = time.monotonic() + seconds
    while left := stack.messages("CallQueueUrl"):
        assert time.monotonic() < deadline, f"{left} messages are left in the queue after {seconds:g} s"
        time.sleep(0.25)


def logged_at(stack: Stack, calls: list[Call], seconds: float) -> dict[str, float]:
    """When each call was logged in Salesforce and in its row, in Unix seconds, according to the worker's log."""
    since = min(call.posted for call in calls)
    expected = {call.id for call in calls}
    deadline = time.monotonic() + seconds
    while True:
        entries = (json.loads(line) for line in lines(stack, "SyncLogGroup", since - 1) if '"call worked on"' in line)
        found = {
            entry["call.id"]: datetime.fromisoformat(entry["timestamp"]).timestamp()
            for entry in entries
            if entry["call.status"] == "success"
        }
        if expected <= found.keys():
            return found
        left = len(expected - found.keys())
        assert time.monotonic() < deadline, f"{left} calls are not logged after {seconds:g} s"
        time.sleep(1)


def log_bytes(stack: Stack, calls: list[Call]) -> float:
    """How many bytes the webhook and the worker have logged per call, without Lambda's own lines."""
    since = min(call.posted for call in calls)
    ours = [line for group in ("WebhookLogGroup", "SyncLogGroup") for line in lines(stack, group, since)]
    return sum(len(line.encode()) for line in ours if line.startswith("{")) / len(calls)


def rows(stack: Stack, tenants: Iterable[Tenant]) -> dict[str, dict[str, Any]]:
    """The rows of the tenants' calls, by call id."""
    table = stack.table("SyncLogsTable")
    found: dict[str, dict[str, Any]] = {}
    for tenant in tenants:
        page: dict[str, Any] = {"KeyConditionExpression": Key("workspace_id").eq(tenant.workspace.id)}
        while True:
            response = table.query(**page)
            found |= {row["call_id"]: row for row in response["Items"]}
            if "LastEvaluatedKey" not in response:
                break
            page["ExclusiveStartKey"] = response["LastEvaluatedKey"]
    return found


def assert_each_is_logged_once(stack: Stack, salesforce: Salesforce, calls: list[Call]) -> None:
    """Checks that every call has a row with status `success`, and exactly one Task on its Lead in its org."""
    found = rows(stack, {call.tenant.workspace.id: call.tenant for call in calls}.values())
    statuses = Counter(found[call.id]["status"] if call.id in found else "no row" for call in calls)
    assert statuses == {"success": len(calls)}, dict(statuses)
    tasks = {org: salesforce.activities_by_call("Task", org=org) for org in (QUIET_ORG, NOISY_ORG)}
    wrong = [
        call.id for call in calls if [t["WhoId"] for t in tasks[call.tenant.org].get(call.id, [])] != [call.tenant.lead]
    ]
    assert wrong == [], f"not exactly one Task on the right Lead: {wrong[:5]} and others, {len(wrong)} in all"
    assert stack.messages("DeadLetterQueueUrl") == 0


def percentile(values: list[float], percent: float) -> float:
    """The given percentile of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]
