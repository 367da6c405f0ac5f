"""AWS on this machine: MiniStack, with IAM enforced, so that a function may do only what the template allows it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import boto3
from botocore.config import Config

from .health import wait_until_up
from .processes import Processes
from .settings import ACCOUNT_KEY, REGION, ROOT, Settings

PYTHON = ROOT / ".venv" / "emulator" / "bin" / "python"
# `-P`: this folder's modules are not the emulator's.
PLAIN = ["-m", "ministack"]
FAIR = ["-P", str(Path(__file__).with_name("fair_queues.py"))]


async def start(processes: Processes, settings: Settings) -> None:
    """Starts the emulator, empty."""
    # It unpacks functions into its temporary folder; what a killed run left there goes first.
    scratch = settings.state / "emulator"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    await processes.start(
        "emulator",
        [str(PYTHON), *(FAIR if settings.fair_queues else PLAIN)],
        {
            **settings.aws_environment,
            "GATEWAY_PORT": str(settings.ports.emulator),
            # A container of `sam local` does not reach the loopback address; who wants that says EMULATOR_HOST=0.0.0.0.
            "BIND_HOST": os.environ.get("EMULATOR_HOST", "127.0.0.1"),
            "TMPDIR": str(scratch),
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        },
    )
    await wait_until_up("the emulator", f"{settings.emulator_url}/_ministack/health")


# The emulator answers at once or not at all: nothing is retried, so that ending the stack waits for nobody.
QUICK = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)


def session() -> boto3.Session:
    """An AWS session as the owner of the emulated account."""
    return boto3.Session(aws_access_key_id=ACCOUNT_KEY, aws_secret_access_key=ACCOUNT_KEY, region_name=REGION)
