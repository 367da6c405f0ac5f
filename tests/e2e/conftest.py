"""Fixtures of the end-to-end tests: one stack for all of them, and a workspace and a phone number for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from local import browser as chromium

from .support.salesforce import Salesforce
from .support.secrets import Secrets
from .support.stack import Program, Stack, is_listening
from .support.workspace import Workspace

# 555-0100 to 555-0199 are reserved for examples. The simulator's own people have numbers below 0161.
NUMBERS = iter(f"+1{area}55501{line:02}" for area in (234, 212, 213, 214, 215) for line in range(61, 100))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the tests last that look at what the others have left behind."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The deployed template with everything around it. Checks that nothing is left running afterwards."""
    program, stack = Program.on_free_ports()
    try:
        yield stack
    finally:
        code = program.stop()
    assert code == 0
    addresses = (stack.public_url, stack.emulator_url, stack.simulator_url, stack.issuer_url)
    assert [url for url in addresses if is_listening(url)] == []


@pytest.fixture(scope="session")
def salesforce(stack: Stack) -> Salesforce:
    """The simulated orgs, where one user may connect as often as the tests do."""
    org = Salesforce(stack.simulator_url)
    org.settings(maxApprovals=1000)
    return org


@pytest.fixture(scope="session")
def secrets(stack: Stack) -> Secrets:
    """What no log may contain. The tests add to it."""
    collected = Secrets()
    keys = stack.client("secretsmanager").get_secret_value(SecretId=stack.resources["KeysSecret"])
    collected.add(json.loads(keys["SecretString"])["initial"])
    collected.add(stack.client_secret)
    collected.add(stack.token)
    return collected


@pytest.fixture
def faults(salesforce: Salesforce) -> Iterator[Salesforce]:
    """The simulated orgs, for adding faults, which are cleared afterwards."""
    yield salesforce
    salesforce.clear_faults()


@pytest.fixture
def new_number(secrets: Secrets) -> Callable[[], str]:
    """Returns a new phone number, which no record has, each time it is called."""

    def draw() -> str:
        number = next(NUMBERS)
        secrets.add(number.removeprefix("+1"))
        return number

    return draw


@pytest.fixture
def number(new_number: Callable[[], str]) -> str:
    """A phone number that no record has."""
    return new_number()


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """A browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def stranger(stack: Stack, secrets: Secrets) -> Workspace:
    """A workspace that is not connected."""
    return Workspace(stack, secrets)


@pytest.fixture
def workspace(stack: Stack, salesforce: Salesforce, secrets: Secrets) -> Workspace:  # noqa: ARG001
    """A connected workspace."""
    connected = Workspace(stack, secrets)
    connected.connect()
    return connected
