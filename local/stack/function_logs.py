"""Copies the functions' logs from the emulator's CloudWatch Logs to files, continuously."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .deploy import Deployment
from .emulator import NO_RETRIES, session
from .settings import Settings
from .template import binaries

INTERVAL_SECONDS = 1.0
# An event may appear after later ones, so each round reads this far back.
OVERLAP_MILLISECONDS = 60_000


class FunctionLogs:
    """One file per function: `<logs>/functions/<name>.log`."""

    def __init__(self, settings: Settings, deployment: Deployment, template: dict[str, Any]) -> None:
        self._folder = settings.logs / "functions"
        self._client = session().client("logs", endpoint_url=settings.emulator_url, config=NO_RETRIES)
        self._groups = {
            binary: deployment.resources[template["Resources"][name]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]]
            for name, binary in binaries(template).items()
        }
        self._newest: dict[str, int] = {}
        self._copied: set[tuple[str, int, str]] = set()

    async def follow(self) -> None:
        """Copies until it is cancelled."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            for name, group in self._groups.items():
                await asyncio.to_thread(self._copy, group, self._folder / f"{name}.log")
            await asyncio.sleep(INTERVAL_SECONDS)

    def _copy(self, group: str, target: Path) -> None:
        since = max(0, self._newest.get(group, 0) - OVERLAP_MILLISECONDS)
        try:
            pages = list(self._client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since))
        except (BotoCoreError, ClientError):
            # The emulator is stopping or busy. The next round gets these lines.
            return
        for event in (event for page in pages for event in page["events"]):
            key = (event["logStreamName"], event["timestamp"], event["message"])
            if key in self._copied:
                continue
            self._copied.add(key)
            self._newest[group] = max(self._newest.get(group, 0), event["timestamp"])
            with target.open("a") as file:
                file.write(event["message"].rstrip("\n") + "\n")
