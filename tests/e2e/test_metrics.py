"""What the functions have counted and traced, while all the other tests ran.

The tests that are marked `last` look for what the others have made the functions count: they say something only after
all of them, in one run of `make test-e2e`. Run alone they fail.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.stack import template
from local.stack.deploy import STACK_NAME
from local.stack.settings import ROOT

from .support.logs import all_lines
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.stack import Stack
from .support.workspace import Workspace

UNITS = {"CallEndToTask": "Milliseconds", "WebhookToTask": "Milliseconds", "QueueAge": "Milliseconds"}
OURS = f"Ringlog/{STACK_NAME}"


def emitted(stack: Stack) -> set[tuple[str, str, str, tuple[str, ...]]]:
    """Namespace, name, unit and dimensions of each metric in the functions' logs that has a value there."""
    lines = (json.loads(line) for lines in all_lines(stack).values() for line in lines if '"_aws"' in line)
    return {
        (one["Namespace"], metric["Name"], metric["Unit"], tuple(dimensions))
        for line in lines
        for one in line["_aws"]["CloudWatchMetrics"]
        for metric in one["Metrics"]
        for dimensions in one["Dimensions"]
        if metric["Name"] in line and all(dimension in line for dimension in dimensions)
    }


def metrics_of(alarm: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Namespace, name and dimensions of each metric that an alarm looks at."""
    stats = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one] or [alarm]
    return [
        (
            one["Namespace"]["Fn::Sub"] if isinstance(one["Namespace"], dict) else one["Namespace"],
            one["MetricName"],
            tuple(dimension["Name"] for dimension in one.get("Dimensions", [])),
        )
        for one in stats
    ]


@pytest.mark.last
def test_every_metric_that_an_alarm_names_is_emitted(stack: Stack) -> None:
    # Nothing else in these tests fails for the worker itself.
    unreadable = (ROOT / "events" / "sync.one-unreadable.json").read_bytes()
    stack.client("lambda").invoke(FunctionName=stack.resources["SyncFunction"], Payload=unreadable)
    resources = template.load()["Resources"].values()
    alarms = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    # What CloudWatch counts in API Gateway's log; tests/contract/test_alarms.py holds its filter to the log's format.
    filters = [one["Properties"] for one in resources if one["Type"] == "AWS::Logs::MetricFilter"]
    counted_in_logs = {metric["MetricName"] for one in filters for metric in one["MetricTransformations"]}
    named = {metric for alarm in alarms for metric in metrics_of(alarm)}
    ours = {
        (OURS, name, UNITS.get(name, "Count"), dimensions)
        for namespace, name, dimensions in named
        if namespace == "Ringlog/${AWS::StackName}" and name not in counted_in_logs
    }
    assert len(ours) >= 4
    assert ours - emitted(stack) == set()


@pytest.mark.last
def test_all_that_is_measured_is_emitted_and_names_no_workspace(stack: Stack) -> None:
    found = emitted(stack)
    assert {name for _, name, _, _ in found} >= {
        *("CallsReceived", "CallsLogged", "CallsNotFound", "CallsRetrying", "CallsWaiting", "CallsFailed"),
        *("CallsSkipped", "CallsWoken", "QueueAge", "WebhookToTask", "CallEndToTask"),
        *("SalesforceRequests", "SalesforceApiUsage", "TokenRefreshes", "ConnectionsEnded"),
    }
    assert {dimensions for _, _, _, dimensions in found} == {(), ("ErrorCode",), ("OrgClass",)}


def test_one_trace_shows_the_webhook_and_the_worker(
    stack: Stack, workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Traced", Company="Sample", Phone=number)
    body = report(number)
    assert workspace.log_call(body)["status"] == "success"

    def line_of(function: str, message: str) -> dict[str, Any]:
        lines = [json.loads(line) for line in all_lines(stack)[f"{function}LogGroup"] if call_id(body) in line]
        found: list[dict[str, Any]] = [line for line in lines if line["message"] == message]
        return found[0]

    trace = line_of("Sync", "call worked on")["trace.id"]
    assert trace.startswith("1-")
    assert f"Root={trace}" in line_of("Webhook", "report taken")["span"]["xrayTraceId"]
