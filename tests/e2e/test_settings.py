"""A workspace's settings through the API: taken from the org, changed by people, and never behind anybody's back."""

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
    """The org is in the United Kingdom, and its people write so."""
    salesforce.settings(organizationCountry="United Kingdom", identityTimezone="Europe/London")
    yield salesforce
    salesforce.settings(organizationCountry="US", identityTimezone=None)


def read(workspace: Workspace) -> tuple[dict[str, Any], str]:
    """The settings and their tag."""
    answer = workspace.api("GET", "settings")
    assert answer.status_code == 200, answer.text
    return answer.json(), answer.headers["ETag"]


def put(workspace: Workspace, settings: dict[str, Any], tag: str | None) -> Any:
    """Sends settings back."""
    return workspace.api("PUT", "settings", json=settings, headers={"If-Match": tag} if tag else {})


def test_zone_and_country_come_from_the_org_unless_somebody_chose_them(
    british: Salesforce, stranger: Workspace
) -> None:
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


def test_an_org_that_does_not_tell_its_country_is_connected(british: Salesforce, stranger: Workspace) -> None:
    british.settings(hiddenObjects=["Organization"])
    try:
        stranger.connect()
    finally:
        british.settings(hiddenObjects=[])
    settings, _ = read(stranger)
    assert (settings["timeZone"], settings["defaultCountry"]) == ("Europe/London", "US")


def test_changes_of_others_are_not_overwritten(workspace: Workspace) -> None:
    settings, tag = read(workspace)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda days: put(workspace, {**settings, "retentionDays": days}, tag), range(31, 35)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    (won,) = (answer for answer in answers if answer.status_code == 200)
    assert read(workspace) == (won.json(), won.headers["ETag"])
    # What a connection changes is no change of the settings.
    assert workspace.webhook_token
    workspace.connect()
    assert put(workspace, settings, won.headers["ETag"]).status_code == 200
    assert read(workspace) == (settings, tag)


def test_settings_that_cannot_be_taken_are_refused_field_by_field(stranger: Workspace) -> None:
    settings, tag = read(stranger)
    bad = {**settings, "timeZone": "Eastern", "loginUrl": "https://evil.example", "colour": "red"}
    answer = put(stranger, bad, tag)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["code"] == "invalid_settings"
    assert [error["field"] for error in answer.json()["errors"]] == ["timeZone", "loginUrl", "colour"]

    unconditional = put(stranger, settings, None)
    assert (unconditional.status_code, unconditional.json()["code"]) == (428, "precondition_required")
    assert read(stranger) == (settings, tag)


def test_a_call_is_handled_by_the_settings_that_are_set(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    salesforce.add("Lead", LastName="Ruled", Company="Sample", Phone=number)
    settings, tag = read(workspace)
    assert put(workspace, {**settings, "callTypes": ["outbound"]}, tag).status_code == 200
    row = workspace.log_call(report(number))
    assert (row["status"], row["error_code"]) == ("skipped", "call_type_not_logged")
    assert put(workspace, settings, "*").status_code == 200
    assert workspace.log_call(report(number))["status"] == "success"
