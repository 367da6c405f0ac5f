"""The sample call: the body of one of the webhook's sample events, moved to now, with an appointment next week."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from .settings import ROOT

# How long ago the caller hung up.
ENDED_AGO = timedelta(seconds=20)
APPOINTMENT_IN = timedelta(days=7)


def report() -> str:
    """An `end-of-call-report` as Vapi posts it."""
    event = json.loads((ROOT / "events" / "webhook.appointment.json").read_text())
    body = json.loads(event["body"])
    message = body["message"]
    now = datetime.now(UTC)
    ended = now - ENDED_AGO
    message["timestamp"] = int(now.timestamp() * 1000)
    message["endedAt"] = ended.isoformat()
    message["startedAt"] = (ended - timedelta(seconds=message["durationSeconds"])).isoformat()
    message["analysis"]["structuredData"]["appointment_date"] = (now + APPOINTMENT_IN).date().isoformat()
    return json.dumps(body, indent=1)
