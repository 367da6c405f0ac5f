"""The functions' logs."""

from __future__ import annotations

from .stack import Stack


def lines(stack: Stack, group: str, since: float = 0) -> list[str]:
    """The lines of a log group (by its logical id) since a Unix time."""
    client = stack.client("logs")
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=stack.resources[group], startTime=int(since * 1000)
    )
    return [event["message"] for page in pages for event in page["events"]]


def all_lines(stack: Stack) -> dict[str, list[str]]:
    """The lines of every log group, by its logical id."""
    groups = [name for name, physical in stack.resources.items() if name.endswith("LogGroup") and physical]
    return {name: lines(stack, name) for name in groups}
