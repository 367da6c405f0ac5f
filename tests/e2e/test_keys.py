"""The generated keys are rotated on the running stack, while calls come in."""

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
    """The keys, the current one of each ring first."""
    text = stack.client("secretsmanager").get_secret_value(SecretId=stack.resources["KeysSecret"])["SecretString"]
    keys: dict[str, list[dict[str, str]]] = {ring: json.loads(text)[ring] for ring in ("sealing", "webhook")}
    for key in (key for ring in keys.values() for key in ring if "secret" in key):
        secrets.add(key["secret"])
    return keys


def sealing_keys(workspace: Workspace) -> set[str]:
    """The ids of the keys that a workspace's tokens are sealed with."""
    row = workspace.settings_row()
    return {str(row[f"salesforce_{kind}_token"]).split(".")[1] for kind in ("access", "refresh")}


class Sessions:
    """Everybody's sessions. They do not end twice while one call is worked on: it would rightly be tried again."""

    APART_SECONDS = 1.0

    def __init__(self, salesforce: Salesforce) -> None:
        self._salesforce = salesforce
        self._lock = threading.Lock()
        self._ended_at = time.monotonic() - self.APART_SECONDS

    def end(self) -> None:
        """Ends them, a second at least after the last time."""
        with self._lock:
            time.sleep(max(0.0, self._ended_at + self.APART_SECONDS - time.monotonic()))
            self._salesforce.expire_sessions()
            self._ended_at = time.monotonic()


@contextmanager
def calls_come_in(workspace: Workspace, sessions: Sessions, number: str, tokens: list[str]) -> Iterator[list[str]]:
    """Five calls a second, under these tokens in turn; gives the ids of those that were taken."""
    posted: list[str] = []
    refused: list[int] = []
    ended = threading.Event()

    def post() -> None:
        while not ended.is_set():
            # Sessions end meanwhile: tokens are sealed with whichever key a process takes for the current one.
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


def test_keys_are_rotated_under_load_and_no_call_fails(
    stack: Stack, workspace: Workspace, salesforce: Salesforce, secrets: Secrets, number: str
) -> None:
    salesforce.add("Lead", LastName="Rotated", Company="Sample", Phone=number)
    quiet = Workspace(stack, secrets)
    quiet.connect()
    pasted = {one.id: one.webhook_token for one in (workspace, quiet)}
    old = {ring: keys[0]["id"] for ring, keys in rings(stack, secrets).items()}
    tokens = [pasted[workspace.id]]
    sessions = Sessions(salesforce)
    with calls_come_in(workspace, sessions, number, tokens) as posted:
        done = rotate_keys(stack, "sealing", "webhook")
        before = len(posted)
        # Fresh processes make values with the new keys; those that work know only the old ones, and meet them.
        for fresh in ("TestSyncFunction", "WebhookSetupFunction"):
            function_processes.kill(stack, fresh)
        tokens.append(secrets.add(workspace.api("GET", "webhook").json()["secret"]))
        for turn in range(5):
            sessions.end()
            tried = workspace.api("POST", "test-sync", json={"callId": f"under-load-{turn}", "phoneNumber": number})
            assert tried.json()["success"], tried.text
        wait_until(lambda: len(posted) >= before + 30, 30, "calls under the new keys")
    assert done.returncode == 0, done.stderr
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

    # A process that knows the new key seals with it what it stores: the refresh token too, although an org without
    # rotation gives no new one.
    function_processes.kill(stack, "TestSyncFunction")
    salesforce.settings(rotation=False)
    try:
        salesforce.expire_sessions()
        tried = workspace.api("POST", "test-sync", json={"callId": "rotated", "phoneNumber": number})
    finally:
        salesforce.settings(rotation=True)
    assert tried.json()["success"], tried.text
    assert sealing_keys(workspace) == {new["sealing"]}
    row = workspace.log_call(report(number))
    assert (row["status"], row["attempts"]) == ("success", 1)

    # What was pasted into Vapi is taken, and so is what is shown now.
    for one in (workspace, quiet):
        shown = secrets.add(one.api("GET", "webhook").json()["secret"])
        assert shown != pasted[one.id]
        for token in (shown, pasted[one.id]):
            assert one.post(report(number), token).status_code == 200


def test_a_key_that_is_needed_is_not_forgotten(stack: Stack, workspace: Workspace, secrets: Secrets) -> None:
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
