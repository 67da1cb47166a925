"""Telling a chat: it hears once, nobody waits for it, and its address stays a secret."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from promote_actions.adapters import webhook
from promote_actions.adapters.webhook import notify, post
from promote_actions.notify.event import Event
from promote_actions.runner import Runner
from tests.adapters.scripted_server import Asked, Reply, fixed, serving

EVENT = Event(
    "promotion",
    "done",
    "nexo-be",
    "qa",
    "2026.02.1",
    datetime(2026, 2, 1, tzinfo=timezone.utc),
    automatic=True,
)
SECRET = "/services/T0000000/B00000000/abcdefghijklmnopqrstuvwx"


def runner(env: dict[str, str] | None = None) -> tuple[Runner, io.StringIO]:
    out = io.StringIO()
    return Runner(env=env or {}, stdout=out, stderr=out), out


def test_both_are_told() -> None:
    """Slack gets blocks, the other webhook plain JSON; nothing is printed."""
    with serving(fixed(body=b"ok")) as slack, serving(fixed(status=204)) as other:
        speaker, out = runner()
        notify(EVENT, speaker, slack.url + SECRET, other.url + "/hook")
        (one,), (two,) = slack.asked, other.asked
    assert (one.method, one.path, one.headers["content-type"]) == ("POST", SECRET, "application/json")
    assert json.loads(one.body)["text"] == "✅ Auto-promoted nexo-be to QA: 2026.02.1"
    assert json.loads(one.body)["blocks"]
    assert json.loads(two.body)["event"] == "promotion"
    assert out.getvalue() == ""


def test_nothing_is_sent_without_an_address() -> None:
    """No address, no warning."""
    speaker, out = runner()
    notify(EVENT, speaker)
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (fixed(status=404, body=b"no_service"), "127.0.0.1 answered 404 (no_service)"),
        (fixed(status=500), "127.0.0.1 answered 500"),
        (fixed(status=429, headers={"Retry-After": "30"}), "127.0.0.1 answered 429"),
        (
            fixed(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"}),
            "redirects elsewhere (302)",
        ),
        (fixed(raw=b""), "did not answer"),
        (fixed(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nok"), "did not answer"),
        (fixed(raw=b"nonsense\r\n\r\n"), "did not answer"),
        (
            fixed(status=400, body=b"bad\n::error::forged\x1b[2J"),
            "answered 400 (bad\\n::error::forged\\u001b[2J)",
        ),
    ],
)
def test_a_chat_that_fails_is_a_warning(reply: Callable[[Asked], Reply], words: str) -> None:
    """One line that doesn't hold the address, and no exception."""
    with serving(reply) as server:
        speaker, out = runner()
        notify(EVENT, speaker, server.url + SECRET)
        assert len(server.asked) == 1
    assert out.getvalue().startswith("warning: Slack was not told: ")
    assert words in out.getvalue()
    assert len(out.getvalue().splitlines()) == 1
    assert "abcdefghij" not in out.getvalue()


def test_a_chat_that_is_down_is_a_warning() -> None:
    """Nobody listens there."""
    speaker, out = runner()
    notify(
        EVENT, speaker, f"http://127.0.0.1:9{SECRET}", f"http://127.0.0.1:9{SECRET}?key=0123456789abcdef"
    )
    lines = out.getvalue().splitlines()
    assert [line.partition(" was")[0] for line in lines] == ["warning: Slack", "warning: the webhook"]
    assert "abcdefghij" not in out.getvalue()
    assert "0123456789abcdef" not in out.getvalue()


def test_a_chat_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole exchange has a deadline, also when bytes drip in."""
    assert webhook.DEADLINE == 5.0
    monkeypatch.setattr(webhook, "DEADLINE", 0.3)
    drip = fixed(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500, drip=0.05)
    with serving(drip) as server:
        assert "no answer in time" in post(server.url + SECRET, {})


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "hooks.slack.com/services/x", "http://", "https://[::1", "x\ny"]
)
def test_an_address_that_is_none_is_a_warning(url: str) -> None:
    """A wrong secret doesn't fail the rollback either."""
    speaker, out = runner()
    notify(EVENT, speaker, url)
    assert "its address is not one of http or https" in out.getvalue()
    assert "passwd" not in out.getvalue()


def test_the_address_is_masked_in_everything_later() -> None:
    """The runner is told of the address and of its secret parts, but not of common words."""
    speaker, out = runner({"GITHUB_ACTIONS": "true"})
    with serving(fixed(body=b"ok")) as server:
        notify(EVENT, speaker, server.url + SECRET, server.url + "/webhook")
        assert f"::add-mask::{server.url}{SECRET}" in out.getvalue()
    assert "::add-mask::abcdefghijklmnopqrstuvwx" in out.getvalue()
    assert speaker.redact(f"x {SECRET.strip('/')} y") == "x *** y"
    assert speaker.redact("the webhook") == "the webhook"


def test_credentials_in_the_address_are_sent_and_not_shown() -> None:
    """``https://user:password@host`` works as it does elsewhere."""
    with serving(fixed(status=401)) as server:
        speaker, out = runner()
        notify(EVENT, speaker, "", server.url.replace("://", "://bot:a-long-password-0@") + "/x")
        assert server.asked[0].headers["authorization"].startswith("Basic ")
    assert "a-long-password-0" not in out.getvalue()
