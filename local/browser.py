"""The Chromium that the pages are tried in: the one that is here, or one that is installed now."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> str | None:
    """Its path: what `CHROMIUM` says, else one of the system, else Playwright's own."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None) or _of_playwright()


def install() -> None:
    """Installs Playwright's own; where that cannot be had, the system's package (as root, with apt)."""
    ways = [[sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]]
    if shutil.which("apt-get"):
        ways.append(["sh", "-c", "apt-get update && apt-get install --yes --no-install-recommends chromium"])
    for way in ways:
        if subprocess.run(way, check=False).returncode == 0 and find():
            return
    raise SystemExit("No Chromium could be installed. Install one by hand, or set CHROMIUM to its path.")


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - needs a second; most machines have a Chromium

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    if not find():
        print("Installing a Chromium …", flush=True)
        install()
