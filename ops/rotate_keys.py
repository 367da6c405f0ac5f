"""Rotates generated keys without downtime: `make rotate-keys RINGS="sealing webhook" STACK=ringlog`.

The keys secret has two rings, `sealing` (Salesforce tokens at rest) and `webhook` (what is pasted into Vapi); see
`shared/platform/src/keys.rs`. The first key of a ring makes new values, the others still open and verify old ones. So a
new key is put last, and a while later first. A function reads the secret again when it meets a key that it does not
know, but not twice within 30 seconds: after that while, none can meet the new key and be unable to find it. All of them
use it within a quarter of an hour.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

RINGS = ("sealing", "webhook")
# Longer than a function waits before it reads the secret again (`MIN_READ_INTERVAL` in shared/platform/src/secrets.rs).
WAIT_SECONDS = 35
# Longer than a function keeps the keys that it has read (`KEPT_FOR` in the same file).
KNOWN_EVERYWHERE_AFTER = timedelta(minutes=16)
SEALED = {
    "WorkspaceSettingsTable": ("salesforce_access_token", "salesforce_refresh_token"),
    "OAuthStatesTable": ("code_verifier",),
}


class RefusedError(Exception):
    """Why it was not done, in words for the person who asked."""


class KeysSecret:
    """The keys secret of a stack."""

    def __init__(self, session: boto3.Session, arn: str) -> None:
        self._client = session.client("secretsmanager")
        self._arn = arn
        self._version = ""
        self.changed_at = datetime.min.replace(tzinfo=UTC)

    def read(self) -> dict[str, Any]:
        """The rings, as they are now."""
        answer = self._client.get_secret_value(SecretId=self._arn)
        self._version = answer["VersionId"]
        self.changed_at = answer["CreatedDate"]
        keys: dict[str, Any] = json.loads(answer["SecretString"])
        return keys

    def write(self, keys: dict[str, Any]) -> None:
        """Replaces what was read; refuses where somebody else has done so meanwhile."""
        if self._client.get_secret_value(SecretId=self._arn)["VersionId"] != self._version:
            raise RefusedError("the keys secret was changed by somebody else meanwhile; look at it, and begin again")
        self._version = self._client.put_secret_value(SecretId=self._arn, SecretString=json.dumps(keys))["VersionId"]


def rotate(secret: KeysSecret, rings: Iterable[str], wait: Callable[[float], None] = time.sleep) -> dict[str, str]:
    """Makes a new key of each of these rings the current one; answers with their ids."""
    keys = secret.read()
    new = {ring: {"id": _new_id(datetime.now(UTC)), "secret": _new_key()} for ring in rings}
    secret.write({**keys, **{ring: [*keys[ring], key] for ring, key in new.items()}})
    try:
        wait(WAIT_SECONDS)
        secret.write({**keys, **{ring: [key, *keys[ring]] for ring, key in new.items()}})
    except BaseException:
        print("The new keys lie unused at the end of their rings. Run this again; it makes others.", file=sys.stderr)
        raise
    return {ring: key["id"] for ring, key in new.items()}


def retire(secret: KeysSecret, ring: str, key_id: str, now: datetime | None = None) -> None:
    """Forgets an older key: what was made with it opens no more."""
    keys = secret.read()
    current, *older = keys[ring]
    if current["id"] == key_id:
        raise RefusedError(f"key {key_id} is the current one of {ring}; rotate first")
    if key_id not in [key["id"] for key in older]:
        raise RefusedError(f"{ring} has no key {key_id}; it has {', '.join(key['id'] for key in keys[ring])}")
    if (now or datetime.now(UTC)) - secret.changed_at < KNOWN_EVERYWHERE_AFTER:
        raise RefusedError("the keys were changed within the last 16 minutes: a process may still use the old ones")
    secret.write({**keys, ring: [current, *(key for key in older if key["id"] != key_id)]})


def sealed_with(session: boto3.Session, tables: dict[str, str], key_id: str) -> int:
    """How many values in the tables only this sealing key opens."""
    count = 0
    for output, columns in SEALED.items():
        table = session.resource("dynamodb").Table(tables[output])
        more: dict[str, Any] = {}
        while True:
            page = table.scan(ProjectionExpression=", ".join(columns), ConsistentRead=True, **more)
            values = [item.get(column, "") for item in page["Items"] for column in columns]
            count += sum(str(value).startswith(f"v1.{key_id}.") for value in values)
            if "LastEvaluatedKey" not in page:
                break
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return count


def resources(session: boto3.Session, stack: str) -> dict[str, str]:
    """Logical id of each resource of a stack → its physical id."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]
    }


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _new_id(today: datetime) -> str:
    """An id that no key has had: a process may still know one that is gone, and would take it for this one."""
    return f"{today:%Y%m%d}-{secrets.token_hex(3)}"


def main() -> int:
    """Rotates, or with `--retire` forgets an older key."""
    parser = argparse.ArgumentParser(prog="python -m ops.rotate_keys", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rings", nargs="+", choices=RINGS)
    parser.add_argument("--stack", default="ringlog", help="name of the CloudFormation stack (default: %(default)s)")
    parser.add_argument("--retire", metavar="ID", help="forget this older key instead")
    parser.add_argument(
        "--revoke-pasted-secrets",
        action="store_true",
        help="with --retire of a webhook key: secrets in Vapi that were made with it are refused from now on",
    )
    options = parser.parse_args()
    session = boto3.Session()
    physical = resources(session, options.stack)
    secret = KeysSecret(session, physical["KeysSecret"])
    try:
        if options.retire is None:
            print(f"New keys of {' and '.join(options.rings)}: in use in {WAIT_SECONDS} seconds …", flush=True)
            for ring, key_id in rotate(secret, options.rings).items():
                print(f"Key {key_id} of {ring} makes new values now. Older ones still open what they made.")
            return 0
        if len(options.rings) > 1:
            raise RefusedError("--retire takes one ring")
        (ring,) = options.rings
        if ring == "sealing" and (left := sealed_with(session, physical, options.retire)):
            raise RefusedError(
                f"{left} stored values open with key {options.retire} only. They are sealed anew when a connection is "
                "refreshed: within two weeks where nobody calls"
            )
        if ring == "webhook" and not options.revoke_pasted_secrets:
            raise RefusedError(
                "secrets that were made with it may be pasted in Vapi, and calls under them would be lost. Let every "
                "workspace paste its secret anew, then say --revoke-pasted-secrets"
            )
        retire(secret, ring, options.retire)
        print(f"Key {options.retire} of {ring} is forgotten.")
        return 0
    except RefusedError as refused:
        print(f"Refused: {refused}.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
