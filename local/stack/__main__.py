"""The program behind `make run`: starts the stack, prints how to use it, and stops it on Ctrl-C."""

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
    """Runs until it is told to stop."""
    try:
        return asyncio.run(_run(_settings()))
    except StackError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1


def _settings() -> Settings:
    """Parses the options. A port that no option sets is a free one if requested, or else comes from its variable."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    for field in fields(Ports):
        default = f"default: ${field.name.upper()}_PORT, else {field.default}"
        parser.add_argument(f"--{field.name}-port", type=int, help=default)
    parser.add_argument("--free-ports", action="store_true", help="use a free port for each port that no option sets")
    parser.add_argument("--state", type=Path, default=ROOT / ".stack", help="where logs and generated files go")
    parser.add_argument("--fair-queues", action="store_true", help="serve quiet message groups first, as SQS does")
    parser.add_argument("--release", action="store_true", help="run the functions that `make release` has built")
    options = parser.parse_args()
    defaults = Ports.free() if options.free_ports else Ports.from_environment()
    given = {field.name: getattr(options, f"{field.name}_port") for field in fields(Ports)}
    ports = replace(defaults, **{name: port for name, port in given.items() if port is not None})
    return Settings(ports, options.state.resolve(), fair_queues=options.fair_queues, release=options.release)


async def _run(settings: Settings) -> int:
    processes = Processes(settings.logs)
    stop_requested = asyncio.Event()

    def request_stop(received: signal.Signals) -> None:
        if not stop_requested.is_set():
            print(f"\nStopping ({received.name}) …", flush=True)
        stop_requested.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, request_stop, number)

    stack = asyncio.create_task(_keep_running(settings, processes))
    stopping = asyncio.create_task(stop_requested.wait())
    events: set[asyncio.Future[Any]] = {stack, stopping, processes.failure}
    await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
    failed = processes.failure.done()
    stopping.cancel()
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
            guide.remove_description(settings)


if __name__ == "__main__":
    sys.exit(main())
