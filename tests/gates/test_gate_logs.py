"""The log check."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.gates.logs import KNOWN, Found, LogCheck, parse, redacted
from promote_actions.gates.model import Moment
from promote_actions.gates.options import Options

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
NAMES = {"service": "nexo-be", "environment": "develop", "version": "2026.02.2"}


class Store:
    def __init__(self, found: Found) -> None:
        self.found = found
        self.asked: list[tuple[str, str, float]] = []

    def search(self, selector: str, pattern: str, begin: datetime, end: datetime, show: int) -> Found:
        self.asked.append((selector, pattern, (end - begin).total_seconds()))
        return self.found


def measure(found: Found, age: float | None = None, **values: Any) -> tuple[str, str, Store]:
    options = Options("logs", {key.replace("_", "-"): value for key, value in values.items()}, KNOWN)
    store = Store(found)
    rollout = None if age is None else T0 - timedelta(seconds=age)
    reading = LogCheck(parse(options, NAMES), store).measure(Moment(T0, rollout))
    return reading.outcome, reading.reason, store


@pytest.mark.parametrize(
    ("found", "values", "outcome", "words"),
    [
        (Found(100, 0), {}, "passed", "0 critical lines among 100 in 5 min"),
        (Found(100, 1, ("FATAL",)), {}, "failed", "1 critical line in 5 min, at most 0"),
        (Found(100, 3), {"max": 3}, "passed", "3 critical lines among 100"),
        (Found(0, 0), {}, "inconclusive", "no data: 0 lines in 5 min, 1 needed"),
        (Found(5, 0), {"min_lines": 10}, "inconclusive", "no data: 5 lines"),
        (Found(5, 1), {"min_lines": 10}, "failed", "1 critical line"),
        (Found(0, 0), {"on_no_data": "fail"}, "failed", "no data"),
        (Found(0, 0), {"on_no_data": "pass"}, "passed", "no data"),
    ],
)
def test_counts(found: Found, values: dict[str, Any], outcome: str, words: str) -> None:
    """A pipeline of logs that is broken must not look like a quiet service."""
    result, reason, _ = measure(found, **values)
    assert (result, words in reason) == (outcome, True), reason


def test_the_window_begins_after_the_rollout() -> None:
    """The old version's last words are not the new one's."""
    assert measure(Found(9, 0), age=90)[2].asked[0][2] == 90
    assert measure(Found(9, 0), age=9000)[2].asked[0][2] == 300
    outcome, _, store = measure(Found(9, 0), age=10)
    assert (outcome, store.asked) == ("waiting", [])


def test_what_is_searched_where() -> None:
    """The service's own lines, by default for words that mean the worst."""
    assert measure(Found(1, 0))[2].asked[0][:2] == (
        'service="nexo-be",environment="develop"',
        r"(?i)\b(critical|fatal|panic)\b",
    )
    assert measure(Found(1, 0), selector='{app="{service}"}', pattern="boom")[2].asked[0][:2] == (
        'app="nexo-be"',
        "boom",
    )


SECRETS = [
    "Authorization: Bearer abcdef0123456789",
    'level=fatal password="hunter22" user=x',
    "panic: DB_PASSWORD=hunter22",
    '{"api_key": "hunter22-key"}',
    "token=hunter22",
    "https://me:hunter22@db.example.com/x",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "ghp_0123456789abcdefghijABCDEFGHIJ",
    "AKIAIOSFODNN7EXAMPLE",
    "d41d8cd98f00b204e9800998ecf8427e",
    "from alice@example.com",
]


@pytest.mark.parametrize("line", SECRETS)
def test_what_looks_like_a_secret_is_not_shown(line: str) -> None:
    """Lines of a log go into a summary that others read."""
    shown = redacted(f"FATAL {line} end")
    assert "***" in shown
    assert shown.startswith("FATAL ")
    for secret in ("hunter22", "abcdef0123456789", "eyJz", "ghp_0", "AKIAI", "d41d8cd9", "alice"):
        assert secret not in shown


def test_an_ordinary_line_is_shown_as_it_is() -> None:
    """And on one line, cut."""
    assert (
        redacted("panic: index 3 out of range at main.go:42") == "panic: index 3 out of range at main.go:42"
    )
    assert redacted("a\n::error::b\x1b[0m") == "a\\n::error::b\\u001b[0m"
    assert len(redacted("x " * 5000)) == 200


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_line_becomes_one_short_line(line: str) -> None:
    """Whatever a service writes."""
    shown = redacted(line)
    assert len(shown) <= 200
    assert shown.isprintable()


def test_examples_are_shown_with_the_count() -> None:
    """The first lines, without secrets."""
    options = Options("logs", {"show": 2}, KNOWN)
    store = Store(Found(9, 3, ("FATAL token=abc", "FATAL two", "FATAL three")))
    reading = LogCheck(parse(options, NAMES), store).measure(Moment(T0))
    assert reading.details == ("FATAL token=***", "FATAL two")
    assert reading.value == 3
