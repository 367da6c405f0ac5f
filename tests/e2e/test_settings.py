"""A workspace's settings through the API: filled in from the org, changed by people, never overwritten unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .support.reports import report
from .support.salesforce import Salesforce
from .support.workspace import Workspace


@pytest.fixture
def british(salesforce: Salesforce) -> Iterator[Salesforce]:
    """The orgs, located in the United Kingdom."""
    salesforce.settings(organizationCountry="United Kingdom", identityTimezone="Europe/London")
    yield salesforce
    salesforce.settings(organizationCountry="US", identityTimezone=None)


def read(workspace: Workspace) -> tuple[dict[str, Any], str]:
    """The settings and their tag."""
    response = workspace.api("GET", "settings")
    assert response.status_code == 200, response.text
    return response.json(), response.headers["ETag"]


def put(workspace: Workspace, settings: dict[str, Any], tag: str | None) -> Any:
    """Replaces the settings."""
    return workspace.api("PUT", "settings", json=settings, headers={"If-Match": tag} if tag else {})


def test_time_zone_and_country_come_from_the_org_unless_they_are_set(british: Salesforce, stranger: Workspace) -> None:
    settings, tag = read(stranger)
    assert (settings["timeZone"], settings["defaultCountry"]) == ("UTC", "US")
    changed = put(stranger, {**settings, "timeZone": "Asia/Tokyo"}, tag)
    assert changed.status_code == 200, changed.text

    stranger.connect()
    settings, connected_tag = read(stranger)
    assert (settings["timeZone"], settings["defaultCountry"]) == ("Asia/Tokyo", "GB")
    assert connected_tag != changed.headers["ETag"]

    british.settings(organizationCountry="Germany")
    stranger.connect()
    assert read(stranger) == (settings, connected_tag)


def test_an_org_without_a_readable_country_can_be_connected(british: Salesforce, stranger: Workspace) -> None:
    british.settings(hiddenObjects=["Organization"])
    try:
        stranger.connect()
    finally:
        british.settings(hiddenObjects=[])
    settings, _ = read(stranger)
    assert (settings["timeZone"], settings["defaultCountry"]) == ("Europe/London", "US")


def test_concurrent_changes_do_not_overwrite_one_another(workspace: Workspace) -> None:
    settings, tag = read(workspace)
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda days: put(workspace, {**settings, "retentionDays": days}, tag), range(31, 35)))
    assert sorted(response.status_code for response in responses) == [200, 412, 412, 412]
    (won,) = (response for response in responses if response.status_code == 200)
    assert read(workspace) == (won.json(), won.headers["ETag"])
    # A reconnect does not change the settings.
    assert workspace.webhook_token
    workspace.connect()
    assert put(workspace, settings, won.headers["ETag"]).status_code == 200
    assert read(workspace) == (settings, tag)


def test_invalid_settings_are_reported_field_by_field(stranger: Workspace) -> None:
    settings, tag = read(stranger)
    invalid = {**settings, "timeZone": "Eastern", "loginUrl": "https://evil.example", "colour": "red"}
    response = put(stranger, invalid, tag)
    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("application/problem+json")
    assert response.json()["code"] == "invalid_settings"
    assert [error["field"] for error in response.json()["errors"]] == ["timeZone", "loginUrl", "colour"]

    unconditional = put(stranger, settings, None)
    assert (unconditional.status_code, unconditional.json()["code"]) == (428, "precondition_required")
    assert read(stranger) == (settings, tag)


def test_changed_settings_apply_to_the_next_call(workspace: Workspace, salesforce: Salesforce, number: str) -> None:
    salesforce.add("Lead", LastName="Ruled", Company="Sample", Phone=number)
    settings, tag = read(workspace)
    assert put(workspace, {**settings, "callTypes": ["outbound"]}, tag).status_code == 200
    row = workspace.log_call(report(number))
    assert (row["status"], row["error_code"]) == ("skipped", "call_type_not_logged")
    assert put(workspace, settings, "*").status_code == 200
    assert workspace.log_call(report(number))["status"] == "success"
