"""The check of CI's results on the released commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, cast

import pytest

from promote_actions.adapters.forge import CheckRun, CommitStatus, ForgeRepository
from promote_actions.errors import InputError
from promote_actions.gates.github import KNOWN, GitHubCheck, parse, tagged
from promote_actions.gates.model import Moment, Reading
from promote_actions.gates.options import Options

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
SHA = "a" * 40


class Forge:
    def __init__(self, runs: Sequence[CheckRun], statuses: Mapping[str, str]) -> None:
        self.runs = runs
        self.words = statuses
        self.asked: list[str] = []

    def check_runs(self, sha: str) -> Sequence[CheckRun]:
        self.asked.append(sha)
        return self.runs

    def statuses(self, sha: str) -> Mapping[str, CommitStatus]:
        return {
            name: CommitStatus(name, state, url="https://ci/" + name) for name, state in self.words.items()
        }


class Repository:
    name = "nexo-org/nexo-be"

    def __init__(self, tags: Mapping[str, str], forge: Forge) -> None:
        self.all_tags = tags
        self.forge = forge

    def tags(self, prefix: str = "") -> Mapping[str, str]:
        return {name: sha for name, sha in self.all_tags.items() if name.startswith(prefix)}


def measure(
    names: str,
    runs: Sequence[CheckRun] = (),
    statuses: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    **values: Any,
) -> tuple[Reading, Forge]:
    forge = Forge(runs, statuses or {})
    repository = Repository({"2026.02.2": SHA} if tags is None else tags, forge)
    options = Options("github", {"names": names, **values}, KNOWN)
    settings = parse(options, "2026.02.2", "nexo-be")
    check = GitHubCheck(settings, lambda: cast(ForgeRepository, repository))
    return check.measure(Moment(T0)), forge


def done(name: str, conclusion: str = "success") -> CheckRun:
    return CheckRun(name, "completed", conclusion, "https://github.com/run")


CASES: dict[str, tuple[str, Sequence[CheckRun], Mapping[str, str], str, str]] = {
    "all succeeded": (
        "e2e,perf",
        [done("e2e"), done("perf")],
        {},
        "passed",
        "e2e, perf succeeded on aaaaaaa",
    ),
    "a status": ("scan", [], {"scan": "success"}, "passed", "scan succeeded"),
    "one failed": ("e2e,perf", [done("e2e"), done("perf", "failure")], {}, "failed", "perf ended failure"),
    "timed out": ("e2e", [done("e2e", "timed_out")], {}, "failed", "ended timed_out"),
    "cancelled": ("e2e", [done("e2e", "cancelled")], {}, "inconclusive", "ended cancelled"),
    "skipped": ("e2e", [done("e2e", "skipped")], {}, "inconclusive", "ended skipped"),
    "no conclusion": ("e2e", [done("e2e", "")], {}, "inconclusive", "without a conclusion"),
    "still running": ("e2e", [CheckRun("e2e", "in_progress")], {}, "waiting", "e2e is in progress"),
    "not there yet": ("e2e,perf", [done("e2e")], {}, "waiting", "perf has not reported"),
    "failed outranks running": (
        "e2e,perf",
        [CheckRun("e2e", "queued"), done("perf", "failure")],
        {},
        "failed",
        "perf ended",
    ),
    "a status that failed": ("scan", [], {"scan": "failure"}, "failed", "scan is failure"),
    "a status that errored": ("scan", [], {"scan": "error"}, "failed", "scan is error"),
    "a pending status": ("scan", [], {"scan": "pending"}, "waiting", "scan is pending"),
    "a pattern": (
        "e2e *",
        [done("e2e (1)"), done("e2e (2)", "failure")],
        {},
        "failed",
        "e2e (2) ended failure",
    ),
    "others don't matter": ("e2e", [done("e2e"), done("lint", "failure")], {}, "passed", "e2e succeeded"),
}


@pytest.mark.parametrize(("names", "runs", "statuses", "outcome", "words"), CASES.values(), ids=CASES)
def test_each_named_check_must_have_succeeded(
    names: str, runs: Sequence[CheckRun], statuses: Mapping[str, str], outcome: str, words: str
) -> None:
    """What was skipped or cancelled proves nothing; what has not reported is waited for."""
    reading, _ = measure(names, runs, statuses)
    assert (reading.outcome, words in reading.reason) == (outcome, True), reading.reason


def test_skipped_can_be_allowed() -> None:
    """By name, since it isn't a success."""
    assert measure("e2e", [done("e2e", "skipped")], allow="skipped")[0].outcome == "passed"


def test_the_commit_is_that_of_the_versions_tag() -> None:
    """Or the one that is given."""
    assert measure("e2e", [done("e2e")])[1].asked == [SHA]
    assert measure("e2e", [done("e2e")], commit="b" * 40)[1].asked == ["b" * 40]
    reading, forge = measure("e2e", [done("e2e")], tags={"2026.02.23": SHA})
    assert (reading.outcome, forge.asked) == ("inconclusive", [])
    assert "has no tag of 2026.02.2" in reading.reason


@pytest.mark.parametrize("name", ["2026.02.2", "v2026.02.2", "nexo-be/2026.02.2"])
def test_tags_have_prefixes(name: str) -> None:
    """A `v`, or the scope in a monorepo."""
    repository = cast(ForgeRepository, Repository({name: SHA, "other/2026.02.2": "c" * 40}, Forge((), {})))
    assert tagged(repository, "2026.02.2", ("", "v", "nexo-be/")) == SHA
    assert tagged(repository, "2026.02.9", ("", "v", "nexo-be/")) == ""


@pytest.mark.parametrize(
    ("values", "words"), [({}, "names no check runs"), ({"names": "a", "allow": "x"}, "'x'")]
)
def test_options_that_make_no_sense(values: dict[str, str], words: str) -> None:
    """All checks of the commit would hold the gate's own."""
    with pytest.raises(InputError, match=words):
        parse(Options("github", values, KNOWN), "1", "x")
