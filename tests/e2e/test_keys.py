"""The generated keys are rotated on the running stack, while calls come in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

from local.stack.deploy import STACK_NAME
from local.stack.settings import ACCOUNT_KEY, REGION, ROOT

from .support import function_processes
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


def test_keys_are_rotated_under_load_and_no_call_fails(
    stack: Stack, workspace: Workspace, salesforce: Salesforce, secrets: Secrets, number: str
) -> None:
    salesforce.add("Lead", LastName="Rotated", Company="Sample", Phone=number)
    quiet = Workspace(stack, secrets)
    quiet.connect()
    pasted = {one.id: one.webhook_token for one in (workspace, quiet)}
    old = {ring: keys[0]["id"] for ring, keys in rings(stack, secrets).items()}
    posted: list[str] = []
    rotated = threading.Event()

    def calls_come_in() -> None:
        while not rotated.is_set():
            # Sessions end meanwhile: tokens are sealed with whichever key is current.
            if len(posted) % 10 == 5:
                salesforce.expire_sessions()
            body = report(number)
            workspace.report(body)
            posted.append(call_id(body))
            rotated.wait(0.2)

    load = threading.Thread(target=calls_come_in)
    load.start()
    try:
        done = rotate_keys(stack, "sealing", "webhook")
    finally:
        rotated.set()
        load.join()
    assert done.returncode == 0, done.stderr
    new = {ring: keys[0]["id"] for ring, keys in rings(stack, secrets).items()}
    assert {ring: int(new[ring]) - int(old[ring]) for ring in new} == {"sealing": 1, "webhook": 1}
    assert len(posted) > 50
    for call in posted:
        row = workspace.settled(call)
        assert (row["status"], row["attempts"]) == ("success", 1), row.get("error_code")
        assert len(salesforce.activities("Task", call)) == 1

    # What was sealed before still opens.
    assert sealing_keys(quiet) == {old["sealing"]}
    assert quiet.log_call(report(number))["status"] == "success"

    # A process that reads the keys now seals with the new one what it stores: the refresh token too, although an org
    # without rotation gives no new one. A process that has the old keys finds the one that it meets.
    for fresh in ("TestSyncFunction", "WebhookSetupFunction"):
        function_processes.kill(stack, fresh)
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
