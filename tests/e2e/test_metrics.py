"""What the functions have counted and traced.

The tests that are marked `last` check metrics that all other tests have caused, so they pass only in a complete run of
`make test-e2e`.
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
    """Namespace, name, unit and dimensions of each metric that has a value in the functions' logs."""
    lines = (json.loads(line) for lines in all_lines(stack).values() for line in lines if '"_aws"' in line)
    return {
        (directive["Namespace"], metric["Name"], metric["Unit"], tuple(dimensions))
        for line in lines
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
        for dimensions in directive["Dimensions"]
        if metric["Name"] in line and all(dimension in line for dimension in dimensions)
    }


def metrics_of(alarm: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Namespace, name and dimensions of each metric that an alarm watches."""
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query] or [alarm]
    return [
        (
            metric["Namespace"]["Fn::Sub"] if isinstance(metric["Namespace"], dict) else metric["Namespace"],
            metric["MetricName"],
            tuple(dimension["Name"] for dimension in metric.get("Dimensions", [])),
        )
        for metric in metrics
    ]


@pytest.mark.last
def test_every_metric_that_an_alarm_watches_is_emitted(stack: Stack) -> None:
    # No other test makes the worker itself fail.
    unreadable = (ROOT / "events" / "sync.one-unreadable.json").read_bytes()
    stack.client("lambda").invoke(FunctionName=stack.resources["SyncFunction"], Payload=unreadable)
    resources = template.load()["Resources"].values()
    alarms = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"]
    # CloudWatch counts these in API Gateway's log. tests/contract/test_alarms.py checks the filter against its format.
    filters = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::Logs::MetricFilter"]
    counted_in_logs = {metric["MetricName"] for one in filters for metric in one["MetricTransformations"]}
    watched = {metric for alarm in alarms for metric in metrics_of(alarm)}
    ours = {
        (OURS, name, UNITS.get(name, "Count"), dimensions)
        for namespace, name, dimensions in watched
        if namespace == "Ringlog/${AWS::StackName}" and name not in counted_in_logs
    }
    assert len(ours) >= 4
    assert ours - emitted(stack) == set()


@pytest.mark.last
def test_every_metric_is_emitted_and_none_has_a_workspace_dimension(stack: Stack) -> None:
    found = emitted(stack)
    assert {name for _, name, _, _ in found} >= {
        *("CallsReceived", "CallsLogged", "CallsNotFound", "CallsRetrying", "CallsWaiting", "CallsFailed"),
        *("CallsSkipped", "CallsWoken", "QueueAge", "WebhookToTask", "CallEndToTask"),
        *("SalesforceRequests", "SalesforceApiUsage", "TokenRefreshes", "ConnectionsEnded"),
    }
    assert {dimensions for _, _, _, dimensions in found} == {(), ("ErrorCode",), ("OrgClass",)}


def test_webhook_and_worker_share_a_trace(
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
