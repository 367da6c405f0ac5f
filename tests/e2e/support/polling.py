"""Polling until something has happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

INTERVAL_SECONDS = 0.02
T = TypeVar("T")


def wait_until(look: Callable[[], T | None], seconds: float, what: str) -> T:
    """Returns the first truthy result of `look`. Fails with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(INTERVAL_SECONDS)
