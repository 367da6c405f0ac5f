"""The template against the contract: what neither the linter nor a running stack would notice."""

from __future__ import annotations

from typing import Any

import pytest

from local.stack import template
from local.stack.settings import ROOT

TEMPLATE = template.load()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
FUNCTIONS = {name: RESOURCES[name]["Properties"] for name in template.binaries(TEMPLATE)}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in RESOURCES.items() if one["Type"] == kind}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(function: str) -> list[dict[str, Any]]:
    return [one for policy in FUNCTIONS[function]["Policies"] for one in policy["Statement"]]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_policy_names_actions_and_resources_one_by_one(function: str) -> None:
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        assert all("*" not in action for action in as_list(statement["Action"]))
        for resource in as_list(statement["Resource"]):
            # A reference to a resource of this template, or to one index of a table.
            (how,) = resource
            target = resource[how]
            assert how in {"Fn::GetAtt", "Fn::Sub"}
            assert "*" not in str(target)


def test_no_action_is_allowed_twice() -> None:
    for function in FUNCTIONS:
        pairs = [
            (action, str(resource))
            for statement in statements(function)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]
        assert len(pairs) == len(set(pairs)), function


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


def test_a_message_stays_hidden_for_six_times_as_long_as_the_worker_may_take() -> None:
    assert RESOURCES["CallQueue"]["Properties"]["VisibilityTimeout"] >= 6 * FUNCTIONS["SyncFunction"]["Timeout"]


def test_tables_survive_the_stack_and_are_protected() -> None:
    tables = of_type("AWS::DynamoDB::Table")
    assert len(tables) == 3
    for table in tables.values():
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
        properties = table["Properties"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert properties["SSESpecification"] == {"SSEEnabled": True}


def test_no_index_carries_what_was_said_in_a_call() -> None:
    for index in RESOURCES["SyncLogsTable"]["Properties"]["GlobalSecondaryIndexes"]:
        assert index["Projection"]["ProjectionType"] in {"KEYS_ONLY", "INCLUDE"}
        assert "call" not in index["Projection"].get("NonKeyAttributes", [])


def test_access_logs_keep_no_path_and_no_query() -> None:
    text = RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in text
    assert not [word for word in ("path", "query", "identity", "authorizer") if word in text]


def test_parameters_and_outputs_are_those_of_the_contract() -> None:
    assert set(TEMPLATE["Parameters"]) == {
        *("SalesforceClientId", "SalesforceClientSecret", "SalesforceLoginUrl", "SalesforceSettleSeconds"),
        *("DashboardUrl", "PublicBaseUrl", "JwtIssuer", "JwtAudience", "WorkspaceClaim", "AdminClaim", "AdminValue"),
        *("AlertEmail", "Architecture", "SyncMaximumConcurrency", "LogRetentionDays"),
        *("VpcSubnetIds", "VpcSecurityGroupIds"),
    }
    assert set(TEMPLATE["Outputs"]) == {
        *("ApiUrl", "CallbackUrl", "WebhookUrl", "CallQueueUrl", "DeadLetterQueueUrl"),
        *("WorkspaceSettingsTable", "SyncLogsTable", "OAuthStatesTable"),
    }
