"""A workspace: its tokens, its webhook, its rows in the tables; and a browser for connecting it."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from .description import conforms
from .polling import wait_until
from .reports import call_id
from .secrets import Secrets
from .stack import Stack

FINAL = {"success", "not_found", "error", "skipped"}
SETTLED_SECONDS = 20
# An attempt may wait 10 s for each of Salesforce's responses.
ATTEMPT_SECONDS = 40
# The first retry after a passing fault comes within a minute.
RETRY_SECONDS = 90


class Browser(requests.Session):
    """Keeps cookies and, as browsers do, sends `Secure` ones to localhost without https."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Adds the cookies that `requests` would not send."""
        prepared = super().prepare_request(request)
        prepared.headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        return prepared


class Workspace:
    """A new workspace."""

    def __init__(self, stack: Stack, secrets: Secrets) -> None:
        self.id = f"e2e-{uuid.uuid4().hex[:12]}"
        self._stack = stack
        self._secrets = secrets
        self._webhook_token = ""

    def token(self, **claims: Any) -> str:
        """A dashboard token, for an admin unless the claims say otherwise."""
        form = {"workspace_id": self.id, "roles": "admin", **claims}
        response = requests.post(f"{self._stack.issuer_url}/token", data=form, timeout=10)
        return self._secrets.add(response.json()["access_token"])

    def api(
        self,
        method: str,
        path: str,
        *,
        session: requests.Session | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Any:
        """Sends a request to the API as an admin of this workspace. Checks the response against the description."""
        headers = {"Authorization": f"Bearer {self.token()}", **(headers or {})}
        url = f"{self._stack.public_url}/api/salesforce/{path}"
        return conforms((session or requests).request(method, url, headers=headers, timeout=35, **options))

    def change_settings(self, **changes: Any) -> None:
        """Changes some of the workspace's settings."""
        current = self.api("GET", "settings")
        response = self.api(
            "PUT", "settings", json={**current.json(), **changes}, headers={"If-Match": current.headers["ETag"]}
        )
        assert response.status_code == 200, response.text

    def begin_connect(self, browser: Browser, **query: str) -> str:
        """Starts the connect flow: sets the browser's cookie, and returns the authorize URL."""
        response = self.api("GET", "oauth/initiate", session=browser, params=query)
        assert response.status_code == 200, response.text
        for cookie in browser.cookies:
            self._secrets.add(cookie.value or "")
        return str(response.json()["authUrl"])

    def allow(self, browser: Browser, auth_url: str, user: str = "") -> str:
        """Clicks Allow as the user with this id. Returns the callback's URL without opening it."""
        page = browser.get(auth_url, timeout=10)
        assert "Allow" in page.text, page.text
        decision = {"decision": "allow", **({"user": user} if user else {})}
        redirect = browser.post(auth_url, data=decision, allow_redirects=False, timeout=10)
        assert redirect.status_code == 302, redirect.text
        callback = redirect.headers["Location"]
        self._secrets.add_query(callback)
        return callback

    def connect(self, user: str = "") -> dict[str, Any]:
        """The whole connect flow. Returns the callback's response."""
        browser = Browser()
        response = conforms(browser.get(self.allow(browser, self.begin_connect(browser), user), timeout=35))
        assert response.status_code == 200, response.text
        result: dict[str, Any] = response.json()
        return result

    @property
    def webhook_token(self) -> str:
        """The secret to paste into Vapi."""
        if not self._webhook_token:
            response = self.api("GET", "webhook")
            assert response.status_code == 200, response.text
            self._webhook_token = self._secrets.add(response.json()["secret"])
        return self._webhook_token

    def post(self, body: Any, token: str | None = None) -> requests.Response:
        """Posts to the webhook as Vapi does: bytes verbatim, anything else as JSON."""
        headers = {"X-Vapi-Secret": self.webhook_token if token is None else token, "Content-Type": "application/json"}
        sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        return conforms(requests.post(f"{self._stack.public_url}/webhook/vapi", headers=headers, timeout=35, **sent))

    def report(self, body: Any) -> None:
        """Posts a report once, because Vapi never retries. It must be accepted."""
        response = self.post(body)
        assert (response.status_code, response.text) == (200, '{"received":true}')

    def report_concurrently(self, bodies: list[dict[str, Any]]) -> None:
        """Posts all of them at the same time."""
        _ = self.webhook_token  # read first, or every thread would read it
        with ThreadPoolExecutor(len(bodies)) as pool:
            list(pool.map(self.report, bodies))

    def log_call(self, body: dict[str, Any]) -> dict[str, Any]:
        """Posts a report, waits until its call is settled, and returns the call's row."""
        self.report(body)
        return self.settled(call_id(body))

    def settled(self, call: str) -> dict[str, Any]:
        """Waits until a call has a final status and no worker; returns its row."""

        def look() -> dict[str, Any] | None:
            row = self.row(call)
            return row if row and row["status"] in FINAL and "lease_owner" not in row else None

        return wait_until(look, SETTLED_SECONDS, f"call {call} is settled")

    def reaches(self, call: str, *statuses: str) -> dict[str, Any]:
        """Waits until a call has one of these statuses and no worker; returns its row."""

        def look() -> dict[str, Any] | None:
            row = self.row(call)
            return row if row and row["status"] in statuses and "lease_owner" not in row else None

        return wait_until(look, ATTEMPT_SECONDS, f"call {call} is {' or '.join(statuses)}")

    def retried(self, call: str) -> dict[str, Any]:
        """Waits until a retry has settled a call; returns its row. Only the sweep runs early, not the retry."""

        def look() -> dict[str, Any] | None:
            row = self.row(call)
            if row and row["status"] in FINAL and "lease_owner" not in row:
                return row
            self._stack.sweep()
            time.sleep(0.5)
            return None

        return wait_until(look, RETRY_SECONDS, f"call {call} is tried again and settled")

    def make_due(self, call: str) -> None:
        """Makes a row due now, as an operator could, so that a test need not wait."""
        self._stack.table("SyncLogsTable").update_item(
            Key={"workspace_id": self.id, "call_id": call},
            UpdateExpression="SET due_at = :now",
            ConditionExpression="attribute_exists(due_at)",
            ExpressionAttributeValues={":now": int(time.time())},
        )

    def row(self, call: str) -> dict[str, Any] | None:
        """A call's row in the ledger."""
        key = {"workspace_id": self.id, "call_id": call}
        found: dict[str, Any] | None = (
            self._stack.table("SyncLogsTable").get_item(Key=key, ConsistentRead=True).get("Item")
        )
        return found

    def settings_row(self) -> dict[str, Any]:
        """Its row in the settings table."""
        row: dict[str, Any] = self._stack.table("WorkspaceSettingsTable").get_item(
            Key={"workspace_id": self.id}, ConsistentRead=True
        )["Item"]
        return row

    def status(self) -> dict[str, Any]:
        """The status that the dashboard gets."""
        response = self.api("GET", "status")
        assert response.status_code == 200, response.text
        status: dict[str, Any] = response.json()
        return status
