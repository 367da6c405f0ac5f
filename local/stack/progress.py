"""Shows progress: one line per step, with the time elapsed."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

TERMINAL_SECONDS = 0.5
PLAIN_SECONDS = 15.0


@asynccontextmanager
async def step(title: str, log: Path | None = None) -> AsyncIterator[None]:
    """Announces a step, shows the last line of its log while it runs, and prints its duration at the end.

    On a terminal, one line is rewritten; otherwise, a new line is printed now and then.
    """
    terminal = sys.stdout.isatty()
    started = time.monotonic()
    if not terminal:
        print(f"   {title} …", flush=True)
    ticker = asyncio.create_task(_tick(title, log, started, terminal))
    result = "failed"
    try:
        yield
        result = "done"
    except asyncio.CancelledError:
        result = "stopped"
        raise
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker
        if terminal:
            print("\r\x1b[K", end="")
        print(f"   {title}: {result} ({_elapsed(started)})", flush=True)


async def _tick(title: str, log: Path | None, started: float, terminal: bool) -> None:
    while True:
        await asyncio.sleep(TERMINAL_SECONDS if terminal else PLAIN_SECONDS)
        line = f"   {title} … {_elapsed(started)}  {last_line(log)}"
        print(f"\r\x1b[K{line[:110]}" if terminal else line, end="" if terminal else "\n", flush=True)


def last_line(log: Path | None) -> str:
    """The last line of a log, or an empty string."""
    lines = tail(log, 1) if log else []
    return lines[0].strip() if lines else ""


def tail(log: Path, count: int) -> list[str]:
    """The last non-empty lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 16_384))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip()][-count:]


def _elapsed(started: float) -> str:
    seconds = int(time.monotonic() - started)
    return f"{seconds // 60}:{seconds % 60:02}"
