"""Kills the processes that the emulator runs functions in, as a crash would."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .stack import Stack


def kill(stack: Stack, function: str) -> int:
    """Kills all processes of a function (by its logical id) in this stack. Returns how many."""
    killed = 0
    for pid in _of(stack, function):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def _of(stack: Stack, function: str) -> Iterator[int]:
    """Finds them by their environment: functions have the same names in every stack, but not the same emulator."""
    expected = {
        f"AWS_LAMBDA_FUNCTION_NAME={stack.resources[function]}",
        f"AWS_ENDPOINT_URL={stack.emulator_url}",
    }
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        with suppress(OSError):
            if (process / "exe").readlink().name == "bootstrap":
                environment = (process / "environ").read_text(errors="replace").split("\0")
                if expected <= set(environment):
                    yield int(process.name)
