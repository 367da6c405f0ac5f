"""What is refused, and that it has no effect."""

from __future__ import annotations

import time

import pytest
import requests

from .support.reports import call_id, report, sample
from .support.salesforce import Salesforce
from .support.secrets import Secrets
from .support.stack import Stack
from .support.workspace import Browser, Workspace

DASHBOARD_ROUTES = [
    ("GET", "oauth/initiate"),
    ("GET", "status"),
    ("DELETE", "disconnect"),
    ("GET", "settings"),
    ("PUT", "settings"),
    ("GET", "webhook"),
    ("POST", "webhook/rotate"),
    ("GET", "sync-logs"),
    ("GET", "sync-logs/summary"),
    ("POST", "sync-logs/call-1/retry"),
    ("POST", "sync-logs/retry"),
    ("POST", "test-sync"),
]
OPEN_TO_ALL_USERS = {("GET", path) for path in ("status", "settings", "sync-logs", "sync-logs/summary")}
ADMIN_ROUTES = [route for route in DASHBOARD_ROUTES if route not in OPEN_TO_ALL_USERS]


def problem(response: requests.Response, status: int) -> str:
    """Checks that a response is a problem with this status; returns its code."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("application/problem+json")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["status"] == status
    return str(response.json()["code"])


@pytest.mark.parametrize(("method", "path"), DASHBOARD_ROUTES)
def test_a_request_without_a_dashboard_token_is_refused(stack: Stack, method: str, path: str) -> None:
    response = requests.request(method, f"{stack.public_url}/api/salesforce/{path}", timeout=10)
    assert response.status_code == 401


def test_an_invalid_dashboard_token_is_refused(stack: Stack, stranger: Workspace) -> None:
    good = stranger.token()
    head, claims, signature = good.split(".")
    past = int(time.time()) - 10
    for token in (
        f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
        f"{head}.{stranger.token(workspace_id='victim').split('.')[1]}.{signature}",
        stranger.token(exp=past),
        stranger.token(aud="another-app"),
        stranger.token(iss="https://issuer.example.com"),
    ):
        response = requests.get(
            f"{stack.public_url}/api/salesforce/status", headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        assert response.status_code == 401


def test_a_token_without_a_workspace_is_refused(stack: Stack, stranger: Workspace) -> None:
    for workspace in ("", "../acme", "a b"):
        headers = {"Authorization": f"Bearer {stranger.token(workspace_id=workspace)}"}
        response = requests.get(f"{stack.public_url}/api/salesforce/status", headers=headers, timeout=10)
        assert problem(response, 403)


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_a_member_cannot_use_the_admin_routes(stack: Stack, stranger: Workspace, method: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {stranger.token(roles='member')}"}
    response = requests.request(method, f"{stack.public_url}/api/salesforce/{path}", headers=headers, timeout=10)
    assert problem(response, 403)


def test_another_workspaces_connection_is_neither_shown_nor_ended(workspace: Workspace, stranger: Workspace) -> None:
    assert stranger.status()["connected"] is False
    assert stranger.status()["organizationId"] is None
    assert stranger.webhook_token != workspace.webhook_token
    assert stranger.api("DELETE", "disconnect").status_code == 200
    assert workspace.status()["connected"] is True


def test_a_callback_without_its_cookie_is_refused(stranger: Workspace) -> None:
    browser = Browser()
    callback = stranger.allow(browser, stranger.begin_connect(browser))
    assert problem(requests.get(callback, timeout=35), 403) == "state_of_another_browser"
    other = Browser()
    stranger.begin_connect(other)
    assert problem(other.get(callback, timeout=35), 403) == "state_of_another_browser"
    assert stranger.status()["connected"] is False


def test_a_state_is_valid_once(workspace: Workspace) -> None:
    browser = Browser()
    callback = workspace.allow(browser, workspace.begin_connect(browser))
    cookies = browser.cookies.copy()
    assert browser.get(callback, timeout=35).status_code == 200
    # An attacker would have kept the cookie.
    browser.cookies = cookies
    assert problem(browser.get(callback, timeout=35), 400) == "state_unknown"


def test_a_forged_state_is_refused(stranger: Workspace) -> None:
    browser = Browser()
    callback = stranger.allow(browser, stranger.begin_connect(browser))
    head, _, state = callback.partition("state=")
    assert problem(browser.get(f"{head}state={state[:-4]}AAAA", timeout=35), 400) == "state_unknown"
    assert stranger.status()["connected"] is False


def test_an_expired_state_is_refused(stack: Stack, stranger: Workspace) -> None:
    browser = Browser()
    callback = stranger.allow(browser, stranger.begin_connect(browser))
    table = stack.table("OAuthStatesTable")
    (item,) = [one for one in table.scan()["Items"] if one["workspace_id"] == stranger.id]
    table.update_item(
        Key={"state_hash": item["state_hash"]},
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues={":past": int(time.time()) - 1},
    )
    assert problem(browser.get(callback, timeout=35), 400) == "state_expired"
    assert stranger.status()["connected"] is False


@pytest.mark.parametrize(
    "url",
    [
        "https://login.salesforce.com.example.com",
        "https://example.com",
        "http://login.salesforce.com",
        "https://acme.my.salesforce.com@example.com",
        "https://acme.salesforce.com",
        "javascript:alert(1)",
    ],
)
def test_a_login_url_outside_salesforce_is_refused(stranger: Workspace, url: str) -> None:
    assert problem(stranger.api("GET", "oauth/initiate", params={"loginUrl": url}), 400)


def test_an_instance_url_outside_salesforce_is_refused(stranger: Workspace, salesforce: Salesforce) -> None:
    browser = Browser()
    callback = stranger.allow(browser, stranger.begin_connect(browser))
    salesforce.settings(instanceUrl="https://salesforce.example.com")
    try:
        response = browser.get(callback, timeout=35)
    finally:
        salesforce.settings(instanceUrl=None)
    assert problem(response, response.status_code)
    assert response.status_code >= 400
    assert stranger.status()["connected"] is False


def test_a_connect_that_fails_after_the_exchange_leaves_no_grant(stranger: Workspace, salesforce: Salesforce) -> None:
    before = salesforce.grants()
    browser = Browser()
    callback = stranger.allow(browser, stranger.begin_connect(browser))
    salesforce.fault("identity", {"kind": "answer", "status": 500, "body": "down"})
    response = browser.get(callback, timeout=35)
    assert response.status_code >= 400
    assert problem(response, response.status_code)
    assert stranger.status()["connected"] is False
    assert salesforce.grants() == before


def tampered(token: str, workspace: Workspace) -> str:
    """A webhook token with its workspace replaced."""
    prefix, _, rest = token.split(".", 2)
    return f"{prefix}.{workspace.id}.{rest}"


def test_a_report_with_an_invalid_webhook_token_is_refused_and_not_queued(
    workspace: Workspace, stranger: Workspace, salesforce: Salesforce, number: str, secrets: Secrets
) -> None:
    salesforce.add("Lead", LastName="Target", Company="Sample", Phone=number)
    stolen = secrets.add(tampered(stranger.webhook_token, workspace))
    refused = []
    for token in ("", "wrong", workspace.webhook_token[:-6] + "AAAAAA", stolen):
        body = report(number)
        assert problem(workspace.post(body, token=token), 401)
        refused.append(call_id(body))
    # A later report has been processed; the refused ones would have been, too.
    assert workspace.log_call(report(number))["status"] == "success"
    for call in refused:
        assert workspace.row(call) is None
        assert stranger.row(call) is None
        assert salesforce.activities("Task", call) == []


def test_a_webhook_token_can_be_a_bearer_token(
    workspace: Workspace, stack: Stack, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Bearer", Company="Sample", Phone=number)
    body = report(number)
    headers = {"Authorization": f"Bearer {workspace.webhook_token}"}
    response = requests.post(f"{stack.public_url}/webhook/vapi", headers=headers, json=body, timeout=10)
    assert response.status_code == 200
    assert workspace.settled(call_id(body))["status"] == "success"


def test_rotating_with_revoke_ends_the_previous_token(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Rotated", Company="Sample", Phone=number)
    old = workspace.webhook_token
    response = workspace.api("POST", "webhook/rotate", json={"revokePrevious": True})
    assert response.status_code == 200
    assert response.json()["secret"] != old
    body = report(number)
    workspace.post(body, token=old)
    assert workspace.settled(call_id(body))["status"] == "skipped"
    assert salesforce.activities("Task", call_id(body)) == []


def test_a_message_that_expects_a_reply_is_refused(workspace: Workspace) -> None:
    assert problem(workspace.post(sample("assistant-request")), 422) == "unsupported_message"


def test_a_message_that_only_informs_is_accepted(workspace: Workspace) -> None:
    assert workspace.post(sample("status-update")).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'{"message": {"type": "end-of-call-report"}}'])
def test_a_malformed_message_is_refused(workspace: Workspace, body: bytes) -> None:
    assert problem(workspace.post(body), 400)


def test_a_body_above_the_gateways_limit_is_refused(workspace: Workspace) -> None:
    assert workspace.post(b" " * (10 * 1024 * 1024 + 1)).status_code == 413


def test_only_the_dashboards_origin_is_allowed_by_cors(stack: Stack) -> None:
    def preflight(origin: str) -> requests.Response:
        headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        return requests.options(f"{stack.public_url}/api/salesforce/status", headers=headers, timeout=10)

    allowed = preflight(stack.public_url).headers
    assert allowed["Access-Control-Allow-Origin"] == stack.public_url
    assert allowed["Access-Control-Allow-Credentials"] == "true"
    assert set(allowed["Access-Control-Allow-Headers"].split(",")) == {"authorization", "content-type", "if-match"}
    assert allowed["Access-Control-Expose-Headers"] == "etag"
    assert "Access-Control-Allow-Origin" not in preflight("https://example.com").headers
