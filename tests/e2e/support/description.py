"""Checks every response that a test gets against the API's description (docs/openapi.yaml)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import schemathesis
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.stack.settings import ROOT

CHECKS = [status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance]
DESCRIPTION = ROOT / "docs" / "openapi.yaml"


def conforms(response: requests.Response) -> requests.Response:
    """Returns the response if its status, media type, headers and body match the description; raises otherwise."""
    method, path = str(response.request.method), urlsplit(str(response.request.url)).path
    for pattern, operation in _operations():
        found = pattern.fullmatch(path)
        if found and operation.method.upper() == method:
            operation.Case(path_parameters=found.groupdict()).validate_response(response, checks=CHECKS)
            return response
    raise AssertionError(f"{method} {path} is not described")


@cache
def _operations() -> list[tuple[re.Pattern[str], Any]]:
    """Each operation with a pattern for its path. As in API Gateway, paths without parameters come first."""
    schema = schemathesis.openapi.from_path(DESCRIPTION)
    operations: list[Any] = [cast("Any", result).ok() for result in schema.get_all_operations()]
    operations.sort(key=lambda operation: operation.path.count("{"))
    return [(re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)), operation) for operation in operations]
