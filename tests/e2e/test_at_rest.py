"""What lies in the tables: nothing secret in clear, and nothing that opens elsewhere."""

from __future__ import annotations

import pytest

from .support.polling import wait_until
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.secrets import Secrets
from .support.stack import Stack
from .support.workspace import Browser, Workspace

SEALED = ("salesforce_access_token", "salesforce_refresh_token")


def test_a_sealed_value_that_is_moved_to_another_workspace_does_not_open(
    stack: Stack, workspace: Workspace, salesforce: Salesforce, secrets: Secrets, number: str
) -> None:
    salesforce.add("Lead", LastName="Guarded", Company="Sample", Phone=number)
    thief = Workspace(stack, secrets)
    thief.connect()
    stolen = workspace.settings_row()
    stack.table("WorkspaceSettingsTable").update_item(
        Key={"workspace_id": thief.id},
        # The version rises with every new connection: a worker that knows the one before reads this one.
        UpdateExpression=f"SET {SEALED[0]} = :access, {SEALED[1]} = :refresh ADD connection_version :one",
        ExpressionAttributeValues={":access": stolen[SEALED[0]], ":refresh": stolen[SEALED[1]], ":one": 1},
    )
    body = report(number)
    assert thief.post(body).status_code == 200

    def tried() -> bool:
        row = thief.row(call_id(body))
        return row is not None and row["status"] != "queued" and "lease_owner" not in row

    wait_until(tried, 20, "the call was tried")
    assert (thief.row(call_id(body)) or {})["status"] != "success"
    assert salesforce.activities("Task", call_id(body)) == []


@pytest.mark.last
def test_the_tables_hold_no_token_in_clear(stack: Stack, workspace: Workspace, secrets: Secrets) -> None:
    browser = Browser()
    workspace.allow(browser, workspace.begin_connect(browser))  # a flow under way
    row = workspace.settings_row()
    assert all(str(row[name]).startswith("v1.") for name in SEALED)
    # A phone number belongs into the ledger; everything else that was collected does not.
    for output in ("WorkspaceSettingsTable", "SyncLogsTable", "OAuthStatesTable"):
        items = stack.table(output).scan()["Items"]
        assert items
        found = [value for value in secrets.found_in(str(items)) if not value.isdigit()]
        assert found == [], output
