"""Asking an application, whatever it does."""

from __future__ import annotations

from promote_actions.adapters.http_probe import prober
from promote_actions.gates.http import Request
from promote_actions.rehearsal.application import Behaviour, DemoApplication
from tests.adapters.scripted_server import fixed, serving


def test_answers_of_an_application() -> None:
    """Status, body, and how long it took."""
    with DemoApplication({"2026.02.2": Behaviour(healthy=False)}) as app:
        app.deploy("nexo-be", "develop", "2026.02.1")
        base = app.base_url("nexo-be", "develop")
        ask = prober()
        assert ask(Request(f"{base}/health")).status == 200
        assert b'"version": "2026.02.1"' in ask(Request(f"{base}/api/status")).body
        app.deploy("nexo-be", "develop", "2026.02.2")
        unwell = ask(Request(f"{base}/health"))
        assert (unwell.status, unwell.seconds > 0) == (503, True)
        assert ask(Request(app.base_url("nexo-be", "qa") + "/health")).status == 503


def test_no_answer_is_an_answer_too() -> None:
    """Nothing is raised; an unknown name is told apart from a service that is down."""
    with serving(fixed()) as server:
        gone = server.url
    down = prober()(Request(gone))
    assert (down.status, down.unknown_host) == (0, False)
    assert "Connection refused" in down.error
    unknown = prober()(Request("http://no-such-host.invalid/"))
    assert (unknown.status, unknown.unknown_host) == (0, True)


def test_a_slow_application_is_not_waited_for() -> None:
    """The time is that of the whole exchange."""
    with DemoApplication({"1": Behaviour(delay=5.0)}) as app:
        app.deploy("nexo-be", "develop", "1")
        answer = prober(0.2)(Request(app.base_url("nexo-be", "develop") + "/health"))
    assert (answer.status, "no answer in time" in answer.error) == (0, True)


def test_no_credentials_are_carried_to_another_host() -> None:
    """A redirect to elsewhere is followed without the headers."""
    with (
        serving(fixed(body=b"ok")) as other,
        serving(fixed(status=302, headers={"Location": other.url})) as app,
    ):
        answer = prober()(Request(app.url, headers={"Authorization": "Bearer secret", "Cookie": "a=b"}))
    assert answer.status == 200
    assert "authorization" not in other.asked[0].headers
    assert "cookie" not in other.asked[0].headers
