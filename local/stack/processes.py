"""Child processes, each with its own process group and log. None is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .progress import tail
from .settings import ROOT, StackError

GRACE_SECONDS = 5.0


class Processes:
    """Runs programs. When `stop` returns, all of them have ended."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Process] = []
        self._watchers: list[asyncio.Task[None]] = []
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails as soon as a program exits that should keep running."""

    def log(self, name: str) -> Path:
        """The log of the program with this name."""
        return self._logs / f"{name}.log"

    async def run(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Runs a program to its end. If it fails, the error has the end of its log."""
        process = await self._spawn(name, argv, env or {})
        code = await process.wait()
        self._running.remove(process)
        if code != 0:
            raise StackError(self._exit_message(name, code))

    async def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Starts a program that runs until the stack stops."""
        process = await self._spawn(name, argv, env or {})
        self._watchers.append(asyncio.create_task(self._watch(name, process)))

    async def stop(self) -> None:
        """Stops all running programs, in reverse order of their start."""
        for watcher in self._watchers:
            watcher.cancel()
        for process in reversed(self._running):
            await _stop_group(process)
        self._running.clear()
        self.failure.cancel()

    async def _spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Process:
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("wb") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    cwd=ROOT,
                    env={**os.environ, **env},
                    stdin=DEVNULL,
                    stdout=log,
                    stderr=STDOUT,
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise StackError(f"{argv[0]} is not installed; {name} needs it") from None
        self._running.append(process)
        return process

    async def _watch(self, name: str, process: Process) -> None:
        code = await process.wait()
        if not self.failure.done():
            self.failure.set_exception(StackError(self._exit_message(name, code)))

    def _exit_message(self, name: str, code: int) -> str:
        lines = "\n".join(f"    {line}" for line in tail(self.log(name), 15))
        return f"{name} exited with code {code}. The end of {self.log(name)}:\n{lines}"


async def _stop_group(process: Process) -> None:
    """Terminates the whole group, and kills it after a grace period. Children may outlive their leader."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
            if not _group_exists(process.pid):
                return


def _group_exists(pgid: int) -> bool:
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return False
    return True
