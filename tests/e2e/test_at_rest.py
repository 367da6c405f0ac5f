"""Data at rest: no secret is stored in plain text, and no sealed value opens in another row."""

from __future__ import annotations

import pytest

from .support.polling import wait_until
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.secrets import Secrets
from .support.stack import Stack
from .support.workspace import Browser, Workspace

SEALED = ("salesforce_access_token", "salesforce_refresh_token")


def test_a_sealed_value_does_not_open_in_another_workspace(
    stack: Stack, workspace: Workspace, salesforce: Salesforce, secrets: Secrets, number: str
) -> None:
    salesforce.add("Lead", LastName="Guarded", Company="Sample", Phone=number)
    thief = Workspace(stack, secrets)
    thief.connect()
    stolen = workspace.settings_row()
    stack.table("WorkspaceSettingsTable").update_item(
        Key={"workspace_id": thief.id},
        # Every new connection increments the version, so that a worker with a cached one reads this row.
        UpdateExpression=f"SET {SEALED[0]} = :access, {SEALED[1]} = :refresh ADD connection_version :one",
        ExpressionAttributeValues={":access": stolen[SEALED[0]], ":refresh": stolen[SEALED[1]], ":one": 1},
    )
    body = report(number)
    assert thief.post(body).status_code == 200

    def attempted() -> bool:
        row = thief.row(call_id(body))
        return row is not None and row["status"] != "queued" and "lease_owner" not in row

    wait_until(attempted, 20, "the call was attempted")
    assert (thief.row(call_id(body)) or {})["status"] != "success"
    assert salesforce.activities("Task", call_id(body)) == []


@pytest.mark.last
def test_no_table_contains_a_token_in_plain_text(stack: Stack, workspace: Workspace, secrets: Secrets) -> None:
    browser = Browser()
    workspace.allow(browser, workspace.begin_connect(browser))  # a flow in progress
    row = workspace.settings_row()
    assert all(str(row[name]).startswith("v1.") for name in SEALED)
    # Of what was collected, only phone numbers belong in the ledger.
    for output in ("WorkspaceSettingsTable", "SyncLogsTable", "OAuthStatesTable"):
        items = stack.table(output).scan()["Items"]
        assert items
        found = [value for value in secrets.found_in(str(items)) if not value.isdigit()]
        assert found == [], output
