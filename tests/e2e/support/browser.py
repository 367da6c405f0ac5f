"""A real browser in front of the running stack: the card, as a member of a workspace sees it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, Route

from local.stack.settings import ROOT

from .stack import Stack
from .workspace import Workspace

AXE = ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"


def open_card(page: Page, stack: Stack, workspace: Workspace, *, roles: str = "admin") -> None:
    """Opens the local page as a user of this workspace instead of the sample one."""
    token = workspace.token(roles=roles)

    def as_workspace(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "token": token})

    page.route("**/local.json", as_workspace)
    page.goto(stack.public_url)
    page.get_by_role("heading", name="Salesforce", exact=True).wait_for()


def approve(page: Page, button: str, decision: str = "Allow") -> None:
    """Clicks this button to connect, and then one in Salesforce's window."""
    with page.expect_popup() as opened:
        page.get_by_role("button", name=button).click()
    popup = opened.value
    popup.get_by_role("button", name=decision).click()


def violations(page: Page) -> list[str]:
    """What axe finds: the violated rules, with the elements that violate them."""
    page.add_script_tag(path=str(AXE))
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((result) => result.violations)")
    return [f"{rule['id']}: {json.dumps([node['html'] for node in rule['nodes']])}" for rule in found]
