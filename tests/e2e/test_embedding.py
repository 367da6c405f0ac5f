"""The card in a customer's dashboard: the five lines from its README in a bare Vite React application."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from local.stack.settings import ROOT

from .support.stack import Stack
from .support.workspace import Workspace

DASHBOARD = ROOT / "dashboard"
INDEX = '<!doctype html><html lang="en"><div id="root"></div><script type="module" src="./main.tsx"></script></html>'
MAIN = """\
import { createRoot } from "react-dom/client";
import { Integrations } from "./Integrations";

createRoot(document.getElementById("root")!).render(<Integrations />);
"""
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


@pytest.fixture(scope="module", params=["18.3.1", None], ids=["oldest React", "our React"])
def application(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built application that contains only the packed card and React."""
    folder = tmp_path_factory.mktemp("application")
    npm(DASHBOARD, "run", "build")
    (packed,) = json.loads(npm(DASHBOARD, "pack", "--json", "--pack-destination", str(folder)))
    versions = json.loads((DASHBOARD / "package.json").read_text())["devDependencies"]
    if request.param:
        versions |= {"react": request.param, "react-dom": request.param}
        versions |= {"@types/react": "^18", "@types/react-dom": "^18"}
    tools = ("@types/react", "@types/react-dom", "@vitejs/plugin-react", "typescript", "vite")
    manifest = {
        "private": True,
        "type": "module",
        "dependencies": {
            "@ringlog/salesforce": f"file:{packed['filename']}",
            **{name: versions[name] for name in ("react", "react-dom")},
        },
        "devDependencies": {name: versions[name] for name in tools},
        "scripts": {"build": "tsc && vite build --base ./"},
    }
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "tsconfig.json").write_text(json.dumps(TYPES))
    (folder / "index.html").write_text(INDEX)
    (folder / "main.tsx").write_text(MAIN)
    (folder / "session.ts").write_text(SESSION)
    example = re.search(r"```tsx\n(.*?)```", (DASHBOARD / "README.md").read_text(), re.DOTALL)
    assert example, "the card's README has no example"
    (folder / "Integrations.tsx").write_text(example[1])
    npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund")
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
