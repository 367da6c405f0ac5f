"""Citations of documents, and the links in documents, lead somewhere."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from local.stack.settings import ROOT

# `docs/contract.md#the-look`, in a comment or a text; not the beginning of a URL's path.
CITATION = re.compile(r"(?<![\w/.@-])(docs/[\w./-]+\.(?:md|yaml))(?:#([\w-]+))?")
# Headings are cited by anchor: a number alone is wrong as soon as a section is added.
NUMBERED = re.compile(r"\b[Ss]ections?\s+\d")
# Sources that only the authors had.
PRIVATE = re.compile(r"(?<![\w/-])(?:design|vapi|salesforce|salesforce-orgs|platforms|local-aws)\.md\b")
THIS = Path(__file__).resolve().relative_to(ROOT)


@cache
def texts() -> dict[Path, str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    found = {}
    for name in filter(None, listed.split("\0")):
        content = (ROOT / name).read_bytes()
        if b"\0" not in content and Path(name) != THIS:
            found[Path(name)] = content.decode()
    return found


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(document: Path) -> set[str]:
    """The names that GitHub gives to headings: letters, digits and dashes; a repeated one gets a number."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", without_code(document.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
        if found[name]:
            found[f"{name}-{found[name]}"] = 0
    return set(found)


def dead(document: Path, anchor: str) -> bool:
    return not document.exists() or (bool(anchor) and anchor not in anchors(document))


def links(document: Path) -> list[str]:
    text = without_code(texts()[document])
    found = re.findall(r"\[[^]]*\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def test_every_citation_leads_to_a_heading() -> None:
    cited = [(name, *found) for name, text in texts().items() for found in CITATION.findall(text)]
    assert len(cited) > 80
    assert [one for one in cited if dead(ROOT / one[1], one[2])] == []


def test_no_section_is_cited_by_its_number() -> None:
    ours = {name: text for name, text in texts().items() if not name.name.startswith("LICENSE")}
    assert {str(name): found for name, text in ours.items() if (found := NUMBERED.findall(text))} == {}


def test_no_source_is_cited_that_only_the_authors_had() -> None:
    assert {str(name): found for name, text in texts().items() if (found := PRIVATE.findall(text))} == {}


@pytest.mark.parametrize("document", [name for name in texts() if name.suffix == ".md"], ids=str)
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    for link in links(document):
        file, _, anchor = link.partition("#")
        there = (ROOT / document.parent / file).resolve() if file else ROOT / document
        assert not dead(there, anchor), link
