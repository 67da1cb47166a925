"""How far apart two environments are, in released versions, and how risky that is. Pure.

The counting is :mod:`promote_actions.versions.drift`; this says what of it a cell of the matrix shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from promote_actions.matrix.model import Drift, Gap
from promote_actions.versions import drift as counting
from promote_actions.versions.calver import CalVer
from promote_actions.versions.drift import Contains, Release


@dataclass(frozen=True)
class Releases:
    """The released versions of one service.

    ``source`` says in words where they were counted; ``complete`` is whether older ones are all there.
    ``tags`` are the names of their tags by version, ``url`` the page of the repository that has them.
    ``contains`` tells whether one commit is part of another's history.
    """

    released: tuple[Release, ...] = ()
    source: str = ""
    complete: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    contains: Contains | None = None


def gap(version: str, reference: str, releases: Releases, now: datetime) -> Gap:
    """The distance of ``version`` from ``reference``; ``now`` is an aware datetime."""
    if not version or not reference:
        return Gap(reason="one of them runs no version")
    if version == reference:
        return Gap("same", 0, 0, 0)
    one, other = CalVer.try_parse(version), CalVer.try_parse(reference)
    if one is None or other is None:
        return Gap(reason=f"{version if one is None else reference} is no calendar version")
    found = counting.drift(releases.released, one, other, releases.contains)
    if not found.known:
        hint = "" if releases.complete else f", as far back as {releases.source} was read"
        return Gap(reason=found.reason + hint)
    waiting = (now - found.waiting_since).days if found.waiting_since else None
    days = None if found.behind_days is None else abs(found.behind_days)
    return Gap(_state(found), found.behind, found.ahead, days, waiting)


def _state(found: counting.Drift) -> str:
    if found.diverged:
        return "diverged"
    if found.behind:
        return "behind"
    return "ahead" if found.ahead else "same"


def drift(environment: str, reference: str, distance: Gap, warn: int | None, fail: int | None) -> Drift:
    """The drift that ``distance`` is, with its level: over ``warn`` is medium, over ``fail`` is high."""
    return Drift(environment, reference, distance, level(distance, warn, fail))


def level(distance: Gap, warn: int | None, fail: int | None) -> str:
    """``none``, ``low``, ``medium``, ``high``, or ``unknown`` when the distance can't be counted."""
    if distance.behind is None:
        return "unknown"
    if fail is not None and distance.behind > fail:
        return "high"
    if (warn is not None and distance.behind > warn) or distance.state == "diverged":
        return "medium"
    return "low" if distance.behind or distance.ahead else "none"
