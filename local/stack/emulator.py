"""AWS on this machine: MiniStack, with IAM enforced, so that a function may do only what the template allows."""

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
# `-P` keeps this folder's modules out of the emulator.
PLAIN = ["-m", "ministack"]
FAIR = ["-P", str(Path(__file__).with_name("fair_queues.py"))]


async def start(processes: Processes, settings: Settings) -> None:
    """Starts the emulator without any state."""
    # It unpacks functions into its temporary folder, where a killed run may have left some.
    scratch = settings.state / "emulator"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    await processes.start(
        "emulator",
        [str(PYTHON), *(FAIR if settings.fair_queues else PLAIN)],
        {
            **settings.aws_environment,
            "GATEWAY_PORT": str(settings.ports.emulator),
            # Containers of `sam local` cannot reach the loopback address; for them, set EMULATOR_HOST=0.0.0.0.
            "BIND_HOST": os.environ.get("EMULATOR_HOST", "127.0.0.1"),
            "TMPDIR": str(scratch),
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        },
    )
    await wait_until_up("the emulator", f"{settings.emulator_url}/_ministack/health")


# The emulator responds at once or not at all. Without retries, nothing delays stopping the stack.
NO_RETRIES = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)


def session() -> boto3.Session:
    """An AWS session of the emulated account's owner."""
    return boto3.Session(aws_access_key_id=ACCOUNT_KEY, aws_secret_access_key=ACCOUNT_KEY, region_name=REGION)
