"""Collects what no log and no table may contain in plain text."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

# What Salesforce's tokens and codes look like. Tests never see the ones that the functions get.
SALESFORCE = re.compile(r"00D[A-Za-z0-9]{12,15}!\S+|5Aep[A-Za-z0-9._]{8,}|aPrx[A-Za-z0-9]{8,}")
MIN_LENGTH = 8


class Secrets:
    """A set of values to look for."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: str) -> str:
        """Adds a value, and returns it."""
        if len(value) >= MIN_LENGTH:
            self._values.add(value)
        return value

    def add_query(self, url: str) -> None:
        """Adds the values of a URL's query: a code, a state."""
        for _, value in parse_qsl(urlsplit(url).query):
            self.add(value)

    def found_in(self, text: str) -> list[str]:
        """The values that occur in a text."""
        return [value for value in self._values if value in text] + SALESFORCE.findall(text)
