"""The smoke test check."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from promote_actions.errors import InputError
from promote_actions.gates.http import KNOWN, Answer, Request, SmokeCheck, judge, parse
from promote_actions.gates.model import Moment, Outcome
from promote_actions.gates.options import Options

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
BASE = "https://nexo-be-develop.example.com"


def settings(**values: Any) -> Any:
    return parse(
        Options("http", {key.replace("_", "-"): v for key, v in values.items()}, KNOWN),
        BASE,
        {"version": "2026.02.2", "service": "a/b"},
    )


def test_the_strategys_two_are_the_default() -> None:
    """`curl -f` of /health and /api/status, each of which must answer 200."""
    found = settings()
    assert [request.url for request in found.requests] == [f"{BASE}/health", f"{BASE}/api/status"]
    assert (found.statuses, found.requests[0].method) == ((200,), "GET")


CASES: dict[str, tuple[dict[str, Any], Answer, Outcome, str]] = {
    "200": ({}, Answer(200), "passed", "/health answered 200"),
    "503": ({}, Answer(503, b"down"), "failed", "/health answered 503, wanted 200"),
    "204 is not 200": ({}, Answer(204), "failed", "answered 204"),
    "other statuses by choice": ({"status": "200,204"}, Answer(204), "passed", ""),
    "a redirect that was not followed": ({}, Answer(302), "failed", "answered 302"),
    "nobody answers": ({}, Answer(0, error="no answer in time"), "failed", "/health: no answer in time"),
    "nobody knows the name": (
        {},
        Answer(0, error="its name is unknown", unknown_host=True),
        "errored",
        "its name is unknown",
    ),
    "text that is there": ({"text": "ok"}, Answer(200, b'{"status":"ok"}'), "passed", ""),
    "text that is not": (
        {"text": "ok"},
        Answer(200, b"starting"),
        "failed",
        "the text 'ok' is not in the body",
    ),
    "text in an empty body": ({"text": "ok"}, Answer(200, b""), "failed", "not in the body"),
    "JSON as expected": ({"json": "db.state=up"}, Answer(200, b'{"db":{"state":"up"}}'), "passed", ""),
    "JSON with an index": ({"json": "db[1].up=true"}, Answer(200, b'{"db":[0,{"up":true}]}'), "passed", ""),
    "JSON that differs": (
        {"json": "up=true"},
        Answer(200, b'{"up":false}'),
        "failed",
        "up is 'false', wanted",
    ),
    "JSON without the key": ({"json": "up=true"}, Answer(200, b"{}"), "failed", "the JSON has no 'up'"),
    "an index too far": ({"json": "up[3]=1"}, Answer(200, b'{"up":[]}'), "failed", "has no 'up[3]'"),
    "HTML for JSON": ({"json": "up=true"}, Answer(200, b"<html>"), "failed", "the body is no JSON"),
    "an empty body for JSON": ({"json": "up=true"}, Answer(200, b" "), "failed", "the body is empty"),
    "deep JSON": ({"json": "up=true"}, Answer(200, b"[" * 100000), "failed", "no JSON"),
    "our version": ({"expect-version": "version"}, Answer(200, b'{"version":"2026.02.2"}'), "passed", ""),
    "the old version": (
        {"expect-version": "version"},
        Answer(200, b'{"version":"2026.02.1"}'),
        "failed",
        "version is '2026.02.1', wanted '2026.02.2'",
    ),
    "fast enough": ({"max-latency": "500ms"}, Answer(200, seconds=0.4), "passed", ""),
    "too slow": (
        {"max-latency": "500ms"},
        Answer(200, seconds=0.6),
        "failed",
        "took 600 ms, wanted at most 500",
    ),
}


@pytest.mark.parametrize(("values", "answer", "outcome", "words"), CASES.values(), ids=CASES)
def test_answers(values: dict[str, Any], answer: Answer, outcome: Outcome, words: str) -> None:
    """A body that says nothing passes nothing."""
    found, reason = judge(settings(**values), Request(f"{BASE}/health?token=x"), answer)
    assert (found, words in reason) == (outcome, True), reason
    assert "token" not in reason


class Application:
    """Answers in order, the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.left = list(answers)
        self.asked: list[Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


def measure(app: Application, **values: Any) -> tuple[Outcome, str]:
    reading = SmokeCheck(settings(**values), app, app.pauses.append).measure(Moment(T0))
    return reading.outcome, reading.reason


def test_all_paths_must_answer() -> None:
    """The second failing is a failure."""
    assert measure(Application(Answer(200), Answer(500)), retries=0)[0] == "failed"
    assert measure(Application(Answer(200, seconds=0.2)))[1] == "/health, /api/status answered in 200 ms"


def test_retries_are_within_one_reading() -> None:
    """A connection that broke once is no bad deployment; the third failure is."""
    app = Application(Answer(0, error="reset"), Answer(502), Answer(200))
    assert measure(app)[0] == "passed"
    assert [request.url for request in app.asked] == [f"{BASE}/health"] * 3 + [f"{BASE}/api/status"]
    assert len(app.pauses) == 2
    assert measure(Application(Answer(500)), retries=2)[0] == "failed"


def test_the_reading_begins_when_it_is_taken() -> None:
    """So that one of the old version is told apart."""
    reading = SmokeCheck(settings(), Application(Answer(200, seconds=0.3)), print).measure(Moment(T0))
    assert reading.begins is not None and reading.begins > T0
    assert reading.value == 0.3


def test_requests_as_asked_for() -> None:
    """Method, headers, absolute addresses."""
    found = settings(method="post", headers="X-A: 1, X-B: two", paths="https://other.example.com/x,y")
    assert [request.url for request in found.requests] == ["https://other.example.com/x", f"{BASE}/y"]
    assert found.requests[0].method == "POST"
    assert found.requests[0].headers == {"X-A": "1", "X-B": "two"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": "abc"}, "option 'status'"),
        ({"status": "99"}, "option 'status'"),
        ({"json": "no-sign"}, "option 'json'"),
        ({"json": "a..b=1"}, "JSON path 'a..b'"),
        ({"headers": "nonsense"}, "no 'Name: value'"),
        ({"headers": "A\r\nB: x"}, "no 'Name: value'"),
        ({"method": "GET /"}, "option 'method'"),
        ({"pahts": "/x"}, "did you mean 'paths'?"),
        ({"max-latency": "fast"}, "option 'max-latency'"),
        ({"retries": "1.5"}, "a whole number"),
    ],
)
def test_options_that_make_no_sense(values: dict[str, Any], words: str) -> None:
    """Each is named, with the check."""
    with pytest.raises(InputError) as caught:
        settings(**values)
    assert words in str(caught.value)


def test_without_an_address_there_is_nothing_to_ask() -> None:
    """Unless every path is a whole address."""
    with pytest.raises(InputError, match="has no address"):
        parse(Options("http", {}, KNOWN), "", {})
    assert parse(Options("http", {"paths": "https://x/y"}, KNOWN), "", {}).requests[0].url == "https://x/y"


@pytest.mark.parametrize("url", ["ftp://x", "http://", "https:///x", "nonsense", "http:// x"])
def test_what_is_no_address_is_said_before_anything_is_asked(url: str) -> None:
    """It is bad input, not a service that is down."""
    with pytest.raises(InputError, match="which is no address"):
        settings(**{"base-url": url})


def test_a_service_in_an_address_is_one_part_of_it() -> None:
    """Whatever it is called."""
    found = parse(Options("http", {}, KNOWN), "https://x/{service}", {"service": "../a?b"})
    assert found.requests[0].url == "https://x/..%2Fa%3Fb/health"
