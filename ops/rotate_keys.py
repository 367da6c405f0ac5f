"""Rotates generated keys without downtime: `make rotate-keys RINGS="sealing webhook" STACK=ringlog`.

The keys secret has two rings, `sealing` (Salesforce tokens at rest) and `webhook` (the secrets that are pasted into
Vapi); see `shared/platform/src/keys.rs`. The first key of a ring makes new values; the others still open and verify old
ones. So a new key is added at the end, and moved to the front a while later. A function that encounters an unknown key
reads the secret again, but at most every 30 seconds. After that, every function can find the new key when it encounters
it. All functions use it within 15 minutes.
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
# Longer than a function waits before it reads the secret again: `SECRET_READ_AGAIN_AFTER` in
# shared/calls/src/timings.rs, which a test there checks.
WAIT_SECONDS = 35
# Longer than a function caches the keys (`KEYS_KEPT_FOR` in the same file).
IN_USE_AFTER = timedelta(minutes=16)
SEALED = {
    "WorkspaceSettingsTable": ("salesforce_access_token", "salesforce_refresh_token"),
    "OAuthStatesTable": ("code_verifier",),
}


class RefusedError(Exception):
    """Why a request is refused, as a message for the operator."""


class KeysSecret:
    """The keys secret of a stack."""

    def __init__(self, session: boto3.Session, arn: str) -> None:
        self._client = session.client("secretsmanager")
        self._arn = arn
        self._version = ""
        self.changed_at = datetime.min.replace(tzinfo=UTC)

    def read(self) -> dict[str, Any]:
        """Reads the rings."""
        response = self._client.get_secret_value(SecretId=self._arn)
        self._version = response["VersionId"]
        self.changed_at = response["CreatedDate"]
        keys: dict[str, Any] = json.loads(response["SecretString"])
        return keys

    def write(self, keys: dict[str, Any]) -> None:
        """Replaces the rings, unless somebody else has done so since they were read."""
        if self._client.get_secret_value(SecretId=self._arn)["VersionId"] != self._version:
            raise RefusedError("somebody else has changed the keys secret in the meantime; check it, and start again")
        self._version = self._client.put_secret_value(SecretId=self._arn, SecretString=json.dumps(keys))["VersionId"]


def rotate(secret: KeysSecret, rings: Iterable[str], wait: Callable[[float], None] = time.sleep) -> dict[str, str]:
    """Makes a new key the current one of each of these rings. Returns their ids."""
    keys = secret.read()
    new = {ring: {"id": _new_id(datetime.now(UTC)), "secret": _new_key()} for ring in rings}
    secret.write({**keys, **{ring: [*keys[ring], key] for ring, key in new.items()}})
    try:
        wait(WAIT_SECONDS)
        secret.write({**keys, **{ring: [key, *keys[ring]] for ring, key in new.items()}})
    except BaseException:
        print("The new keys are unused at the end of their rings. Run this again; it adds others.", file=sys.stderr)
        raise
    return {ring: key["id"] for ring, key in new.items()}


def retire(secret: KeysSecret, ring: str, key_id: str, now: datetime | None = None) -> None:
    """Deletes an older key. What was made with it cannot be opened or verified any more."""
    keys = secret.read()
    current, *older = keys[ring]
    if current["id"] == key_id:
        raise RefusedError(f"key {key_id} is the current one of {ring}; rotate first")
    if key_id not in [key["id"] for key in older]:
        raise RefusedError(f"{ring} has no key {key_id}; it has {', '.join(key['id'] for key in keys[ring])}")
    if (now or datetime.now(UTC)) - secret.changed_at < IN_USE_AFTER:
        raise RefusedError("the keys were changed within the last 16 minutes: a process may still use the old ones")
    secret.write({**keys, ring: [current, *(key for key in older if key["id"] != key_id)]})


def sealed_with(session: boto3.Session, tables: dict[str, str], key_id: str) -> int:
    """How many values in the tables are sealed with this key."""
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
    """The physical ids of a stack's resources, by logical id."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
    }


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _new_id(today: datetime) -> str:
    """A new id. An id is never reused, because a process may still know a deleted key by it."""
    return f"{today:%Y%m%d}-{secrets.token_hex(3)}"


def main() -> int:
    """Rotates keys, or deletes an older key with `--retire`."""
    parser = argparse.ArgumentParser(prog="python -m ops.rotate_keys", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rings", nargs="+", choices=RINGS)
    parser.add_argument("--stack", default="ringlog", help="name of the CloudFormation stack (default: %(default)s)")
    parser.add_argument("--retire", metavar="ID", help="delete this older key instead")
    parser.add_argument(
        "--revoke-pasted-secrets",
        action="store_true",
        help="with --retire of a webhook key: refuse secrets in Vapi that were made with it from now on",
    )
    options = parser.parse_args()
    session = boto3.Session()
    physical = resources(session, options.stack)
    secret = KeysSecret(session, physical["KeysSecret"])
    try:
        if options.retire is None:
            print(f"New keys for {' and '.join(options.rings)}, in use in {WAIT_SECONDS} seconds …", flush=True)
            for ring, key_id in rotate(secret, options.rings).items():
                print(f"Key {key_id} is now the current key of {ring}. Older keys still open what was made with them.")
            return 0
        if len(options.rings) > 1:
            raise RefusedError("--retire takes one ring")
        (ring,) = options.rings
        if ring == "sealing" and (left := sealed_with(session, physical, options.retire)):
            raise RefusedError(
                f"{left} stored values open with key {options.retire} only. Each is sealed again when its connection "
                "is refreshed, within two weeks even without calls"
            )
        if ring == "webhook" and not options.revoke_pasted_secrets:
            raise RefusedError(
                "secrets that were made with it may be pasted in Vapi, and their calls would be lost. Have every "
                "workspace paste its current secret, then use --revoke-pasted-secrets"
            )
        retire(secret, ring, options.retire)
        print(f"Key {options.retire} of {ring} is deleted.")
        return 0
    except RefusedError as refused:
        print(f"Refused: {refused}.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
