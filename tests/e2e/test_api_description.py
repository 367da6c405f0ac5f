"""The API's description against the running stack: requests that it allows are accepted, and responses match it.

The responses of every other test are checked against it too: support/description.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import schemathesis

from .support.description import DESCRIPTION, conforms
from .support.stack import Stack
from .support.workspace import Workspace


def test_generated_requests_get_the_described_responses(stack: Stack, workspace: Workspace) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    configuration = Path(__file__).with_name("schemathesis.toml")
    result = subprocess.run(
        [
            *(program, "--config-file", configuration, "run", DESCRIPTION),
            *("--url", stack.public_url, "--phases", "examples,coverage,fuzzing", "--no-color"),
        ],
        env={**os.environ, "DASHBOARD_TOKEN": workspace.token(), "WEBHOOK_TOKEN": workspace.webhook_token},
        check=False,
    )
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (418, {}, b"{}"),
        (200, {"Content-Type": "text/plain"}, b"hello"),
        (200, {"Cache-Control": "max-age=60"}, None),
        (200, {}, b'{"connected":"yes"}'),
    ],
)
def test_a_response_that_does_not_match_is_noticed(
    stack: Stack, workspace: Workspace, status: int, headers: dict[str, str], body: bytes | None
) -> None:
    bearer = {"Authorization": f"Bearer {workspace.token()}"}
    response = requests.get(f"{stack.public_url}/api/salesforce/status", headers=bearer, timeout=35)
    conforms(response)
    response.status_code = status
    response.raw.headers.update(headers)
    response._content = response.content if body is None else body
    with pytest.raises(schemathesis.errors.FailureGroup):
        conforms(response)
