"""`.ci/audit` with fake tools: what it fails on, and what it does without a network."""

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
    """Its exit code and output if these tools fail with these words and the others find nothing."""
    script = folder / ".ci" / "audit"
    scanners = folder / ".venv" / "scanners" / "bin"
    for made in (script.parent, scanners, folder / "bin"):
        made.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "audit", script)
    (folder / "requirements.txt").touch()
    tools = {"cargo": folder / "bin" / "cargo", "npm": folder / "bin" / "npm", "pip-audit": scanners / "pip-audit"}
    for name, tool in tools.items():
        logged = f'#!/bin/sh\necho "{name} $*" >>{folder}/asked\n'
        tool.write_text(logged + (f"echo '{says[name]}' >&2; exit 1\n" if name in says else ""))
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


def test_it_checks_all_dependencies_for_every_severity(tmp_path: Path) -> None:
    audit(tmp_path, {})
    assert (tmp_path / "asked").read_text().splitlines() == [
        "cargo deny --locked check advisories",
        "cargo deny --manifest-path fuzz/Cargo.toml --config deny.toml check advisories",
        "npm --prefix dashboard audit --package-lock-only",
        "pip-audit --vulnerability-service osv --progress-spinner off --disable-pip --no-deps -r requirements.txt",
    ]


@pytest.mark.parametrize("tool", ["cargo", "npm", "pip-audit"])
def test_it_fails_if_a_tool_finds_something_or_fails(tmp_path: Path, tool: str) -> None:
    code, printed = audit(tmp_path, {tool: "a vulnerability, or any other problem"})
    assert code == 1
    assert "a vulnerability, or any other problem" in printed
    assert printed.count(": FAILED") == (2 if tool == "cargo" else 1)


def test_without_a_network_it_says_so_and_passes(tmp_path: Path) -> None:
    code, printed = audit(tmp_path, {"cargo": CARGO, "npm": NPM, "pip-audit": PIP_AUDIT})
    assert code == 0
    assert printed.count(UNREACHABLE) == 4


def test_an_unreachable_database_does_not_hide_what_another_tool_finds(tmp_path: Path) -> None:
    code, printed = audit(tmp_path, {"cargo": CARGO, "npm": "1 high severity vulnerability"})
    assert code == 1
    assert printed.count(UNREACHABLE) == 2


def test_if_required_it_fails_without_a_network(tmp_path: Path) -> None:
    code, printed = audit(tmp_path, {"npm": NPM}, {"AUDIT": "required"})
    assert code == 1
    assert printed.count(UNREACHABLE) == 1
