"""Where things are and how they are called: folders, ports, addresses, and the parameters of the local deployment."""

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
    """What stopped the stack, in words for the person who started it."""


@dataclass(frozen=True)
class Ports:
    """The ports that are listened on, all of this machine's loopback address."""

    public: int = 8080
    emulator: int = 4566
    simulator: int = 8081
    identity: int = 8082

    @classmethod
    def usual(cls) -> Ports:
        """The ports of the variables `PUBLIC_PORT`, `EMULATOR_PORT` …; where one is not set, the default."""
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
        """Ports that nothing listens on now, held together so that no two are the same."""
        held = [socket.socket() for _ in fields(cls)]
        try:
            for one in held:
                one.bind(("127.0.0.1", 0))
            return cls(*(one.getsockname()[1] for one in held))
        finally:
            for one in held:
                one.close()

    def require_free(self) -> None:
        """Fails with the name of the first port that something else listens on."""
        for field in fields(self):
            port = getattr(self, field.name)
            with socket.socket() as probe:
                # As servers do: a connection of the last run that lingers does not make a port used.
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
    """Whether queues are fair, as SQS's are, or serve in the order of arrival, as the emulator's do."""
    release: bool = False
    """Whether the functions are those of `make release`; else they are built here, in a profile that builds fast."""

    @property
    def artifacts(self) -> Path:
        """Where each function's folder with its `bootstrap` is."""
        return ROOT / "target" / "lambda" if self.release else ROOT / ".stack" / "artifacts"

    @property
    def logs(self) -> Path:
        """Everything that ran writes its log here."""
        return self.state / "logs"

    @property
    def public_url(self) -> str:
        """The one address in front: API, webhook and dashboard origin."""
        return f"http://localhost:{self.ports.public}"

    @property
    def emulator_url(self) -> str:
        """AWS, as `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self.ports.emulator}"

    @property
    def simulator_url(self) -> str:
        """Salesforce: login host and instance in one."""
        return f"http://localhost:{self.ports.simulator}"

    @property
    def issuer_url(self) -> str:
        """Who issues dashboard tokens."""
        return f"http://localhost:{self.ports.identity}"

    @property
    def callback_url(self) -> str:
        """Where Salesforce redirects to; registered in the simulator's app."""
        return f"{self.public_url}/api/salesforce/oauth/callback"

    @property
    def aws_environment(self) -> dict[str, str]:
        """What makes the AWS tools and SDKs talk to the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.emulator_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCOUNT_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
        }
