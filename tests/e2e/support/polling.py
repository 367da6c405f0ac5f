"""Waiting for what happens by itself: looks again until it is so, or too late."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

EVERY_SECONDS = 0.02
T = TypeVar("T")


def wait_until(look: Callable[[], T | None], seconds: float, what: str) -> T:
    """The first true answer of `look`; fails with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(EVERY_SECONDS)
