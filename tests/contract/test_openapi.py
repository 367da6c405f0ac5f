"""The API's description: it is valid, and its error codes are those of the code.

The end-to-end tests compare the responses with it, `test_routes.py` the routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from openapi_spec_validator import validate

from local.stack.settings import ROOT

DESCRIPTION: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
# The code of a problem where it is created: `Problem::bad_request("invalid_limit", …)`, `Problem::new(422, "…", …)`.
MADE = re.compile(r'Problem::\w+\(\s*(?:\d{3},\s*)?"([a-z_]+)"')
LITERAL = re.compile(r'"([a-z]+(?:_[a-z]+)*)"')


def documented_codes() -> set[str]:
    return {code for schema in DESCRIPTION["components"]["schemas"].values() for code in codes_in(schema)}


def codes_in(schema: Any) -> Iterator[str]:
    """The values of a problem's `code`, wherever it is in a schema."""
    if isinstance(schema, dict):
        code = schema.get("properties", {}).get("code", {})
        yield from code.get("enum", [])
        if "const" in code:
            yield code["const"]
        for part in schema.get("allOf", []):
            yield from codes_in(part)


def product_code() -> str:
    """The product's Rust, without its tests."""
    files = [*ROOT.glob("functions/*/src/**/*.rs"), *ROOT.glob("shared/*/src/**/*.rs")]
    kept = [file for file in files if "test" not in str(file.relative_to(ROOT)).replace("test-sync", "")]
    return "\n".join(file.read_text().split("#[cfg(test)]")[0] for file in kept)


def test_it_is_valid() -> None:
    validate(DESCRIPTION)


def test_every_code_of_a_problem_is_described() -> None:
    made = set(MADE.findall(product_code()))
    assert len(made) > 10, "the expression no longer finds problems"
    assert made - documented_codes() == set()


def test_every_described_code_is_in_the_code() -> None:
    assert documented_codes() - set(LITERAL.findall(product_code())) == set()


def test_every_operation_describes_its_response_to_strangers() -> None:
    for path, item in DESCRIPTION["paths"].items():
        for method, operation in item.items():
            is_open = operation.get("security") == []
            assert ("401" in operation["responses"]) != is_open, f"{method} {path}"
