"""The release artefacts, as AWS runs them: every sample event, under AWS's own runtime interface emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.stack import template
from local.stack.settings import ROOT

from .support import runtime
from .support.stack import Stack

FUNCTIONS = sorted(template.binaries(template.load()).values())
ONLY_IN_DEBUG_BUILDS = "LOCAL_WORKSPACE_ID"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_sample_event_is_answered(stack: Stack, function: str) -> None:
    events = sorted((ROOT / "events").glob(f"{function}.*.json"))
    assert events, "each function has a sample event"
    assert stack.emulator_url
    with runtime.running(function) as running:
        for event in events:
            answer = running.invoke(event.read_bytes())
            if function == "sweep":
                assert answer is None
            elif function == "sync":
                unreadable = 2 if event.name == "sync.one-unreadable.json" else 0
                assert len(answer["batchItemFailures"]) == unreadable, f"{event.name}: {answer}"
            else:
                assert is_an_answer(answer), f"{event.name}: {answer}"


def is_an_answer(answer: dict[str, Any]) -> bool:
    """Of the function itself: not of the platform around it, and not that something of ours is missing."""
    kind = str(answer["headers"]["content-type"])
    body = answer["body"] if kind.startswith("text/html") else json.loads(answer["body"])
    return bool(body) and 200 <= answer["statusCode"] < 500


def test_a_workspace_from_a_setting_is_for_debug_builds_only(stack: Stack) -> None:
    event = json.loads((ROOT / "events" / "status.get.json").read_text())
    del event["requestContext"]["authorizer"]
    assert stack.emulator_url
    with runtime.running("status", **{ONLY_IN_DEBUG_BUILDS: "acme"}) as running:
        answer = running.invoke(json.dumps(event).encode())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (401, "unauthenticated")
    for function in FUNCTIONS:
        bootstrap = (runtime.ARTEFACTS / function / "bootstrap").read_bytes()
        assert ONLY_IN_DEBUG_BUILDS.encode() not in bootstrap, function
