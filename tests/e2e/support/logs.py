"""All that the functions have logged."""

from __future__ import annotations

from .stack import Stack


def all_lines(stack: Stack) -> dict[str, list[str]]:
    """Log group → its lines."""
    client = stack.client("logs")
    groups = [name for name, physical in stack.resources.items() if name.endswith("LogGroup") and physical]
    return {
        name: [
            event["message"]
            for page in client.get_paginator("filter_log_events").paginate(logGroupName=stack.resources[name])
            for event in page["events"]
        ]
        for name in groups
    }
