"""Builds the functions, laid out as by `sam build`, the simulator, and the dashboard's page."""

from __future__ import annotations

import asyncio
import filecmp
import json
import shutil
import stat
from pathlib import Path

from .processes import Processes
from .settings import ROOT, Settings, StackError

PROFILE = "local"
SIMULATOR = "salesforce-sim"


async def build(processes: Processes, settings: Settings, functions: list[str]) -> Path:
    """Builds the simulator and, unless the stack runs release builds, the functions. Returns the simulator's binary."""
    functions = [] if settings.release else functions
    packages = [word for name in [*functions, SIMULATOR] for word in ("--package", name)]
    await processes.run("cargo", ["cargo", "build", "--bins", "--profile", PROFILE, *packages])
    built = await _target_directory() / PROFILE
    for name in functions:
        _install(built / name, settings.artifacts / name / "bootstrap")
    return built / SIMULATOR


async def dashboard(processes: Processes) -> Path:
    """Builds the page that shows the card. Returns its folder."""
    folder = ROOT / "dashboard"
    await processes.run("npm", ["npm", "--prefix", str(folder), "run", "--silent", "build:page"])
    return folder / "page" / "dist"


async def _target_directory() -> Path:
    process = await asyncio.create_subprocess_exec(
        *("cargo", "metadata", "--no-deps", "--format-version", "1"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise StackError("cargo metadata failed")
    return Path(json.loads(output)["target_directory"])


def _install(binary: Path, bootstrap: Path) -> None:
    if bootstrap.exists() and filecmp.cmp(binary, bootstrap, shallow=True):
        return
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    # Copied next to it first, so that an interrupted copy does not look like a built function.
    copy = bootstrap.with_suffix(".new")
    shutil.copy2(binary, copy)
    copy.chmod(copy.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    copy.replace(bootstrap)
