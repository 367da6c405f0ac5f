"""Every accepted call is logged exactly once with everything going wrong: 500 calls with faults, crashes, expiries."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from .support import function_processes
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.secrets import Secrets
from .support.stack import STATE, Stack
from .support.workspace import Workspace

SEED = 20_261_122
WORKSPACES = 20
CALLS = 500
POSTING_SECONDS = 75
POSTING_THREADS = 8
# Area codes of the numbers in this test, with 555-0100 to 555-0199, which are reserved for examples.
AREAS = (312, 313, 314, 315, 316)
BOOKED_EVERY = 3
# The seconds at which all processes of the sync function are killed, and at which all sessions are ended.
KILLS = [10 + 4 * n for n in range(12)]
EXPIRIES = (8, 22, 37, 52, 66)
# Above sync's timeout of 60 s, but far below the template's 360 s, so that a crashed batch is soon redelivered.
VISIBILITY_SECONDS = 70
# For the row of a killed worker: the rest of its lease (90 s), the next sweep (60 s), the settle time, another sweep.
DONE_SECONDS = 420

HTML_502 = {"kind": "answerAfter", "status": 502, "body": "<html>Bad Gateway</html>"}
FAULTS: list[tuple[str, dict[str, Any], float]] = [
    ("search", {"kind": "preset", "name": "serverUnavailable"}, 0.05),
    ("search", {"kind": "delay", "milliseconds": 700}, 0.2),
    ("composite", {"kind": "dropAfter"}, 0.03),
    ("composite", {"kind": "dropBefore"}, 0.03),
    ("composite", HTML_502, 0.03),
    ("composite", {"kind": "answer", "status": 503, "body": "down"}, 0.03),
    ("composite", {"kind": "preset", "name": "unableToLockRow"}, 0.03),
    ("composite", {"kind": "delay", "milliseconds": 700}, 0.2),
    ("token", {"kind": "preset", "name": "tokenRequestInProcess"}, 0.2),
    # Long enough for a kill in the middle: Salesforce has rotated the token, but the new one is not stored.
    ("token", {"kind": "delay", "milliseconds": 700}, 0.3),
]
# More often than any fault strikes. What remains of it tells how often one did.
TIMES = 1_000_000


@dataclass(frozen=True)
class Call:
    """A call to be logged."""

    workspace: Workspace
    lead: str
    body: dict[str, Any]
    booked: bool

    @property
    def id(self) -> str:
        """Its id."""
        return call_id(self.body)


@pytest.fixture
def short_visibility(stack: Stack) -> Iterator[None]:
    """Messages of a crashed worker are soon redelivered."""
    sqs, url = stack.client("sqs"), stack.outputs["CallQueueUrl"]
    original = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes=original)


def make_calls(stack: Stack, salesforce: Salesforce, secrets: Secrets) -> list[Call]:
    """The calls of this test, each with a Lead and a number of its own, distributed over the workspaces."""
    workspaces = [Workspace(stack, secrets) for _ in range(WORKSPACES)]

    def connect(workspace: Workspace) -> None:
        workspace.connect()
        _ = workspace.webhook_token

    with ThreadPoolExecutor(POSTING_THREADS) as pool:
        list(pool.map(connect, workspaces))
    appointment = {
        "intent": "Scheduling",
        "appointment_booked": True,
        "appointment_date": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
        "appointment_time": "2:00 PM",
    }
    calls = []
    for n in range(CALLS):
        number = f"+1{AREAS[n // 100]}55501{n % 100:02}"
        secrets.add(number.removeprefix("+1"))
        lead = salesforce.add("Lead", LastName=f"Caller{n}", Company="Sample", Phone=number)
        booked = n % BOOKED_EVERY == 0
        body = report(number, appointment=appointment if booked else None)
        calls.append(Call(workspaces[n % WORKSPACES], lead, body, booked))
    return calls


@contextmanager
def in_background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs something in the background, and fails if it fails."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, stop)
        try:
            yield
        finally:
            stop.set()
        future.result()


class Rows:
    """The rows of the calls."""

    def __init__(self, stack: Stack, calls: list[Call]) -> None:
        self._table = stack.table("SyncLogsTable")
        self._workspaces = {call.workspace.id for call in calls}

    def read(self) -> list[dict[str, Any]]:
        """Reads all rows."""
        return [row for workspace in self._workspaces for row in self._of(workspace)]

    def _of(self, workspace: str) -> list[dict[str, Any]]:
        condition = Key("workspace_id").eq(workspace)
        rows: list[dict[str, Any]] = self._table.query(KeyConditionExpression=condition, ConsistentRead=True)["Items"]
        return rows


def unfinished(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The main attributes of the calls that are not logged."""
    names = ("workspace_id", "call_id", "status", "attempts", "error_code", "due_at", "lease_until", "updated_at")
    return [{name: row.get(name) for name in names} for row in rows if row["status"] != "success"]


def post_all(calls: list[Call]) -> None:
    """Posts each call once, at a steady pace. Each must be accepted."""
    started = time.monotonic()

    def post(item: tuple[int, Call]) -> None:
        n, call = item
        time.sleep(max(0.0, started + n * POSTING_SECONDS / CALLS - time.monotonic()))
        call.workspace.report(call.body)

    with ThreadPoolExecutor(POSTING_THREADS) as pool:
        list(pool.map(post, enumerate(calls)))


def lost_connections(calls: list[Call]) -> list[Workspace]:
    """The workspaces that have to reconnect."""
    workspaces = {call.workspace.id: call.workspace for call in calls}.values()
    return [ws for ws in workspaces if ws.settings_row()["connection_state"] == "reconnect_required"]


def crashes(stack: Stack) -> int:
    """How many sync processes have died during an invocation, according to the emulator's log."""
    log = (STATE / "logs" / "emulator.log").read_text()
    return log.count(f"Lambda {stack.resources['SyncFunction']}: Runtime exited before returning a response")


def dead_letters(stack: Stack) -> list[str]:
    """The messages in the dead-letter queue."""
    queue = stack.client("sqs")
    response = queue.receive_message(
        QueueUrl=stack.outputs["DeadLetterQueueUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [message["Body"] for message in response.get("Messages", [])]


@pytest.mark.usefixtures("short_visibility")
def test_500_calls_under_faults_and_crashes_become_500_tasks(
    stack: Stack, faults: Salesforce, secrets: Secrets, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = make_calls(stack, faults, secrets)
    rows = Rows(stack, calls)
    faults.clear_requests()
    crashed_before = crashes(stack)
    killed = 0
    for n, (route, effect, probability) in enumerate(FAULTS):
        faults.fault(route, effect, times=TIMES, probability=probability, seed=SEED + n)

    def cause_trouble(stop: threading.Event) -> None:
        nonlocal killed
        started = time.monotonic()
        for at, what in sorted([(at, "kill") for at in KILLS] + [(at, "expire") for at in EXPIRIES]):
            if stop.wait(max(0.0, started + at - time.monotonic())):
                return
            if what == "kill":
                killed += function_processes.kill(stack, "SyncFunction")
            else:
                faults.expire_sessions()

    started = time.monotonic()
    with in_background(cause_trouble):
        post_all(calls)
    posted = time.monotonic() - started
    struck = Counter(
        {
            f"{fault['route']} {fault['effect'].get('name', fault['effect']['kind'])}": TIMES - fault["times"]
            for fault in faults.faults()
        }
    )
    faults.clear_faults()
    statuses_then = Counter(str(row["status"]) for row in rows.read())

    # From here on, only the scheduled sweep helps, and a reconnect if a kill has cost a connection.
    reconnected = 0
    while True:
        for workspace in lost_connections(calls):
            workspace.connect()
            reconnected += 1
        current = rows.read()
        statuses = Counter(str(row["status"]) for row in current)
        if statuses == {"success": CALLS}:
            break
        assert time.monotonic() - started < DONE_SECONDS, unfinished(current)
        time.sleep(2)
    done = time.monotonic() - started
    # Messages of crashed workers are redelivered; there is nothing left to do for them.
    while stack.messages("CallQueueUrl"):
        assert time.monotonic() - started < DONE_SECONDS + 2 * VISIBILITY_SECONDS, "the queue is empty"
        time.sleep(2)

    crashed = crashes(stack) - crashed_before
    tokens = faults.tokens()
    attempts = Counter(int(row["attempts"]) for row in current)
    with capsys.disabled():
        print(
            f"\n  {CALLS} calls of {WORKSPACES} workspaces: posted in {posted:.0f} s, all logged after {done:.0f} s"
            f"\n  when the last was posted: {dict(statuses_then)}"
            f"\n  faults struck: {sum(struck.values())}: {dict(struck)}"
            f"\n  sync processes killed: {killed}, {crashed} of them at work; sessions ended {len(EXPIRIES)} times"
            f"\n  requests: {faults.requests()}; {tokens}; connections lost: {reconnected}"
            f"\n  attempts: {dict(sorted(attempts.items()))}"
        )

    tasks = faults.activities_by_call("Task")
    events = faults.activities_by_call("Event")
    assert [call.id for call in calls if [task["WhoId"] for task in tasks.get(call.id, [])] != [call.lead]] == []
    assert [call.id for call in calls if len(events.get(call.id, [])) != int(call.booked)] == []
    assert dead_letters(stack) == []
    assert tokens["concurrentRefreshes"] == 0
    # Only a kill between Salesforce's response to a refresh and storing it may cost a connection
    # (docs/contract.md#refresh).
    assert reconnected <= tokens["reusedRefreshTokens"] <= crashed
    # The test proves nothing unless all of this has happened.
    assert min(struck.values()) > 0
    assert crashed > 0
