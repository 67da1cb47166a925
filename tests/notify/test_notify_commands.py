"""Who tells what: promotions and failed gates, through the commands themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.scripted_server import Server, fixed, serving
from tests.promotion.github_bench import GitHubBench
from tests.rollback.forked import command
from tests.support.gitops import Ran, make_bare, standard_files

PATH = "/services/T0000000/B0000000/abcdefghijklmnopqrst"


@pytest.fixture
def chat() -> Iterator[Server]:
    with serving(fixed(body=b"ok")) as chat:
        yield chat


def told(chat: Server) -> list[dict[str, Any]]:
    """What the chat heard, in order."""
    return [json.loads(asked.body) for asked in chat.asked]


def run(bare: Path, chat: Server, *arguments: str) -> Ran:
    env = {"SLACK_WEBHOOK_URL": chat.url + PATH, "GITHUB_ACTOR": "ana"}
    ran = command(*arguments[:1], "--gitops", str(bare), "--service", "nexo-be", *arguments[1:], env=env)
    assert PATH not in ran.stdout + ran.stderr
    return ran


def test_a_promotion_is_told_once_and_in_the_strategys_words(tmp_path: Path, chat: Server) -> None:
    """Automatic, then the same again, which is none; a dry run is none either."""
    bare = make_bare(tmp_path, standard_files(["nexo-be"]))
    for more in (["--dry-run"], [], []):
        assert run(bare, chat, "promote", "--to", "qa", "--automatic", *more).status == 0
    (message,) = told(chat)
    assert message["text"] == "✅ Auto-promoted nexo-be to QA: 2026.02.17"
    shown = json.dumps(message, ensure_ascii=False)
    for words in ("*Before*\\n2026.02.15", "*From*\\ndevelop", "*By*\\nana"):
        assert words in shown


def test_a_proposal_links_to_its_pull_request(tmp_path: Path, chat: Server) -> None:
    """Somebody has to look at it."""
    with GitHubBench(tmp_path) as bench:
        bench.promote(
            service="nexo-be", to="production", slack_webhook=chat.url + PATH, webhook=chat.url + "/x"
        )
    slack, other = told(chat)
    assert slack["text"] == "🔀 Proposed to promote nexo-be to production: 2026.02.10"
    assert "/pull/1|Pull request>" in json.dumps(slack)
    assert (other["event"], other["outcome"], other["method"]) == ("promotion", "proposed", "pull request")


def test_what_is_refused_is_no_news(tmp_path: Path, chat: Server) -> None:
    """Whoever asked sees it in the run."""
    bare = make_bare(tmp_path, standard_files(["nexo-be"]))
    assert run(bare, chat, "promote", "--to", "qa", "--version", "2026.02.1").status == 1
    assert told(chat) == []


def test_a_chat_that_is_down_fails_no_promotion(tmp_path: Path) -> None:
    """It is a warning."""
    bare = make_bare(tmp_path, standard_files(["nexo-be"]))
    env = {"SLACK_WEBHOOK_URL": "http://127.0.0.1:9" + PATH}
    ran = command("promote", "--gitops", str(bare), "--service", "nexo-be", "--to", "qa", env=env)
    assert ran.status == 0
    assert ran.stderr.startswith("warning: Slack was not told: ")


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ({"status": 500}, 1, "❌ Gate failed: nexo-be 2026.02.15 in QA"),
        ({"body": b"fine"}, 0, ""),
    ],
)
def test_a_gate_that_does_not_pass(
    tmp_path: Path, chat: Server, answer: dict[str, Any], status: int, words: str
) -> None:
    """It says which check and why; a gate that passes is no news."""
    bare = make_bare(tmp_path, standard_files(["nexo-be"]))
    with serving(fixed(**answer)) as service:
        arguments = ("--environment", "qa", "--check", "http", "--base-url", service.url)
        times = ("--timeout", "2s", "--interval", "50ms")
        assert run(bare, chat, "health-gate", *arguments, *times).status == status
        assert run(bare, chat, "health-gate", *arguments, *times, "--once").status == status
    heard = told(chat)
    assert [message["text"] for message in heard] == ([words] if words else [])
    if heard:
        assert "http: " in json.dumps(heard[0])
