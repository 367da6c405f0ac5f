"""Reports as Vapi posts them, based on the sample events."""

from __future__ import annotations

import json
import uuid
from typing import Any

from local.stack.settings import ROOT


def sample(case: str) -> dict[str, Any]:
    """The body of `events/webhook.<case>.json`."""
    event = json.loads((ROOT / "events" / f"webhook.{case}.json").read_text())
    body: dict[str, Any] = json.loads(event["body"])
    return body


def report(
    number: str | None = None, *, case: str = "inbound-call", appointment: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A report of a new call, from or to this number."""
    body = sample(case)
    message = body["message"]
    message["call"]["id"] = str(uuid.uuid4())
    if number:
        message["customer"]["number"] = number
        message["call"]["customer"]["number"] = number
    if appointment:
        message["analysis"]["structuredData"] = appointment
    return body


def call_id(body: dict[str, Any]) -> str:
    """The id of a report's call."""
    return str(body["message"]["call"]["id"])
