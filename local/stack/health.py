"""Waits until a program that was just started answers."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from .settings import StackError

LIMIT_SECONDS = 60.0


async def wait_until_up(name: str, url: str) -> None:
    """Returns as soon as the address answers with a success."""
    deadline = time.monotonic() + LIMIT_SECONDS
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while time.monotonic() < deadline:
            try:
                async with session.get(url) as answer:
                    if answer.ok:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)
    raise StackError(f"{name} did not answer at {url} within {LIMIT_SECONDS:.0f} s")
