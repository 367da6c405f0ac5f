"""The API's description against the running stack: what it allows is taken, and what is answered is in it.

Every other test's answers are held against it too: support/description.py.
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


def test_requests_made_from_the_description_get_the_answers_that_it_describes(
    stack: Stack, workspace: Workspace
) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    configuration = Path(__file__).with_name("schemathesis.toml")
    done = subprocess.run(
        [
            *(program, "--config-file", configuration, "run", DESCRIPTION),
            *("--url", stack.public_url, "--phases", "examples,coverage,fuzzing", "--no-color"),
        ],
        env={**os.environ, "DASHBOARD_TOKEN": workspace.token(), "WEBHOOK_TOKEN": workspace.webhook_token},
        check=False,
    )
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (418, {}, b"{}"),
        (200, {"Content-Type": "text/plain"}, b"hello"),
        (200, {"Cache-Control": "max-age=60"}, None),
        (200, {}, b'{"connected":"yes"}'),
    ],
)
def test_an_answer_that_is_not_described_is_noticed(
    stack: Stack, workspace: Workspace, status: int, headers: dict[str, str], body: bytes | None
) -> None:
    bearer = {"Authorization": f"Bearer {workspace.token()}"}
    answer = requests.get(f"{stack.public_url}/api/salesforce/status", headers=bearer, timeout=35)
    conforms(answer)
    answer.status_code = status
    answer.raw.headers.update(headers)
    answer._content = answer.content if body is None else body
    with pytest.raises(schemathesis.errors.FailureGroup):
        conforms(answer)
