"""Folders, ports, addresses, and the parameters of the local deployment."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT_KEY = "test"
SALESFORCE_CLIENT_ID = "local-salesforce-app"
JWT_AUDIENCE = "ringlog-local"
WORKSPACE_CLAIM = "workspace_id"
SAMPLE_WORKSPACE = "acme"


class StackError(Exception):
    """Why the stack failed, as a message for the user."""


@dataclass(frozen=True)
class Ports:
    """The ports to listen on, all on the loopback address."""

    public: int = 8080
    emulator: int = 4566
    simulator: int = 8081
    identity: int = 8082

    @classmethod
    def from_environment(cls) -> Ports:
        """The ports in `PUBLIC_PORT`, `EMULATOR_PORT` and so on, or their defaults."""
        chosen: dict[str, int] = {}
        for field in fields(cls):
            variable = f"{field.name.upper()}_PORT"
            if text := os.environ.get(variable):
                if not text.isdecimal():
                    raise StackError(f"{variable}={text} is not a port")
                chosen[field.name] = int(text)
        return cls(**chosen)

    @classmethod
    def free(cls) -> Ports:
        """Ports that are free now. All are bound at the same time, so that no two are the same."""
        sockets = [socket.socket() for _ in fields(cls)]
        try:
            for bound in sockets:
                bound.bind(("127.0.0.1", 0))
            return cls(*(bound.getsockname()[1] for bound in sockets))
        finally:
            for bound in sockets:
                bound.close()

    def require_free(self) -> None:
        """Fails with the name of the first port that is in use."""
        for field in fields(self):
            port = getattr(self, field.name)
            with socket.socket() as probe:
                # As servers do, so that a lingering connection of the last run does not count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    variable = f"{field.name.upper()}_PORT"
                    raise StackError(
                        f"port {port} ({field.name}) is in use by another program.\n"
                        f"Stop that program, or choose another port: make run {variable}={port + 10000}"
                    ) from None


@dataclass(frozen=True)
class Settings:
    """One run of the stack."""

    ports: Ports
    state: Path
    fair_queues: bool = False
    """Whether queues are fair, as in SQS, or deliver in order of arrival, as in the emulator."""
    release: bool = False
    """Whether to run the functions that `make release` built, and not ones built in a profile that compiles fast."""

    @property
    def artifacts(self) -> Path:
        """The folder with a folder per function, each with its `bootstrap`."""
        return ROOT / "target" / "lambda" if self.release else ROOT / ".stack" / "artifacts"

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self.state / "logs"

    @property
    def public_url(self) -> str:
        """The address of the API, the webhook and the dashboard."""
        return f"http://localhost:{self.ports.public}"

    @property
    def emulator_url(self) -> str:
        """The emulator, for `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self.ports.emulator}"

    @property
    def simulator_url(self) -> str:
        """The simulator, which is both login host and instance."""
        return f"http://localhost:{self.ports.simulator}"

    @property
    def issuer_url(self) -> str:
        """The issuer of dashboard tokens."""
        return f"http://localhost:{self.ports.identity}"

    @property
    def callback_url(self) -> str:
        """The callback that is registered with the simulator's app."""
        return f"{self.public_url}/api/salesforce/oauth/callback"

    @property
    def aws_environment(self) -> dict[str, str]:
        """The environment variables that point AWS tools and SDKs at the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.emulator_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCOUNT_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
        }
