"""Runs a function's release artefact under AWS's runtime interface emulator, which comes with the SAM CLI."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import samcli

from local.stack.settings import ROOT

from .polling import wait_until
from .stack import STATE

ARTEFACTS = ROOT / "target" / "lambda"
MACHINE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
EMULATOR = Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{MACHINE}"


class Runtime:
    """A running function."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"

    def invoke(self, event: bytes) -> Any:
        """Invokes the function with an event; returns its response."""
        response = requests.post(self._url, data=event, timeout=65)
        assert response.status_code == 200, response.text
        return response.json()


@contextmanager
def running(function: str, **environment: str) -> Iterator[Runtime]:
    """Runs a function, by its binary's name, with the stack's environment and these further variables."""
    # Includes the variable that debug builds take their workspace from.
    lines = (STATE / "functions.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines)
    port, runtime_port = _free_port(), _free_port()
    command: list[str | Path] = [EMULATOR, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}", ARTEFACTS / function / "bootstrap"]
    output = (STATE / f"rie-{function}.log").open("w")
    process = subprocess.Popen(
        command, env={**os.environ, **variables, **environment}, stdout=output, stderr=output, start_new_session=True
    )
    try:
        wait_until(lambda: _is_listening(port) or process.poll() is not None, 20, f"the emulator of {function}")
        yield Runtime(port)
    finally:
        # The function is a child of the emulator, in the same process group.
        os.killpg(process.pid, 15)
        process.wait(timeout=10)
        output.close()


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
