"""Drift: how many released versions lie between what two environments run. Pure.

Counted from the tags that exist, never computed from build numbers: builds start at 1 again each month and
leave gaps, so subtracting them (the strategy's script) gives −28 between 2026.01.45 and 2026.02.17. It is
two numbers, as git counts commits: ``behind`` is released there and not here, ``ahead`` is here and not
there. What can't be counted is unknown, which is not 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from promote_actions.versions.calver import SHORT_SHA, CalVer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

Contains = Callable[[str, str], "bool | None"]
"""Whether the second commit contains the first one; None when it can't be told."""


@dataclass(frozen=True)
class Release:
    """One reserved version of a service: its commit, and when it was released (aware; None: unknown)."""

    version: CalVer
    commit: str
    at: datetime | None = None


@dataclass(frozen=True)
class Drift:
    """The distance from here to there. ``behind`` and ``ahead`` are None when ``known`` is false.

    ``diverged``: neither contains the other, such as a hotfix that was never merged back. ``behind_days``
    is the age difference of the two releases; ``waiting_since`` is when the oldest release that is not
    here yet came out. ``reason`` says in words why nothing could be counted.
    """

    behind: int | None = None
    ahead: int | None = None
    diverged: bool = False
    known: bool = False
    behind_days: int | None = None
    waiting_since: datetime | None = None
    reason: str = ""


def drift(
    released: Iterable[Release],
    here: CalVer | None,
    there: CalVer | None,
    contains: Contains | None = None,
) -> Drift:
    """The drift of the version ``here`` from the version ``there``, by the service's ``released`` tags.

    None stands for a version that isn't known (a digest, a foreign tag). A version in its full form
    (``2026.02.1-a3f2b1c``) is found by its commit. Several tags of one commit are one release. With
    ``contains``, two versions whose commits don't contain one another are ``diverged``, and ``ahead``
    counts what is released here and missing there.
    """
    if here is None or there is None:
        return Drift(reason="one side has no version that could be counted")
    if here == there:
        return Drift(0, 0, known=True, behind_days=0)
    releases = sorted(released, key=lambda release: release.version)
    ours, theirs = find(releases, here), find(releases, there)
    if ours is None or theirs is None:
        return Drift(reason=f"{here if ours is None else there} is not among the released versions")
    if ours.commit == theirs.commit:
        return Drift(0, 0, known=True, behind_days=0)
    if ours.version < theirs.version:
        missing = _between(releases, ours, theirs)
        extra = _only_here(releases, ours, theirs, contains)
        since = missing[0].at if missing else None
        return Drift(len(missing), extra, extra > 0, True, _days(ours, theirs), since)
    lost = _only_here(releases, theirs, ours, contains)
    return Drift(lost, len(_between(releases, theirs, ours)), lost > 0, True, _days(ours, theirs))


def find(releases: Sequence[Release], version: CalVer) -> Release | None:
    """The release of ``version``: the tag of that name, or of its full form without the short SHA."""
    for release in releases:
        if release.version == version:
            return release
    label, _, sha = version.metadata.rpartition("-")
    if len(sha) != SHORT_SHA:
        return None
    short = CalVer(version.year, version.month, version.build, label)
    return next((each for each in releases if each.version == short and each.commit.startswith(sha)), None)


def _between(releases: Sequence[Release], low: Release, high: Release) -> list[Release]:
    """Releases after ``low`` and up to ``high``: the first of each commit, without that of ``low``."""
    commits: dict[str, Release] = {}
    for release in releases:
        if low.version < release.version <= high.version and release.commit != low.commit:
            commits.setdefault(release.commit, release)
    return list(commits.values())


def _only_here(releases: Sequence[Release], low: Release, high: Release, contains: Contains | None) -> int:
    """How many releases up to ``low`` are not in ``high``: from ``low`` down to the first that is."""
    commits: set[str] = set()
    for release in reversed([each for each in releases if each.version <= low.version]):
        if contains is None or contains(release.commit, high.commit) is not False:
            break
        commits.add(release.commit)
    return len(commits)


def _days(one: Release, other: Release) -> int | None:
    if one.at is None or other.at is None:
        return None
    return (other.at - one.at).days if other.at >= one.at else -(one.at - other.at).days
