"""The stack under test: the very program behind `make run`, on free ports."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import boto3

from local.stack.settings import ACCOUNT_KEY, REGION, ROOT

from .polling import wait_until

# `make` tests the release artefacts. By hand, tests build the functions as `make run` does, which is quicker.
RELEASE = ["--release"] if os.environ.get("RELEASE") else []
# A first build on two cores is within this.
START_SECONDS = 1200
STATE = ROOT / ".stack" / "e2e"


@dataclass(frozen=True)
class Stack:
    """Where everything is, as the program wrote it down."""

    public_url: str
    emulator_url: str
    simulator_url: str
    issuer_url: str
    api_id: str
    client_secret: str
    token: str
    resources: dict[str, str]
    outputs: dict[str, str]
    commands: dict[str, str]

    def client(self, service: Any) -> Any:
        """An AWS client of the account's owner."""
        return self._session().client(service, endpoint_url=self.emulator_url)

    def table(self, output: str) -> Any:
        """A table by the name of its output."""
        return self._session().resource("dynamodb", endpoint_url=self.emulator_url).Table(self.outputs[output])

    def sweep(self) -> None:
        """Runs the deployed sweep now, and to its end. Its schedule does so each minute; few tests wait for that."""
        answer = self.client("lambda").invoke(FunctionName=self.resources["SweepFunction"], Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    def messages(self, output: str) -> int:
        """How many messages a queue holds, by the name of its output; also those that are being worked on."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    @staticmethod
    def _session() -> boto3.Session:
        return boto3.Session(aws_access_key_id=ACCOUNT_KEY, aws_secret_access_key=ACCOUNT_KEY, region_name=REGION)


class Program:
    """`python -m local.stack`, started and ended as a person does it."""

    def __init__(self, *options: str, output: IO[str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.stack", *options], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )

    @classmethod
    def on_free_ports(cls, *options: str, state: Path = STATE) -> tuple[Program, Stack]:
        """Starts it, and waits until it says where everything is."""
        description = state / "stack.json"
        description.unlink(missing_ok=True)
        program = cls("--free-ports", "--state", str(state), *RELEASE, *options)
        try:
            wait_until(lambda: description.exists() or program.process.poll() is not None, START_SECONDS, "the stack")
            assert program.process.poll() is None, "the stack did not start; its error is above"
            return program, Stack(**json.loads(description.read_text()))
        except BaseException:
            program.end()
            raise

    def end(self) -> int:
        """Ctrl-C, as far as the program can tell; answers with its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


def is_listened_on(url: str) -> bool:
    """Whether something still answers at an address."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
