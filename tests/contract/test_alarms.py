"""The alarms: what each watches, when it fires, and whom it notifies.

A running stack would show none of this: it has none of AWS's metrics, and nobody waits there for an alarm to fire.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from local.stack import template

TEMPLATE = template.load()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
ALARMS = {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
WEBHOOK = "POST /webhook/vapi"
OURS = "Ringlog/${AWS::StackName}"


class Alarm(NamedTuple):
    """When an alarm fires."""

    watches: str
    """Its expression, or its one metric: statistic, namespace, name and dimensions."""
    fires: str
    """Comparison and threshold; how many of how many periods, and their length in seconds."""
    without_data: str = "notBreaching"
    also: tuple[str, ...] = ()
    """The metrics of the expression; other properties."""


EXPECTED = {
    "DeadLetterAlarm": Alarm(
        "Maximum AWS/SQS ApproximateNumberOfMessagesVisible QueueName=DeadLetterQueue.QueueName", ">= 1, 1 of 1, 60 s"
    ),
    "QueueAgeAlarm": Alarm(
        "Maximum AWS/SQS ApproximateAgeOfOldestMessage QueueName=CallQueue.QueueName", "> 60, 2 of 2, 60 s"
    ),
    "WebhookErrorAlarm": Alarm(
        "Sum AWS/ApiGateway 5xx ApiId=Api Stage=$default Method=POST Resource=/webhook/vapi", ">= 1, 1 of 1, 60 s"
    ),
    "WebhookThrottleAlarm": Alarm(f"Sum {OURS} WebhookThrottles", ">= 1, 1 of 1, 60 s"),
    "SyncErrorAlarm": Alarm(
        "100 * (FILL(failed, 0) + 10 * FILL(crashed, 0)) / (FILL(taken, 0) + 10 * FILL(crashed, 0))",
        "> 5, 1 of 1, 300 s",
        also=(
            f"taken: Sum {OURS} MessagesTaken",
            f"failed: Sum {OURS} MessagesFailed",
            "crashed: Sum AWS/Lambda Errors FunctionName=SyncFunction",
        ),
    ),
    "ConnectionAlarm": Alarm(f"Sum {OURS} ConnectionsEnded", ">= 1, 1 of 1, 300 s"),
    "ThrottleAlarm": Alarm(
        "FILL(webhook, 0) + FILL(sync, 0) + FILL(sweep, 0)",
        ">= 1, 1 of 1, 300 s",
        also=(
            "webhook: Sum AWS/Lambda Throttles FunctionName=WebhookFunction",
            "sync: Sum AWS/Lambda Throttles FunctionName=SyncFunction",
            "sweep: Sum AWS/Lambda Throttles FunctionName=SweepFunction",
        ),
    ),
    "LatencyAlarm": Alarm(
        f"p99 {OURS} CallEndToTask", "> 30000, 2 of 3, 300 s", also=("EvaluateLowSampleCountPercentile=evaluate",)
    ),
    "SweepAlarm": Alarm(
        "FILL(runs, 0) - FILL(errors, 0)",
        "< 1, 1 of 1, 300 s",
        "breaching",
        also=(
            "runs: Sum AWS/Lambda Invocations FunctionName=SweepFunction",
            "errors: Sum AWS/Lambda Errors FunctionName=SweepFunction",
        ),
    ),
}
SIGNS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}


def plain(value: Any) -> str:
    """A value, or what it refers to: `Api`, `CallQueue.QueueName`."""
    match value:
        case {"Ref": str(text)} | {"Fn::Sub": str(text)}:
            return text
        case {"Fn::GetAtt": parts}:
            return ".".join(parts)
    return str(value)


def metric(statistic: str, one: dict[str, Any]) -> str:
    dimensions = [f"{dimension['Name']}={plain(dimension['Value'])}" for dimension in one.pop("Dimensions", [])]
    return " ".join([statistic, plain(one.pop("Namespace")), one.pop("MetricName"), *dimensions])


def read(alarm: dict[str, Any]) -> Alarm:
    """An alarm as the table writes it. Nothing is skipped: `also` has whatever the other fields do not."""
    rest = json.loads(json.dumps(alarm))
    for name in ("AlarmDescription", "AlarmActions", "OKActions"):
        rest.pop(name, None)
    if metrics := rest.pop("Metrics", []):
        (computed,) = [one for one in metrics if "Expression" in one]
        assert computed.get("ReturnData", True)
        stats = {one["Id"]: one["MetricStat"] for one in metrics if one is not computed and one["ReturnData"] is False}
        assert len(stats) == len(metrics) - 1
        watches = computed["Expression"]
        also = [f"{name}: {metric(one['Stat'], one['Metric'])}" for name, one in stats.items()]
        (seconds,) = {one["Period"] for one in stats.values()}
    else:
        watches = metric(rest.pop("Statistic", None) or rest.pop("ExtendedStatistic"), rest)
        also, seconds = [], rest.pop("Period")
    periods = rest.pop("EvaluationPeriods")
    fires = (
        f"{SIGNS[rest.pop('ComparisonOperator')]} {rest.pop('Threshold')}, "
        f"{rest.pop('DatapointsToAlarm', periods)} of {periods}, {seconds} s"
    )
    without_data = rest.pop("TreatMissingData")
    return Alarm(watches, fires, without_data, (*also, *(f"{name}={plain(value)}" for name, value in rest.items())))


def test_there_are_exactly_these_alarms() -> None:
    assert list(ALARMS) == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_alarm_fires_when_it_should(name: str) -> None:
    assert read(ALARMS[name]) == EXPECTED[name]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_notifies_when_it_fires_and_when_it_is_over(name: str) -> None:
    topic = [{"Ref": "AlertTopic"}]
    assert ALARMS[name]["AlarmActions"] == topic
    # A connection that has ended does not come back by itself, so there is nothing to report.
    assert ALARMS[name].get("OKActions") == (None if name == "ConnectionAlarm" else topic)
    # No alarm is switched off, or missing from some stacks.
    assert ALARMS[name].get("ActionsEnabled", True) is True
    assert "Condition" not in RESOURCES[name]


def test_the_topic_notifies_the_operator() -> None:
    assert RESOURCES["AlertTopic"] == {"Type": "AWS::SNS::Topic"}
    assert RESOURCES["AlertSubscription"]["Condition"] == "HasAlertEmail"
    assert RESOURCES["AlertSubscription"]["Properties"] == {
        "TopicArn": {"Ref": "AlertTopic"},
        "Protocol": "email",
        "Endpoint": {"Ref": "AlertEmail"},
    }


def test_each_route_that_an_alarm_watches_has_its_own_metrics() -> None:
    # Without them API Gateway counts per API and stage only, and the alarm would never fire.
    settings = RESOURCES["Api"]["Properties"]["RouteSettings"]
    values = [{d["Name"]: d["Value"] for d in one.get("Dimensions", [])} for one in ALARMS.values()]
    named = {f"{one['Method']} {one['Resource']}" for one in values if "Resource" in one}
    assert named == {WEBHOOK}
    assert {route for route, one in settings.items() if one.get("DetailedMetricsEnabled") is True} == named


def test_what_the_throttle_alarm_counts_is_what_the_api_logs() -> None:
    (filtered,) = [one["Properties"] for one in RESOURCES.values() if one["Type"] == "AWS::Logs::MetricFilter"]
    log = RESOURCES["Api"]["Properties"]["AccessLogSettings"]
    assert filtered["LogGroupName"] == {"Ref": log["DestinationArn"]["Fn::GetAtt"][0]}
    logged = json.loads(log["Format"])
    assert (logged["route"], logged["status"]) == ("$context.routeKey", "$context.status")
    assert filtered["FilterPattern"] == f'{{ $.route = "{WEBHOOK}" && $.status = "429" }}'
    assert filtered["MetricTransformations"] == [
        {"MetricNamespace": {"Fn::Sub": OURS}, "MetricName": "WebhookThrottles", "MetricValue": "1", "Unit": "Count"}
    ]
    assert f"{OURS} {filtered['MetricTransformations'][0]['MetricName']}" in EXPECTED["WebhookThrottleAlarm"].watches


def test_every_function_is_traced() -> None:
    assert TEMPLATE["Globals"]["Function"]["Tracing"] == "Active"
    assert not [name for name in template.binaries(TEMPLATE) if "Tracing" in RESOURCES[name]["Properties"]]
