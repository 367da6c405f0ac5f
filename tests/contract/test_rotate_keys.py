"""The program that rotates keys, over a secret in memory: the order of its steps, and what it leaves alone."""

from __future__ import annotations

import json
from typing import Any, cast

import boto3
import pytest

from ops.rotate_keys import KeysSecret, RefusedError, retire, rotate


class Client:
    """Secrets Manager with one secret."""

    def __init__(self) -> None:
        self.text = '{"sealing":[{"id":"1"}],"webhook":[{"id":"1"}],"initial":"x"}'
        self.version = 1

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        """Its current version."""
        return {"SecretString": self.text, "VersionId": str(self.version)}

    def put_secret_value(self, **change: Any) -> dict[str, str]:
        """A new version."""
        self.text = change["SecretString"]
        self.version += 1
        return {"VersionId": str(self.version)}

    def client(self, _: str) -> Client:
        """It is its own session, too."""
        return self

    def ids(self, ring: str) -> list[str]:
        """The keys of a ring, the current one first."""
        return [key["id"] for key in json.loads(self.text)[ring]]


def secret_of(client: Client) -> KeysSecret:
    return KeysSecret(cast("boto3.Session", client), "arn")


def test_a_new_key_is_last_while_it_waits_then_first_and_the_old_one_can_go() -> None:
    client = Client()
    seen: list[list[str]] = []
    rotate(secret_of(client), ["sealing"], wait=lambda _: seen.append(client.ids("sealing")))
    assert (seen, client.ids("sealing"), client.ids("webhook")) == ([["1", "2"]], ["2", "1"], ["1"])
    retire(secret_of(client), "sealing", "1")
    assert (client.ids("sealing"), client.ids("webhook")) == (["2"], ["1"])
    assert json.loads(client.text)["initial"] == "x"
    with pytest.raises(RefusedError, match="is the current one"):
        retire(secret_of(client), "sealing", "2")


def test_what_somebody_else_changed_meanwhile_is_left_alone() -> None:
    client = Client()

    def meanwhile(_: float) -> None:
        client.put_secret_value(SecretString=client.text)

    with pytest.raises(RefusedError, match="somebody else"):
        rotate(secret_of(client), ["sealing"], wait=meanwhile)
    assert client.ids("sealing") == ["1", "2"]


def test_a_rotation_that_was_interrupted_is_begun_again_with_another_key() -> None:
    client = Client()

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(secret_of(client), ["sealing"], wait=interrupted)
    rotate(secret_of(client), ["sealing"], wait=lambda _: None)
    assert client.ids("sealing") == ["3", "1", "2"]
