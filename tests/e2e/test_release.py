"""The release artefacts: what is linked into them, and what they respond to each sample event in AWS's own emulator."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from botocore import xform_name

from local.stack import template
from local.stack.settings import ROOT
from tests.contract.test_permissions import granted, target

from .support import runtime
from .support.stack import Stack
from .support.workspace import Workspace

TEMPLATE = template.load()
BINARIES = template.binaries(TEMPLATE)
FUNCTIONS = sorted(BINARIES.values())
# An operation of an AWS client that is linked in. The artefact holds the path of its source file, for panic messages.
OPERATION = re.compile(rb"aws-sdk-(\w+)-[\d.]+/src/operation/(\w+)\.rs")
# Lambda polls a function's queue in the function's role.
POLLING = {"sqs:receive_message", "sqs:delete_message", "sqs:get_queue_attributes"}
POLLED = {
    target(resource["Properties"]["FunctionName"])
    for resource in TEMPLATE["Resources"].values()
    if resource["Type"] == "AWS::Lambda::EventSourceMapping"
}
# The environment variable with each resource's name.
VARIABLES = {target(value): name for name, value in TEMPLATE["Globals"]["Function"]["Environment"]["Variables"].items()}
ONLY_IN_DEBUG_BUILDS = "LOCAL_WORKSPACE_ID"
# The samples' workspace, except in the invalid token.
SAMPLE_WORKSPACE = re.compile(r"\bacme\b(?!\.1\.1)")
UNKNOWN_STATE = (400, "state_unknown")
BAD_TOKEN = (401, "invalid_webhook_token")

# The responses for a workspace that is not connected and has no calls: the status, and the code of a problem. For sync,
# the messages that are to be redelivered. A browser gets a page, which has no code.
EXPECTED: dict[str, Any] = {
    "disconnect.delete.json": (200, None),
    "oauth-callback.allowed.json": UNKNOWN_STATE,
    "oauth-callback.denied.json": UNKNOWN_STATE,
    "oauth-callback.no-cookie.json": (403, "state_of_another_browser"),
    "oauth-callback.no-state.json": (400, "missing_parameter"),
    "oauth-callback.popup.json": (400, None),
    "oauth-initiate.default.json": (200, None),
    "oauth-initiate.foreign-login-url.json": (400, "login_url_refused"),
    "oauth-initiate.no-workspace.json": (403, "no_workspace"),
    "oauth-initiate.sandbox.json": (200, None),
    "settings.get.json": (200, None),
    "settings.put-invalid.json": (400, "invalid_settings"),
    "settings.put-stale.json": (412, "precondition_failed"),
    "settings.put-without-if-match.json": (428, "precondition_required"),
    "settings.put.json": (200, None),
    "status.get.json": (200, None),
    "sweep.scheduled.json": None,
    "sync-logs.list-status.json": (200, None),
    "sync-logs.list.json": (200, None),
    "sync-logs.retry-all.json": (202, None),
    "sync-logs.retry.json": (404, "no_such_call"),
    "sync-logs.summary.json": (200, None),
    "sync-logs.unknown-call.json": (404, "no_such_call"),
    "sync.one-unreadable.json": ["00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000003"],
    "sync.report.json": [],
    "sync.resume.json": [],
    "sync.wake.json": [],
    "test-sync.dry-run.json": (409, "not_connected"),
    "test-sync.no-number.json": (400, "invalid_body"),
    "test-sync.real.json": (409, "not_connected"),
    "webhook-setup.get.json": (200, None),
    "webhook-setup.rotate-and-revoke.json": (200, None),
    "webhook-setup.rotate.json": (200, None),
    "webhook.appointment.json": (200, None),
    "webhook.appointment-datetime.json": (200, None),
    "webhook.appointments-list.json": (200, None),
    "webhook.assistant-request.json": (422, "unsupported_message"),
    "webhook.booked-in-other-words.json": (200, None),
    "webhook.cancelled-by-status.json": (200, None),
    "webhook.date-instant-and-time.json": (200, None),
    "webhook.doubled-prefix.json": (200, None),
    "webhook.duration-with-unit.json": (200, None),
    "webhook.inbound-call.json": (200, None),
    "webhook.json-text.json": (200, None),
    "webhook.lead-name-from-data.json": (200, None),
    "webhook.local-datetime-as-date.json": (200, None),
    "webhook.local-datetime-as-time.json": (200, None),
    "webhook.malformed.json": (400, "malformed_json"),
    "webhook.midnight-z-without-time.json": (200, None),
    "webhook.nested-appointment.json": (200, None),
    "webhook.no-call-id.json": (400, "missing_field"),
    "webhook.no-token.json": BAD_TOKEN,
    "webhook.not-provided.json": (200, None),
    "webhook.outbound-call.json": (200, None),
    "webhook.report-without-call.json": (200, None),
    "webhook.rescheduled.json": (200, None),
    "webhook.rfc3339-time.json": (200, None),
    "webhook.scheduled-false.json": (200, None),
    "webhook.status-update.json": (200, None),
    "webhook.structured-outputs.json": (200, None),
    "webhook.stub-report.json": (200, None),
    "webhook.time-instant-of-another-day.json": (200, None),
    "webhook.time-with-zone-word.json": (200, None),
    "webhook.transcript-as-list.json": (200, None),
    "webhook.type-not-provided.json": (200, None),
    "webhook.unanswered-sent-again.json": (200, None),
    "webhook.values-in-lists.json": (200, None),
    "webhook.voicemail-with-appointment.json": (200, None),
    "webhook.web-call.json": (200, None),
    "webhook.withheld-but-told.json": (200, None),
    "webhook.wrong-token.json": BAD_TOKEN,
}


def outcome(response: Any) -> Any:
    """What the table above says of a response."""
    match response:
        case {"statusCode": status, "headers": {"content-type": str(kind)}, "body": body}:
            return status, json.loads(body).get("code") if kind.endswith("json") else None
        case {"batchItemFailures": failures}:
            return [failure["itemIdentifier"] for failure in failures]
    return response


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_sample_event_gets_the_expected_response(function: str, stranger: Workspace) -> None:
    outcomes = {}
    with runtime.running(function) as running:
        for event in sorted((ROOT / "events").glob(f"{function}.*.json")):
            text = SAMPLE_WORKSPACE.sub(stranger.id, event.read_text())
            text = text.replace("<webhook token>", stranger.webhook_token)
            outcomes[event.name] = outcome(running.invoke(text.encode()))
    assert outcomes, "each function has a sample event"
    assert outcomes == {name: expected for name, expected in EXPECTED.items() if name.split(".")[0] == function}


def test_only_debug_builds_take_the_workspace_from_the_environment(stack: Stack) -> None:
    event = json.loads((ROOT / "events" / "status.get.json").read_text())
    del event["requestContext"]["authorizer"]
    assert stack.emulator_url
    with runtime.running("status", **{ONLY_IN_DEBUG_BUILDS: "acme"}) as running:
        response = running.invoke(json.dumps(event).encode())
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (401, "unauthenticated")
    for function in FUNCTIONS:
        bootstrap = (runtime.ARTEFACTS / function / "bootstrap").read_bytes()
        assert ONLY_IN_DEBUG_BUILDS.encode() not in bootstrap, function


def name_parts(resource: str) -> set[str]:
    """How the code refers to a resource: by the environment variable with its name, and by the index if it is one."""
    name, _, index = resource.partition("/index/")
    return {VARIABLES[name], index}


@pytest.mark.parametrize("function", BINARIES)
def test_a_function_may_call_exactly_the_operations_that_are_linked_into_it(function: str) -> None:
    bootstrap = (runtime.ARTEFACTS / BINARIES[function] / "bootstrap").read_bytes()
    linked = {f"{service.decode()}:{operation.decode()}" for service, operation in OPERATION.findall(bootstrap)}
    allowed = {f"{service}:{xform_name(action)}" for service, action in (a.split(":") for a, _ in granted(function))}
    assert allowed == linked | (POLLING if function in POLLED else set())
    # It also refers to each table, index, queue and secret that it may use.
    names = {name for _, resource in granted(function) for name in name_parts(resource)}
    assert [name for name in sorted(names) if name.encode() not in bootstrap] == []
