"""The card in a real Chromium, from the Connect button to the Task."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from .support.browser import approve, open_card, violations
from .support.polling import wait_until
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.stack import Stack
from .support.workspace import Workspace

TIMEOUT_MS = 30_000


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    """A page in a browser profile of its own. Uncaught errors on it fail the test."""
    context = chrome.new_context(viewport={"width": 1000, "height": 1200}, permissions=["clipboard-read"])
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def shows(page: Page, text: str) -> None:
    """Waits until the card shows a text."""
    # The filter's options have the same texts as the calls.
    shown = page.get_by_text(text).and_(page.locator(":not(option)"))
    expect(shown.first).to_be_visible(timeout=TIMEOUT_MS)


def test_a_call_appears_after_connecting(
    page: Page, stack: Stack, stranger: Workspace, salesforce: Salesforce, number: str
) -> None:
    lead = salesforce.add("Lead", FirstName="Carla", LastName="Card", Company="Sample", Phone=number)
    open_card(page, stack, stranger)
    shows(page, "Not connected")
    assert violations(page) == []
    approve(page, "Connect with Salesforce")
    shows(page, "Salesforce is connected. Calls will now be logged.")
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    shows(page, "No calls yet")
    assert violations(page) == []

    body = report(number)
    stranger.report(body)
    shows(page, "Carla Card")
    expect(page.get_by_text(f"•••• {number[-4:]}")).to_be_visible()
    assert number[-7:] not in page.inner_text("body")
    shows(page, "Logged")
    page.get_by_text("Carla Card").click()
    shows(page, "The only record with this number.")
    assert violations(page) == []
    (task,) = salesforce.activities("Task", call_id(body))
    assert task["WhoId"] == lead
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=re.compile("Open Task")).click()
    expect(opened.value.get_by_role("heading", name=re.compile("Carla Card"))).to_be_visible()


def test_access_can_be_denied_and_then_allowed(page: Page, stack: Stack, stranger: Workspace) -> None:
    open_card(page, stack, stranger)
    approve(page, "Connect with Salesforce", "Deny")
    shows(page, "Access was denied")
    assert violations(page) == []
    assert stranger.status()["connected"] is False
    approve(page, "Connect with Salesforce")
    shows(page, "Salesforce is connected")


def test_connecting_can_be_restarted_after_the_window_is_closed(page: Page, stack: Stack, stranger: Workspace) -> None:
    open_card(page, stack, stranger)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect with Salesforce").click()
    shows(page, "Continue in the Salesforce window")
    opened.value.get_by_role("button", name="Allow").wait_for()
    opened.value.close()
    shows(page, "The Salesforce window seems to be closed.")
    page.get_by_text("Does the Salesforce window show an error?").click()
    assert violations(page) == []
    approve(page, "Start again")
    shows(page, "Salesforce is connected")


def test_a_window_without_an_opener_still_connects(page: Page, stack: Stack, stranger: Workspace) -> None:
    """Salesforce's login page may sever it. Then no message arrives, and the card learns from the status."""
    page.add_init_script("Object.defineProperty(window, 'opener', { value: null })")
    page.context.add_init_script("Object.defineProperty(window, 'opener', { value: null })")
    open_card(page, stack, stranger)
    approve(page, "Connect with Salesforce")
    shows(page, "Salesforce is connected")


@pytest.mark.parametrize(
    ("decision", "title"),
    [("Allow", "Salesforce is connected"), ("Deny", "Salesforce could not be connected")],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_callback_page_is_accessible(
    chrome: Browser, stack: Stack, stranger: Workspace, scheme: Literal["light", "dark"], decision: str, title: str
) -> None:
    # Its content security policy would block axe.
    context = chrome.new_context(bypass_csp=True, color_scheme=scheme)
    page = context.new_page()
    open_card(page, stack, stranger)
    # In the card's own window, which the page cannot close.
    page.get_by_role("button", name="Connect with Salesforce").wait_for()
    page.evaluate("window.open = () => window")
    page.get_by_role("button", name="Connect with Salesforce").click()
    page.get_by_role("button", name=decision).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    assert violations(page) == []
    context.close()


def test_a_number_can_be_tried_and_a_test_task_written(
    page: Page, stack: Stack, workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Contact", FirstName="Tess", LastName="Tester", MobilePhone=number)
    open_card(page, stack, workspace)
    page.get_by_role("tab", name="Test").click()
    page.get_by_role("textbox", name="Phone number").fill(number)
    page.get_by_role("button", name="Show what would happen").click()
    shows(page, "The call would be logged on Contact Tess Tester.")
    page.get_by_text("What would be written", exact=True).click()
    assert violations(page) == []
    before = salesforce.activities_by_call("Task").keys()
    page.get_by_role("button", name="Write a test Task").click()
    shows(page, "The test Task was written.")
    (call,) = salesforce.activities_by_call("Task").keys() - before
    assert call.startswith("test-dashboard-")
    assert violations(page) == []
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=re.compile("Open Task")).click()
    expect(opened.value.get_by_role("heading", name=re.compile("Tess Tester"))).to_be_visible()
    page.get_by_role("button", name="Show what would happen").click()
    shows(page, "The call is already logged on Contact Tess Tester. Nothing would change.")
    expect(page.get_by_role("link", name=re.compile("Open Task"))).to_be_visible()


def test_a_failed_call_shows_why_and_can_be_retried(
    page: Page, stack: Stack, workspace: Workspace, faults: Salesforce, number: str
) -> None:
    faults.add("Lead", FirstName="Frida", LastName="Failed", Company="Sample", Phone=number)
    faults.refuse("Task", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    body = report(number)
    workspace.report(body)
    workspace.settled(call_id(body))
    open_card(page, stack, workspace)
    shows(page, "Why calls are not logged")
    page.get_by_text("Frida Failed").click()
    shows(page, "Refused by a rule of this org")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_role("list", name="Calls").get_by_text("Logged", exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    assert len(faults.activities("Task", call_id(body))) == 1


def test_all_calls_that_failed_for_the_same_reason_can_be_retried(
    page: Page, stack: Stack, workspace: Workspace, faults: Salesforce, number: str
) -> None:
    faults.add("Lead", LastName="Many", Company="Sample", Phone=number)
    faults.refuse("Task", "FIELD_CUSTOM_VALIDATION_EXCEPTION", times=3)
    bodies = [report(number) for _ in range(3)]
    workspace.report_concurrently(bodies)
    for body in bodies:
        workspace.settled(call_id(body))
    open_card(page, stack, workspace)
    page.get_by_role("button", name=re.compile("^Retry all")).click()
    shows(page, "3 calls queued for retry.")
    for body in bodies:
        wait_until(lambda: workspace.row(call_id(body))["status"] == "success", 20, "the call is logged")  # type: ignore[index]  # noqa: B023


def test_settings_can_be_changed_and_an_invalid_one_is_reported(page: Page, stack: Stack, workspace: Workspace) -> None:
    open_card(page, stack, workspace)
    page.get_by_role("tab", name="Settings").click()
    page.get_by_label("If no record matches").select_option("Create a Lead")
    page.get_by_label("Time zone").fill("Eastern")
    page.get_by_role("button", name="Save").click()
    shows(page, "timeZone must be an IANA time zone")
    assert violations(page) == []
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    shows(page, "Saved.")
    settings = workspace.api("GET", "settings").json()
    assert (settings["noMatch"], settings["timeZone"]) == ("create_lead", "Europe/Berlin")


def test_the_secret_for_vapi_is_hidden_and_can_be_rotated(page: Page, stack: Stack, workspace: Workspace) -> None:
    old = workspace.webhook_token
    open_card(page, stack, workspace)
    page.get_by_role("tab", name="Vapi").click()
    shows(page, f"{stack.public_url}/webhook/vapi")
    assert old not in page.inner_text("body")
    assert violations(page) == []
    page.get_by_role("button", name="Rotate secret…").click()
    page.get_by_role("checkbox", name=re.compile("The current secret has leaked")).check()
    assert violations(page) == []
    page.get_by_role("button", name="Rotate secret", exact=True).click()
    shows(page, "This is the new secret.")
    new = workspace.api("GET", "webhook").json()["secret"]
    expect(page.get_by_text(new, exact=True)).to_be_visible()
    assert new != old


def test_waiting_calls_are_logged_after_a_reconnect(
    page: Page, stack: Stack, workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", FirstName="Wanda", LastName="Waiting", Company="Sample", Phone=number)
    open_card(page, stack, workspace)
    page.get_by_role("button", name="Disconnect").click()
    assert violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    shows(page, "Not connected")
    body = report(number)
    workspace.report(body)
    shows(page, "Waiting")
    assert salesforce.activities("Task", call_id(body)) == []
    approve(page, "Connect with Salesforce")
    shows(page, "Wanda Waiting")
    assert len(salesforce.activities("Task", call_id(body))) == 1


def test_the_card_asks_to_reconnect_after_access_was_revoked(
    page: Page, stack: Stack, workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.revoke_grants()
    salesforce.expire_sessions()
    body = report(number)
    workspace.report(body)
    workspace.reaches(call_id(body), "waiting_for_connection")
    open_card(page, stack, workspace)
    shows(page, "Reconnect needed")
    assert violations(page) == []
    approve(page, "Reconnect Salesforce")
    shows(page, "Salesforce is connected")


def test_a_member_sees_everything_but_cannot_change_it(page: Page, stack: Stack, workspace: Workspace) -> None:
    open_card(page, stack, workspace, roles="member")
    page.get_by_role("tab", name="Vapi").click()
    shows(page, "Only workspace admins can do this.")
    expect(page.get_by_role("button", name="Disconnect")).to_have_attribute("aria-disabled", "true")
    assert violations(page) == []
