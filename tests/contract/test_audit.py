"""`.ci/audit`, with stand-ins for its tools: what it fails on, and what it does without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.stack.settings import ROOT

CARGO = "[ERROR] failed to fetch advisory database https://github.com/RustSec/advisory-db"
NPM = "npm error audit endpoint returned an error"
PIP_AUDIT = "requests.exceptions.ConnectionError: Max retries exceeded"
UNREACHABLE = "NOT CHECKED, the database could not be reached"


def audit(folder: Path, says: dict[str, str], environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Its exit code and what it prints, where these tools fail with these words, and the others find nothing."""
    script = folder / ".ci" / "audit"
    scanners = folder / ".venv" / "scanners" / "bin"
    for made in (script.parent, scanners, folder / "bin"):
        made.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "audit", script)
    (folder / "requirements.txt").touch()
    tools = {"cargo": folder / "bin" / "cargo", "npm": folder / "bin" / "npm", "pip-audit": scanners / "pip-audit"}
    for name, tool in tools.items():
        noted = f'#!/bin/sh\necho "{name} $*" >>{folder}/asked\n'
        tool.write_text(noted + (f"echo '{says[name]}' >&2; exit 1\n" if name in says else ""))
        tool.chmod(0o755)
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [script], env={"PATH": path} | (environment or {}), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_it_passes_where_nothing_is_known(tmp_path: Path) -> None:
    code, printed = audit(tmp_path, {})
    assert code == 0
    assert printed.count("no known vulnerabilities") == 4


def test_it_asks_for_all_that_is_used_and_for_every_severity(tmp_path: Path) -> None:
    audit(tmp_path, {})
    assert (tmp_path / "asked").read_text().splitlines() == [
        "cargo deny --locked check advisories",
        "cargo deny --manifest-path fuzz/Cargo.toml --config deny.toml check advisories",
        "npm --prefix dashboard audit --package-lock-only",
        "pip-audit --vulnerability-service osv --progress-spinner off --disable-pip --no-deps -r requirements.txt",
    ]


@pytest.mark.parametrize("tool", ["cargo", "npm", "pip-audit"])
def test_it_fails_on_what_a_tool_finds_or_cannot_do(tmp_path: Path, tool: str) -> None:
    code, printed = audit(tmp_path, {tool: "a vulnerability, or any other trouble"})
    assert code == 1
    assert "a vulnerability, or any other trouble" in printed
    assert printed.count(": FAILED") == (2 if tool == "cargo" else 1)


def test_without_a_network_it_says_so_and_passes(tmp_path: Path) -> None:
    code, printed = audit(tmp_path, {"cargo": CARGO, "npm": NPM, "pip-audit": PIP_AUDIT})
    assert code == 0
    assert printed.count(UNREACHABLE) == 4


def test_one_that_is_out_of_reach_hides_nothing_of_another(tmp_path: Path) -> None:
    code, printed = audit(tmp_path, {"cargo": CARGO, "npm": "1 high severity vulnerability"})
    assert code == 1
    assert printed.count(UNREACHABLE) == 2


def test_where_it_is_required_it_fails_without_a_network(tmp_path: Path) -> None:
    code, printed = audit(tmp_path, {"npm": NPM}, {"AUDIT": "required"})
    assert code == 1
    assert printed.count(UNREACHABLE) == 1
