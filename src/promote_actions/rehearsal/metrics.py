"""A stand-in for Prometheus where there is none: it scrapes the demo application and answers the queries
that the health gate sends by default, and refuses every other one.

API: ``MetricsServer(scrape, interval)`` with ``scrape`` a function that returns Prometheus' text format;
``start()``, ``stop()``, ``url``. Understands ``GET|POST /api/v1/query`` and ``query_range`` of
``sum(rate(M{…}[W]))``, ``sum(increase(M{…}[W]))``, the sum of a counter's growth with that of new series as
the gate writes it, ``max(timestamp(M{…}))``, ``(A or vector(0))`` and the quotient of two of these. Resets
count as Prometheus has them; nothing is extrapolated to the window's edges.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

LOOKBACK = 300.0
MOST_POINTS = 11_000
"""Points of a range at most, as Prometheus has it."""
_SAMPLE = re.compile(r"(\w+)\{([^}]*)\}\s+(\S+)")
_LABEL = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_TERM = re.compile(r"sum\((rate|increase)\((\w+)\{(.*)\}\[(\d+)(ms|s|m|h)\]\)\)", re.DOTALL)
_SERIES = r'\w+\{(?:[^}"]|"(?:[^"\\]|\\.)*")*\}'
_GROWN = re.compile(
    rf"sum\(\(increase\(({_SERIES})\[(\d+)(ms|s|m|h)\]\) and \1 offset \2\3\)"
    r" or \(\1 unless \1 offset \2\3\)\)"
)
_TIMESTAMP = re.compile(r"max\(timestamp\((\w+)\{(.*)\}\)\)", re.DOTALL)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Unsupported(ValueError):
    """A query that this stand-in doesn't know."""


@dataclass
class _Series:
    labels: Mapping[str, str]
    samples: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=5000))


class MetricsServer:
    """See the module's text for the API."""

    def __init__(self, scrape: Callable[[], str], interval: float = 0.25, port: int = 0) -> None:
        self._scrape = scrape
        self._interval = interval
        self._series: dict[str, _Series] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._port = port
        self._server: _Server | None = None

    def start(self) -> MetricsServer:
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def __enter__(self) -> MetricsServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("it was not started")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self.scrape_once(time.time())

    def scrape_once(self, now: float) -> None:
        """Take one sample of every series, as of ``now`` (Unix seconds)."""
        found = _SAMPLE.findall(self._scrape())
        with self._lock:
            for name, labels, value in found:
                key = f"{name}{{{labels}}}"
                pairs = {label: text for label, _, text in _LABEL.findall(labels)}
                series = self._series.setdefault(key, _Series({"__name__": name, **pairs}))
                series.samples.append((now, float(value)))

    # -- queries -----------------------------------------------------------------------------

    def query(self, text: str, now: float) -> float | None:
        """The value of ``text``, or None for an empty vector; raises :class:`Unsupported`."""
        left, slash, right = _quotient(text.strip())
        value = self._operand(left, now)
        if not slash:
            return value
        other = self._operand(right, now)
        if value is None or other is None:
            return None
        if other == 0:
            return math.nan if value == 0 else math.inf
        return value / other

    def _operand(self, text: str, now: float) -> float | None:
        text = text.strip()
        if text.startswith("(") and text.endswith(" or vector(0))"):
            value = self._operand(text[1 : -len(" or vector(0))")], now)
            return 0.0 if value is None else value
        found = _TIMESTAMP.fullmatch(text)
        if found:
            return self._newest(found[1], found[2], now)
        grown = _GROWN.fullmatch(text)
        if grown:
            name, _, matchers = grown[1].partition("{")
            window = int(grown[2]) * _SECONDS[grown[3]]
            return self._grown(self._matching(name, matchers.removesuffix("}")), now, window)
        found = _TERM.fullmatch(text)
        if not found:
            raise Unsupported(f"this stand-in doesn't know: {text[:120]}")
        window = int(found[4]) * _SECONDS[found[5]]
        return self._sum(found[1], self._matching(found[2], found[3]), now, window)

    def _newest(self, name: str, matchers: str, now: float) -> float | None:
        times = [series.samples[-1][0] for series in self._matching(name, matchers) if series.samples]
        times = [time for time in times if now - LOOKBACK <= time <= now]
        return max(times) if times else None

    def _grown(self, series: list[_Series], now: float, window: float) -> float | None:
        """The growth of series that were there before the window, and all of those that were not."""
        total: float | None = None
        for one in series:
            with self._lock:
                samples = [sample for sample in one.samples if now - window - LOOKBACK <= sample[0] <= now]
            inside = [value for at, value in samples if at >= now - window]
            was_there = any(at <= now - window for at, _ in samples)
            if not inside or (was_there and len(inside) < 2):
                continue
            grown = sum(_growth(a, b) for a, b in pairwise(inside)) if was_there else inside[-1]
            total = (total or 0.0) + grown
        return total

    def _sum(self, function: str, series: list[_Series], now: float, window: float) -> float | None:
        total: float | None = None
        for one in series:
            with self._lock:
                inside = [sample for sample in one.samples if now - window <= sample[0] <= now]
            if len(inside) < 2:
                continue
            grown = sum(_growth(a[1], b[1]) for a, b in pairwise(inside))
            span = inside[-1][0] - inside[0][0]
            total = (total or 0.0) + (grown / span if function == "rate" else grown)
        return total

    def _matching(self, name: str, matchers: str) -> list[_Series]:
        wanted = _LABEL.findall(matchers)
        with self._lock:
            every = list(self._series.values())
        return [series for series in every if series.labels["__name__"] == name and _fits(series, wanted)]


def _quotient(text: str) -> tuple[str, str, str]:
    """The two sides of the division at the top level, outside brackets and strings."""
    depth, quoted = 0, False
    for index, char in enumerate(text):
        if char == '"' and text[index - 1] != "\\":
            quoted = not quoted
        if quoted:
            continue
        depth += (char in "([{") - (char in ")]}")
        if char == "/" and depth == 0:
            return text[:index], "/", text[index + 1 :]
    return text, "", ""


def _growth(before: float, after: float) -> float:
    """What a counter grew by; a smaller value means that it began again at zero."""
    return after - before if after >= before else after


def _fits(series: _Series, wanted: list[tuple[str, str, str]]) -> bool:
    for label, operator, text in wanted:
        value = series.labels.get(label, "")
        same = bool(re.fullmatch(text, value)) if "~" in operator else text == value
        if same == operator.startswith("!"):
            return False
    return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(server: MetricsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._query(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._query(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def _query(self, encoded: str) -> None:
            answers = {"/api/v1/query": _instant, "/api/v1/query_range": _range}
            answer = answers.get(urlsplit(self.path).path)
            if answer is None:
                self._answer(404, {"status": "error", "errorType": "not_found", "error": "no such page"})
                return
            form = {name: values[0] for name, values in parse_qs(encoded).items()}
            try:
                data = answer(server, form)
            except ValueError as error:
                self._answer(400, {"status": "error", "errorType": "bad_data", "error": str(error)})
                return
            self._answer(200, {"status": "success", "data": data})

        def _answer(self, status: int, document: object) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Stay silent: the rehearsal speaks for itself."""

    return Handler


def _instant(server: MetricsServer, form: Mapping[str, str]) -> dict[str, object]:
    now = float(form.get("time") or time.time())
    value = server.query(form.get("query", ""), now)
    result = [] if value is None else [{"metric": {}, "value": [now, _number(value)]}]
    return {"resultType": "vector", "result": result}


def _range(server: MetricsServer, form: Mapping[str, str]) -> dict[str, object]:
    start, end, step = (float(form.get(name) or "nan") for name in ("start", "end", "step"))
    if not 0 < step < math.inf or not 0 <= (end - start) / step < MOST_POINTS:
        raise ValueError("start, end and step make no range")
    times = [start + index * step for index in range(int((end - start) / step + 1e-6) + 1)]
    found = [(at, server.query(form.get("query", ""), at)) for at in times]
    values = [[at, _number(value)] for at, value in found if value is not None]
    return {"resultType": "matrix", "result": [{"metric": {}, "values": values}] if values else []}


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if math.isinf(value) else repr(value)
