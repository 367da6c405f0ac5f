"""A function may do exactly what its code does: its role in the deployed template against the calls of the code.

The rights are read from what SAM makes of `template.yaml`, so that those are seen, too, that an event, a connector or a
setting of a function brings with it. Nothing else there gives a right to anybody.

From `main` along all calls (`rust_calls`) to the operations of AWS's clients. What an operation is done on says the
adapter that it is reached through: the method that makes its client names one variable of the environment, and the
template says what that is. A query by an index is for the indexes whose names are written on the way to it from the
adapter's own methods.
"""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from boto3 import Session
from botocore import xform_name
from botocore.session import get_session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from tree_sitter import Node

from local.stack import template
from local.stack.settings import REGION, ROOT

from .rust_calls import CLIENT, NOTHING, Code, Function, Names, child, text, walk

TEMPLATE = template.load()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
BINARIES = template.binaries(TEMPLATE)
INDEXES = set(re.findall(r"IndexName: (\w+)", (ROOT / "template.yaml").read_text()))
# `config.rs` declares a variable as `Type, "NAME"`.
VARIABLES = dict(re.findall(r'\b(\w+),\s*"([A-Z_]+)"', (ROOT / "shared/platform/src/config.rs").read_text()))
# What Lambda does in a function's name where it polls a queue for it.
POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

Use = tuple[str, str]
"""An action, and what it is done on: a table, an index of one (`SyncLogsTable/index/by_time`), a queue or a secret."""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def resource(reference: Any) -> str:
    match reference:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Arn" | "Id"]}:
            return name
        case {"Fn::Sub": str(name)}:
            return re.sub(r"^\$\{(\w+)\.Arn\}", r"\1", name)
    return str(reference)


@cache
def deployed() -> dict[str, dict[str, Any]]:
    """The resources as SAM's transform leaves them."""
    untranslated = template.load()
    untranslated["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"  # as `sam deploy` would have put it
    translator = Translator(None, Parser(), boto_session=Session(region_name=REGION))
    found: dict[str, dict[str, Any]] = translator.translate(untranslated, {})["Resources"]
    return found


def role(function: str) -> dict[str, Any]:
    name, what = deployed()[function]["Properties"]["Role"]["Fn::GetAtt"]
    assert (name, what) == (f"{function}Role", "Arn")
    found: dict[str, Any] = deployed()[name]["Properties"]
    return found


def allowed(function: str) -> set[Use]:
    return {
        (action, resource(target))
        for policy in role(function).get("Policies", ())
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
        for target in as_list(statement["Resource"])
    }


def polled(function: str) -> dict[Use, str]:
    mappings = {
        name: one["Properties"] for name, one in RESOURCES.items() if one["Type"].endswith("EventSourceMapping")
    }
    return {
        (action, resource(mapping["EventSourceArn"])): name
        for name, mapping in mappings.items()
        if resource(mapping["FunctionName"]) == function
        for action in POLLING
    }


@cache
def actions() -> dict[str, dict[str, str]]:
    services = re.findall(r"^aws-sdk-(\w+)", (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    operations = {service: get_session().get_service_model(service).operation_names for service in services}
    return {service: {xform_name(name): name for name in names} for service, names in operations.items()}


def crates(folder: Path) -> set[Path]:
    """A crate and those of ours that it is made with."""
    dependencies = tomllib.loads((folder / "Cargo.toml").read_text())["dependencies"]
    ours = [crate for name in dependencies if (crate := ROOT / "shared" / name).is_dir()]
    return {folder}.union(*map(crates, ours))


def environment(function: str) -> dict[str, Any]:
    """The variables of a function."""
    ones = (TEMPLATE["Globals"]["Function"], RESOURCES[function]["Properties"])
    return {name: value for one in ones for name, value in one.get("Environment", {}).get("Variables", {}).items()}


def adapters(code: Code, variables: dict[str, Any]) -> dict[str, str]:
    """The types that make a client for themselves, and the resource that they make it for."""
    makes_client = "|".join(one.name for one in code.functions if CLIENT.search(text(child(one.node, "return_type"))))
    found = {}
    for function in code.functions:
        if re.search(rf"\.({makes_client})\(\)", text(function.node)):
            named = {VARIABLES[name] for name in map(text, walk(function.node)) if name in VARIABLES}
            assert len(named) == 1, f"{function} makes a client, and names {named or 'no variable'}"
            found[function.owner] = resource(variables[named.pop()])
    return found


def targets(operation: Node, on: str, indexes: Names) -> list[str]:
    """What an operation is done on; one method after the other says more of it."""
    step: Node | None = operation
    while step and step.type in {"field_expression", "call_expression"}:
        if text(child(step, "field")) == "index_name":
            return [f"{on}/index/{index}" for index in indexes or ["?"]]
        step = step.parent
    return [on]


def used(function: str) -> dict[Use, str]:
    """What the code of a function does, and where."""
    folder = ROOT / "functions" / BINARIES[function]
    sources = [crate / "src" / root for crate in crates(folder) for root in ("main.rs", "lib.rs")]
    code = Code(filter(Path.is_file, sources), actions())
    resource_of = adapters(code, environment(function))
    found: dict[Use, str] = {}
    seen = set()
    todo = [(main, "", NOTHING, folder.name) for main in code.functions if main.path == folder / "src/main.rs"]
    while todo:
        one, adapter, indexes, way = todo.pop(0)
        if one.owner in resource_of and one.owner != adapter:
            adapter, indexes = one.owner, NOTHING
        if adapter:
            indexes |= code.texts(one) & INDEXES
        if (one, adapter, indexes) in seen:
            continue
        seen.add((one, adapter, indexes))
        way += f" → {one}"
        for called, node in code.calls(one):
            if isinstance(called, Function):
                todo.append((called, adapter, indexes, way))
                continue
            place = f"{one.path.relative_to(ROOT)}:{node.start_point.row + 1}, {way}"
            for on in targets(node, resource_of.get(adapter, "?"), indexes):
                found.setdefault((called, on), place)
    return found


@pytest.mark.parametrize("function", BINARIES)
def test_a_function_may_do_what_its_code_does_and_nothing_else(function: str) -> None:
    uses, may = polled(function) | used(function), allowed(function)
    wrong = [f"{action} on {on}: used but not allowed ({uses[action, on]})" for action, on in uses.keys() - may]
    wrong += [f"{action} on {on}: allowed but not used" for action, on in may - uses.keys()]
    assert not wrong, "\n".join(f"{function}: {one}" for one in sorted(wrong))


AWS_MANAGED = "arn:aws:iam::aws:policy"
LOGS = f"{AWS_MANAGED}/service-role/AWSLambdaBasicExecutionRole"
TRACES = f"{AWS_MANAGED}/AWSXrayWriteOnlyAccess"
NETWORK = f"{AWS_MANAGED}/service-role/AWSLambdaVPCAccessExecutionRole"
IN_A_VPC = {"OauthCallbackFunction", "DisconnectFunction", "SyncFunction", "TestSyncFunction", "SweepFunction"}


@pytest.mark.parametrize("function", BINARIES)
def test_a_role_is_lambdas_and_has_no_other_policies_of_aws_than_these(function: str) -> None:
    network = [NETWORK] if function in IN_A_VPC else []
    assert sorted(role(function)["ManagedPolicyArns"]) == sorted([LOGS, TRACES, *network])
    (trust,) = role(function)["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": ["lambda.amazonaws.com"]},
    }
    assert role(function).keys() <= {"AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies", "Tags"}


GIVES_RIGHTS = re.compile(r"^AWS::IAM::|Polic|Permission")
EXPECTED_INVOKERS = {
    ("OauthInitiateFunction", "apigateway", "Api GET/api/salesforce/oauth/initiate"),
    ("OauthCallbackFunction", "apigateway", "Api GET/api/salesforce/oauth/callback"),
    ("DisconnectFunction", "apigateway", "Api DELETE/api/salesforce/disconnect"),
    ("StatusFunction", "apigateway", "Api GET/api/salesforce/status"),
    ("SettingsFunction", "apigateway", "Api GET/api/salesforce/settings"),
    ("SettingsFunction", "apigateway", "Api PUT/api/salesforce/settings"),
    ("SyncLogsFunction", "apigateway", "Api GET/api/salesforce/sync-logs"),
    ("SyncLogsFunction", "apigateway", "Api GET/api/salesforce/sync-logs/summary"),
    ("SyncLogsFunction", "apigateway", "Api POST/api/salesforce/sync-logs/*/retry"),
    ("SyncLogsFunction", "apigateway", "Api POST/api/salesforce/sync-logs/retry"),
    ("WebhookSetupFunction", "apigateway", "Api GET/api/salesforce/webhook"),
    ("WebhookSetupFunction", "apigateway", "Api POST/api/salesforce/webhook/rotate"),
    ("TestSyncFunction", "apigateway", "Api POST/api/salesforce/test-sync"),
    ("WebhookFunction", "apigateway", "Api POST/webhook/vapi"),
    ("SweepFunction", "events", "SweepFunctionEveryMinute"),
}


def invoker(permission: dict[str, Any]) -> tuple[str, str, str]:
    """Whose function, by which service, and from what of this stack."""
    assert permission.keys() == {"Action", "FunctionName", "Principal", "SourceArn"}
    assert permission["Action"] == "lambda:InvokeFunction"
    match permission["SourceArn"]:
        case {"Fn::Sub": [str(arn), {"__ApiId__": {"Ref": str(api)}, "__Stage__": "*"}]}:
            prefix = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/"
            assert arn.startswith(prefix)
            source = f"{api} {arn.removeprefix(prefix)}"
        case reference:
            source = resource(reference)
    return resource(permission["FunctionName"]), permission["Principal"].removesuffix(".amazonaws.com"), source


def test_a_function_is_invoked_by_its_routes_and_its_schedule_only() -> None:
    permissions = [one["Properties"] for one in deployed().values() if one["Type"] == "AWS::Lambda::Permission"]
    found = [invoker(permission) for permission in permissions]
    assert sorted(found) == sorted(EXPECTED_INVOKERS)


def test_nothing_else_gives_a_right() -> None:
    roles = {f"{function}Role": "AWS::IAM::Role" for function in BINARIES}
    giving = {name: one["Type"] for name, one in deployed().items() if GIVES_RIGHTS.search(one["Type"])}
    assert {name: kind for name, kind in giving.items() if kind != "AWS::Lambda::Permission"} == roles
    # A queue, a topic, a table, a secret or a log group has no policy of its own, in its properties neither.
    own = [
        (name, key)
        for name, one in deployed().items()
        if one["Type"] != "AWS::IAM::Role"
        for key in one.get("Properties", {})
        if "Polic" in key and key != "RedrivePolicy"
    ]
    assert own == []
    # A role is for its function only.
    assert sorted(re.findall(r'"(\w+Role)"', json.dumps(list(deployed().values())))) == sorted(roles)
