"""A JSON API that is slow, busy, broken or limited."""

from __future__ import annotations

import json

import pytest

from promote_actions.adapters.http_client import Response
from promote_actions.adapters.http_json import JsonApi, backoff, limited_for
from promote_actions.errors import DependencyError, InputError
from tests.adapters.scripted_server import Asked, Reply, serving

TOKEN = "secret-token-value"


def api(url: str, pauses: list[float], **more: float) -> JsonApi:
    return JsonApi("the API", url, TOKEN, pause=pauses.append, **more)  # type: ignore[arg-type]


def response(status: int, body: bytes = b"", **headers: str) -> Response:
    return Response(status, {k.replace("_", "-"): v for k, v in headers.items()}, body, "http://x", 0.0)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (response(200, retry_after="9"), None),
        (response(403), None),
        (response(403, b'{"message": "Resource not accessible by integration"}'), None),
        (response(403, retry_after="7"), 7.0),
        (response(403, b'{"message": "You have exceeded a secondary rate limit"}'), 5.0),
        (response(403, x_ratelimit_remaining="0", x_ratelimit_reset="1060"), 61.0),
        (response(403, x_ratelimit_remaining="0", x_ratelimit_reset="900"), 1.0),
        (response(403, x_ratelimit_remaining="3", x_ratelimit_reset="1060"), None),
        (response(403, x_ratelimit_remaining="0", x_ratelimit_reset="soon"), None),
        (response(429), 5.0),
        (response(429, retry_after="0"), 0.0),
        (response(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), 5.0),
        (response(429, retry_after="-1"), 5.0),
        (response(429, retry_after="9" * 30), 5.0),
        (response(500, retry_after="7"), None),
    ],
)
def test_a_rate_limit_is_told_from_a_refusal(answer: Response, wait: float | None) -> None:
    """Only what says that it is a limit is waited for, as long as it says."""
    assert limited_for(answer, now=1000.0) == wait


def test_the_wait_before_a_try_doubles_and_is_random() -> None:
    """Waits lie between half and all of a doubling interval, up to a limit."""
    assert all(0.5 <= backoff(1) <= 1.0 for _ in range(50))
    assert all(2.0 <= backoff(3) <= 4.0 for _ in range(50))
    assert all(10.0 <= backoff(40) <= 20.0 for _ in range(50))
    assert len({backoff(3) for _ in range(20)}) > 1


def test_a_busy_server_is_asked_again_and_then_given_up() -> None:
    """Five tries, four waits, and an error that tells the status and not the token."""
    pauses: list[float] = []
    with (
        serving(lambda asked: Reply(503, TOKEN.encode())) as server,
        pytest.raises(DependencyError) as caught,
    ):
        api(server.url, pauses).call("GET", "x")
    assert len(server.asked) == 5
    assert len(pauses) == 4
    assert "503" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_retry_after_is_waited_for() -> None:
    """The server's own wait is kept to, and the call succeeds then."""
    replies = iter([Reply(429, b"{}", {"Retry-After": "13"}), Reply(200, b'{"a": 1}')])
    pauses: list[float] = []
    with serving(lambda asked: next(replies)) as server:
        assert api(server.url, pauses).call("GET", "x").data == {"a": 1}
    assert pauses == [13.0]


def test_a_body_travels_as_json() -> None:
    """A body is sent as JSON, the same on every try, with the token in its header only."""
    replies = iter([Reply(502), Reply(201, b'{"ok": true}')])
    with serving(lambda asked: next(replies)) as server:
        made = api(server.url + "/api/v3", []).call("POST", "/repos/x", {"ref": "é"})
    assert (made.status, made.data) == (201, {"ok": True})
    assert [json.loads(asked.body) for asked in server.asked] == [{"ref": "é"}] * 2
    assert {asked.path for asked in server.asked} == {"/api/v3/repos/x"}
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {TOKEN}"}


def test_a_refused_token_is_bad_input() -> None:
    """401 isn't tried again."""
    with (
        serving(lambda asked: Reply(401, b"{}")) as server,
        pytest.raises(InputError, match="refuses the token"),
    ):
        api(server.url, []).call("GET", "x")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(404, b'{"message": "Not Found"}'), "Not Found"),
        (Reply(404, b"<html>"), "status 404"),
        (Reply(422, b"[]"), "status 422"),
        (Reply(422, json.dumps({"message": "a\n::error::b"}).encode()), "a\\n::error::b"),
        (Reply(409, b'{"message": ' + b'"' + b"x" * 5000 + b'"}'), "x" * 300),
    ],
)
def test_a_refusal_is_an_answer(reply: Reply, message: str) -> None:
    """A status below 500 is the caller's to judge, with the server's words on one line."""
    with serving(lambda asked: reply) as server:
        answer = api(server.url, []).call("GET", "x")
    assert (answer.status, answer.message) == (reply.status, message)


def test_a_body_that_ends_too_early_is_asked_for_again() -> None:
    """Half a JSON is no answer; the whole one is waited for."""
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2"
    replies = iter([Reply(raw=half), Reply(raw=b""), Reply(200, b"[1, 2]")])
    with serving(lambda asked: next(replies)) as server:
        assert api(server.url, []).call("GET", "x").data == [1, 2]


def test_a_server_that_drips_is_cut_off() -> None:
    """An answer that never ends is bounded by the time of the whole exchange."""
    drip = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 900, drip=0.01)

    def answer(asked: Asked) -> Reply:
        return drip

    with serving(answer) as server, pytest.raises(DependencyError, match="in time"):
        api(server.url, [], timeout=0.3, attempts=2).call("GET", "x")
