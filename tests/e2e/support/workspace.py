"""A workspace: its users' tokens, its browser, its webhook, its rows in the tables."""

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
SECONDS = 20
# An attempt may wait 10 s for each of Salesforce's answers.
ATTEMPT_SECONDS = 40
# The longest first wait after a passing fault is a minute; then the call is tried.
RETRY_SECONDS = 90


class Browser(requests.Session):
    """Keeps cookies; as browsers do, it sends those that are `Secure` to localhost without https too."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Adds the cookies, which `requests` keeps back."""
        prepared = super().prepare_request(request)
        prepared.headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        return prepared


class Workspace:
    """A workspace of its own for a test."""

    def __init__(self, stack: Stack, secrets: Secrets) -> None:
        self.id = f"e2e-{uuid.uuid4().hex[:12]}"
        self._stack = stack
        self._secrets = secrets
        self._webhook_token = ""

    def token(self, **claims: Any) -> str:
        """A dashboard token; without claims, an admin's."""
        form = {"workspace_id": self.id, "roles": "admin", **claims}
        answer = requests.post(f"{self._stack.issuer_url}/token", data=form, timeout=10)
        return self._secrets.add(answer.json()["access_token"])

    def api(
        self,
        method: str,
        path: str,
        *,
        session: requests.Session | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Any:
        """Asks the API as an admin of this workspace."""
        headers = {"Authorization": f"Bearer {self.token()}", **(headers or {})}
        url = f"{self._stack.public_url}/api/salesforce/{path}"
        return conforms((session or requests).request(method, url, headers=headers, timeout=35, **options))

    def change_settings(self, **changes: Any) -> None:
        """Changes some of the workspace's settings."""
        read = self.api("GET", "settings")
        answer = self.api(
            "PUT", "settings", json={**read.json(), **changes}, headers={"If-Match": read.headers["ETag"]}
        )
        assert answer.status_code == 200, answer.text

    def begin_connect(self, browser: Browser, **query: str) -> str:
        """The first half of the connect flow: the authorize URL, and the cookie in the browser."""
        answer = self.api("GET", "oauth/initiate", session=browser, params=query)
        assert answer.status_code == 200, answer.text
        for cookie in browser.cookies:
            self._secrets.add(cookie.value or "")
        return str(answer.json()["authUrl"])

    def allow(self, browser: Browser, auth_url: str, user: str = "") -> str:
        """Presses Allow, as the user with this id; answers with the callback's URL, which nobody has opened yet."""
        page = browser.get(auth_url, timeout=10)
        assert "Allow" in page.text, page.text
        decision = {"decision": "allow", **({"user": user} if user else {})}
        decided = browser.post(auth_url, data=decision, allow_redirects=False, timeout=10)
        assert decided.status_code == 302, decided.text
        callback = decided.headers["Location"]
        self._secrets.add_query(callback)
        return callback

    def connect(self, user: str = "") -> dict[str, Any]:
        """The whole connect flow; answers with what the callback says."""
        browser = Browser()
        answer = conforms(browser.get(self.allow(browser, self.begin_connect(browser), user), timeout=35))
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    @property
    def webhook_token(self) -> str:
        """What one pastes into Vapi."""
        if not self._webhook_token:
            answer = self.api("GET", "webhook")
            assert answer.status_code == 200, answer.text
            self._webhook_token = self._secrets.add(answer.json()["secret"])
        return self._webhook_token

    def post(self, body: Any, token: str | None = None) -> requests.Response:
        """Posts to the webhook as Vapi does; bytes go as they are, everything else as JSON."""
        headers = {"X-Vapi-Secret": self.webhook_token if token is None else token, "Content-Type": "application/json"}
        sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        return conforms(requests.post(f"{self._stack.public_url}/webhook/vapi", headers=headers, timeout=35, **sent))

    def report(self, body: Any) -> None:
        """Posts as Vapi does: once, because Vapi never retries. It must be taken."""
        answer = self.post(body)
        assert (answer.status_code, answer.text) == (200, '{"received":true}')

    def report_at_once(self, bodies: list[dict[str, Any]]) -> None:
        """Posts all of them at the same time."""
        _ = self.webhook_token  # read before, or every thread would
        with ThreadPoolExecutor(len(bodies)) as pool:
            list(pool.map(self.report, bodies))

    def log_call(self, body: dict[str, Any]) -> dict[str, Any]:
        """Posts a report and waits for what becomes of it: its row in the ledger."""
        self.report(body)
        return self.settled(call_id(body))

    def settled(self, call: str) -> dict[str, Any]:
        """A call's row, as soon as nothing more happens to it by itself for now."""

        def look() -> dict[str, Any] | None:
            row = self.row(call)
            return row if row and row["status"] in FINAL and "lease_owner" not in row else None

        return wait_until(look, SECONDS, f"call {call} is settled")

    def reaches(self, call: str, *statuses: str) -> dict[str, Any]:
        """A call's row, as soon as it has one of these statuses and nobody works on it."""

        def look() -> dict[str, Any] | None:
            row = self.row(call)
            return row if row and row["status"] in statuses and "lease_owner" not in row else None

        return wait_until(look, ATTEMPT_SECONDS, f"call {call} is {' or '.join(statuses)}")

    def retried(self, call: str) -> dict[str, Any]:
        """A call's row, as soon as a retry has settled it. It comes when it is due; only the sweep runs more often."""

        def look() -> dict[str, Any] | None:
            row = self.row(call)
            if row and row["status"] in FINAL and "lease_owner" not in row:
                return row
            self._stack.sweep()
            time.sleep(0.5)
            return None

        return wait_until(look, RETRY_SECONDS, f"call {call} is tried again and settled")

    def make_due(self, call: str) -> None:
        """Moves a row's time to now, as an operator could, so that a test need not wait for it."""
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
        """The row in the table of settings."""
        row: dict[str, Any] = self._stack.table("WorkspaceSettingsTable").get_item(
            Key={"workspace_id": self.id}, ConsistentRead=True
        )["Item"]
        return row

    def status(self) -> dict[str, Any]:
        """What the dashboard is told."""
        answer = self.api("GET", "status")
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        return status
