"""Prometheus' HTTP API. Source: prometheus.io, "HTTP API", "Instant queries" and "Range queries"."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from promote_actions.adapters.http_client import HttpClient, Response, Tls, basic, checked_url, json_of
from promote_actions.errors import DependencyError, InputError, PromoteError, one_line
from promote_actions.gates.prometheus import Answer, Sample

WHAT = "Prometheus"
LONG_QUERY = 1500
"""Characters from which a query goes into the body: proxies refuse long addresses."""

CHART_TIME = 2.0
"""Seconds that a chart's values may take: nobody waits for an ornament."""


@dataclass
class Prometheus:
    """One server, or anything that speaks its API (Thanos, Mimir, VictoriaMetrics).

    ``token`` is a bearer token; ``user`` and ``password`` are for basic authentication; ``tenant`` is
    Mimir's ``X-Scope-OrgID``. ``timeout`` is seconds for one query.
    """

    url: str
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    tenant: str = ""
    tls: Tls = field(default_factory=Tls)
    timeout: float = 15.0

    def __post_init__(self) -> None:
        self._base = checked_url(self.url, WHAT).rstrip("/")
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        elif self.user:
            headers["Authorization"] = basic(self.user, self.password)
        if self.tenant:
            headers["X-Scope-OrgID"] = self.tenant
        self._http = HttpClient(WHAT, headers, self.tls, self.timeout)

    def query(self, text: str, at: datetime | None = None) -> Answer:
        """The answer to the instant query ``text``, evaluated ``at`` (None: now).

        Raises :class:`InputError` for a query that Prometheus can't read or that gives no value for one
        moment, :class:`DependencyError` when there is no usable answer.
        """
        form = {"query": text, **({"time": f"{at.timestamp():.3f}"} if at else {})}
        return _answer(self._data(self._ask(self._http, "query", form), text))

    def course(
        self, text: str, begin: datetime, end: datetime, step: float
    ) -> tuple[tuple[datetime, float], ...]:
        """See :class:`promote_actions.gates.chart.Courses`; takes at most :data:`CHART_TIME`."""
        times = {
            "start": f"{begin.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step:.3f}",
        }
        client = replace(self._http, timeout=min(self.timeout, CHART_TIME))
        try:
            return _course(self._data(self._ask(client, "query_range", {"query": text, **times}), text))
        except PromoteError:
            return ()

    def _ask(self, client: HttpClient, what: str, form: dict[str, str]) -> Response:
        encoded, address = urlencode(form), f"{self._base}/api/v1/{what}"
        if len(encoded) < LONG_QUERY:
            return client.request("GET", f"{address}?{encoded}")
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return client.request("POST", address, kind, encoded.encode())

    def page(self, text: str) -> str:
        base = self._base.rpartition("@")
        shown = self._base if not base[1] else self._base.partition("//")[0] + "//" + base[2]
        return f"{shown}/graph?{urlencode({'g0.expr': text, 'g0.tab': '0'})}"

    def _data(self, response: Response, text: str) -> dict[str, Any]:
        if response.status in (401, 403):
            raise InputError(
                f"{WHAT} refuses the credentials ({response.status})",
                hint="give prometheus-token, or prometheus-user and prometheus-password",
            )
        found = json_of(response, WHAT)
        if not isinstance(found, dict):
            raise DependencyError(f"{WHAT} answered JSON that is no object", hint="check prometheus-url")
        if found.get("status") == "success" and response.status == 200:
            return found
        said = one_line(str(found.get("error") or found.get("message") or "no message"))[:300]
        if found.get("errorType") == "bad_data":
            raise InputError(f"{WHAT} can't read the query '{one_line(text[:120])}': {said}", hint="fix it")
        raise DependencyError(f"{WHAT} answered {response.status}: {said}", hint="see its log")


def _answer(found: dict[str, Any]) -> Answer:
    data = found.get("data")
    kind = data.get("resultType") if isinstance(data, dict) else None
    result = data.get("result") if isinstance(data, dict) else None
    warnings = found.get("warnings")
    warned = tuple(str(text) for text in warnings) if isinstance(warnings, list) else ()
    if kind in ("matrix", "string"):
        raise InputError(
            f"the query gives a {kind}, not a value for one moment",
            hint="wrap a range like x[5m] in rate(), increase() or another function",
        )
    try:
        if kind == "scalar":
            return Answer((_sample({}, result),), warned)
        if kind == "vector" and isinstance(result, list):
            return Answer(tuple(_sample(item["metric"], item["value"]) for item in result), warned)
    except (KeyError, TypeError, ValueError):
        pass
    raise DependencyError(f"{WHAT} answered something that is no query result", hint="check prometheus-url")


def _course(found: dict[str, Any]) -> tuple[tuple[datetime, float], ...]:
    """The finite values of the only series of a range query; of several, or of anything else, none."""
    try:
        (series,) = found["data"]["result"]
        values = [(float(at), float(text)) for at, text in series["values"]]
        return tuple(
            (datetime.fromtimestamp(at, timezone.utc), value) for at, value in values if isfinite(value)
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return ()


def _sample(metric: Any, value: Any) -> Sample:
    at, text = value
    if not isinstance(text, str) or not isinstance(metric, dict):
        raise TypeError("a value is a pair of a time and a text")
    labels = ", ".join(f'{name}="{one_line(str(text))}"' for name, text in sorted(metric.items()))
    return Sample(f"{{{labels}}}" if labels else "", float(text), float(at))
