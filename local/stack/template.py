"""The template as `sam build` would write it, with the functions' artifacts on this machine as their code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from .settings import ROOT, Settings


def load() -> dict[str, Any]:
    """`template.yaml`, with its short tags expanded (`{"Ref": …}`)."""
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def binaries(template: dict[str, Any]) -> dict[str, str]:
    """The binary of each function, by logical id."""
    return {
        name: resource["Metadata"]["BuildProperties"]["Binary"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def write_built(template: dict[str, Any], target: Path, settings: Settings) -> None:
    """Writes the template with the path of each function's artifact and the emulator's address."""
    built = json.loads(json.dumps(template))
    # The emulator sets this variable itself, but `sam local invoke` passes on only variables that the template names.
    built["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = settings.emulator_url
    for name, binary in binaries(template).items():
        function = built["Resources"][name]
        del function["Metadata"]
        function["Properties"]["CodeUri"] = str(settings.artifacts / binary)
    # The emulator does not support alarms on metric math, and nothing here needs them.
    for name in [name for name, resource in built["Resources"].items() if "Metrics" in resource.get("Properties", {})]:
        del built["Resources"][name]
    for resource in built["Resources"].values():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            # The emulator keeps a number from a parameter as a string, which its poller cannot handle.
            scaling = resource["Properties"]["ScalingConfig"]
            scaling["MaximumConcurrency"] = built["Parameters"][scaling["MaximumConcurrency"]["Ref"]]["Default"]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(built, indent=1))
