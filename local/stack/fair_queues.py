"""The emulator with fair queues: a standard queue delivers quiet message groups before noisy ones, as SQS does.

How much a noisy workspace may delay the others depends on the queue and the message groups together. The emulator
(1.5.33) delivers a standard queue's messages in order of arrival, ignores their groups and has no hook to change that,
so `make load` would have no limit to check. This program runs in the emulator's own Python and replaces the function
that picks the next messages. If a newer emulator renames that function, this program fails when it starts.

The model is what AWS describes in "How Amazon SQS fair queues work" (Amazon SQS Developer Guide,
sqs-fair-queues-detailed): a group is noisy as soon as it has 30 messages in flight, and 10 % of all that are
in flight; it stays noisy until none of its messages are left in the queue; messages of quiet groups come first, then
those of the noisy group with the fewest messages in flight. AWS also detects noise by the share of processing time,
which this model does not, so it is less fair than SQS.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from ministack import app
from ministack.services import sqs

NOISY_SHARE = 0.1
NOISY_COUNT = 30

_collect_in_order = sqs._collect_msgs
_noisy: dict[str, set[str]] = {}


def collect(queue: dict[str, Any], count: int, visibility_seconds: int) -> Any:
    """Delivers the next messages of a queue."""
    if queue["is_fifo"]:
        return _collect_in_order(queue, count, visibility_seconds)
    messages = list(queue["messages"])
    now = time.time()
    in_flight = Counter(_group(m) for m in messages if m.get("receive_count") and m["visible_at"] > now)
    noisy = _noisy.setdefault(queue["attributes"]["QueueArn"], set())
    noisy &= {_group(m) for m in messages}
    noisy |= {
        group
        for group, share in in_flight.items()
        if group and share >= max(NOISY_COUNT, NOISY_SHARE * in_flight.total())
    }

    def rank(message: dict[str, Any]) -> int:
        group = _group(message)
        return in_flight[group] if group in noisy else -1

    # Sorting is stable, so messages of the same rank stay in order of arrival.
    return _collect_in_order({**queue, "messages": sorted(messages, key=rank)}, count, visibility_seconds)


def _group(message: dict[str, Any]) -> str:
    return message.get("group_id") or ""


if __name__ == "__main__":
    sqs._collect_msgs = collect
    app.main()
