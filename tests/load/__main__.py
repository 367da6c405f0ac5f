"""One noisy workspace beside twenty quiet ones: `python -m tests.load`, or `make load`.

Each run sends the same quiet calls: alone, beside a burst of the noisy workspace, and beside one whose org is slow,
refuses, or does not answer. Every call must be logged exactly once. `--quick` runs, in a minute, what CI holds to a
limit.
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
ARRIVAL = "In the order of arrival (the emulator's)"
# What every request to Salesforce takes: an assumption (docs/scale.md).
SALESFORCE_MS = 300
QUIET_A_SECOND = 10
NOISE_A_SECOND = 60
# The noise begins when the quiet calls have been under way for so long.
NOISE_AFTER = 2
DONE_SECONDS = 300
SLOW_MS = 2000
# What a noisy neighbour may cost a quiet call: one of its batches, of two slow requests, that holds the place. Half as
# much again is for the machine. Without fair queues, or without groups, a quiet call waits for the whole burst.
MAY_WAIT = 1.5 * 2 * SLOW_MS / 1000
MAY_ANSWER = 1.0

SLOW = {"kind": "delay", "milliseconds": SLOW_MS - SALESFORCE_MS}
HUNG = {"kind": "delay", "milliseconds": 15_000}
LIMITED = {"kind": "preset", "name": "concurrentRequestsLimit"}


@dataclass(frozen=True)
class Size:
    """How much is sent in a run."""

    quiet: int
    noise: int


@dataclass(frozen=True)
class Variant:
    """What is the matter with the noisy workspace."""

    name: str
    noisy: bool = True
    fault: dict[str, Any] | None = None
    lasts: bool = False
    """Whether its calls cannot be logged while the fault lasts."""


ALONE = Variant("alone", noisy=False)
BURST = Variant("a burst")
SLOW_ORG = Variant("a burst, its org takes 2 s a request", fault=SLOW)
LIMITED_ORG = Variant("a burst, its org refuses all", fault=LIMITED, lasts=True)
HUNG_ORG = Variant("a burst, its org does not answer", fault=HUNG, lasts=True)


@dataclass(frozen=True)
class Figures:
    """What a run measured, in seconds; and how many messages were in the queue at most."""

    variant: Variant
    quiet_answer: list[float]
    quiet_logged: list[float]
    noisy_answer: list[float]
    noisy_logged: list[float]
    depth: int
    log_bytes: float
    """What the webhook and the worker logged of a call, without the platform's own lines."""


class Run:
    """Runs on one stack."""

    def __init__(self, stack: Stack, size: Size) -> None:
        self._stack, self._size = stack, size
        self._salesforce = Salesforce(stack.simulator_url)
        self._salesforce.settings(maxApprovals=1000, apiLimit=1_000_000)
        self._quiet, self._noisy = traffic.tenants(stack, self._salesforce)
        # Processes are started and sessions opened: no run is to pay for that.
        self._measure(Variant("warm-up"), Size(40, 100))

    def of(self, variant: Variant) -> Figures:
        """A run, measured."""
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
        work: list[Callable[[], None]] = [partial(traffic.post, stack, quiet, QUIET_A_SECOND)]
        if noisy:
            work.append(partial(traffic.post, stack, noisy, NOISE_A_SECOND, NOISE_AFTER))
        with traffic.watched(stack) as depth:
            traffic.at_once(*work)
            outcome.logged_at(stack, quiet, DONE_SECONDS)
            if variant.lasts:
                salesforce.clear_faults()
            outcome.wait_until_empty(stack, DONE_SECONDS)
        salesforce.clear_faults()
        if variant.lasts:
            self._let_through()
        outcome.assert_each_is_logged_once(stack, salesforce, quiet + noisy)
        logged = outcome.logged_at(stack, quiet + noisy, DONE_SECONDS)

        def waited(calls: list[Call]) -> list[float]:
            return [max(0.0, logged[call.id] - call.answered) for call in calls]

        return Figures(
            variant,
            [call.answered - call.posted for call in quiet],
            waited(quiet),
            [call.answered - call.posted for call in noisy],
            waited(noisy),
            depth.most,
            outcome.log_bytes(stack, quiet + noisy),
        )

    def _let_through(self) -> None:
        """Ends the pause of the noisy workspace, and makes its calls due, so that nobody waits for minutes."""
        workspace = self._noisy.workspace
        settings = self._stack.table("WorkspaceSettingsTable")
        settings.update_item(Key={"workspace_id": workspace.id}, UpdateExpression="REMOVE paused_until")
        deadline = time.monotonic() + DONE_SECONDS
        while left := [row for row in outcome.rows(self._stack, [self._noisy]).values() if row["status"] != "success"]:
            assert time.monotonic() < deadline, f"{len(left)} calls of the noisy workspace are not logged"
            for row in left:
                # A worker may have it by now.
                with suppress(ClientError):
                    workspace.make_due(row["call_id"])
            self._stack.sweep()
            outcome.wait_until_empty(self._stack, DONE_SECONDS)


def table(title: str, runs: list[Figures]) -> str:
    """The figures of several runs in milliseconds; the first of them is what the others are compared with."""
    head = "| noise | workspaces | calls | answer p50 | p90 | p99 | max | logged p50 | p90 | p99 | max |"
    head += " quiet ÷ alone p50 | p90 | queue at most |"
    lines = [title, "", head, "|" + "---|" * head.count(" | ") + "---|"]
    base = runs[0].quiet_logged
    for run in runs:
        for who, answer, logged in (
            ("quiet", run.quiet_answer, run.quiet_logged),
            ("noisy", run.noisy_answer, run.noisy_logged),
        ):
            if answer:
                ratios = [
                    f"{outcome.percentile(logged, p) / outcome.percentile(base, p):.2f}" if who == "quiet" else ""
                    for p in (50, 90)
                ]
                cells = [*_spread(answer), *_spread(logged), *ratios, str(run.depth) if who == "quiet" else ""]
                lines.append(f"| {run.variant.name} | {who} | {len(answer)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(seconds: list[float]) -> list[str]:
    return [f"{1000 * outcome.percentile(seconds, p):.0f}" for p in (50, 90, 99, 100)]


def on_a_stack(size: Size, variants: list[Variant], *options: str) -> list[Figures]:
    """Runs the variants on a stack of their own, which is gone afterwards."""
    program, stack = Program.on_free_ports(*options, state=STATE)
    try:
        run = Run(stack, size)
        return [run.of(variant) for variant in variants]
    finally:
        program.stop()


def missed(runs: list[Figures]) -> list[str]:
    """What the noisy workspace may not do to the quiet ones, and did."""
    alone, beside = (outcome.percentile(run.quiet_logged, 90) for run in runs)
    answer = outcome.percentile(runs[1].quiet_answer, 90)
    limits = [
        ("of the quiet calls nine in ten are logged", beside, alone + MAY_WAIT),
        ("of the quiet reports nine in ten are answered", answer, MAY_ANSWER),
    ]
    return [f"{what} after {took:.1f} s, not {limit:.1f} s" for what, took, limit in limits if took > limit]


def main() -> int:
    """Measures, prints tables, and fails if a call is lost or made twice, or if `--quick` misses a limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only what CI holds to a limit")
    if parser.parse_args().quick:
        runs = on_a_stack(Size(120, 300), [ALONE, SLOW_ORG], "--fair-queues")
        print("\n" + table(FAIR, runs))
        for what in missed(runs):
            print(f"error: {what}", file=sys.stderr)
        return 1 if missed(runs) else 0
    size, variants = Size(300, 600), [ALONE, BURST, SLOW_ORG, LIMITED_ORG, HUNG_ORG]
    fair = on_a_stack(size, variants, "--fair-queues")
    arrival = on_a_stack(size, variants)
    print(f"\n{table(FAIR, fair)}\n\n{table(ARRIVAL, arrival)}")
    print(f"\nLogged of a call, alone: {fair[0].log_bytes:.0f} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
