"""One noisy workspace next to twenty quiet ones: `python -m tests.load`, or `make load`.

Each run sends the same quiet calls: alone, next to a burst from the noisy workspace, and next to a burst while its org
is slow, refuses requests or does not respond. Every call must be logged exactly once. `--quick` takes a minute, and
checks the limits that CI enforces.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from local.stack.settings import ROOT
from tests.e2e.support.salesforce import Salesforce
from tests.e2e.support.stack import Program, Stack

from . import outcome, traffic
from .traffic import NOISY_ORG, Call

STATE = ROOT / ".stack" / "load"
FAIR = "Fair queues (a model of SQS's)"
IN_ORDER = "In order of arrival (as in the emulator)"
# The assumed duration of a request to Salesforce (docs/scale.md).
SALESFORCE_MS = 300
QUIET_A_SECOND = 10
NOISE_A_SECOND = 60
# The noise begins this long after the quiet calls.
NOISE_AFTER = 2
DONE_SECONDS = 300
SLOW_MS = 2000
# How long a noisy neighbour may delay a quiet call: by one of its batches, of two slow requests, plus 50 % for the
# machine. Without fair queues or message groups, a quiet call waits for the whole burst.
MAX_DELAY = 1.5 * 2 * SLOW_MS / 1000
MAX_RESPONSE = 1.0

SLOW = {"kind": "delay", "milliseconds": SLOW_MS - SALESFORCE_MS}
HUNG = {"kind": "delay", "milliseconds": 15_000}
LIMITED = {"kind": "preset", "name": "concurrentRequestsLimit"}
EXPIRED = {"kind": "preset", "name": "sessionExpired"}


@dataclass(frozen=True)
class Size:
    """The number of calls in a run."""

    quiet: int
    noise: int


@dataclass(frozen=True)
class Variant:
    """What the noisy workspace does, and what its org does."""

    name: str
    noisy: bool = True
    fault: dict[str, Any] | None = None
    login_hangs: bool = False
    """Whether the login host, which all workspaces share, does not respond."""
    blocks: bool = False
    """Whether none of its calls can be logged while the fault is active."""


ALONE = Variant("alone", noisy=False)
BURST = Variant("a burst")
SLOW_ORG = Variant("a burst, its org takes 2 s per request", fault=SLOW)
LIMITED_ORG = Variant("a burst, its org refuses all requests", fault=LIMITED, blocks=True)
HUNG_ORG = Variant("a burst, its org does not respond", fault=HUNG, blocks=True)
HUNG_LOGIN = Variant(
    "a burst, its session has expired, the login host does not respond", fault=EXPIRED, login_hangs=True, blocks=True
)


@dataclass(frozen=True)
class Figures:
    """What a run has measured, in seconds, and the queue's maximum depth."""

    variant: Variant
    quiet_response: list[float]
    quiet_logged: list[float]
    noisy_response: list[float]
    noisy_logged: list[float]
    depth: int
    log_bytes: float
    """Bytes that the webhook and the worker have logged per call, without Lambda's own lines."""


class Run:
    """Runs variants on one stack."""

    def __init__(self, stack: Stack, size: Size) -> None:
        self._stack, self._size = stack, size
        self._salesforce = Salesforce(stack.simulator_url)
        self._salesforce.settings(maxApprovals=1000, apiLimit=1_000_000)
        self._quiet, self._noisy = traffic.tenants(stack, self._salesforce)
        # Starts processes and sessions, so that no run is charged for that.
        self._measure(Variant("warm-up"), Size(40, 100))

    def of(self, variant: Variant) -> Figures:
        """Runs and measures a variant."""
        print(f"   {variant.name} …", flush=True)
        return self._measure(variant, self._size)

    def _measure(self, variant: Variant, size: Size) -> Figures:
        stack, salesforce = self._stack, self._salesforce
        quiet = traffic.calls(self._quiet, size.quiet)
        noisy = traffic.calls([self._noisy], size.noise if variant.noisy else 0)
        salesforce.clear_faults()
        salesforce.fault("data", {"kind": "delay", "milliseconds": SALESFORCE_MS}, times=None)
        if variant.fault:
            salesforce.fault("data", variant.fault, times=None, org=NOISY_ORG)
        if variant.login_hangs:
            salesforce.fault("token", HUNG, times=None)
        work: list[Callable[[], None]] = [partial(traffic.post, stack, quiet, QUIET_A_SECOND)]
        if noisy:
            work.append(partial(traffic.post, stack, noisy, NOISE_A_SECOND, NOISE_AFTER))
        with traffic.watch_depth(stack) as depth:
            traffic.run_concurrently(*work)
            outcome.logged_at(stack, quiet, DONE_SECONDS)
            if variant.blocks:
                salesforce.clear_faults()
            outcome.wait_until_empty(stack, DONE_SECONDS)
        salesforce.clear_faults()
        if variant.blocks:
            self._end_pause()
        self._finish(make_due=variant.blocks)
        outcome.assert_each_is_logged_once(stack, salesforce, quiet + noisy)
        logged = outcome.logged_at(stack, quiet + noisy, DONE_SECONDS)

        def waited(calls: list[Call]) -> list[float]:
            return [max(0.0, logged[call.id] - call.responded) for call in calls]

        return Figures(
            variant,
            [call.responded - call.posted for call in quiet],
            waited(quiet),
            [call.responded - call.posted for call in noisy],
            waited(noisy),
            depth.maximum,
            outcome.log_bytes(stack, quiet + noisy),
        )

    def _end_pause(self) -> None:
        """Ends what keeps the noisy workspace waiting."""
        settings = self._stack.table("WorkspaceSettingsTable")
        row = settings.update_item(
            Key={"workspace_id": self._noisy.workspace.id},
            UpdateExpression="REMOVE paused_until, breaker",
            ReturnValues="ALL_NEW",
        )["Attributes"]
        settings.delete_item(Key={"workspace_id": f"login:{row['salesforce_login_url']}"})

    def _finish(self, *, make_due: bool) -> None:
        """Waits for the calls that gave way or are retried; with `make_due`, not until they are due by themselves."""
        workspace = self._noisy.workspace
        deadline = time.monotonic() + DONE_SECONDS
        while left := [row for row in outcome.rows(self._stack, [self._noisy]).values() if row["status"] != "success"]:
            assert time.monotonic() < deadline, f"{len(left)} calls of the noisy workspace are not logged"
            for row in left if make_due else ():
                # A worker may have claimed it by now.
                with suppress(ClientError):
                    workspace.make_due(row["call_id"])
            self._stack.sweep()
            outcome.wait_until_empty(self._stack, DONE_SECONDS)
            time.sleep(1)


def table(title: str, runs: list[Figures]) -> str:
    """The figures of several runs in milliseconds. The others are compared with the first."""
    head = "| noise | workspaces | calls | response p50 | p90 | p99 | max | logged p50 | p90 | p99 | max |"
    head += " quiet ÷ alone p50 | p90 | maximum queue depth |"
    lines = [title, "", head, "|" + "---|" * head.count(" | ") + "---|"]
    base = runs[0].quiet_logged
    for run in runs:
        for who, response, logged in (
            ("quiet", run.quiet_response, run.quiet_logged),
            ("noisy", run.noisy_response, run.noisy_logged),
        ):
            if response:
                ratios = [
                    f"{outcome.percentile(logged, p) / outcome.percentile(base, p):.2f}" if who == "quiet" else ""
                    for p in (50, 90)
                ]
                cells = [*_spread(response), *_spread(logged), *ratios, str(run.depth) if who == "quiet" else ""]
                lines.append(f"| {run.variant.name} | {who} | {len(response)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(seconds: list[float]) -> list[str]:
    return [f"{1000 * outcome.percentile(seconds, p):.0f}" for p in (50, 90, 99, 100)]


def on_a_stack(size: Size, variants: list[Variant], *options: str) -> list[Figures]:
    """Runs the variants on a stack of their own, which is stopped afterwards."""
    program, stack = Program.on_free_ports(*options, state=STATE)
    try:
        run = Run(stack, size)
        return [run.of(variant) for variant in variants]
    finally:
        program.stop()


def violations(runs: list[Figures]) -> list[str]:
    """The limits on a noisy workspace's effect on the quiet ones that are exceeded."""
    alone, next_to_noise = (outcome.percentile(run.quiet_logged, 90) for run in runs)
    response = outcome.percentile(runs[1].quiet_response, 90)
    limits = [
        ("90 % of the quiet calls are logged", next_to_noise, alone + MAX_DELAY),
        ("90 % of the quiet reports get a response", response, MAX_RESPONSE),
    ]
    return [f"{what} after {took:.1f} s, not {limit:.1f} s" for what, took, limit in limits if took > limit]


def main() -> int:
    """Measures and prints tables. Fails if a call is lost or logged twice, or if `--quick` exceeds a limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only check the limits that CI enforces")
    if parser.parse_args().quick:
        runs = on_a_stack(Size(120, 300), [ALONE, SLOW_ORG], "--fair-queues")
        print("\n" + table(FAIR, runs))
        for what in violations(runs):
            print(f"error: {what}", file=sys.stderr)
        return 1 if violations(runs) else 0
    size, variants = Size(300, 600), [ALONE, BURST, SLOW_ORG, LIMITED_ORG, HUNG_ORG, HUNG_LOGIN]
    fair = on_a_stack(size, variants, "--fair-queues")
    in_order = on_a_stack(size, variants)
    print(f"\n{table(FAIR, fair)}\n\n{table(IN_ORDER, in_order)}")
    print(f"\nLogged per call, alone: {fair[0].log_bytes:.0f} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
