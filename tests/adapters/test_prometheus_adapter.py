"""Prometheus' API through our adapter: every shape of answer it can give."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from promote_actions.adapters.prometheus import Prometheus
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.gates.prometheus import Answer, Sample
from tests.adapters.scripted_server import fixed, serving


def success(kind: str, result: Any, **more: Any) -> bytes:
    return json.dumps(
        {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    ).encode()


def ask(body: bytes, status: int = 200) -> Answer:
    with serving(fixed(status=status, body=body)) as server:
        return Prometheus(server.url).query("up")


def test_a_vector() -> None:
    """Each series with its labels in order."""
    body = success("vector", [{"metric": {"b": "2", "a": "1"}, "value": [1000.5, "0.25"]}])
    assert ask(body) == Answer((Sample('{a="1", b="2"}', 0.25, 1000.5),))


def test_an_empty_vector() -> None:
    """No series, or one that just started."""
    assert ask(success("vector", [])) == Answer(())


def test_a_scalar_is_a_pair_and_no_list_of_series() -> None:
    """As `scalar(...)` gives it."""
    assert ask(success("scalar", [1000, "+Inf"])).samples[0].value == math.inf


def test_nan() -> None:
    """0/0: HTTP 200 and success."""
    assert math.isnan(ask(success("vector", [{"metric": {}, "value": [1, "NaN"]}])).samples[0].value)


def test_warnings_are_kept() -> None:
    """A partial answer says so there."""
    assert ask(success("vector", [], warnings=["one store is down"])).warnings == ("one store is down",)


BAD_DATA = b'{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}'


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, success("matrix", []), InputError, "the query gives a matrix"),
        (200, success("string", [1, "x"]), InputError, "the query gives a string"),
        (400, BAD_DATA, InputError, "can't read the query 'up': parse error: unexpected end"),
        (401, b"", InputError, "refuses the credentials (401)"),
        (403, b"<html>", InputError, "refuses the credentials (403)"),
        (
            422,
            b'{"status":"error","errorType":"execution","error":"many-to-many"}',
            DependencyError,
            "many-to-many",
        ),
        (
            503,
            b'{"status":"error","errorType":"timeout","error":"timed out"}',
            DependencyError,
            "503: timed",
        ),
        (503, b"no healthy upstream", DependencyError, "answered 503 with no JSON"),
        (200, b"", DependencyError, "answered 200 with nothing"),
        (200, b"<html>login</html>", DependencyError, "answered 200 with HTML"),
        (200, b"[]", DependencyError, "JSON that is no object"),
        (200, b'{"status":"success"}', DependencyError, "no query result"),
        (200, success("vector", None), DependencyError, "no query result"),
        (200, success("vector", [{}]), DependencyError, "no query result"),
        (200, success("vector", [{"metric": {}, "value": [1]}]), DependencyError, "no query result"),
        (200, success("vector", [{"metric": {}, "value": [1, "x"]}]), DependencyError, "no query result"),
        (200, success("vector", [{"metric": {}, "value": [1, 0]}]), DependencyError, "no query result"),
        (200, success("scalar", "1"), DependencyError, "no query result"),
        (500, success("vector", []), DependencyError, "answered 500"),
    ],
)
def test_what_is_no_measurement(status: int, body: bytes, kind: type[PromoteError], words: str) -> None:
    """A wrong query is the caller's; anything else could not be measured."""
    with pytest.raises(kind) as caught:
        ask(body, status)
    assert words in str(caught.value)


def test_long_queries_go_into_the_body() -> None:
    """Proxies refuse long addresses."""
    with serving(fixed(body=success("vector", []))) as server:
        prometheus = Prometheus(server.url)
        prometheus.query('up{a="ü"}')
        prometheus.query("a" * 3000)
    short, long = server.asked
    assert (short.method, parse_qs(urlsplit(short.path).query)) == ("GET", {"query": ['up{a="ü"}']})
    assert (long.method, long.path, len(long.body)) == ("POST", "/api/v1/query", 3006)
    assert long.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("given", "header", "value"),
    [
        ({"token": "secret"}, "authorization", "Bearer secret"),
        ({"user": "me", "password": "secret"}, "authorization", "Basic bWU6c2VjcmV0"),
        ({"tenant": "team-a"}, "x-scope-orgid", "team-a"),
    ],
)
def test_credentials(given: dict[str, str], header: str, value: str) -> None:
    """Bearer, basic, and a tenant."""
    with serving(fixed(body=success("vector", []))) as server:
        Prometheus(server.url, **given).query("up")  # type: ignore[arg-type]
    assert server.asked[0].headers[header] == value


def test_the_page_of_a_query_has_no_credentials() -> None:
    """It goes into a summary that others read."""
    page = Prometheus("https://me:secret@prometheus.example.com/p/").page("up == 1")
    assert page == "https://prometheus.example.com/p/graph?g0.expr=up+%3D%3D+1&g0.tab=0"


SERIES = {"metric": {}, "values": [[1000, "0.5"], [1010.5, "NaN"], [1020, "1"], [1030, "+Inf"]]}
COURSES: dict[str, tuple[bytes, int, list[tuple[float, float]]]] = {
    "one series, what is no number left out": (
        success("matrix", [SERIES]),
        200,
        [(1000.0, 0.5), (1020.0, 1.0)],
    ),
    "several series": (success("matrix", [SERIES, SERIES]), 200, []),
    "none": (success("matrix", []), 200, []),
    "an error": (b'{"status": "error", "errorType": "execution", "error": "too many"}', 422, []),
    "refused": (b"{}", 403, []),
    "HTML": (b"<html>", 200, []),
    "nothing": (b"", 200, []),
    "another shape": (success("matrix", [{"values": [1]}]), 200, []),
    "a time that is none": (success("matrix", [{"values": [[1e99, "1"]]}]), 200, []),
    "a text": (b'"x"', 200, []),
}


@pytest.mark.parametrize(("body", "status", "values"), COURSES.values(), ids=COURSES)
def test_a_chart_is_what_there_is_and_never_a_failure(
    body: bytes, status: int, values: list[tuple[float, float]]
) -> None:
    """It is an ornament: without it the reading stands."""
    begin, end = (datetime.fromtimestamp(at, timezone.utc) for at in (1000, 1030))
    with serving(fixed(status=status, body=body)) as server:
        found = Prometheus(server.url).course("up", begin, end, 10.0)
        (asked,) = server.asked
    assert [(at.timestamp(), value) for at, value in found] == values
    form = {name: text for name, (text,) in parse_qs(urlsplit(asked.path).query).items()}
    assert urlsplit(asked.path).path == "/api/v1/query_range"
    assert form == {"query": "up", "start": "1000.000", "end": "1030.000", "step": "10.000"}


def test_a_chart_of_a_server_that_is_gone_is_empty() -> None:
    """Nor is that a failure."""
    moment = datetime.fromtimestamp(1000, timezone.utc)
    assert Prometheus("http://127.0.0.1:1").course("up", moment, moment, 1.0) == ()
