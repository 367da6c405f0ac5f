"""The emulator with fair queues: a standard queue serves quiet message groups before a noisy one, as SQS does.

Why it is here: what a noisy workspace may cost the others is a promise of queue and message groups together. The
emulator (1.5.33) serves in the order of arrival and has no hook to change that; there `make load` could hold nothing to
a limit. If a newer one renames the function that is replaced here, this fails at its start.

The model is what AWS describes in "How Amazon SQS fair queues work" (Amazon SQS Developer Guide,
sqs-fair-queues-detailed): a group is noisy as soon as more than 10 % of the messages in flight are its own, and at
least 30; it stays noisy until nothing of it is left in the queue; messages of quiet groups come first; of several noisy
groups, the one with the fewest messages in flight. The share of processing time, by which AWS detects noise too, is
left out: this model is the less fair one. It runs in the emulator's own Python.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from ministack import app
from ministack.services import sqs

SHARE = 0.1
LEAST = 30

_in_order_of_arrival = sqs._collect_msgs
_noisy: dict[str, set[str]] = {}


def collect(queue: dict[str, Any], count: int, visibility_seconds: int) -> Any:
    """The next messages of a queue, which are in flight from then on."""
    if queue["is_fifo"]:
        return _in_order_of_arrival(queue, count, visibility_seconds)
    messages = list(queue["messages"])
    now = time.time()
    in_flight = Counter(_group(m) for m in messages if m.get("receive_count") and m["visible_at"] > now)
    noisy = _noisy.setdefault(queue["attributes"]["QueueArn"], set())
    noisy &= {_group(m) for m in messages}
    noisy |= {group for group, share in in_flight.items() if group and share >= max(LEAST, SHARE * in_flight.total())}

    def place(message: dict[str, Any]) -> int:
        group = _group(message)
        return in_flight[group] if group in noisy else -1

    # Sorting is stable: within a place the order of arrival stays.
    return _in_order_of_arrival({**queue, "messages": sorted(messages, key=place)}, count, visibility_seconds)


def _group(message: dict[str, Any]) -> str:
    return message.get("group_id") or ""


if __name__ == "__main__":
    sqs._collect_msgs = collect
    app.main()
