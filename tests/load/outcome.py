"""What became of the calls: that each was logged exactly once, and how long that took."""

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
    """Returns as soon as the queue holds nothing, and nobody works on anything of it."""
    deadline = time.monotonic() + seconds
    while left := stack.messages("CallQueueUrl"):
        assert time.monotonic() < deadline, f"{left} messages are left in the queue after {seconds:g} s"
        time.sleep(0.25)


def logged_at(stack: Stack, calls: list[Call], seconds: float) -> dict[str, float]:
    """When each call was in Salesforce and its row said so, in Unix seconds: the time of the worker's line about it."""
    since = min(call.posted for call in calls)
    wanted = {call.id for call in calls}
    deadline = time.monotonic() + seconds
    while True:
        told = (json.loads(line) for line in lines(stack, "SyncLogGroup", since - 1) if '"call worked on"' in line)
        found = {
            one["call.id"]: datetime.fromisoformat(one["timestamp"]).timestamp()
            for one in told
            if one["call.status"] == "success"
        }
        if wanted <= found.keys():
            return found
        left = len(wanted - found.keys())
        assert time.monotonic() < deadline, f"{left} calls are not logged after {seconds:g} s"
        time.sleep(1)


def log_bytes(stack: Stack, calls: list[Call]) -> float:
    """How many bytes the webhook and the worker logged for each of the calls; the platform's own lines are left out."""
    since = min(call.posted for call in calls)
    ours = [line for group in ("WebhookLogGroup", "SyncLogGroup") for line in lines(stack, group, since)]
    return sum(len(line.encode()) for line in ours if line.startswith("{")) / len(calls)


def rows(stack: Stack, tenants: Iterable[Tenant]) -> dict[str, dict[str, Any]]:
    """The rows of the tenants: call id → row."""
    table = stack.table("SyncLogsTable")
    found: dict[str, dict[str, Any]] = {}
    for tenant in tenants:
        page: dict[str, Any] = {"KeyConditionExpression": Key("workspace_id").eq(tenant.workspace.id)}
        while True:
            answer = table.query(**page)
            found |= {row["call_id"]: row for row in answer["Items"]}
            if "LastEvaluatedKey" not in answer:
                break
            page["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return found


def assert_each_is_logged_once(stack: Stack, salesforce: Salesforce, calls: list[Call]) -> None:
    """Every call has a row that says `success`, and one Task, on its Lead, in its org."""
    found = rows(stack, {call.tenant.workspace.id: call.tenant for call in calls}.values())
    statuses = Counter(found[call.id]["status"] if call.id in found else "no row" for call in calls)
    assert statuses == {"success": len(calls)}, dict(statuses)
    tasks = {org: salesforce.activities_by_call("Task", org=org) for org in (QUIET_ORG, NOISY_ORG)}
    wrong = [
        call.id for call in calls if [t["WhoId"] for t in tasks[call.tenant.org].get(call.id, [])] != [call.tenant.lead]
    ]
    assert wrong == [], f"not exactly one Task on the right Lead: {wrong[:5]} and so on, {len(wrong)} in all"
    assert stack.messages("DeadLetterQueueUrl") == 0


def percentile(values: list[float], percent: float) -> float:
    """The value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]
