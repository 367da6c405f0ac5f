"""The routes of the template, the API's description and `cargo lambda watch` are the same.

The tests of shared/api compare those of the code with the description's.
"""

from __future__ import annotations

import tomllib

import yaml

from local.stack import template
from local.stack.settings import ROOT

Routes = dict[tuple[str, str], str]
"""Method and path → the binary that answers."""


def deployed() -> Routes:
    resources = template.load()["Resources"]
    return {
        (event["Properties"]["Method"], event["Properties"]["Path"]): binary
        for function, binary in template.binaries(template.load()).items()
        for event in resources[function]["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }


def test_watch_has_the_routes_of_the_template() -> None:
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    router = manifest["workspace"]["metadata"]["lambda"]["watch"]["router"]
    watched = [((one["method"], path), one["function"]) for path, ones in router.items() for one in ones]
    assert sorted(watched) == sorted(deployed().items())


def test_the_api_s_description_has_the_routes_of_the_template() -> None:
    paths = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())["paths"]
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
    described = {(method.upper(), path) for path, item in paths.items() for method in item.keys() & methods}
    assert described == deployed().keys()
