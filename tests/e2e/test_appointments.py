"""Appointments: from what Vapi's models report to the Event in Salesforce."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.workspace import Workspace

NEXT_YEAR = datetime.now(UTC).year + 1


def second_sunday_of_march(year: int) -> date:
    """The day on which New York, the workspace's time zone, skips from 2:00 to 3:00."""
    first = date(year, 3, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7)


GAP = second_sunday_of_march(NEXT_YEAR)


@pytest.mark.parametrize(
    ("day", "time", "more", "start", "minutes"),
    [
        (GAP, "02:30", {}, f"{GAP}T07:30:00", 60),
        (f"{NEXT_YEAR}-01-20", "2pm", {"appointment_duration": "30"}, f"{NEXT_YEAR}-01-20T19:00:00", 30),
        (f"{NEXT_YEAR}-01-20", "2:00", {"appointment_time_zone": "Asia/Tokyo"}, f"{NEXT_YEAR}-01-20T05:00:00", 60),
        (f"{NEXT_YEAR}-01-20T14:00:00+05:30", "", {}, f"{NEXT_YEAR}-01-20T08:30:00", 60),
    ],
    ids=["a skipped hour", "a duration", "its own time zone", "an offset"],
)
def test_an_event_starts_and_ends_at_the_instants_that_were_meant(
    workspace: Workspace,
    salesforce: Salesforce,
    number: str,
    day: date | str,
    time: str,
    more: dict[str, str],
    start: str,
    minutes: int,
) -> None:
    salesforce.add("Lead", LastName="Booked", Company="Sample", Phone=number)
    body = report(number, appointment={"appointment_date": str(day), "appointment_time": time, **more})
    row = workspace.log_call(body)
    assert row.get("error_code") is None, row["error_message"]
    (event,) = salesforce.activities("Event", call_id(body))
    end = datetime.fromisoformat(start) + timedelta(minutes=minutes)
    assert (event["StartDateTime"][:19], event["EndDateTime"][:19]) == (start, end.isoformat())


@pytest.mark.parametrize(
    ("day", "time", "kept"),
    [
        ("next Monday", "2:00 PM", "next Monday"),
        (f"{NEXT_YEAR}-02-30", "2:00 PM", f"{NEXT_YEAR}-02-30"),
        (f"{NEXT_YEAR}-01-20", "after lunch", "after lunch"),
        ("2020-01-20", "2:00 PM", "2020-01-20"),
    ],
    ids=["a spoken date", "an impossible date", "a spoken time", "the past"],
)
def test_an_uncertain_appointment_is_left_to_a_person(
    workspace: Workspace, salesforce: Salesforce, number: str, day: str, time: str, kept: str
) -> None:
    salesforce.add("Lead", LastName="Unsure", Company="Sample", Phone=number)
    body = report(number, appointment={"appointment_date": day, "appointment_time": time})
    row = workspace.log_call(body)
    assert (row["status"], row["appointment_created"]) == ("success", False)
    assert row["error_message"]
    assert kept in str(row["call"])
    assert salesforce.activities("Event", call_id(body)) == []
    (task,) = salesforce.activities("Task", call_id(body))
    assert kept in task["Description"]
    assert task["Subject"] == "Inbound Call"
