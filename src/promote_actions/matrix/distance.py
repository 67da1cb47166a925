"""How far apart two environments are, in versions that were released between them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from promote_actions.matrix.model import Drift, Gap
from promote_actions.versions.calver import CalVer


@dataclass(frozen=True)
class Releases:
    """The released versions of one service: version to when it was released (None: not known).

    ``source`` says in words where they were counted; ``complete`` is whether older ones are all there.
    ``tags`` are the names of their tags, ``url`` the page of the repository that has them.
    """

    versions: Mapping[str, datetime | None] = field(default_factory=dict)
    source: str = ""
    complete: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


def gap(version: str, reference: str, releases: Releases, now: datetime) -> Gap:
    """The distance of ``version`` from ``reference``: released versions after one and up to the other."""
    if not version or not reference:
        return Gap(reason="one of them has no version")
    if version == reference:
        return Gap("same", 0, 0, 0)
    one, other = CalVer.try_parse(version), CalVer.try_parse(reference)
    if one is None or other is None or not {version, reference} <= set(releases.versions):
        lost = version if one is None or version not in releases.versions else reference
        return Gap(reason=f"{lost} is not among the released versions")
    low, high = sorted((one, other))
    between = sorted(
        key
        for key in (CalVer.try_parse(text) for text in releases.versions)
        if key is not None and low < key <= high
    )
    days = _days(releases.versions[str(low)], releases.versions[str(high)])
    if one < other:
        waiting = _days(releases.versions[str(between[0])], now)
        return Gap("behind", len(between), 0, days, waiting)
    return Gap("ahead", 0, len(between), days)


def _days(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else max((end - start).days, 0)


def drift(environment: str, reference: str, distance: Gap, warn: int | None, fail: int | None) -> Drift:
    """The drift that ``distance`` is, with its level: over ``warn`` is medium, over ``fail`` is high."""
    return Drift(environment, reference, distance, level(distance, warn, fail))


def level(distance: Gap, warn: int | None, fail: int | None) -> str:
    """``none``, ``low``, ``medium``, ``high``, or ``unknown`` when the distance can't be counted."""
    if distance.behind is None:
        return "unknown"
    if fail is not None and distance.behind > fail:
        return "high"
    if warn is not None and distance.behind > warn:
        return "medium"
    return "low" if distance.behind or distance.ahead else "none"
