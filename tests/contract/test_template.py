"""The template against the contract: what neither the linter nor a running stack would catch."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from local.stack import emulator, template
from local.stack.settings import ROOT

TEMPLATE = template.load()
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
FUNCTIONS = {name: RESOURCES[name]["Properties"] for name in template.binaries(TEMPLATE)}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in RESOURCES.items() if one["Type"] == kind}


def test_only_the_callback_and_the_webhook_are_open_to_anybody() -> None:
    events = [event for properties in FUNCTIONS.values() for event in properties.get("Events", {}).values()]
    routes = [event["Properties"] for event in events if event["Type"] == "HttpApi"]
    open_routes = {route["Path"] for route in routes if route.get("Auth", {}).get("Authorizer") == "NONE"}
    assert open_routes == {"/api/salesforce/oauth/callback", "/webhook/vapi"}
    assert RESOURCES["Api"]["Properties"]["Auth"]["DefaultAuthorizer"] == "Dashboard"


def test_the_binary_is_named_after_its_folder() -> None:
    for function, binary in template.binaries(TEMPLATE).items():
        assert function == "".join(part.capitalize() for part in binary.split("-")) + "Function"
        assert (ROOT / "functions" / binary / "Cargo.toml").is_file()


@pytest.mark.parametrize(
    ("kind", "count"), [("AWS::DynamoDB::Table", 3), ("AWS::SecretsManager::Secret", 2), ("AWS::SQS::Queue", 2)]
)
def test_what_holds_data_outlives_the_stack_and_its_own_replacement(kind: str, count: int) -> None:
    resources = of_type(kind)
    assert len(resources) == count
    for resource in resources.values():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_tables_are_protected() -> None:
    tables = of_type("AWS::DynamoDB::Table")
    # A connect flow lasts for ten minutes; nothing is lost with its table.
    protected = {name for name, table in tables.items() if table["Properties"].get("DeletionProtectionEnabled")}
    assert protected == set(tables) - {"OAuthStatesTable"}
    for table in tables.values():
        properties = table["Properties"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert properties["SSESpecification"] == {"SSEEnabled": True}


def test_queues_are_encrypted() -> None:
    # The security scanner does not know this property.
    assert all(queue["Properties"]["SqsManagedSseEnabled"] is True for queue in of_type("AWS::SQS::Queue").values())


def test_no_index_contains_what_was_said_in_a_call() -> None:
    for index in RESOURCES["SyncLogsTable"]["Properties"]["GlobalSecondaryIndexes"]:
        assert index["Projection"]["ProjectionType"] in {"KEYS_ONLY", "INCLUDE"}
        assert "call" not in index["Projection"].get("NonKeyAttributes", [])


def test_access_logs_keep_no_path_and_no_query() -> None:
    text = RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in text
    assert not [word for word in ("path", "query", "identity", "authorizer") if word in text]


def test_each_function_has_its_own_log_group_and_all_have_the_retention_parameter() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    used = [properties["LoggingConfig"]["LogGroup"]["Ref"] for properties in FUNCTIONS.values()]
    used += [RESOURCES["Api"]["Properties"]["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]]
    assert sorted(used) == sorted(groups)
    assert all(group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_functions_that_use_salesforces_token_endpoint_can_have_fixed_addresses() -> None:
    # Each with a Salesforce client exchanges, refreshes or revokes tokens.
    use_it = {
        function
        for function, binary in template.binaries(TEMPLATE).items()
        if re.search(
            r"\bwiring\.(salesforce|worker)\(\)", (ROOT / "functions" / binary / "src" / "main.rs").read_text()
        )
    }
    assert use_it == {function for function, properties in FUNCTIONS.items() if "VpcConfig" in properties}
    for function in use_it:
        condition, network, none = FUNCTIONS[function]["VpcConfig"]["Fn::If"]
        assert (condition, none) == ("HasVpc", {"Ref": "AWS::NoValue"})
        assert network == {
            "SubnetIds": {"Ref": "VpcSubnetIds"},
            "SecurityGroupIds": {"Ref": "VpcSecurityGroupIds"},
        }


def test_the_domain_is_created_only_for_a_certificate() -> None:
    conditional = {name for name, one in RESOURCES.items() if one.get("Condition") == "HasCertificate"}
    assert conditional == {*of_type("AWS::ApiGatewayV2::DomainName"), *of_type("AWS::ApiGatewayV2::ApiMapping")}
    shown = {name for name, one in TEMPLATE["Outputs"].items() if one.get("Condition") == "HasCertificate"}
    assert shown == {"DomainTarget", "DomainTargetHostedZoneId"}
    (configuration,) = RESOURCES["ApiDomain"]["Properties"]["DomainNameConfigurations"]
    assert configuration == {
        "CertificateArn": {"Ref": "CertificateArn"},
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }
    assert RESOURCES["ApiDomainMapping"]["Properties"] == {
        "DomainName": {"Ref": "ApiDomain"},
        "ApiId": {"Ref": "Api"},
        "Stage": {"Ref": "Api.Stage"},
    }


def test_parameters_and_outputs_are_those_of_the_contract() -> None:
    assert set(PARAMETERS) == {
        *("SalesforceClientId", "SalesforceClientSecret", "SalesforceLoginUrl", "SalesforceSettleSeconds"),
        *("DashboardUrl", "PublicBaseUrl", "JwtIssuer", "JwtAudience", "WorkspaceClaim", "AdminClaim", "AdminValue"),
        *("AlertEmail", "Architecture", "SyncMaximumConcurrency", "WorkspaceSharePercent", "LogRetentionDays"),
        *("VpcSubnetIds", "VpcSecurityGroupIds"),
        # The certificate of the optional custom domain (docs/contract.md#parameters-and-outputs).
        "CertificateArn",
    }
    assert set(TEMPLATE["Outputs"]) == {
        *("ApiUrl", "CallbackUrl", "WebhookUrl", "CallQueueUrl", "DeadLetterQueueUrl"),
        *("WorkspaceSettingsTable", "SyncLogsTable", "OAuthStatesTable"),
        # What the DNS record of that domain needs.
        *("DomainTarget", "DomainTargetHostedZoneId"),
    }


def test_each_parameter_is_described_and_grouped() -> None:
    assert all(parameter["Description"] for parameter in PARAMETERS.values())
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/7c0ffee7-0000-4000-8000-123456789abc"
REQUIRED = {
    "SalesforceClientId": "3MVG9.consumer_key",
    "SalesforceClientSecret": "secret",
    "DashboardUrl": "https://app.example.com",
    "JwtIssuer": "https://login.example.com/",
    "JwtAudience": "ringlog",
}
ACCEPTED: list[dict[str, str]] = [
    {},
    {"SalesforceLoginUrl": "https://test.salesforce.com"},
    {"SalesforceLoginUrl": "https://acme--uat.sandbox.my.salesforce.com"},
    {"SalesforceLoginUrl": "http://localhost:8081"},
    {"AdminClaim": "roles", "AdminValue": "admin"},
    {"PublicBaseUrl": "https://api.example.com"},
    {"PublicBaseUrl": "http://localhost:8080"},
    {"PublicBaseUrl": "https://api.example.com", "CertificateArn": CERTIFICATE},
    {"PublicBaseUrl": "https://api.example.com", "CertificateArn": CERTIFICATE.replace("arn:aws:", "arn:aws-us-gov:")},
    {"VpcSubnetIds": "subnet-0a1b2c3d", "VpcSecurityGroupIds": "sg-0a1b2c3d"},
    {"VpcSubnetIds": "subnet-0a1b2c3d, subnet-4e5f6071", "VpcSecurityGroupIds": "sg-0a1b2c3d"},
    {"AlertEmail": "on-call@example.com"},
    {"Architecture": "x86_64"},
]
REFUSED: list[tuple[dict[str, str], str]] = [
    ({"SalesforceClientId": ""}, "must not be empty"),
    ({"SalesforceClientSecret": "secret "}, "or contain spaces"),
    ({"SalesforceLoginUrl": "https://login.salesforce.com.example.com"}, "must be https://login.salesforce.com"),
    ({"SalesforceLoginUrl": "http://acme.my.salesforce.com"}, "must be https://login.salesforce.com"),
    ({"SalesforceSettleSeconds": "0"}, "not less than 1"),
    ({"DashboardUrl": "https://app.example.com/"}, "must be a bare origin"),
    ({"DashboardUrl": "http://app.example.com"}, "must be a bare origin"),
    ({"DashboardUrl": "*"}, "must be a bare origin"),
    ({"JwtIssuer": "http://login.example.com"}, "must be the https URL"),
    ({"JwtAudience": ""}, "at least 1"),
    ({"AdminClaim": "roles"}, "AdminClaim and AdminValue go together"),
    ({"AdminValue": "admin"}, "AdminClaim and AdminValue go together"),
    ({"AdminClaim": "roles", "AdminValue": "read only admin"}, "must not contain spaces"),
    ({"PublicBaseUrl": "https://api.example.com/v1"}, "must be empty or a bare origin"),
    ({"PublicBaseUrl": "http://api.example.com"}, "must be empty or a bare origin"),
    # API Gateway's domains have no port.
    ({"PublicBaseUrl": "https://api.example.com:8443"}, "must be empty or a bare origin"),
    ({"CertificateArn": CERTIFICATE}, "CertificateArn needs PublicBaseUrl"),
    (
        {
            "PublicBaseUrl": "https://api.example.com",
            "CertificateArn": "arn:aws:iam::123456789012:server-certificate/api",
        },
        "must be empty or the ARN of a certificate in ACM",
    ),
    ({"VpcSubnetIds": "subnet-0a1b2c3d"}, "VpcSubnetIds and VpcSecurityGroupIds go together"),
    ({"VpcSecurityGroupIds": "sg-0a1b2c3d"}, "VpcSubnetIds and VpcSecurityGroupIds go together"),
    ({"VpcSubnetIds": "sg-0a1b2c3d", "VpcSecurityGroupIds": "sg-0a1b2c3d"}, "must be empty or ids of subnets"),
    ({"VpcSubnetIds": "subnet-0a1b2c3d", "VpcSecurityGroupIds": "default"}, "must be empty or ids of security groups"),
    ({"AlertEmail": "on-call"}, "must be empty or an e-mail address"),
    ({"LogRetentionDays": "10"}, "not in AllowedValues"),
    ({"SyncMaximumConcurrency": "1"}, "not less than 2"),
    ({"WorkspaceSharePercent": "0"}, "not less than 1"),
    ({"Architecture": "arm"}, "not in AllowedValues"),
]


@dataclass(frozen=True)
class Verdict:
    """What CloudFormation makes of a set of parameters."""

    refusal: str
    """Empty if it accepts them."""
    has_certificate: bool
    domain: str


# Reads a template and sets of parameters; prints what the emulator's CloudFormation engine makes of each.
JUDGE = """
import json, sys
from ministack.services.cloudformation import engine

def judge(template, given):
    listed = [{"Key": name, "Value": value} for name, value in given.items()]
    try:
        parameters = engine._resolve_parameters(template, listed)
        conditions = engine._evaluate_conditions(template, parameters)
        engine._evaluate_rules(template, parameters, conditions)
    except ValueError as refusal:
        return {"refusal": str(refusal), "has_certificate": False, "domain": ""}
    name = template["Resources"]["ApiDomain"]["Properties"]["DomainName"]
    domain = engine._resolve_refs(name, {}, parameters, conditions, {}, "ringlog", "id")
    return {"refusal": "", "has_certificate": conditions["HasCertificate"], "domain": domain}

template, sets = json.load(sys.stdin)
json.dump([judge(template, given) for given in sets], sys.stdout)
"""


@cache
def environments() -> dict[str, dict[str, Any]]:
    """The environments of `samconfig.toml`."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    return {name: one for name, one in config.items() if name != "version"}


def overrides(environment: str) -> dict[str, str]:
    """The parameters that an environment of `samconfig.toml` sets."""
    lines = environments()[environment]["deploy"]["parameters"].get("parameter_overrides", [])
    return dict(line.split("=", 1) for line in lines)


@cache
def verdicts() -> list[tuple[dict[str, str], Verdict]]:
    """The verdicts on all sets of parameters in this file, in one go: the engine takes a while to start."""
    sets = [*ACCEPTED, *(given for given, _ in REFUSED), *map(overrides, environments())]
    answer = subprocess.run(
        [emulator.PYTHON, "-c", JUDGE],
        input=json.dumps([TEMPLATE, [REQUIRED | given for given in sets]]),
        capture_output=True,
        text=True,
        check=True,
    )
    return [(given, Verdict(**one)) for given, one in zip(sets, json.loads(answer.stdout), strict=True)]


def verdict(given: dict[str, str]) -> Verdict:
    return next(one for asked, one in verdicts() if asked == given)


@pytest.mark.parametrize("given", ACCEPTED, ids=str)
def test_valid_parameters_are_accepted(given: dict[str, str]) -> None:
    assert verdict(given).refusal == ""


@pytest.mark.parametrize(("given", "reason"), REFUSED, ids=str)
def test_invalid_parameters_are_refused_before_anything_is_created(given: dict[str, str], reason: str) -> None:
    assert reason in verdict(given).refusal


def test_the_domain_is_that_of_the_public_base_url() -> None:
    address = {"PublicBaseUrl": "https://api.example.com"}
    with_certificate = verdict(address | {"CertificateArn": CERTIFICATE})
    assert (with_certificate.has_certificate, with_certificate.domain) == (True, "api.example.com")
    assert not verdict(address).has_certificate
    # A missing address must not stop a deployment without a domain.
    assert verdict({}).domain == ""


@pytest.mark.parametrize("environment", environments())
def test_an_environment_of_samconfig_can_be_deployed_and_holds_no_secret(environment: str) -> None:
    chosen = overrides(environment)
    assert set(chosen) <= set(PARAMETERS)
    assert not [name for name in chosen if PARAMETERS[name].get("NoEcho")]
    assert verdict(chosen).refusal == ""


def test_environments_do_not_share_a_stack() -> None:
    names = [one["global"]["parameters"]["stack_name"] for one in environments().values()]
    assert len(names) == len(set(names)) >= 3


def test_the_error_rate_of_sync_counts_a_crash_as_a_whole_batch() -> None:
    (rate,) = [one for one in RESOURCES["SyncErrorAlarm"]["Properties"]["Metrics"] if "Expression" in one]
    batch = RESOURCES["SyncCallQueueMapping"]["Properties"]["BatchSize"]
    assert rate["Expression"].count(f"{batch} * FILL(crashed, 0)") == 2


def test_a_search_of_the_dashboard_quotes_our_namespace() -> None:
    # CloudWatch, "search expression syntax": a namespace with anything but letters and digits is quoted.
    body = json.loads(RESOURCES["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"].replace("${AWS::Region}", "r"))
    metrics = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
    searches = [
        one["expression"] for metric in metrics for one in metric if isinstance(one, dict) and "expression" in one
    ]
    assert len(searches) == 3
    assert all(one.startswith('SEARCH(\'{"Ringlog/${AWS::StackName}",') for one in searches)
