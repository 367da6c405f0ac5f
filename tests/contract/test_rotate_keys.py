"""The program that rotates keys, with a secret in memory: the order of its steps, and what it leaves alone."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from ops.rotate_keys import KeysSecret, RefusedError, resources, retire, rotate

LATER = datetime.now(UTC) + timedelta(hours=1)


class Client:
    """Secrets Manager with one secret."""

    def __init__(self) -> None:
        self.text = '{"sealing":[{"id":"1"}],"webhook":[{"id":"1"}],"initial":"x"}'
        self.version = 1

    def get_secret_value(self, **_: Any) -> dict[str, Any]:
        """Its current version."""
        return {"SecretString": self.text, "VersionId": str(self.version), "CreatedDate": datetime.now(UTC)}

    def put_secret_value(self, **change: Any) -> dict[str, str]:
        """A new version."""
        self.text = change["SecretString"]
        self.version += 1
        return {"VersionId": str(self.version)}

    def client(self, _: str) -> Client:
        """It is its own session."""
        return self

    def ids(self, ring: str) -> list[str]:
        """The keys of a ring, the current one first."""
        return [key["id"] for key in json.loads(self.text)[ring]]


def secret_of(client: Client) -> KeysSecret:
    return KeysSecret(cast("boto3.Session", client), "arn")


def test_a_new_key_is_last_while_processes_learn_it_then_first_and_the_old_one_can_go() -> None:
    client = Client()
    seen: list[list[str]] = []
    made = rotate(secret_of(client), ["sealing"], wait=lambda _: seen.append(client.ids("sealing")))
    new = made["sealing"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", new)
    assert (seen, client.ids("sealing"), client.ids("webhook")) == ([["1", new]], [new, "1"], ["1"])
    retire(secret_of(client), "sealing", "1", now=LATER)
    assert (client.ids("sealing"), client.ids("webhook")) == ([new], ["1"])
    assert json.loads(client.text)["initial"] == "x"
    with pytest.raises(RefusedError, match="is the current one"):
        retire(secret_of(client), "sealing", new, now=LATER)


def test_a_key_is_not_retired_while_a_process_may_use_it() -> None:
    client = Client()
    rotate(secret_of(client), ["sealing"], wait=lambda _: None)
    with pytest.raises(RefusedError, match="within the last 16 minutes"):
        retire(secret_of(client), "sealing", "1")
    assert "1" in client.ids("sealing")


def test_a_secret_that_changes_meanwhile_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    client = Client()

    def meanwhile(_: float) -> None:
        client.put_secret_value(SecretString=client.text)

    with pytest.raises(RefusedError, match="somebody else"):
        rotate(secret_of(client), ["sealing"], wait=meanwhile)
    assert client.ids("sealing")[0] == "1"
    assert "unused at the end" in capsys.readouterr().err


def test_an_interrupted_rotation_starts_over_with_another_key() -> None:
    client = Client()

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(secret_of(client), ["sealing"], wait=interrupted)
    unused = client.ids("sealing")[1]
    retire(secret_of(client), "sealing", unused, now=LATER)
    # A process may still know the retired key: its id is never used again.
    assert rotate(secret_of(client), ["sealing"], wait=lambda _: None)["sealing"] != unused


class OfOneClient:
    """A session with a single client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def client(self, _: str) -> Any:
        """The client."""
        return self._client


def summary(name: str) -> dict[str, Any]:
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": f"ringlog-{name}",
        "ResourceType": "AWS::Any",
        "LastUpdatedTimestamp": LATER,
        "ResourceStatus": "CREATE_COMPLETE",
    }


def test_the_resources_of_a_large_stack_are_all_found() -> None:
    client = boto3.client("cloudformation", region_name="us-east-1")
    names = [f"Resource{number}" for number in range(150)] + ["KeysSecret"]
    pages = [names[:100], names[100:]]
    with Stubber(client) as stubber:
        for page, token, following in zip(pages, (None, "more"), ("more", None), strict=True):
            asked = {"StackName": "ringlog"} | ({"NextToken": token} if token else {})
            answer = {"StackResourceSummaries": [summary(name) for name in page]}
            stubber.add_response(
                "list_stack_resources", answer | ({"NextToken": following} if following else {}), asked
            )
        found = resources(cast("boto3.Session", OfOneClient(client)), "ringlog")
        stubber.assert_no_pending_responses()
    assert found == {name: f"ringlog-{name}" for name in names}
