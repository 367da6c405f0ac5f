"""What the functions have logged during all other tests."""

from __future__ import annotations

import json

import pytest

from .support.logs import all_lines
from .support.reports import sample
from .support.secrets import Secrets
from .support.stack import Stack
from .support.workspace import Workspace

# Lines that Lambda writes.
PLATFORM = ("START ", "END ", "REPORT ", "INIT_START ")


@pytest.mark.last
def test_no_log_contains_a_token_a_secret_a_name_or_a_phone_number(
    stack: Stack, workspace: Workspace, secrets: Secrets
) -> None:
    message = sample("inbound-call")["message"]
    secrets.add(message["analysis"]["summary"])
    secrets.add(message["customer"]["name"])
    secrets.add(message["customer"]["number"].removeprefix("+1"))
    secrets.add(workspace.webhook_token)
    logs = all_lines(stack)
    assert sum(len(lines) for lines in logs.values()) > 100
    for group, lines in logs.items():
        assert secrets.found_in("\n".join(lines)) == [], group


@pytest.mark.last
def test_functions_log_only_json(stack: Stack) -> None:
    for group, lines in all_lines(stack).items():
        for line in lines:
            if line.strip() and not line.startswith(PLATFORM):
                # Either a log line or embedded metrics.
                assert {"level", "_aws"} & json.loads(line).keys(), group
