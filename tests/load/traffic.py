"""The traffic: steady calls from quiet workspaces, and those from a noisy one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from tests.e2e.support.reports import call_id, report
from tests.e2e.support.salesforce import Salesforce
from tests.e2e.support.secrets import Secrets
from tests.e2e.support.stack import Stack
from tests.e2e.support.workspace import Workspace

QUIET = 20
QUIET_ORG, NOISY_ORG = 1, 2
POSTERS = 8


@dataclass(frozen=True)
class Tenant:
    """A connected workspace, with a Lead that makes all of its calls."""

    workspace: Workspace
    lead: str
    number: str
    org: int


@dataclass
class Call:
    """A call, with the times at which its report was posted and got a response, in Unix seconds."""

    tenant: Tenant
    body: dict[str, Any]
    posted: float = 0
    responded: float = 0

    @property
    def id(self) -> str:
        """Its id."""
        return call_id(self.body)


@dataclass
class Depth:
    """The maximum number of messages in the queue, including those in flight."""

    maximum: int = 0


def tenants(stack: Stack, salesforce: Salesforce) -> tuple[list[Tenant], Tenant]:
    """Twenty quiet workspaces of one org, and a noisy one of another."""
    secrets = Secrets()

    def connected(n: int) -> Tenant:
        # 555-0100 to 555-0199 are reserved for examples.
        org, number = (QUIET_ORG if n < QUIET else NOISY_ORG), f"+131655501{n:02}"
        lead = salesforce.add("Lead", org=org, LastName=f"Caller{n}", Company="Sample", Phone=number)
        workspace = Workspace(stack, secrets)
        workspace.connect(salesforce.user(org=org))
        _ = workspace.webhook_token
        return Tenant(workspace, lead, number, org)

    with ThreadPoolExecutor(POSTERS) as pool:
        *quiet, noisy = pool.map(connected, range(QUIET + 1))
    return quiet, noisy


def calls(tenants: list[Tenant], count: int) -> list[Call]:
    """So many calls, from one tenant after the other."""
    return [Call(tenants[n % len(tenants)], report(tenants[n % len(tenants)].number)) for n in range(count)]


def post(stack: Stack, calls: list[Call], per_second: float, after: float = 0) -> None:
    """Posts each call once, as Vapi does, at a steady pace starting `after` seconds. Each must be accepted."""
    start = time.monotonic() + after
    local = threading.local()

    def post_one(item: tuple[int, Call]) -> None:
        n, call = item
        if not hasattr(local, "session"):
            local.session = requests.Session()
        time.sleep(max(0.0, start + n / per_second - time.monotonic()))
        headers = {"X-Vapi-Secret": call.tenant.workspace.webhook_token}
        call.posted = time.time()
        response = local.session.post(f"{stack.public_url}/webhook/vapi", json=call.body, headers=headers, timeout=35)
        call.responded = time.time()
        assert response.status_code == 200, f"{response.status_code} {response.text}"

    with ThreadPoolExecutor(POSTERS) as pool:
        list(pool.map(post_one, enumerate(calls)))


def run_concurrently(*work: Callable[[], None]) -> None:
    """Runs several functions at the same time, and fails if one of them does."""
    with ThreadPoolExecutor(len(work)) as pool:
        for future in [pool.submit(function) for function in work]:
            future.result()


@contextmanager
def watch_depth(stack: Stack) -> Iterator[Depth]:
    """Watches the queue's depth in the background."""
    depth, end = Depth(), threading.Event()

    def watch() -> None:
        while not end.wait(0.25):
            depth.maximum = max(depth.maximum, stack.messages("CallQueueUrl"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield depth
    finally:
        end.set()
        thread.join()
