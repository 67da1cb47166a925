"""What people read: Slack messages that nobody can forge, and JSON that programs read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.notify.document import document
from promote_actions.notify.event import Event, headline
from promote_actions.notify.slack import FIELD_LIMIT, TEXT_LIMIT, link, message

AT = datetime(2026, 2, 1, 10, 30, tzinfo=timezone.utc)
DONE = Event("promotion", "done", "nexo-be", "qa", "2026.02.1", AT, automatic=True)
FULL = Event(
    "rollback",
    "done",
    "nexo-be",
    "production",
    "2026.01.45",
    AT,
    previous="2026.02.1",
    source="staging",
    actor="alice-sre",
    method="revert",
    reason="login fails",
    links={"Commit": "https://github.com/nexo-org/nexo-gitops/commit/abc", "Run": "https://ci/1?a=1&b=2"},
    notes=("git names another version than the cluster runs",),
)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (DONE, "✅ Auto-promoted nexo-be to QA: 2026.02.1"),
        (
            replace(DONE, automatic=False, environment="staging"),
            "✅ Promoted nexo-be to staging: 2026.02.1",
        ),
        (replace(DONE, outcome="proposed"), "🔀 Proposed to promote nexo-be to QA: 2026.02.1"),
        (replace(DONE, outcome="failed"), "❌ Could not promote nexo-be to QA: 2026.02.1"),
        (FULL, "⏪ Rolled back nexo-be in production to 2026.01.45"),
        (
            replace(FULL, automatic=True, environment="qa"),
            "⏪ Auto-rolled back nexo-be in QA to 2026.01.45",
        ),
        (
            replace(FULL, outcome="proposed"),
            "⏪ Urgent, needs a review: roll back nexo-be in production to 2026.01.45",
        ),
        (
            replace(FULL, outcome="failed", version=""),
            "🚨 Could not roll back nexo-be in production",
        ),
        (replace(DONE, kind="gate", outcome="failed"), "❌ Gate failed: nexo-be 2026.02.1 in QA"),
        (replace(DONE, kind="gate", outcome="timed-out"), "⌛ Gate timed out: nexo-be 2026.02.1 in QA"),
        (
            replace(DONE, kind="gate", outcome="inconclusive"),
            "❔ Gate is inconclusive: nexo-be 2026.02.1 in QA",
        ),
        (
            replace(DONE, kind="gate", outcome="errored"),
            "⚠️ Gate could not measure: nexo-be 2026.02.1 in QA",
        ),
        (replace(DONE, kind="gate"), "✅ Gate passed: nexo-be 2026.02.1 in QA"),
    ],
)
def test_the_sentence(event: Event, words: str) -> None:
    """Each kind and outcome has its sentence; the strategy's is word for word."""
    assert headline(event) == words
    assert message(event)["text"] == words
    assert document(event)["text"] == words


def texts(value: Any) -> Iterator[dict[str, Any]]:
    """Every text object in a message."""
    if isinstance(value, dict):
        if value.get("type") in ("mrkdwn", "plain_text"):
            yield value
        for part in value.values():
            yield from texts(part)
    if isinstance(value, list):
        for part in value:
            yield from texts(part)


def test_everything_that_was_asked_for_is_there() -> None:
    """Service, versions, environment, who, why, method and links."""
    whole = json.dumps(message(FULL), ensure_ascii=False)
    for words in (
        "*Service*\\nnexo-be",
        "*Environment*\\nproduction",
        "*Version*\\n2026.01.45",
        "*Before*\\n2026.02.1",
        "*From*\\nstaging",
        "*Method*\\nrevert",
        "*By*\\nalice-sre",
        "Why: login fails",
        "git names another version than the cluster runs",
        "<https://github.com/nexo-org/nexo-gitops/commit/abc|Commit>",
        "<https://ci/1?a=1&amp;b=2|Run>",
    ):
        assert words in whole


HOSTILE = [
    "<!channel> hi",
    "<!here|here>",
    "@channel @here @EVERYONE @group",
    "<https://evil.example|your bank>",
    "<@U123>",
    "a & b < c > d",
    "`code` ```",
    "line\nbreak\r\x00\x1b[31m\u202e",
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(
    "field", ["service", "environment", "version", "actor", "reason", "previous", "notes"]
)
def test_texts_of_strangers_stay_texts(field: str, hostile: str) -> None:
    """No mention, no link, no channel called, whichever field it comes by."""
    value: Any = (hostile,) if field == "notes" else hostile
    made = message(replace(FULL, **{field: value}))
    links = set(re.findall(r"<[^>]*>", json.dumps(message(FULL))))
    for text in [*texts(made), {"type": "mrkdwn", "text": made["text"], "verbatim": True}]:
        if text["type"] == "mrkdwn":
            assert text["verbatim"] is True
            assert set(re.findall(r"<[^>]*>", text["text"])) <= links
        assert not re.search(r"@(channel|here|everyone|group)\b", text["text"], re.IGNORECASE)
        assert "\x1b" not in text["text"]
        assert "\u202e" not in text["text"]


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "https://x/ y", "https://x|y", "https://x>", "ftp://x", "https://"]
)
def test_what_is_no_address_is_no_link(url: str) -> None:
    """A link that could end early, or lead out of the web, is left out."""
    assert link("x", url) == ""
    assert url in ("", "https://") or url not in json.dumps(message(replace(FULL, links={"x": url})))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=5000), st.text(max_size=5000))
def test_slacks_limits_hold(reason: str, service: str) -> None:
    """Whatever the texts, every text object is within its limit and there are at most ten fields."""
    made = message(replace(FULL, reason=reason, service=service, notes=(reason,) * 20))
    assert len(made["blocks"]) <= 50
    for block in made["blocks"]:
        fields = block.get("fields", [])
        assert len(fields) <= 10
        assert all(1 <= len(each["text"]) <= FIELD_LIMIT for each in fields)
    assert all(1 <= len(each["text"]) <= TEXT_LIMIT for each in texts(made))
    assert len(made["text"]) <= TEXT_LIMIT
    json.dumps(made).encode()


def test_a_cut_never_halves_an_entity() -> None:
    """A long row of ``<`` is cut between two of them."""
    made = message(replace(FULL, service="<" * 5000))
    assert re.fullmatch(r"\*Service\*\n(&lt;)+…", made["blocks"][1]["fields"][0]["text"])


def test_the_json_of_another_webhook() -> None:
    """Stable keys, plain texts, and a time in UTC."""
    made = document(FULL)
    assert made == {
        "schema": 1,
        "event": "rollback",
        "outcome": "done",
        "text": "⏪ Rolled back nexo-be in production to 2026.01.45",
        "service": "nexo-be",
        "environment": "production",
        "version": "2026.01.45",
        "previous-version": "2026.02.1",
        "from": "staging",
        "actor": "alice-sre",
        "automatic": False,
        "method": "revert",
        "reason": "login fails",
        "links": dict(FULL.links),
        "notes": ["git names another version than the cluster runs"],
        "time": "2026-02-01T10:30:00Z",
    }
