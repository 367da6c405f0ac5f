"""Waits until a program that was just started responds."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from .settings import StackError

TIMEOUT_SECONDS = 60.0


async def wait_until_up(name: str, url: str) -> None:
    """Returns as soon as a GET of the URL succeeds."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while time.monotonic() < deadline:
            try:
                async with session.get(url) as response:
                    if response.ok:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)
    raise StackError(f"{name} did not respond at {url} within {TIMEOUT_SECONDS:.0f} s")
