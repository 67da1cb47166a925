"""Drift is counted from tags, over month ends, gaps, re-tags and hotfixes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.versions.calver import CalVer
from promote_actions.versions.drift import Drift, Release, drift, find

START = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
JANUARY = [Release(CalVer(2026, 1, n), f"{n:040x}", START + timedelta(hours=n)) for n in range(1, 61)]
FEBRUARY = [
    Release(CalVer(2026, 2, n), f"{100 + n:040x}", START + timedelta(days=31, hours=n))
    for n in range(1, 18)
]
TAGS = [release for release in JANUARY if release.version.build not in (50, 51)] + FEBRUARY


def version(text: str) -> CalVer:
    return CalVer.parse(text)


def release(text: str, commit: str) -> Release:
    return Release(version(text), commit.ljust(40, "0"))


def test_the_strategys_example_is_counted_over_the_month_end() -> None:
    """2026.01.45 is 30 releases behind 2026.02.17 (13 of January, 17 of February), not −28."""
    found = drift(reversed(TAGS), version("2026.01.45"), version("2026.02.17"))
    assert (found.behind, found.ahead, found.known, found.diverged) == (30, 0, True, False)
    assert found.behind_days == 29
    assert found.waiting_since == START + timedelta(hours=46)


def test_ahead_is_a_number_of_its_own() -> None:
    """The newer side is ahead, never behind by a negative number."""
    found = drift(TAGS, version("2026.02.17"), version("2026.01.45"))
    assert (found.behind, found.ahead, found.behind_days) == (0, 30, -29)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("2026.01.50", "2026.02.17"),
        ("2026.02.17", "2026.02.18"),
        (None, "2026.02.17"),
        ("2026.02.1", None),
        ("2026.02.3-a3f2b1c", "2026.02.17"),
        ("2026.02.3-hotfix-auth", "2026.02.17"),
        (None, None),
    ],
)
def test_what_cannot_be_counted_is_unknown(here: str | None, there: str | None) -> None:
    """A version without a tag gives no number at all, with the reason in words."""
    found = drift(TAGS, here and version(here), there and version(there))  # type: ignore[arg-type]
    assert (found.behind, found.ahead, found.known) == (None, None, False)
    assert found.reason


def test_without_tags_nothing_is_known() -> None:
    """No tags (a shallow clone) is unknown, except that a version isn't behind itself."""
    assert drift([], version("2026.02.1"), version("2026.02.2")).behind is None
    assert drift([], version("2026.02.1"), version("2026.02.1")) == Drift(0, 0, known=True, behind_days=0)


def test_tags_of_one_commit_are_one_release() -> None:
    """A label on a build and a second tag on a commit don't make more releases."""
    tags = [
        release("2026.02.1", "a"),
        release("2026.02.2", "b"),
        release("2026.02.2-hotfix-auth", "b"),
        release("2026.02.3", "b"),
        release("2026.02.4", "c"),
    ]
    assert drift(tags, version("2026.02.1"), version("2026.02.4")).behind == 2
    assert drift(tags, version("2026.02.2"), version("2026.02.4")).behind == 1
    assert drift(tags, version("2026.02.2"), version("2026.02.3")) == Drift(0, 0, known=True, behind_days=0)


def test_a_labelled_build_of_its_own_commit_counts() -> None:
    """A hotfix is a release like any other."""
    tags = [release("2026.02.1", "a"), release("2026.02.2-hotfix", "b"), release("2026.02.3", "c")]
    assert drift(tags, version("2026.02.1"), version("2026.02.3")).behind == 2


def test_a_full_version_is_found_by_its_commit() -> None:
    """A values file may hold the version with its short SHA."""
    tags = [release("2026.02.1", "a3f2b1c"), release("2026.02.2-fix", "b5d8e9f"), release("2026.02.3", "c")]
    assert find(tags, version("2026.02.1-a3f2b1c")) == tags[0]
    assert find(tags, version("2026.02.2-fix-b5d8e9f")) == tags[1]
    assert find(tags, version("2026.02.1-0000000")) is None
    assert drift(tags, version("2026.02.1-a3f2b1c"), version("2026.02.3")).behind == 2


def test_a_hotfix_that_was_not_merged_back_is_diverged() -> None:
    """Production's hotfix is ahead by itself and behind by what came after; each is counted once."""
    tags = [release(f"2026.02.{n}", f"{n}") for n in range(1, 7)]
    trunk = {release.commit for release in tags if release.version.build != 4}

    def contains(older: str, newer: str) -> bool:
        return older == newer or (older in trunk and newer in trunk and older < newer)

    found = drift(tags, version("2026.02.4"), version("2026.02.6"), contains)
    assert (found.behind, found.ahead, found.diverged) == (2, 1, True)
    found = drift(tags, version("2026.02.6"), version("2026.02.4"), contains)
    assert (found.behind, found.ahead, found.diverged) == (1, 2, True)
    found = drift(tags, version("2026.02.3"), version("2026.02.6"), contains)
    assert (found.behind, found.ahead, found.diverged) == (3, 0, False)
    found = drift(tags, version("2026.02.3"), version("2026.02.6"), lambda older, newer: None)
    assert (found.behind, found.ahead, found.diverged) == (3, 0, False)


@given(st.sets(st.integers(0, 40), min_size=2), st.data())
@settings(max_examples=100, deadline=None)
def test_behind_and_ahead_mirror_each_other(numbers: set[int], data: st.DataObject) -> None:
    """What one side is behind, the other is ahead, and it is the number of tags between them."""
    tags = [Release(CalVer(2026, 1 + n // 20, 1 + n % 20), f"{n:040x}") for n in sorted(numbers)]
    one = data.draw(st.integers(0, len(tags) - 1))
    other = data.draw(st.integers(0, len(tags) - 1))
    there = drift(tags, tags[one].version, tags[other].version)
    back = drift(tags, tags[other].version, tags[one].version)
    assert (there.behind, there.ahead) == (back.ahead, back.behind)
    assert (there.behind, there.ahead) == (max(other - one, 0), max(one - other, 0))
