"""The README's figures are those of the documents that say how they were measured."""

from __future__ import annotations

import re

from local.stack.settings import ROOT

from .test_operations import rows, section

README = (ROOT / "README.md").read_text()
SCALE = (ROOT / "docs/scale.md").read_text()
PERFORMANCE = (ROOT / "docs/performance.md").read_text()


def figures(pattern: str, text: str) -> tuple[str, ...]:
    """What a sentence says, wherever its lines break."""
    found = re.search(pattern, " ".join(text.split()))
    assert found, pattern
    return found.groups()


def header(text: str, first_column: str) -> list[str]:
    """The cells of the header above the rows of a table."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {first_column} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_how_long_a_call_takes() -> None:
    said = figures(r"within ([\d.]+) s of the webhook's response, nine in ten within ([\d.]+) s", README)
    steps = {step: time for step, time, _ in rows(section(SCALE, "## How long a call takes"), "step")}
    assert said == figures(r"([\d.]+) s, nine in ten within ([\d.]+) s", steps["**response → Task**"])


def test_how_long_the_functions_take() -> None:
    said = figures(r"warm webhook takes ([\d.]+) ms for a 15 kB report, a warm sync ([\d.]+) ms", README)
    warm = header(PERFORMANCE, "function").index("warm p50 ms")
    measured = {row[0]: row[warm] for row in rows(PERFORMANCE, "function")}
    assert said == (measured["webhook"], measured["sync"])


def test_what_it_costs() -> None:
    said = dict(rows(section(README, "## What it costs"), "calls a day"))
    costs = header(SCALE, "$ a month")
    [total] = [row for row in rows(SCALE, "$ a month") if row[0] == "**all**"]
    modelled = dict(zip(costs, (cell.strip("* ") for cell in total), strict=True))
    assert len(said) > 2
    assert said == {calls: modelled[calls] for calls in said}
