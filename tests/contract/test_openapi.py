"""The API's description is valid, and says how each operation responds to strangers.

The tests of shared/api compare it with the code, the end-to-end tests with the responses, `test_routes.py` with the
template's routes.
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


def test_every_operation_describes_its_response_to_strangers() -> None:
    for path, item in DESCRIPTION["paths"].items():
        for method, operation in item.items():
            is_open = operation.get("security") == []
            assert ("401" in operation["responses"]) != is_open, f"{method} {path}"
