"""The Salesforce simulator, as a test steers and reads it."""

from __future__ import annotations

from typing import Any

import requests


class Salesforce:
    """The first of the simulated orgs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def settings(self, **changes: Any) -> None:
        """Changes how the org behaves."""
        self._control("POST", "settings", changes)

    def add(self, kind: str, **fields: Any) -> str:
        """Adds a Lead or Contact that search knows at once; answers with its id."""
        return str(self._control("POST", "records", {"object": kind, "fields": fields, "indexed": True})["id"])

    def activities(self, kind: str, call_id: str) -> list[dict[str, Any]]:
        """The Tasks or Events of a call, by the line that ends every description."""
        records = self._control("GET", "state")["orgs"][0]["records"][kind]
        return [one for one in records if (one["Description"] or "").splitlines()[-1:] == [f"Call {call_id}"]]

    def fault(self, route: str, effect: dict[str, Any], times: int = 1) -> None:
        """Makes the next requests of a kind go wrong."""
        self._control("POST", "faults", {"route": route, "times": times, "effect": effect})

    def grants(self) -> int:
        """How many approvals stand, of all users of all orgs."""
        return sum(self._control("GET", "state")["grants"].values())

    def forget_requests(self) -> None:
        """Starts counting anew."""
        self._control("DELETE", "requests")

    def requests(self) -> dict[str, int]:
        """How many requests of which kind were made."""
        counts: dict[str, int] = self._control("GET", "requests")["counts"]
        return counts

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/_sim/{path}", json=body, timeout=10)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None
