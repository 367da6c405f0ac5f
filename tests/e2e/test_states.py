"""Every state of the card in a real Chromium with mocked responses: accessible, without overflow or layout shifts."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from local.stack.settings import ROOT

from .support.browser import violations

ORIGIN = "http://dashboard.localhost"
DASHBOARD = ROOT / "dashboard"
NOW = int(time.time())
LONG = "Dr. Maximiliane-Theophanu Wolfeschlegelsteinhausenbergerdorff-Papandreopoulou von und zu Hohenlohe"

CONNECTED = {
    "connected": True,
    "state": "connected",
    "reason": None,
    "instanceUrl": "https://acme.my.salesforce.com",
    "organizationId": "00D000000000001EAA",
    "userName": "Iris Integration",
    "connectedAt": NOW - 86_400,
    "lastSync": NOW - 60,
    "apiUsage": {"used": 1200, "limit": 15_000},
}
DISCONNECTED = dict.fromkeys(CONNECTED) | {"connected": False, "state": "disconnected"}
REVOKED = CONNECTED | {"connected": False, "state": "reconnect_required", "reason": "expired access/refresh token"}
SETTINGS = {
    "timeZone": "America/New_York",
    "defaultCountry": "US",
    "loginUrl": None,
    "matchOrder": ["Lead", "Contact"],
    "multipleMatches": "most_recent",
    "noMatch": "skip",
    "appointmentDurationMinutes": 60,
    "includeTranscript": False,
    "callTypes": ["inbound", "outbound"],
    "retentionDays": 90,
}
WEBHOOK = {"url": f"{ORIGIN}/webhook/vapi", "header": "X-Vapi-Secret", "secret": "sample-secret"}
STATUSES = ("queued", "success", "not_found", "retrying", "waiting_for_connection", "error", "skipped")


def call(at: int, name: str, status: str = "success", code: str | None = None, words: str | None = None) -> Any:
    """A call as `sync-logs` returns it."""
    lead = "00Q000000000001EAA"
    candidate = {"id": lead, "recordType": "Lead", "name": name, "field": "MobilePhone", "exactness": "national"}
    chosen = {"recordType": "Lead", "id": lead}
    return {
        "callId": f"call-{at}",
        "status": status,
        "salesforceRecordId": lead,
        "salesforceRecordType": "Lead",
        "salesforceTaskId": "00T000000000001EAA" if status == "success" else None,
        "salesforceEventId": None,
        "decision": {
            "rule": "only_candidate",
            "chosen": chosen,
            "candidates": [candidate],
            "candidateCount": 1,
        },
        "appointmentCreated": False,
        "errorCode": code,
        "errorMessage": words,
        "phoneNumber": "+12345550123",
        "attempts": 1,
        "createdAt": NOW - 60 * at,
        "updatedAt": NOW - 60 * at + 2,
        "dueAt": NOW + 300 if status == "retrying" else None,
    }


RULE = "Salesforce: Not on Sundays. Change the validation rule, or exempt the connected user from it, then retry."
BUSY = "Salesforce could not be reached or did not respond in time."
CALLS = [
    call(1, "Ada Lang"),
    call(2, "Ben Ito", "error", "FIELD_CUSTOM_VALIDATION_EXCEPTION", RULE),
    call(3, "Cleo Marsh", "retrying", "timeout", BUSY),
    call(4, "Dan Roe", "skipped", "multiple_matches", "Several records have this number. Merge them, then retry."),
    call(5, LONG, "error", "STORAGE_LIMIT_EXCEEDED", f"Salesforce: {LONG * 4}. Free some data storage, then retry."),
]
PREVIEW = {
    "success": True,
    "dryRun": True,
    "callId": "test-dashboard-1",
    "salesforceRecordId": "00Q000000000001EAA",
    "salesforceTaskId": None,
    "salesforceEventId": None,
    "recordType": "Lead",
    "candidates": CALLS[0]["decision"]["candidates"],
    "decision": {"rule": "only_candidate", "chosen": CALLS[0]["decision"]["chosen"]},
    "payloads": {"lead": None, "task": {"WhoId": "00Q000000000001EAA", "Subject": "Inbound Call"}, "event": None},
    "errorCode": None,
    "errorMessage": None,
}
RESULT = {
    **{field: PREVIEW[field] for field in ("success", "callId", "salesforceRecordId", "recordType")},
    "status": "success",
    "salesforceTaskId": "00T000000000001EAA",
    "salesforceEventId": "00U000000000001EAA",
    "errorCode": None,
    "errorMessage": None,
}

Responder = Callable[[Route], None]
Api = dict[str, Responder]


def respond(body: Any, status: int = 200) -> Responder:
    """Responds with JSON."""
    return lambda route: route.fulfill(status=status, json=body, headers={"ETag": '"1"'})


def refuse(status: int, code: str, detail: str = "Detail from the API.") -> Responder:
    """Responds with a problem."""
    return respond(
        {"type": "about:blank", "title": "Problem", "status": status, "detail": detail, "code": code}, status
    )


def hang(_: Route) -> None:
    """Never responds."""


def api(status: Any = CONNECTED, calls: list[Any] | None = None) -> Api:
    """A mocked API for a workspace with this status and these calls."""
    listed = CALLS if calls is None else calls
    codes = [call["errorCode"] for call in listed if call["errorCode"]]
    summary = {
        "since": NOW - 86_400,
        "total": len(listed),
        "statuses": {status: sum(call["status"] == status for call in listed) for status in STATUSES},
        "errorCodes": {code: codes.count(code) for code in codes},
    }

    def list_calls(route: Route) -> None:
        status = re.search(r"status=(\w+)", route.request.url)
        items = [call for call in listed if not status or call["status"] == status[1]]
        respond({"items": items, "nextCursor": None})(route)

    def test(route: Route) -> None:
        respond(PREVIEW if (route.request.post_data_json or {})["dryRun"] else RESULT)(route)

    return {
        "status": respond(status),
        "sync-logs": list_calls,
        "sync-logs/summary": respond(summary),
        "settings": respond(SETTINGS),
        "webhook": respond(WEBHOOK),
        "test-sync": test,
        "oauth/initiate": respond({"authUrl": f"{ORIGIN}/salesforce"}),
    }


@pytest.fixture(scope="module")
def built() -> Path:
    """The built page that shows the card."""
    subprocess.run(["npm", "run", "build:page"], cwd=DASHBOARD, check=True, capture_output=True)
    return DASHBOARD / "page" / "dist"


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, chrome: Browser) -> Iterator[Page]:
    """A page in light mode, and one in dark mode."""
    context = chrome.new_context(viewport={"width": 1000, "height": 1200}, color_scheme=request.param)
    yield context.new_page()
    context.close()


def show(page: Page, built: Path, api: Api) -> None:
    """Opens the page with a mocked API."""

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(f"{ORIGIN}/").partition("?")[0]
        if path.startswith("api/salesforce/"):
            api[path.removeprefix("api/salesforce/")](route)
        elif path == "local.json":
            route.fulfill(json={"token": "token", "simulatorUrl": ORIGIN, "sampleReport": {}})
        elif path == "salesforce":
            route.fulfill(body="<!doctype html><title>Salesforce</title>", content_type="text/html")
        else:
            route.fulfill(path=built / (path or "index.html"))

    page.context.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/")
    page.get_by_role("heading", name="Salesforce", exact=True).wait_for()


def connect(page: Page) -> None:
    page.get_by_role("button", name="Connect with Salesforce").click()


def block_windows(page: Page) -> None:
    page.get_by_role("button", name="Connect with Salesforce").wait_for()
    page.evaluate("window.open = () => null")
    connect(page)


def wait_for_window(page: Page) -> None:
    with page.expect_popup():
        connect(page)


def try_number(page: Page) -> None:
    page.get_by_role("tab", name="Test").click()
    page.get_by_role("textbox", name="Phone number").fill("+12345550123")
    page.get_by_role("button", name="Show what would happen").click()
    page.get_by_text("What would be written", exact=True).click()


def write_test(page: Page) -> None:
    try_number(page)
    page.get_by_role("button", name="Write a test Task").click()


def open_calls(page: Page) -> None:
    page.get_by_text("Ada Lang").wait_for()
    for line in page.get_by_role("list", name="Calls").locator("summary").all():
        line.click()


def choose(tab: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("tab", name=tab).click()


def change_settings(page: Page) -> None:
    choose("Settings")(page)
    page.get_by_role("textbox", name="Default country").fill("GB")
    page.get_by_role("button", name="Save").click()


def filter_failed(page: Page) -> None:
    page.get_by_role("combobox", name="Show").select_option("error")


def load_more(page: Page) -> None:
    page.get_by_role("button", name="Load more").click()


def enter_wrong_domain(page: Page) -> None:
    page.get_by_role("radio", name="My Domain").check()
    page.get_by_role("textbox", name="My Domain URL").fill("acme.example.com")
    connect(page)


def lose_status(page: Page) -> None:
    """Makes a disconnect fail, and then the reload of the status."""
    page.get_by_role("button", name="Disconnect").wait_for()
    page.context.route(f"{ORIGIN}/api/salesforce/status", refuse(403, "no_workspace"))
    page.get_by_role("button", name="Disconnect").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Disconnect").click()
    dialog.get_by_text("Detail from the API.").wait_for()
    dialog.get_by_role("button", name="Cancel").click()


def refuse_to_save(route: Route) -> None:
    (respond(SETTINGS) if route.request.method == "GET" else refuse(412, "precondition_failed"))(route)


def refuse_next_page(route: Route) -> None:
    is_next = "cursor=" in route.request.url
    (refuse(400, "invalid_cursor") if is_next else respond({"items": CALLS[:1], "nextCursor": "next"}))(route)


def do_nothing(_: Page) -> None:
    pass


# For each state: the API, how to get there, and a text that shows that it is reached.
STATES: dict[str, tuple[Api, Callable[[Page], None], str]] = {
    "loading": (api() | {"status": hang}, do_nothing, "Loading…"),
    "loading the calls": (api() | {"sync-logs": hang}, do_nothing, "Loading…"),
    "unreachable": (api() | {"status": refuse(403, "no_workspace")}, do_nothing, "Detail from the API."),
    "not connected": (api(DISCONNECTED, []), do_nothing, "Where do you log in?"),
    "connected": (api(), open_calls, "Logged on the record's timeline."),
    "reconnect needed": (api(REVOKED), do_nothing, "Reconnect needed"),
    "waiting for the window": (api(DISCONNECTED, []), wait_for_window, "Continue in the Salesforce window"),
    "blocked window": (api(DISCONNECTED, []), block_windows, "Your browser blocked the Salesforce window"),
    # The card shows what it finds out itself in the same way as an error of the API.
    "other site": (
        api(DISCONNECTED, []) | {"oauth/initiate": refuse(400, "other_site")},
        connect,
        "This page cannot connect Salesforce",
    ),
    "member": (api() | {"webhook": refuse(403, "admin_required")}, choose("Vapi"), "Only workspace admins can do this"),
    "member who tries to connect": (
        api(DISCONNECTED, []) | {"oauth/initiate": refuse(403, "admin_required")},
        connect,
        "Only workspace admins can connect Salesforce",
    ),
    "list error": (api() | {"sync-logs": refuse(403, "no_workspace")}, do_nothing, "Detail from the API."),
    "empty list": (api(calls=[]), do_nothing, "No calls yet"),
    "dry run": (api(), try_number, "The call would be logged on Lead Ada Lang."),
    "test written": (api(), write_test, "The test Task was written."),
    "set-up": (api(), choose("Vapi"), "Server URL"),
    "settings": (api(), choose("Settings"), "Search for callers in"),
    "settings changed in the meantime": (
        api() | {"settings": refuse_to_save},
        change_settings,
        "Someone else changed the settings in the meantime.",
    ),
    "empty filter": (api(calls=CALLS[:1]), filter_failed, "No calls with this status."),
    "failed next page": (api(calls=CALLS[:1]) | {"sync-logs": refuse_next_page}, load_more, "Detail from the API."),
    "too many calls to count": (
        api() | {"sync-logs/summary": refuse(503, "too_many_calls")},
        do_nothing,
        "Too many calls to count.",
    ),
    "wrong My Domain": (api(DISCONNECTED, []), enter_wrong_domain, "This is not a My Domain URL."),
    "high API usage": (
        api(CONNECTED | {"apiUsage": {"used": 14_000, "limit": 15_000}}),
        do_nothing,
        "Close to the limit.",
    ),
    "stale status": (api() | {"disconnect": refuse(403, "no_workspace")}, lose_status, "This may be out of date"),
    "long texts": (
        api(CONNECTED | {"userName": LONG, "instanceUrl": f"https://{'long-' * 20}name.my.salesforce.com"}),
        open_calls,
        LONG,
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible_and_fits_its_width(page: Page, built: Path, state: str) -> None:
    mocked, reach, text = STATES[state]
    show(page, built, mocked)
    reach(page)
    expect(page.get_by_text(text).first).to_be_attached()
    assert violations(page) == []
    for width in (1000, 380):
        page.set_viewport_size({"width": width, "height": 1200})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) {
    const moved = shift.sources.map(({ node, previousRect, currentRect }) => [
      node?.outerHTML?.slice(0, 60), previousRect.x, previousRect.y, currentRect.x, currentRect.y]);
    window.shifts.push([shift.value, moved]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("width", [1000, 380])
def test_the_slowest_response_causes_no_layout_shift(page: Page, built: Path, width: int) -> None:
    held: list[Route] = []
    mocked = api()
    page.set_viewport_size({"width": width, "height": 1200})
    page.add_init_script(SHIFTS)
    show(page, built, mocked | {"sync-logs/summary": held.append})
    page.get_by_role("tab", name="Calls").wait_for()
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    mocked["sync-logs/summary"](held[0])
    page.get_by_text("Why calls are not logged").wait_for()
    page.get_by_text("Ada Lang").wait_for()
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shifts: list[Any] = page.evaluate("window.shifts")
    assert sum(value for value, _ in shifts) < 0.01, json.dumps(shifts)


def test_closing_a_dialog_restores_the_focus(page: Page, built: Path) -> None:
    show(page, built, api())
    choose("Vapi")(page)
    button = page.get_by_role("button", name="Rotate secret…")
    button.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(button).to_be_focused()


APART = """
(line) => {
  const boxes = [...line.children].map((part) => part.getBoundingClientRect());
  return boxes.every((a, at) => boxes.slice(at + 1).every((b) =>
    a.right + 4 <= b.left || b.right + 4 <= a.left || a.bottom <= b.top || b.bottom <= a.top));
}
"""


@pytest.mark.parametrize("width", [1000, 380])
def test_the_parts_of_a_line_do_not_overlap(page: Page, built: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1200})
    show(page, built, api())
    page.get_by_text("Ada Lang").wait_for()
    for line in page.get_by_role("list", name="Calls").locator("summary").all():
        assert line.evaluate(APART), line.inner_text()


@pytest.mark.parametrize("tab", ["Calls", "Test", "Vapi", "Settings"])
def test_every_button_is_large_enough_for_touch(chrome: Browser, built: Path, tab: str) -> None:
    context = chrome.new_context(viewport={"width": 380, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    show(page, built, api())
    choose(tab)(page)
    panel = page.get_by_role("tabpanel")
    panel.get_by_role("button").first.wait_for()
    card = page.get_by_role("region", name="Salesforce", exact=True)
    for button in card.locator("button, select").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, button.inner_text()
    context.close()
