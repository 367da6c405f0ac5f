"""The stack under test: the same program as `make run`, on free ports."""

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

# `make` tests the release artefacts. Run by hand, the tests build the functions as `make run` does, which is quicker.
RELEASE = ["--release"] if os.environ.get("RELEASE") else []
# Enough for a first build on two cores.
START_SECONDS = 1200
STATE = ROOT / ".stack" / "e2e"


@dataclass(frozen=True)
class Stack:
    """The program's description of the running stack."""

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
        """An AWS client with the rights of the account's owner."""
        return self._session().client(service, endpoint_url=self.emulator_url)

    def table(self, output: str) -> Any:
        """A table, by the name of the output that has its name."""
        return self._session().resource("dynamodb", endpoint_url=self.emulator_url).Table(self.outputs[output])

    def sweep(self) -> None:
        """Runs the deployed sweep, which its schedule would do within a minute."""
        response = self.client("lambda").invoke(FunctionName=self.resources["SweepFunction"], Payload=b"{}")
        assert "FunctionError" not in response, response["Payload"].read()

    def messages(self, output: str) -> int:
        """The number of messages in a queue, by the name of its output: waiting, in flight and delayed."""
        kinds = ("", "NotVisible", "Delayed")
        names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
        response = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)
        return sum(int(response["Attributes"][name]) for name in names)

    @staticmethod
    def _session() -> boto3.Session:
        return boto3.Session(aws_access_key_id=ACCOUNT_KEY, aws_secret_access_key=ACCOUNT_KEY, region_name=REGION)


class Program:
    """`python -m local.stack`, started and stopped as a person would."""

    def __init__(self, *options: str, output: IO[str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.stack", *options], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )

    @classmethod
    def on_free_ports(cls, *options: str, state: Path = STATE) -> tuple[Program, Stack]:
        """Starts it, and waits until the stack is up."""
        description = state / "stack.json"
        description.unlink(missing_ok=True)
        program = cls("--free-ports", "--state", str(state), *RELEASE, *options)
        try:
            wait_until(lambda: description.exists() or program.process.poll() is not None, START_SECONDS, "the stack")
            assert program.process.poll() is None, "the stack did not start; its error is above"
            return program, Stack(**json.loads(description.read_text()))
        except BaseException:
            program.stop()
            raise

    def stop(self) -> int:
        """Sends it a Ctrl-C. Returns its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


def is_listening(url: str) -> bool:
    """Whether something listens at an address."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
