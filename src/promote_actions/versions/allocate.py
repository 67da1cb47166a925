"""Giving a commit its version: the decision (pure), and the loop that makes it true on a server.

The rule: BUILD is the highest reserved build of the month plus one, and it is reserved by creating the
git tag ``PREFIX`` + version, which a git server does for one asker only. Whoever comes second looks
again. Since every asker tries exactly the next free build, a success means that nobody reserved
anything in between; that makes builds gapless and gives one commit one version, without a lock.

A version with metadata reserves two tags, the plain one and its own, both on the same commit: builds
are counted by the plain tag, so ``2026.02.16`` and ``2026.02.16-hotfix-auth`` never belong to two
commits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from promote_actions.errors import DependencyError, PromoteError, Refused
from promote_actions.versions.calendar_day import Month
from promote_actions.versions.calver import CalVer, version_of_tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Protocol
else:
    Protocol = object

PATIENCE = 3
"""Failures in a row after which nothing had changed on the server: then it isn't a race."""

GIVE_UP = 600.0
"""Seconds after which losing every race is reported instead of tried again."""

LONGEST_PAUSE = 10.0
PREVIOUS_MONTHS = 12
"""How many months back the previous version is looked for."""

_MONTHS_AT_ONCE = 3


class TagStore(Protocol):
    """The tags of one repository, as they are on the server."""

    def tags(self, prefixes: Sequence[str]) -> Mapping[str, str]:
        """Tags whose name begins with one of ``prefixes``: name to the SHA of the commit.

        An annotated tag counts as the commit that it points at; a tag of something else than a commit
        has an empty SHA.
        """

    def turn(self) -> AbstractContextManager[None]:
        """Hold back other processes on this machine meanwhile, where that can be done: it saves losing."""

    def create(self, names: Sequence[str], commit: str) -> PromoteError | None:
        """Create the tags ``names`` on ``commit``, none of which may exist yet.

        Returns None when they are there. Otherwise the failure, of whatever kind: the caller looks
        again, and raises it if nothing on the server explains it. Raises what no second try can mend.
        """


@dataclass(frozen=True)
class Place:
    """Where tags are reserved, and the full SHA of the commit that asks.

    ``web_url`` is the repository's page, or empty.
    """

    store: TagStore
    commit: str
    web_url: str = ""


@dataclass(frozen=True)
class Request:
    """Who asks for what: ``months`` are this month and those to recall from, newest first.

    ``build`` is a fixed number, or None for the next free one.
    """

    commit: str
    months: tuple[Month, ...]
    metadata: str = ""
    prefix: str = ""
    build: int | None = None

    def tag(self, version: CalVer) -> str:
        return f"{self.prefix}{version}"

    def month_prefix(self, month: Month) -> str:
        """How the names of that month's tags begin."""
        return f"{self.prefix}{month}."


@dataclass(frozen=True)
class Reuse:
    """The commit has this version already. ``missing`` are those of its tags still to be created."""

    version: CalVer
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reserve:
    """The version is free: the commit's as soon as the tags ``missing`` are created."""

    version: CalVer
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Allocation:
    """A commit's version; ``reused`` when it had it before; ``previous`` is the one released before it."""

    version: CalVer
    reused: bool
    previous: CalVer | None


def decide(tags: Mapping[str, str], request: Request) -> Reuse | Reserve:
    """What ``request`` gets when ``tags`` (name to commit) is all there is.

    The first version that the commit was given wins over later ones. Raises :class:`Refused` when a
    fixed build belongs to another commit.
    """
    taken = versions_in(tags, request.prefix)
    return _recall(taken, request) or _new(taken, request)


def versions_in(tags: Mapping[str, str], prefix: str) -> dict[CalVer, str]:
    """The versions among ``tags`` in the scope ``prefix``, each with its commit."""
    found = ((version_of_tag(name, prefix), commit) for name, commit in tags.items())
    return {version: commit for version, commit in found if version}


def _recall(taken: Mapping[CalVer, str], request: Request) -> Reuse | None:
    ours = sorted({version.base for version, commit in taken.items() if commit == request.commit})
    for base in ours:
        if Month(base.year, base.month) not in request.months or request.build not in (None, base.build):
            continue
        wanted = CalVer(base.year, base.month, base.build, request.metadata)
        if taken.get(wanted) == request.commit:
            return Reuse(wanted)
        names = [version for version in dict.fromkeys((base, wanted)) if version not in taken]
        if wanted in names and taken.get(base, request.commit) == request.commit:
            return Reuse(wanted, tuple(map(request.tag, names)))
    return None


def _new(taken: Mapping[CalVer, str], request: Request) -> Reserve:
    month = request.months[0]
    builds = {
        version.build: version
        for version in taken
        if (version.year, version.month) == (month.year, month.month)
    }
    build = request.build or max(builds, default=0) + 1
    if build in builds:
        holder = builds[build]
        raise Refused(
            f"build {build} of {month} belongs to commit {taken[holder][:12] or '(none)'} by tag"
            f" {request.tag(holder)}, not to {request.commit[:12]}",
            hint="a version is never given out twice: use --build auto, or another number",
        )
    version = CalVer(month.year, month.month, build, request.metadata)
    return Reserve(version, tuple(map(request.tag, dict.fromkeys((version.base, version)))))


def previous_of(taken: Mapping[CalVer, str], version: CalVer, commit: str) -> CalVer | None:
    """The highest version below ``version`` that another commit has; None when there is none."""
    return max((each for each in taken if each < version and taken[each] != commit), default=None)


def allocate(
    store: TagStore,
    request: Request,
    reserve: bool = True,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Allocation:
    """Give ``request`` its version on ``store``; with ``reserve`` off, say which it would be.

    Raises :class:`Refused` for a fixed build that is taken, :class:`DependencyError` when the server
    keeps refusing or the races never end, and what ``store`` raises.
    """
    asked = [request.month_prefix(month) for month in request.months]
    tags: dict[str, str] = {}
    seen: dict[str, str] | None = None
    failure: PromoteError | None = None
    started, attempts, stuck = clock(), 0, 0
    while True:
        with store.turn() if reserve else nullcontext():
            began = clock()
            tags = {name: sha for name, sha in tags.items() if not name.startswith(asked[0])}
            tags |= store.tags(asked)
            stuck = stuck + 1 if tags == seen else 0
            if failure and stuck >= PATIENCE:
                raise failure
            decision = decide(tags, request)
            failure = (
                store.create(decision.missing, request.commit) if reserve and decision.missing else None
            )
        if failure is None:
            break
        attempts, seen, asked = attempts + 1, tags, asked[:1]
        if clock() - started > GIVE_UP:
            raise DependencyError(
                f"{attempts} attempts in {clock() - started:.0f} s each lost the race for a build of"
                f" {request.months[0]}",
                hint="run again when fewer builds ask at once",
            )
        pause(pause_after(attempts, clock() - began))
    previous = _previous(store, tags, decision.version, request)
    return Allocation(decision.version, isinstance(decision, Reuse), previous)


def pause_after(losses: int, attempt: float) -> float:
    """Seconds to wait after that many lost races, the last of which took ``attempt`` seconds.

    A random part of an interval that doubles with each loss, up to 16 times what a try costs here: a
    local repository is tried again within milliseconds, a slow server within seconds. (Simulated with 2
    to 200 askers: they are through in one to two times the ideal, each with 2 to 12 tries.)
    """
    share = int.from_bytes(os.urandom(4), "big") / 2**32
    return share * min(LONGEST_PAUSE, max(attempt, 0.005) * 2.0 ** min(losses, 4))


def _previous(store: TagStore, tags: Mapping[str, str], version: CalVer, request: Request) -> CalVer | None:
    known = dict(tags)
    month = Month(version.year, version.month)
    older = [
        month.back(count) for count in range(PREVIOUS_MONTHS + 1) if month.back(count) not in request.months
    ]
    while True:
        found = previous_of(versions_in(known, request.prefix), version, request.commit)
        if found or not older:
            return found
        asked, older = older[:_MONTHS_AT_ONCE], older[_MONTHS_AT_ONCE:]
        known |= dict(store.tags([request.month_prefix(month) for month in asked]))
