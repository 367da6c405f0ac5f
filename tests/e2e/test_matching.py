"""Matching: which record a call is logged on, however its number is formatted, and the decision in the row."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from .support.polling import wait_until
from .support.reports import call_id, report
from .support.salesforce import Salesforce
from .support.secrets import Secrets
from .support.workspace import Workspace

NewNumber = Callable[[], str]

# North American formats; a, b and c are the parts of the number.
AMERICAN = (
    "+1{a}{b}{c}",
    "+1 ({a}) {b}-{c}",
    "({a}) {b}-{c}",
    "{a}-{b}-{c}",
    "{a}.{b}.{c}",
    "{a} {b} {c}",
    "{a}{b}{c}",
    "1{a}{b}{c}",
    "1-{a}-{b}-{c}",
    "+1 {a} {b} {c} x123",
    "({a}) {b}-{c} ext. 5",
    "tel:+1-{a}-{b}-{c}",
    "00 1 {a} {b} {c}",
    "{a}/{b}-{c} (mobile)",
)
# British formats. 020 7946 0000 to 0999 are reserved for drama.
BRITISH = (
    "020 7946 {}",
    "(020) 7946 {}",
    "02079460{}",
    "+44 20 7946 {}",
    "+44 (0)20 7946 {}",
    "0044 20 7946 {}",
    "+44.20.7946.{} x9",
)
PHONE_FIELDS = (
    *(("Lead", field) for field in ("Phone", "MobilePhone")),
    *(("Contact", field) for field in ("Phone", "MobilePhone", "HomePhone", "OtherPhone", "AssistantPhone")),
)


def add(salesforce: Salesforce, kind: str, **fields: Any) -> str:
    """Adds a Lead or Contact."""
    company = {"Company": "Sample"} if kind == "Lead" else {}
    return salesforce.add(kind, **{"LastName": "Matched", **company, **fields})


def written(form: str, number: str) -> str:
    """A North American number in one of the formats."""
    return form.format(a=number[2:5], b=number[5:8], c=number[8:])


def log_all(workspace: Workspace, numbers: list[str]) -> list[dict[str, Any]]:
    """Posts a call from each number, all at the same time. Returns their rows."""
    bodies = [report(number) for number in numbers]
    workspace.report_concurrently(bodies)
    return [workspace.settled(call_id(body)) for body in bodies]


def test_a_number_is_found_in_any_format_and_field(
    workspace: Workspace, salesforce: Salesforce, new_number: NewNumber
) -> None:
    stored = []
    for form, (kind, field) in zip(AMERICAN, itertools.cycle(PHONE_FIELDS), strict=False):
        number = new_number()
        stored.append((number, kind, field, add(salesforce, kind, **{field: written(form, number)})))
    rows = log_all(workspace, [number for number, *_ in stored])
    for form, row, (_, kind, field, record) in zip(AMERICAN, rows, stored, strict=True):
        assert (row["status"], row.get("salesforce_record_id")) == ("success", record), form
        (candidate,) = row["decision"]["candidates"]
        exactness = "exact" if form.startswith(("+1", "1", "00", "tel:")) else "national"
        assert candidate == {
            "id": record,
            "recordType": kind,
            "name": "Matched",
            "field": field,
            "exactness": exactness,
        }, form
        (task,) = salesforce.activities("Task", row["call_id"])
        assert task["WhoId"] == record


def test_a_national_number_is_found_by_the_workspaces_country(
    workspace: Workspace, salesforce: Salesforce, secrets: Secrets
) -> None:
    workspace.change_settings(defaultCountry="GB")
    lines = [f"0{100 + place}" for place in range(len(BRITISH))]
    for line in lines:
        secrets.add(f"207946{line}")
    forms = [
        form.format(line.removeprefix("0") if "60{}" in form else line)
        for form, line in zip(BRITISH, lines, strict=True)
    ]
    records = [add(salesforce, "Contact", Phone=form) for form in forms]
    rows = log_all(workspace, [f"+44207946{line}" for line in lines])
    assert [(row["status"], row.get("salesforce_record_id")) for row in rows] == [
        ("success", record) for record in records
    ]


def test_a_similar_number_does_not_match(workspace: Workspace, salesforce: Salesforce, new_number: NewNumber) -> None:
    near = ("+1{a}{b}{c}9", "9{a}{b}{c}", "{a}-{b}-{c}0", "+44 {a} {b} {c}", "{b}-{c}", "({a}) {b}-{c}")
    numbers = [new_number() for _ in near]
    for form, number in zip(near, numbers, strict=True):
        # The last one is the caller's number, but in the fax field.
        add(salesforce, "Lead", **{"Fax" if form == near[-1] else "Phone": written(form, number)})
    for form, row in zip(near, log_all(workspace, numbers), strict=True):
        assert (row["status"], row["decision"]["rule"]) == ("not_found", "no_candidate"), form
        assert row["decision"]["candidates"] == [], form


@pytest.mark.parametrize(
    ("multiple_matches", "rule", "order"),
    [
        ("most_recent", "most_recent", ("late", "early", "contact")),
        ("first_created", "first_created", ("early", "late", "contact")),
        ("skip", "skip_multiple", ("late", "early", "contact")),
    ],
)
def test_the_settings_choose_between_two_leads_with_the_same_number(
    workspace: Workspace,
    salesforce: Salesforce,
    number: str,
    multiple_matches: str,
    rule: str,
    order: tuple[str, ...],
) -> None:
    def dates(day: str) -> dict[str, str]:
        return dict.fromkeys(("CreatedDate", "LastModifiedDate"), f"{day}T12:00:00.000+0000")

    ids = {
        "early": add(salesforce, "Lead", LastName="Early", Phone=number, **dates("2026-01-01")),
        "late": add(salesforce, "Lead", LastName="Late", MobilePhone=number, **dates("2026-02-01")),
        "contact": add(salesforce, "Contact", LastName="Contact", Phone=number),
    }
    workspace.change_settings(multipleMatches=multiple_matches)
    row = workspace.log_call(report(number))
    decision = row["decision"]
    assert decision["rule"] == rule
    assert [candidate["id"] for candidate in decision["candidates"]] == [ids[name] for name in order]
    assert {candidate["name"]: candidate["field"] for candidate in decision["candidates"]} == {
        "Early": "Phone",
        "Late": "MobilePhone",
        "Contact": "Phone",
    }
    if rule == "skip_multiple":
        assert (row["status"], row["error_code"]) == ("skipped", "multiple_matches")
        assert decision.get("chosen") is None
    else:
        assert (row["status"], row["salesforce_record_id"]) == ("success", ids[order[0]])
        assert decision["chosen"] == {"recordType": "Lead", "id": ids[order[0]]}
    items = workspace.api("GET", "sync-logs").json()["items"]
    (item,) = [item for item in items if item["callId"] == row["call_id"]]
    assert item["decision"] == {"chosen": None, **decision, "candidateCount": 3}


@pytest.mark.parametrize(("order", "winner"), [(["Lead", "Contact"], "Lead"), (["Contact", "Lead"], "Contact")])
def test_the_match_order_chooses_between_a_lead_and_a_contact(
    workspace: Workspace, salesforce: Salesforce, number: str, order: list[str], winner: str
) -> None:
    records = {kind: add(salesforce, kind, Phone=number) for kind in ("Contact", "Lead")}
    workspace.change_settings(matchOrder=order)
    row = workspace.log_call(report(number))
    assert (row["salesforce_record_type"], row["salesforce_record_id"]) == (winner, records[winner])
    assert row["decision"]["rule"] == "match_order"


def test_a_contact_is_chosen_over_the_lead_that_it_was_converted_from(
    workspace: Workspace, salesforce: Salesforce, number: str
) -> None:
    contact = salesforce.convert(add(salesforce, "Lead", Phone=number))
    row = workspace.log_call(report(number))
    assert (row["status"], row["salesforce_record_id"]) == ("success", contact)
    assert row["decision"]["rule"] == "only_candidate"


def test_a_call_follows_a_lead_that_is_converted_between_search_and_write(
    workspace: Workspace, faults: Salesforce, number: str
) -> None:
    lead = add(faults, "Lead", Phone=number)
    body = report(number)
    _ = workspace.webhook_token
    faults.clear_requests()
    faults.fault("composite", {"kind": "delay", "milliseconds": 3000})
    workspace.report(body)
    wait_until(lambda: faults.requests().get("composite"), 20, "the write has begun")
    contact = faults.convert(lead)
    row = workspace.settled(call_id(body))
    assert (row["status"], row["salesforce_record_id"], row["decision"]["rule"]) == ("success", contact, "converted")
    (task,) = faults.activities("Task", call_id(body))
    assert task["WhoId"] == contact
