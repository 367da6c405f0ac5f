"""The program behind `make run`: starts the stack, says what to do with it, and ends it on Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from . import guide
from .processes import Processes
from .settings import ROOT, Ports, Settings, StackError
from .stack import running


def main() -> int:
    """Runs until it is told to end."""
    try:
        return asyncio.run(_run(_settings()))
    except StackError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1


def _settings() -> Settings:
    """The options; a port is that of its option, else a free one if asked for, else that of its variable."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    for field in fields(Ports):
        usual = f"default: ${field.name.upper()}_PORT, else {field.default}"
        parser.add_argument(f"--{field.name}-port", type=int, help=usual)
    parser.add_argument("--free-ports", action="store_true", help="take free ports where no option says otherwise")
    parser.add_argument("--state", type=Path, default=ROOT / ".stack", help="where logs and generated files go")
    parser.add_argument("--fair-queues", action="store_true", help="serve quiet message groups first, as SQS does")
    parser.add_argument("--release", action="store_true", help="run the functions that `make release` has built")
    options = parser.parse_args()
    unsaid = Ports.free() if options.free_ports else Ports.usual()
    said = {field.name: getattr(options, f"{field.name}_port") for field in fields(Ports)}
    ports = replace(unsaid, **{name: port for name, port in said.items() if port is not None})
    return Settings(ports, options.state.resolve(), fair_queues=options.fair_queues, release=options.release)


async def _run(settings: Settings) -> int:
    processes = Processes(settings.logs)
    told_to_end = asyncio.Event()

    def end(sign: signal.Signals) -> None:
        if not told_to_end.is_set():
            print(f"\nEnding everything ({sign.name}) …", flush=True)
        told_to_end.set()

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sign, end, sign)

    stack = asyncio.create_task(_keep_running(settings, processes))
    ending = asyncio.create_task(told_to_end.wait())
    events: set[asyncio.Future[Any]] = {stack, ending, processes.failure}
    await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
    failed = processes.failure.done()
    ending.cancel()
    stack.cancel()
    with suppress(asyncio.CancelledError):
        await stack
    if failed:
        processes.failure.result()
    return 0


async def _keep_running(settings: Settings, processes: Processes) -> None:
    print("Ringlog on this machine. Logs: " + guide.relative(settings.logs), flush=True)
    async with running(settings, processes) as stack:
        guide.write(stack)
        print(guide.text(stack), flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            guide.forget(settings)


if __name__ == "__main__":
    sys.exit(main())
