"""What is sent: steady calls of quiet workspaces, and those of a noisy one beside them."""

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
    """A connected workspace with a Lead that all of its calls are of."""

    workspace: Workspace
    lead: str
    number: str
    org: int


@dataclass
class Call:
    """A call, and when its report was posted and answered, in Unix seconds."""

    tenant: Tenant
    body: dict[str, Any]
    posted: float = 0
    answered: float = 0

    @property
    def id(self) -> str:
        """Its id."""
        return call_id(self.body)


@dataclass
class Depth:
    """How many messages the queue held at most, those in flight included."""

    most: int = 0


def tenants(stack: Stack, salesforce: Salesforce) -> tuple[list[Tenant], Tenant]:
    """Twenty quiet workspaces, all of one org, and a noisy one of another."""
    secrets = Secrets()

    def connected(n: int) -> Tenant:
        # 555-0100 to 555-0199 is reserved for examples.
        org, number = (QUIET_ORG if n < QUIET else NOISY_ORG), f"+131655501{n:02}"
        lead = salesforce.add("Lead", org=org, LastName=f"Caller{n}", Company="Sample", Phone=number)
        workspace = Workspace(stack, secrets)
        workspace.connect(salesforce.user(org=org))
        _ = workspace.webhook_token
        return Tenant(workspace, lead, number, org)

    with ThreadPoolExecutor(POSTERS) as pool:
        *quiet, noisy = pool.map(connected, range(QUIET + 1))
    return quiet, noisy


def calls(of: list[Tenant], count: int) -> list[Call]:
    """So many calls, of one tenant after the other."""
    return [Call(of[n % len(of)], report(of[n % len(of)].number)) for n in range(count)]


def post(stack: Stack, sent: list[Call], a_second: float, after: float = 0) -> None:
    """Posts the calls at a steady pace, each once, as Vapi does; each must be taken. Begins `after` so many seconds."""
    began = time.monotonic() + after
    local = threading.local()

    def one(place: tuple[int, Call]) -> None:
        n, call = place
        if not hasattr(local, "session"):
            local.session = requests.Session()
        time.sleep(max(0.0, began + n / a_second - time.monotonic()))
        headers = {"X-Vapi-Secret": call.tenant.workspace.webhook_token}
        call.posted = time.time()
        answer = local.session.post(f"{stack.public_url}/webhook/vapi", json=call.body, headers=headers, timeout=35)
        call.answered = time.time()
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"

    with ThreadPoolExecutor(POSTERS) as pool:
        list(pool.map(one, enumerate(sent)))


def at_once(*work: Callable[[], None]) -> None:
    """Does several things at the same time, and fails if one of them did."""
    with ThreadPoolExecutor(len(work)) as pool:
        for doing in [pool.submit(one) for one in work]:
            doing.result()


@contextmanager
def watched(stack: Stack) -> Iterator[Depth]:
    """Looks at the queue's depth meanwhile."""
    depth, end = Depth(), threading.Event()

    def watch() -> None:
        while not end.wait(0.25):
            depth.most = max(depth.most, stack.messages("CallQueueUrl"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield depth
    finally:
        end.set()
        thread.join()
