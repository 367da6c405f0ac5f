"""What the documents say of alarms, metrics, the API's codes and parameters, against template and code."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from local.stack import template
from local.stack.settings import ROOT

from .test_openapi import documented_codes

TEMPLATE = template.load()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
NONE = "\N{EN DASH}"

CONSTANT = re.compile(r'const (\w+): &str = "([A-Za-z_]+)";')


@cache
def product() -> str:
    """The product's Rust, without its tests."""
    files = [*ROOT.glob("functions/*/src/**/*.rs"), *ROOT.glob("shared/*/src/**/*.rs")]
    kept = [file for file in files if "test" not in str(file.relative_to(ROOT)).replace("test-sync", "")]
    return "\n".join(file.read_text().split("#[cfg(test)]")[0] for file in kept)


def section(text: str, heading: str) -> str:
    """The text under a heading, up to the next one of its level or above."""
    level, _ = heading.split(" ", maxsplit=1)
    _, _, after = f"\n{text}".partition(f"\n{heading}\n")
    assert after, heading
    return re.split(rf"\n#{{2,{len(level)}}} ", after)[0]


def rows(text: str, first_column: str) -> list[list[str]]:
    """The cells of the first table whose first column has this name."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_column} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_entries_are_those_of_the_alarms() -> None:
    alarms = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) > 5
    assert re.findall(r"^### (.+)$", section(OPERATIONS, "## The alarms"), re.MULTILINE) == alarms


def test_every_entry_has_its_four_parts() -> None:
    for entry in re.split(r"^### ", section(OPERATIONS, "## The alarms"), flags=re.MULTILINE)[1:]:
        words = re.findall(r"^\*\*([A-Z][a-z ]+)\*\*", entry, re.MULTILINE)
        assert words == ["Means", "See more", "Do", "Over"], entry.splitlines()[0]


def queries() -> list[str]:
    """The queries for CloudWatch Logs Insights: code blocks without a language that begin with a filter."""
    blocks = re.findall(r"^```(\w*)\n(.+?)^```$", OPERATIONS, re.MULTILINE | re.DOTALL)
    return [block for language, block in blocks if not language and block.startswith("filter ")]


def test_the_queries_use_messages_and_fields_that_are_logged() -> None:
    assert len(queries()) > 5
    for query in queries():
        named = re.findall(r"\bmessage (?:=|in) (\[[^]]+\]|\"[^\"]+\")", query)
        for message in re.findall(r'"([^"]+)"', " ".join(named)):
            assert f'"{message}"' in product(), message
        for field in re.findall(r"(?<![\w.@])[a-z]+\.[a-z_]+(?![\w.])", re.sub(r'"[^"]*"', "", query)):
            # `record` is in Lambda's own lines.
            assert field.startswith("record.") or re.search(rf"\b{re.escape(field)} = ", product()), field


def metrics() -> dict[str, tuple[str, set[str]]]:
    """Each metric of the code → its unit and its dimensions (`""`: none)."""
    source = (ROOT / "shared/worker/src/measure.rs").read_text()
    described = re.findall(r"for name in \[([^]]+)\] \{\s*describe_\w+!\(name, Unit::(\w+)", source)
    described += re.findall(r"describe_\w+!\(([A-Z_]+), Unit::(\w+)", source)
    units = {constant: unit for constants, unit in described for constant in re.findall(r"[A-Z_]+", constants)}
    found = {}
    for constant, name in CONSTANT.findall(source):
        dimensions = set(re.findall(rf'(?:counter|histogram)!\({constant}, "(\w+)"', source))
        plain = rf"(?:counter|histogram)!\({constant}\)|\brecord\({constant},|=> {constant},"
        found[name] = (units[constant], dimensions | ({""} if re.search(plain, source) else set()))
    return found


def widgets() -> dict[str, str]:
    """The title of each widget on the dashboard → its metrics."""
    body = RESOURCES["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"]
    shown = [widget["properties"] for widget in json.loads(body)["widgets"]]
    return {one["title"]: json.dumps(one["metrics"]) for one in shown}


def test_the_metrics_table_has_the_metrics_of_the_code() -> None:
    said = {}
    for name, unit, dimensions, meaning, _ in rows(section(OPERATIONS, "## The metrics"), "metric"):
        assert meaning
        parts = {NONE: ""} | {f"`{dimension}`": dimension for dimension in quoted(dimensions)}
        said[quoted(name)[0]] = (unit, {parts[part] for part in dimensions.split("; ")})
    assert len(said) > 10
    assert said == metrics()


def test_the_metrics_table_says_where_each_is_on_the_dashboard() -> None:
    for name, *_, places in rows(section(OPERATIONS, "## The metrics"), "metric"):
        metric = re.compile(rf'"{quoted(name)[0]}"|MetricName={quoted(name)[0]}\b')
        shown = [title for title, what in widgets().items() if metric.search(what)]
        assert places.split("; ") == (shown or [NONE]), name


def table_codes(text: str, first_column: str = "code") -> set[str]:
    return {one for row in rows(text, first_column) for one in quoted(row[0])}


def test_every_code_of_the_api_is_explained_in_one_of_the_documents() -> None:
    setup = (ROOT / "docs/salesforce-setup.md").read_text()
    vapi = (ROOT / "docs/vapi-setup.md").read_text()
    seen_by_vapi = {
        one for row in rows(section(vapi, "## 7. What Vapi's log shows"), "status") for one in quoted(row[1])
    }
    explained = table_codes(section(OPERATIONS, "### The API's"))
    connecting = table_codes(section(setup, "## 3. Errors in the connect window"))
    assert len(documented_codes()) > 20
    assert documented_codes() - explained - connecting - seen_by_vapi == set()
    assert explained - documented_codes() == set()


def test_every_parameter_is_documented() -> None:
    parameters = section((ROOT / "docs/deploy.md").read_text(), "## Parameters")
    named = [name for row in rows(parameters, "parameter") for name in quoted(row[0])]
    assert sorted(named) == sorted(TEMPLATE["Parameters"])
