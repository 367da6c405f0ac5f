"""The API's description is valid, and says of each operation what it answers to whom it does not know.

That it is what the code says, that it has every route and every error code: the tests of shared/api. That the answers
are as described is shown by the end-to-end tests; that the routes are those of the template, by `test_routes.py`.
"""

from __future__ import annotations

from typing import Any

import yaml
from openapi_spec_validator import validate

from local.stack.settings import ROOT

DESCRIPTION: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())


def documented_codes() -> set[str]:
    """What the `code` of a problem may be."""
    schemas = DESCRIPTION["components"]["schemas"].values()
    narrowed = [part["properties"]["code"] for schema in schemas for part in schema.get("allOf", [])[1:]]
    return {code for one in narrowed for code in one["enum"]}


def test_it_is_valid() -> None:
    validate(DESCRIPTION)


def test_every_operation_says_what_it_answers_to_whom_it_does_not_know() -> None:
    for path, item in DESCRIPTION["paths"].items():
        for method, operation in item.items():
            is_open = operation.get("security") == []
            assert ("401" in operation["responses"]) != is_open, f"{method} {path}"
