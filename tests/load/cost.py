"""Ringlog's costs at five scales: `python -m tests.load.cost` prints the tables in docs/scale.md.

Each input is named here: measured (docs/performance.md and docs/scale.md say how), from template.yaml, assumed, or a
price in us-east-1. Free tiers are ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SCALES = (100, 10_000, 1_000_000, 10_000_000, 100_000_000)
DAYS, SECONDS_A_DAY = 30, 86_400
MINUTES_A_MONTH = DAYS * 24 * 60
MILLION, KIB, GIB = 1e6, 1024, 1024**3

# Measured: sizes in bytes for a 15 kB report without an appointment.
ROW = 4192
CLAIMED_ROW = 3491
BY_TIME = 538
BY_STATUS = 615
LOG_LINES = 1744  # of the webhook and of sync, including metrics
# Assumed.
PEAK = 5
SALESFORCE_SECONDS = 0.3
STORE_SECONDS = 0.005
WEBHOOK_SECONDS = 0.010
SYNC_CPU_SECONDS = 0.0015
SYSTEM_LOG_LINES = 550  # of Lambda, per invocation
ACCESS_LOG_LINE = 200
LOG_OVERHEAD = 26 * 10  # CloudWatch adds 26 bytes to each of ten lines
SENT_TO_SALESFORCE = 10_000
ITEM_OVERHEAD = 100
# From template.yaml and the settings' defaults.
MEMORY_GB = 0.5
BATCH = 10
RETENTION_DAYS = 90
# From AWS: an event source mapping has five pollers, which poll for 20 seconds each.
IDLE_RECEIVES = 5 * 3 * MINUTES_A_MONTH
# The sweep: 50 ms (assumed) with 0.25 GB, and nine reads of indexes.
SWEEP_GB_SECONDS, SWEEP_READ_UNITS = 0.05 * 0.25, 9 * 0.5
# A call takes two requests to Salesforce and three to DynamoDB (docs/contract.md#how-a-call-is-logged).
SYNC_SECONDS = 2 * SALESFORCE_SECONDS + 3 * STORE_SECONDS + SYNC_CPU_SECONDS

# Write request units of a call: of the claim, then of the outcome. In `by_status`, the outcome deletes one item and
# puts another. `by_due` has the row between the claim and the outcome.
TABLE_UNITS = math.ceil(CLAIMED_ROW / KIB) + math.ceil(ROW / KIB)
INDEX_UNITS = {"by_time": 2 * math.ceil(BY_TIME / KIB), "by_status": 3 * math.ceil(BY_STATUS / KIB), "by_due": 2}
WRITE_UNITS = TABLE_UNITS + sum(INDEX_UNITS.values())


@dataclass(frozen=True)
class Tiers:
    """A price that falls with volume: pairs of a monthly limit and the price per unit up to it."""

    steps: tuple[tuple[float, float], ...]

    def of(self, units: float) -> float:
        """What so many units cost in a month."""
        cost, lower = 0.0, 0.0
        for upper, price in self.steps:
            cost += max(0.0, min(units, upper) - lower) * price
            lower = upper
        return cost


def flat(price: float) -> Tiers:
    """The same price for any volume."""
    return Tiers(((math.inf, price),))


# Dollars in us-east-1; docs/scale.md has the sources and their dates.
API = Tiers(((300 * MILLION, 1.00 / MILLION), (math.inf, 0.90 / MILLION)))
INVOCATION = flat(0.20 / MILLION)
GB_SECOND = Tiers(((7.5e9, 0.0000133334), (18.75e9, 0.0000120001), (math.inf, 0.0000106667)))  # arm64
SQS = flat((0.40 + 0.10) / MILLION)  # including the surcharge for message groups
WRITE, READ = flat(0.625 / MILLION), flat(0.125 / MILLION)
STORED_GB, BACKED_UP_GB = flat(0.25), flat(0.20)
TB = 1024
LOG_GB = Tiers(((10 * TB, 0.50), (30 * TB, 0.25), (50 * TB, 0.10), (math.inf, 0.05)))
TRACE = flat(5.00 / MILLION)
OUT_GB = Tiers(((10 * TB, 0.09), (50 * TB, 0.085), (150 * TB, 0.07), (math.inf, 0.05)))
# Metrics, alarms, dashboard, secrets: docs/operations.md, except the sweep and polling, which are calculated here.
FIXED = 14.95


def rates(calls_a_day: int) -> tuple[float, float]:
    """Calls per second, on average and at the peak."""
    average = calls_a_day / SECONDS_A_DAY
    return average, PEAK * average


def concurrency(per_second: float, batch: float = 1) -> int:
    """How many batches are processed at the same time, at a rate of calls."""
    return math.ceil(per_second * SYNC_SECONDS / batch)


def usage(calls_a_day: int, batch: float = 1) -> dict[str, float]:
    """The usage of a month, if sync gets so many messages per batch."""
    calls, rows = calls_a_day * DAYS, calls_a_day * RETENTION_DAYS
    batches, sweeps = calls / batch, MINUTES_A_MONTH
    average, _ = rates(calls_a_day)
    traced = min(average, 1) + 0.05 * max(0.0, average - 1)
    of_calls = calls * (LOG_LINES + ACCESS_LOG_LINE + LOG_OVERHEAD)
    return {
        "requests of the API": calls,
        "invocations": calls + batches + sweeps,
        "GB-s": MEMORY_GB * (calls * WEBHOOK_SECONDS + batches * SYNC_SECONDS) + sweeps * SWEEP_GB_SECONDS,
        "SQS requests": calls + 2 * batches + IDLE_RECEIVES,
        "write units": calls * WRITE_UNITS,
        "read units": calls + sweeps * SWEEP_READ_UNITS,
        "GB of rows": rows * (ROW + ITEM_OVERHEAD) / GIB,
        "GB of indexes": rows * (BY_TIME + BY_STATUS) / GIB,
        "GB of logs": (of_calls + (calls + batches) * SYSTEM_LOG_LINES) / GIB,
        "traces": 2 * traced * SECONDS_A_DAY * DAYS,
        "GB to Salesforce": calls * SENT_TO_SALESFORCE / GIB,
    }


def month(calls_a_day: int, batch: float = 1) -> dict[str, float]:
    """The costs of a month by service, in dollars."""
    used = usage(calls_a_day, batch)
    return {
        "API Gateway": API.of(used["requests of the API"]),
        "Lambda": INVOCATION.of(used["invocations"]) + GB_SECOND.of(used["GB-s"]),
        "SQS": SQS.of(used["SQS requests"]),
        "DynamoDB units": WRITE.of(used["write units"]) + READ.of(used["read units"]),
        "DynamoDB storage": STORED_GB.of(used["GB of rows"] + used["GB of indexes"])
        + BACKED_UP_GB.of(used["GB of rows"]),
        "logs": LOG_GB.of(used["GB of logs"]),
        "traces": TRACE.of(used["traces"]),
        "to Salesforce": OUT_GB.of(used["GB to Salesforce"]),
        "fixed": FIXED,
    }


def dollars(amount: float) -> str:
    """Formats an amount for the tables."""
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.2f}"


def rate(per_second: float) -> str:
    """Formats a rate for the tables."""
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.3g}"


def table(rows: list[list[str]]) -> str:
    """A Markdown table. The first row is its header."""
    head, *rest = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])


def load_table() -> str:
    """Rates, and the load on sync and DynamoDB at the peak."""
    units = ["write units of the table a second", "and of its indexes"]
    lines = [["calls a day", "a second", "at the peak", "sync at once, batches of 1", "of 10", *units]]
    for scale in SCALES:
        average, peak = rates(scale)
        at_once = [f"{concurrency(peak, batch):,}" for batch in (1, BATCH)]
        units = [rate(peak * TABLE_UNITS), rate(peak * sum(INDEX_UNITS.values()))]
        lines.append([f"{scale:,}", rate(average), rate(peak), *at_once, *units])
    return table(lines)


def short(number: float) -> str:
    """Formats a number of any size."""
    for size, unit in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def usage_table() -> str:
    """The usage of a month."""
    months = [usage(scale) for scale in SCALES]
    head = ["a month", *(f"{scale:,}" for scale in SCALES)]
    return table([head, *([what, *(short(one[what]) for one in months)] for what in months[0])])


def cost_table() -> str:
    """Dollars per month by service, and per thousand calls."""
    months = [month(scale) for scale in SCALES]
    totals = [sum(one.values()) for one in months]
    full = [sum(month(scale, BATCH).values()) for scale in SCALES]
    return table(
        [
            ["$ a month", *(f"{scale:,}" for scale in SCALES)],
            *([part, *(dollars(one[part]) for one in months)] for part in months[0]),
            ["**all**", *(f"**{dollars(total)}**" for total in totals)],
            ["with batches of 10", *(dollars(total) for total in full)],
            [
                "$ for 1000 calls",
                *(f"{total / (scale * DAYS) * 1000:.4f}" for scale, total in zip(SCALES, totals, strict=True)),
            ],
        ]
    )


if __name__ == "__main__":
    print(f"{WRITE_UNITS} write units a call: {TABLE_UNITS} of the table, {INDEX_UNITS}\n")
    print(f"{load_table()}\n\n{usage_table()}\n\n{cost_table()}")
