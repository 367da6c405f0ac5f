"""Finds a Chromium for the browser tests, or installs one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> str | None:
    """The path of a Chromium: `$CHROMIUM`, else one on `$PATH`, else Playwright's."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None) or _playwrights()


def install() -> None:
    """Installs Playwright's Chromium, or if that fails, the system's package (as root, with apt)."""
    commands = [[sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]]
    if shutil.which("apt-get"):
        commands.append(["sh", "-c", "apt-get update && apt-get install --yes --no-install-recommends chromium"])
    for command in commands:
        if subprocess.run(command, check=False).returncode == 0 and find():
            return
    raise SystemExit("Could not install Chromium. Install it yourself, or set CHROMIUM to its path.")


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow, and most machines have a Chromium

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    if not find():
        print("Installing Chromium …", flush=True)
        install()
