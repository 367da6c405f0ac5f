"""Takes the pictures for the README and the docs: `make screenshots`. Not collected with the tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from local.stack.settings import ROOT

from .support.browser import approve, open_card
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.stack import Stack
from .support.workspace import Workspace

PICTURES = ROOT / "docs" / "pictures"
# Invented people, with numbers that no seeded record has.
ADA, BEN, CLEO = "+12345550181", "+12345550182", "+12345550183"
# One Contact for each picture of a timeline, so that each shows one call.
DANA = {"light": "+12345550185", "dark": "+12345550186"}


def open_page(chrome: Browser, scheme: str) -> Page:
    """Opens a page as wide as a dashboard's column, in light or dark mode."""
    return chrome.new_page(
        viewport={"width": 860, "height": 1000},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=1.5,
    )


def booked_just_now(number: str) -> dict[str, Any]:
    """A report of a call that ended a few seconds ago, with an appointment a week from now."""
    ended = datetime.now(UTC) - timedelta(seconds=5)
    day = (ended + timedelta(days=7)).date().isoformat()
    appointment = {
        "appointment_booked": True,
        "appointment_date": day,
        "appointment_time": "14:30",
        "appointment_type": "Consultation",
    }
    body = report(number, appointment=appointment)
    message = body["message"]
    message["startedAt"] = (ended - timedelta(seconds=message["durationSeconds"])).isoformat()
    message["endedAt"] = ended.isoformat()
    message["timestamp"] = int(ended.timestamp() * 1000)
    return body


def take(page: Page, name: str) -> None:
    """Takes a picture of the card once all of it has loaded."""
    card = page.get_by_role("region", name="Salesforce", exact=True)
    page.wait_for_load_state("networkidle")
    expect(card.get_by_text("Loading…")).to_have_count(0)
    PICTURES.mkdir(parents=True, exist_ok=True)
    card.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_take(scheme: str, chrome: Browser, stack: Stack, stranger: Workspace, salesforce: Salesforce) -> None:
    """The card: connected, with a failed call, and asking to reconnect."""
    page = open_page(chrome, scheme)
    open_card(page, stack, stranger)
    approve(page, "Connect with Salesforce")
    page.get_by_text("No calls yet").wait_for()
    for first, last, number in (("Ada", "Lang", ADA), ("Ben", "Ito", BEN), ("Cleo", "Marsh", CLEO)):
        if not salesforce.people("Contact", "MobilePhone", number):
            salesforce.add("Contact", FirstName=first, LastName=last, MobilePhone=number)
    calls = page.get_by_role("list", name="Calls")
    stranger.log_call(report(ADA))
    stranger.log_call(report("+12345550184"))
    stranger.log_call(report(BEN))
    page.reload()
    calls.get_by_text("Ada Lang").wait_for()
    take(page, f"connected-{scheme}")
    salesforce.refuse("Task", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    stranger.log_call(report(CLEO))
    page.reload()
    calls.get_by_text("Cleo Marsh").click()
    page.get_by_text("Why calls are not logged").wait_for()
    take(page, f"failures-{scheme}")
    salesforce.revoke_grants()
    salesforce.expire_sessions()
    body = report(ADA)
    stranger.report(body)
    stranger.reaches(call_id(body), "waiting_for_connection")
    page.reload()
    calls.get_by_text("Waiting", exact=True).wait_for()
    take(page, f"reconnect-{scheme}")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_take_the_timeline(
    scheme: str, chrome: Browser, stack: Stack, workspace: Workspace, salesforce: Salesforce
) -> None:
    """A call's Task and Event on the simulator's page of a Contact."""
    number = DANA[scheme]
    contact = salesforce.add("Contact", FirstName="Dana", LastName="Reed", MobilePhone=number)
    workspace.log_call(booked_just_now(number))
    page = open_page(chrome, scheme)
    page.goto(f"{stack.simulator_url}/{contact}")
    expect(page.get_by_role("heading", name="Inbound Call - Scheduled Appointment")).to_be_visible()
    # Removes the space below the last line.
    page.add_style_tag(content="main { padding-block: 1.5rem; }")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.locator("main").screenshot(path=PICTURES / f"timeline-{scheme}.png", animations="disabled")
    page.close()
