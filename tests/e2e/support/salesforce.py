"""A client for the Salesforce simulator's control routes."""

from __future__ import annotations

from typing import Any

import requests


class Salesforce:
    """The simulated orgs. Methods refer to the first one, unless they are given another."""

    def __init__(self, url: str) -> None:
        self.url = url

    def settings(self, **changes: Any) -> None:
        """Changes how the orgs behave."""
        self._control("POST", "settings", changes)

    def add(self, kind: str, *, org: int = 1, **fields: Any) -> str:
        """Adds a Lead or Contact that search knows at once. Returns its id."""
        record = {"object": kind, "fields": fields, "indexed": True, "org": org}
        return str(self._control("POST", "records", record)["id"])

    def people(self, kind: str, field: str, value: str) -> list[dict[str, Any]]:
        """The Leads or Contacts that have a value in a field."""
        people: list[dict[str, Any]] = self._org(1)["records"][kind]
        return [person for person in people if person[field] == value]

    def convert(self, lead: str) -> str:
        """Converts a Lead. Returns the id of the Contact that it becomes."""
        return str(self._control("POST", f"records/{lead}/convert")["contactId"])

    def activities(self, kind: str, call_id: str, *, org: int = 1) -> list[dict[str, Any]]:
        """The Tasks or Events of a call, identified by the last line of their descriptions."""
        return self.activities_by_call(kind, org=org).get(call_id, [])

    def activities_by_call(self, kind: str, *, org: int = 1) -> dict[str, list[dict[str, Any]]]:
        """All Tasks or Events that Ringlog has written, by call id."""
        found: dict[str, list[dict[str, Any]]] = {}
        for record in self._org(org)["records"][kind]:
            last = (record["Description"] or "").splitlines()[-1:]
            if last and last[0].startswith("Call "):
                found.setdefault(last[0].removeprefix("Call "), []).append(record)
        return found

    def user(self, *, org: int) -> str:
        """The id of an org's first user."""
        return str(self._org(org)["users"][0]["id"])

    def fault(self, route: str, effect: dict[str, Any], *, times: int | None = 1, **chance: float) -> None:
        """Adds a fault that strikes the next requests to a kind of route, or all if `times` is `None`."""
        self._control("POST", "faults", {"route": route, "times": times, "effect": effect, **chance})

    def faults(self) -> list[dict[str, Any]]:
        """The active faults. `times` is how often each may still strike."""
        faults: list[dict[str, Any]] = self._control("GET", "faults")
        return faults

    def clear_faults(self) -> None:
        """Removes all faults of requests."""
        self._control("DELETE", "faults")

    def expire_sessions(self) -> None:
        """Ends all access tokens. Refresh tokens remain valid."""
        self._control("POST", "expire-sessions")

    def revoke_grants(self) -> None:
        """Ends the approvals of all workspaces, as an admin of the org can."""
        self._control("POST", "revoke-grants")

    def refuse(
        self, kind: str, code: str, times: int = 1, message: str = "Refused by a rule of this org", **more: Any
    ) -> None:
        """Makes the org refuse the next records of a kind, however they are written."""
        fault = {"object": kind, "times": times, "errorCode": code, "message": message, **more}
        self._control("POST", "write-faults", fault)

    def person(self, action: str, **what: Any) -> None:
        """Lets a person edit, move, delete or restore a record."""
        self._control("POST", f"people/{action}", what)

    def grants(self) -> int:
        """The number of active approvals, of all users of all orgs."""
        return sum(self._control("GET", "state")["grants"].values())

    def clear_requests(self) -> None:
        """Resets the request counts."""
        self._control("DELETE", "requests")

    def requests(self) -> dict[str, int]:
        """The number of requests by kind of route."""
        counts: dict[str, int] = self._control("GET", "requests")["counts"]
        return counts

    def tokens(self) -> dict[str, int]:
        """The counts of the token endpoint: `refreshes`, `concurrentRefreshes`, `reusedRefreshTokens`."""
        counts: dict[str, int] = self._control("GET", "requests")["tokens"]
        return counts

    def _org(self, number: int) -> dict[str, Any]:
        org: dict[str, Any] = self._control("GET", "state")["orgs"][number - 1]
        return org

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        response = requests.request(method, f"{self.url}/_sim/{path}", json=body, timeout=10)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None
