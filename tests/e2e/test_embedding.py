"""The card in a customer's dashboard: the five lines from its README in a bare Vite React application."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from local.stack.settings import ROOT

from .support.stack import Stack
from .support.workspace import Workspace

DASHBOARD = ROOT / "dashboard"
# The oldest React that the package promises.
OLDEST_REACT = ROOT / "tests/e2e/react-18"
INDEX = '<!doctype html><html lang="en"><div id="root"></div><script type="module" src="./main.tsx"></script></html>'
MAIN = """\
import { createRoot } from "react-dom/client";
import { Integrations } from "./Integrations";

createRoot(document.getElementById("root")!).render(<Integrations />);
"""
PACKAGE = '{"private": true, "type": "module", "scripts": {"build": "tsc && vite build --base ./"}}'
SESSION = """\
export const API_URL = location.origin;
export const getToken = () => localStorage.getItem("token") ?? "";
"""
TYPES = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "jsx": "react-jsx",
        "lib": ["es2022", "dom"],
        "types": ["vite/client"],
    },
    "include": ["*.tsx", "*.ts"],
}


def npm(folder: Path, *words: str) -> str:
    """Runs npm in a folder. Returns its output."""
    result = subprocess.run(["npm", *words], cwd=folder, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def copy(package: str, source: Path, target: Path) -> None:
    """Copies an installed package and what it depends on. A registry that is away must not fail a test."""
    shutil.copytree(source / package, target / package, dirs_exist_ok=True)
    for dependency in manifest(target / package).get("dependencies", {}):
        copy(dependency, source, target)


def manifest(package: Path) -> dict[str, dict[str, str]]:
    manifest: dict[str, dict[str, str]] = json.loads((package / "package.json").read_text())
    return manifest


@pytest.fixture(scope="module", params=[OLDEST_REACT, DASHBOARD], ids=["oldest React", "our React"])
def application(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built application that contains only the packed card and React."""
    folder = tmp_path_factory.mktemp("application")
    packages = folder / "node_modules"
    card = packages / "@ringlog/salesforce"
    npm(DASHBOARD, "run", "build")
    (packed,) = json.loads(npm(DASHBOARD, "pack", "--json", "--pack-destination", str(folder)))
    with tarfile.open(folder / packed["filename"]) as archive:
        archive.extractall(folder, filter="data")
    card.parent.mkdir(parents=True)
    (folder / "package").rename(card)
    for dependency in manifest(card)["dependencies"]:
        copy(dependency, DASHBOARD / "node_modules", packages)
    for package in ("react", "react-dom", "@types/react", "@types/react-dom"):
        copy(package, request.param / "node_modules", packages)
    for tool in (".bin", "typescript", "vite"):
        (packages / tool).symlink_to(DASHBOARD / "node_modules" / tool)
    (folder / "package.json").write_text(PACKAGE)
    (folder / "tsconfig.json").write_text(json.dumps(TYPES))
    (folder / "index.html").write_text(INDEX)
    (folder / "main.tsx").write_text(MAIN)
    (folder / "session.ts").write_text(SESSION)
    example = re.search(r"```tsx\n(.*?)```", (DASHBOARD / "README.md").read_text(), re.DOTALL)
    assert example, "the card's README has no example"
    (folder / "Integrations.tsx").write_text(example[1])
    npm(folder, "run", "build")
    return folder / "dist"


def test_five_lines_embed_the_card(chrome: Browser, stack: Stack, workspace: Workspace, application: Path) -> None:
    page = chrome.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))

    def serve(route: Route) -> None:
        path = route.request.url.split("/embedded/")[1] or "index.html"
        route.fulfill(path=application / path)

    # On the API's origin, as if both were behind one domain.
    page.route(f"{stack.public_url}/embedded/**", serve)
    page.add_init_script(f"localStorage.setItem('token', {json.dumps(workspace.token())})")
    page.goto(f"{stack.public_url}/embedded/")
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    expect(page.get_by_text("No calls yet")).to_be_visible()
    # The card has its styles, and they do not affect the page.
    border = "getComputedStyle(document.querySelector('section')).borderTopStyle"
    assert page.evaluate(border) == "solid"
    assert page.evaluate("getComputedStyle(document.body).marginTop") == "8px"
    assert problems == []
    page.close()
