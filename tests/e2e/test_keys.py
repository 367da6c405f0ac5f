"""Rotating the generated keys of the running stack while calls come in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from local.stack.deploy import STACK_NAME
from local.stack.settings import ACCOUNT_KEY, REGION, ROOT

from .support import function_processes
from .support.polling import wait_until
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.secrets import Secrets
from .support.stack import Stack
from .support.workspace import Workspace


def rotate_keys(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the program as an operator does."""
    environment = {
        "AWS_ENDPOINT_URL": stack.emulator_url,
        "AWS_ACCESS_KEY_ID": ACCOUNT_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCOUNT_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }
    command = [sys.executable, "-m", "ops.rotate_keys", *words, "--stack", STACK_NAME]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def rings(stack: Stack, secrets: Secrets) -> dict[str, list[dict[str, str]]]:
    """The keys of each ring, the current one first."""
    text = stack.client("secretsmanager").get_secret_value(SecretId=stack.resources["KeysSecret"])["SecretString"]
    keys: dict[str, list[dict[str, str]]] = {ring: json.loads(text)[ring] for ring in ("sealing", "webhook")}
    for key in (key for ring in keys.values() for key in ring if "secret" in key):
        secrets.add(key["secret"])
    return keys


def sealing_keys(workspace: Workspace) -> set[str]:
    """The ids of the keys that seal a workspace's tokens."""
    row = workspace.settings_row()
    return {str(row[f"salesforce_{kind}_token"]).split(".")[1] for kind in ("access", "refresh")}


class Sessions:
    """Ends all sessions, but not twice during one attempt, which would rightly be retried."""

    MIN_INTERVAL_SECONDS = 1.0

    def __init__(self, salesforce: Salesforce) -> None:
        self._salesforce = salesforce
        self._lock = threading.Lock()
        self._ended_at = time.monotonic() - self.MIN_INTERVAL_SECONDS

    def end(self) -> None:
        """Ends them, at least a second after the last time."""
        with self._lock:
            time.sleep(max(0.0, self._ended_at + self.MIN_INTERVAL_SECONDS - time.monotonic()))
            self._salesforce.expire_sessions()
            self._ended_at = time.monotonic()


@contextmanager
def calls_come_in(workspace: Workspace, sessions: Sessions, number: str, tokens: list[str]) -> Iterator[list[str]]:
    """Posts five calls a second, with these tokens in turn. Yields the ids of those that were posted."""
    posted: list[str] = []
    refused: list[int] = []
    ended = threading.Event()

    def post() -> None:
        while not ended.is_set():
            # Sessions end in between, so that tokens are sealed with whichever key a process has as the current one.
            if len(posted) % 10 == 5:
                sessions.end()
            body = report(number)
            status = workspace.post(body, tokens[len(posted) % len(tokens)]).status_code
            if status != 200:
                refused.append(status)
            posted.append(call_id(body))
            ended.wait(0.2)

    load = threading.Thread(target=post)
    load.start()
    try:
        yield posted
    finally:
        ended.set()
        load.join()
    assert refused == []


def test_no_call_fails_while_keys_are_rotated(
    stack: Stack, workspace: Workspace, salesforce: Salesforce, secrets: Secrets, number: str
) -> None:
    salesforce.add("Lead", LastName="Rotated", Company="Sample", Phone=number)
    quiet = Workspace(stack, secrets)
    quiet.connect()
    pasted = {either.id: either.webhook_token for either in (workspace, quiet)}
    old = {ring: keys[0]["id"] for ring, keys in rings(stack, secrets).items()}
    tokens = [pasted[workspace.id]]
    sessions = Sessions(salesforce)
    with calls_come_in(workspace, sessions, number, tokens) as posted:
        result = rotate_keys(stack, "sealing", "webhook")
        before = len(posted)
        # New processes use the new keys. The running ones know only the old keys, and encounter the new ones.
        for function in ("TestSyncFunction", "WebhookSetupFunction"):
            function_processes.kill(stack, function)
        tokens.append(secrets.add(workspace.api("GET", "webhook").json()["secret"]))
        for turn in range(5):
            sessions.end()
            tested = workspace.api("POST", "test-sync", json={"callId": f"under-load-{turn}", "phoneNumber": number})
            assert tested.json()["success"], tested.text
        wait_until(lambda: len(posted) >= before + 30, 30, "calls with the new keys")
    assert result.returncode == 0, result.stderr
    new = {ring: keys[0]["id"] for ring, keys in rings(stack, secrets).items()}
    assert all(new[ring] != old[ring] for ring in new)
    assert tokens[0] != tokens[1]
    assert before > 50
    for call in posted:
        row = workspace.settled(call)
        assert (row["status"], row["attempts"]) == ("success", 1), row.get("error_code")
        assert len(salesforce.activities("Task", call)) == 1

    # What was sealed before still opens.
    assert sealing_keys(quiet) == {old["sealing"]}
    assert quiet.log_call(report(number))["status"] == "success"

    # A process that knows the new key seals everything that it stores with it, including the refresh token, of which an
    # org without rotation sends no new one.
    function_processes.kill(stack, "TestSyncFunction")
    salesforce.settings(rotation=False)
    try:
        salesforce.expire_sessions()
        tested = workspace.api("POST", "test-sync", json={"callId": "rotated", "phoneNumber": number})
    finally:
        salesforce.settings(rotation=True)
    assert tested.json()["success"], tested.text
    assert sealing_keys(workspace) == {new["sealing"]}
    row = workspace.log_call(report(number))
    assert (row["status"], row["attempts"]) == ("success", 1)

    # Both the secret that was pasted into Vapi and the one that is shown now are accepted.
    for either in (workspace, quiet):
        shown = secrets.add(either.api("GET", "webhook").json()["secret"])
        assert shown != pasted[either.id]
        for token in (shown, pasted[either.id]):
            assert either.post(report(number), token).status_code == 200


def test_a_key_that_is_still_needed_is_not_retired(stack: Stack, workspace: Workspace, secrets: Secrets) -> None:
    (current,) = sealing_keys(workspace)
    for words, reason in (
        (("sealing", "--retire", current), "open with key"),
        (("webhook", "--retire", "1"), "may be pasted in Vapi"),
        (("webhook", "--retire", "99", "--revoke-pasted-secrets"), "has no key 99"),
        (("sealing", "webhook", "--retire", "1"), "takes one ring"),
    ):
        before = rings(stack, secrets)
        refused = rotate_keys(stack, *words)
        assert refused.returncode == 1
        assert reason in refused.stderr
        assert rings(stack, secrets) == before
