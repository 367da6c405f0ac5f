"""The sample call: the body of the webhook's sample event."""

from __future__ import annotations

import json

from .settings import ROOT


def report() -> str:
    """An `end-of-call-report`, as Vapi posts it."""
    event = json.loads((ROOT / "events" / "webhook.inbound-call.json").read_text())
    return str(event["body"])
