"""Everything that no log and no table may hold in clear, collected as the tests meet it."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

# What Salesforce's tokens and codes look like; tests never see those that the functions get.
SALESFORCE = re.compile(r"00D[A-Za-z0-9]{12,15}!\S+|5Aep[A-Za-z0-9._]{8,}|aPrx[A-Za-z0-9]{8,}")
SHORTEST = 8


class Secrets:
    """A set of values to look for."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: str) -> str:
        """Remembers a value, and hands it on."""
        if len(value) >= SHORTEST:
            self._values.add(value)
        return value

    def add_query(self, url: str) -> None:
        """Remembers what a URL carries: a code, a state."""
        for _, value in parse_qsl(urlsplit(url).query):
            self.add(value)

    def found_in(self, text: str) -> list[str]:
        """Those that stand in a text."""
        return [value for value in self._values if value in text] + SALESFORCE.findall(text)
