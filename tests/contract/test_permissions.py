"""Who may do what: the roles and permissions of the deployed template.

They are read from what SAM makes of `template.yaml`, so that whatever an event, a connector or a setting adds is seen.
That a function needs all it may do is shown by its release artefact (tests/e2e/test_release.py); that it may do all it
needs, by the emulator, which enforces these policies in every end-to-end test.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from boto3 import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.stack import template
from local.stack.settings import REGION, ROOT

from .test_operations import quoted, rows, section

BINARIES = template.binaries(template.load())
SECURITY = (ROOT / "docs/security.md").read_text()

Grant = tuple[str, str]
"""An action and its target: a table, one of its indexes (`SyncLogsTable/index/by_time`), a queue or a secret."""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def target(reference: Any) -> str:
    """The resource of this template that a policy or a permission refers to."""
    match reference:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Arn" | "Id"]}:
            return name
        case {"Fn::Sub": str(name)}:
            return re.sub(r"^\$\{(\w+)\.Arn\}", r"\1", name)
    raise AssertionError(f"{reference} is not a resource of this template")


@cache
def deployed() -> dict[str, dict[str, Any]]:
    """The resources after SAM's transform."""
    source = template.load()
    source["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"  # where `sam deploy` would have put it
    translator = Translator(None, Parser(), boto_session=Session(region_name=REGION))
    found: dict[str, dict[str, Any]] = translator.translate(source, {})["Resources"]
    return found


def role(function: str) -> dict[str, Any]:
    name, what = deployed()[function]["Properties"]["Role"]["Fn::GetAtt"]
    assert (name, what) == (f"{function}Role", "Arn")
    found: dict[str, Any] = deployed()[name]["Properties"]
    return found


def granted(function: str) -> list[Grant]:
    """What the policies of a function's role allow."""
    statements = [one for policy in role(function).get("Policies", ()) for one in policy["PolicyDocument"]["Statement"]]
    assert all(statement.keys() == {"Effect", "Action", "Resource"} for statement in statements)
    assert {statement["Effect"] for statement in statements} <= {"Allow"}
    return [
        (action, target(reference))
        for statement in statements
        for action in as_list(statement["Action"])
        for reference in as_list(statement["Resource"])
    ]


@pytest.mark.parametrize("function", BINARIES)
def test_a_policy_names_each_action_and_resource_once(function: str) -> None:
    grants = granted(function)
    assert len(grants) == len(set(grants)) > 0
    assert not [grant for grant in grants if "*" in "".join(grant)]


def test_the_documented_permissions_are_those_of_the_roles() -> None:
    documented = {}
    for name, _, may in rows(section(SECURITY, "## Who may do what"), "function"):
        grants = [grant.split(": ") for grant in may.split("; ")]
        documented[quoted(name)[0]] = {
            (action, quoted(on)[0]) for on, actions in grants for action in actions.split(", ")
        }
    assert documented == {
        binary: {(action.split(":")[1], on) for action, on in granted(function)}
        for function, binary in BINARIES.items()
    }


AWS_MANAGED = "arn:aws:iam::aws:policy"
LOGS = f"{AWS_MANAGED}/service-role/AWSLambdaBasicExecutionRole"
TRACES = f"{AWS_MANAGED}/AWSXrayWriteOnlyAccess"
NETWORK = f"{AWS_MANAGED}/service-role/AWSLambdaVPCAccessExecutionRole"
IN_A_VPC = {"OauthCallbackFunction", "DisconnectFunction", "SyncFunction", "TestSyncFunction", "SweepFunction"}


@pytest.mark.parametrize("function", BINARIES)
def test_only_lambda_assumes_a_role_and_aws_adds_logs_traces_and_network_only(function: str) -> None:
    network = [NETWORK] if function in IN_A_VPC else []
    assert sorted(role(function)["ManagedPolicyArns"]) == sorted([LOGS, TRACES, *network])
    (trust,) = role(function)["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": ["lambda.amazonaws.com"]},
    }
    assert role(function).keys() <= {"AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies", "Tags"}


GRANTING = re.compile(r"^AWS::IAM::|Polic|Permission")
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
    """The function, and which service may invoke it from what in this stack."""
    assert permission.keys() == {"Action", "FunctionName", "Principal", "SourceArn"}
    assert permission["Action"] == "lambda:InvokeFunction"
    match permission["SourceArn"]:
        case {"Fn::Sub": [str(arn), {"__ApiId__": {"Ref": str(api)}, "__Stage__": "*"}]}:
            prefix = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/"
            assert arn.startswith(prefix)
            source = f"{api} {arn.removeprefix(prefix)}"
        case reference:
            source = target(reference)
    return target(permission["FunctionName"]), permission["Principal"].removesuffix(".amazonaws.com"), source


def test_a_function_is_invoked_by_its_routes_and_its_schedule_only() -> None:
    permissions = [one["Properties"] for one in deployed().values() if one["Type"] == "AWS::Lambda::Permission"]
    found = [invoker(permission) for permission in permissions]
    assert sorted(found) == sorted(EXPECTED_INVOKERS)


def test_nothing_else_grants_anything() -> None:
    roles = {f"{function}Role": "AWS::IAM::Role" for function in BINARIES}
    granting = {name: one["Type"] for name, one in deployed().items() if GRANTING.search(one["Type"])}
    assert {name: kind for name, kind in granting.items() if kind != "AWS::Lambda::Permission"} == roles
    # No queue, topic, table, secret or log group has a policy of its own, not even as a property.
    own = [
        (name, key)
        for name, one in deployed().items()
        if one["Type"] != "AWS::IAM::Role"
        for key in one.get("Properties", {})
        if "Polic" in key and key != "RedrivePolicy"
    ]
    assert own == []
    # A role belongs to its function only.
    assert sorted(re.findall(r'"(\w+Role)"', json.dumps(list(deployed().values())))) == sorted(roles)
