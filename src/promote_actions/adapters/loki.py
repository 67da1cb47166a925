"""Loki's HTTP API: counting and showing lines. Source: grafana.com, "Loki HTTP API"."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from promote_actions.adapters.http_client import HttpClient, Tls, checked_url, json_of
from promote_actions.errors import DependencyError, InputError, one_line
from promote_actions.gates.logs import Found

WHAT = "Loki"


@dataclass
class Loki:
    """One server. ``token`` is a bearer token, ``tenant`` the ``X-Scope-OrgID``."""

    url: str
    token: str = field(default="", repr=False)
    tenant: str = ""
    tls: Tls = field(default_factory=Tls)
    timeout: float = 15.0

    def __post_init__(self) -> None:
        self._base = checked_url(self.url, WHAT).rstrip("/")
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.tenant:
            headers["X-Scope-OrgID"] = self.tenant
        self._http = HttpClient(WHAT, headers, self.tls, self.timeout)

    def search(self, selector: str, pattern: str, begin: datetime, end: datetime, show: int) -> Found:
        """Lines of ``{selector}`` between ``begin`` and ``end``: how many, how many match ``pattern`` (RE2,
        as LogQL has it), and the newest ``show`` of those.

        Raises :class:`InputError` for a query that Loki can't read, :class:`DependencyError` when there is
        no usable answer.
        """
        stream = f"{{{selector}}}"
        bad = f"{stream} |~ {_quoted(pattern)}"
        seconds = max(int((end - begin).total_seconds()), 1)
        lines = self._count(stream, seconds, end)
        matching = self._count(bad, seconds, end)
        samples = self._lines(bad, begin, end, show) if matching and show else ()
        return Found(lines, matching, samples)

    def _count(self, query: str, seconds: int, at: datetime) -> float:
        """Without a line there is no series, which is a count of 0."""
        ask = {"query": f"sum(count_over_time({query} [{seconds}s]))", "time": _nanoseconds(at)}
        result = self._result("/loki/api/v1/query", ask, "vector")
        try:
            return sum(float(item["value"][1]) for item in result)
        except (KeyError, TypeError, ValueError, IndexError):
            raise _strange() from None

    def _lines(self, query: str, begin: datetime, end: datetime, limit: int) -> tuple[str, ...]:
        ask = {
            "query": query,
            "start": _nanoseconds(begin),
            "end": _nanoseconds(end),
            "limit": str(limit),
            "direction": "backward",
        }
        result = self._result("/loki/api/v1/query_range", ask, "streams")
        try:
            found = [(int(at), str(line)) for stream in result for at, line, *_ in stream["values"]]
        except (KeyError, TypeError, ValueError):
            raise _strange() from None
        return tuple(line for _, line in sorted(found, reverse=True)[:limit])

    def _result(self, path: str, ask: dict[str, str], kind: str) -> list[Any]:
        response = self._http.request("GET", f"{self._base}{path}?{urlencode(ask)}")
        if response.status in (401, 403):
            raise InputError(f"{WHAT} refuses the credentials ({response.status})", hint="give loki-token")
        if response.status == 400:
            said = one_line(response.text[:200])
            raise InputError(
                f"{WHAT} can't read the query {one_line(ask['query'][:120])}: {said}", hint="fix it"
            )
        if response.status != 200:
            said = one_line(response.text[:200])
            raise DependencyError(f"{WHAT} answered {response.status}: {said}", hint="see its log")
        document = json_of(response, WHAT)
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, dict) or data.get("resultType") != kind:
            raise _strange()
        result = data.get("result")
        if not isinstance(result, list):
            raise _strange()
        return result


def _strange() -> DependencyError:
    return DependencyError(f"{WHAT} answered something that is no query result", hint="check loki-url")


def _quoted(text: str) -> str:
    """A LogQL string: in backquotes nothing is special, so a backquote itself needs the other form."""
    if "`" not in text:
        return f"`{text}`"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _nanoseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1_000_000) * 1000)
