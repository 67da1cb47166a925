"""The version matrix as data: services × environments, with the history of each cell. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Change:
    """A version that an environment has run, from ``at`` on (an aware datetime; None: not known).

    ``who`` is a login or a name, ``commit`` the full SHA of the GitOps commit that brought it,
    ``approvers`` whose approvals counted. Links are empty when they are not known.
    """

    version: str
    at: datetime | None = None
    who: str = ""
    commit: str = ""
    subject: str = ""
    pr_url: str = ""
    approvers: tuple[str, ...] = ()
    rollback: bool = False


@dataclass(frozen=True)
class Gap:
    """How far one environment is from another, in released versions of the service.

    ``state`` is ``same``, ``behind``, ``ahead``, ``diverged`` or ``unknown``. ``behind`` and ``ahead``
    are None when they can't be counted: never a guessed 0. ``days`` lie between the two releases;
    ``waiting_days`` is how long the oldest version that has not arrived has been waiting.
    ``reason`` says in words why a gap is unknown or diverged.
    """

    state: str = UNKNOWN
    behind: int | None = None
    ahead: int | None = None
    days: int | None = None
    waiting_days: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Cell:
    """One service in one environment. ``version`` is empty when its values file names none.

    ``health`` and ``sync`` are Argo CD's words, or empty when nobody asked it. ``problem`` says why
    there is no version. ``gap`` is the distance to the first environment.
    """

    environment: str
    version: str = ""
    file: str = ""
    history: tuple[Change, ...] = ()
    health: str = ""
    sync: str = ""
    health_url: str = ""
    problem: str = ""
    gap: Gap = Gap()

    @property
    def change(self) -> Change:
        """What brought the version that runs now; empty when the history doesn't say."""
        first = self.history[0] if self.history else Change("")
        return first if first.version == self.version else Change(self.version)


@dataclass(frozen=True)
class Drift:
    """How far the last environment is behind the first, and how risky that is.

    ``level`` is ``none``, ``low``, ``medium``, ``high`` or ``unknown``.
    """

    environment: str
    reference: str
    gap: Gap
    level: str


@dataclass(frozen=True)
class Row:
    """One service. ``source_url`` is the page of its repository; ``tagged`` are versions with a tag there.

    ``tags`` maps a version to the name of its tag; ``counted_in`` says where releases were counted.
    """

    service: str
    cells: tuple[Cell, ...]
    drift: Drift
    source_url: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    counted_in: str = ""

    def version_url(self, version: str) -> str:
        """The page of the release ``version``, or an empty string when there is no tag for it."""
        tag = self.tags.get(version)
        return f"{self.source_url}/releases/tag/{quote(tag, safe='')}" if tag and self.source_url else ""

    def compare_url(self, older: str, newer: str) -> str:
        """The page that compares two versions, or an empty string when one has no tag."""
        one, other = self.tags.get(older), self.tags.get(newer)
        if not (one and other and self.source_url) or one == other:
            return ""
        return f"{self.source_url}/compare/{quote(one, safe='')}...{quote(other, safe='')}"

    def cell(self, environment: str) -> Cell:
        """The cell of ``environment``."""
        return next(cell for cell in self.cells if cell.environment == environment)


@dataclass(frozen=True)
class Matrix:
    """Everything that a page shows. ``source`` says where released versions were counted."""

    repository: str
    web_url: str
    branch: str
    commit: str
    generated_at: datetime
    environments: tuple[str, ...]
    rows: tuple[Row, ...]
    warn: int | None = 20
    fail: int | None = None
    notes: tuple[str, ...] = field(default=())

    def with_notes(self, *notes: str) -> Matrix:
        """The same matrix with ``notes`` for the reader added."""
        return replace(self, notes=(*self.notes, *notes))

    @property
    def level(self) -> str:
        """The worst drift level of all services; a known risk outranks an unknown one."""
        levels = {row.drift.level for row in self.rows}
        return next((level for level in LEVELS if level in levels), "none")


LEVELS = ("high", "medium", "unknown", "low", "none")
"""Drift levels, the one that needs attention first at the front."""

GLYPHS = {"high": "🔴", "medium": "🟡", "low": "🟢", "none": "✅", "unknown": "⚪"}
WORDS = {
    "high": "High Risk",
    "medium": "Medium Risk",
    "low": "Low Risk",
    "none": "No Drift",
    "unknown": "Unknown",
}
"""The strategy's words for a level ("🟡 Medium Risk"), and ours beside them."""
