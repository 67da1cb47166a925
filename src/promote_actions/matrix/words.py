"""Words that every rendering of the matrix shares: ages, drift sentences, texts from strangers. Pure."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from promote_actions.errors import one_line
from promote_actions.matrix.model import GLYPHS, WORDS, Drift, Gap

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS = ((730, 365, "year"), (60, 30, "month"), (7, 7, "week"))
"""Days from which on a unit is used, the days it has, and its name."""


def ago(moment: datetime | None, now: datetime) -> str:
    """How long before ``now`` that was, as the strategy's dashboard says it: 2h ago, 2 days ago."""
    if moment is None:
        return "–"
    seconds = int((now - moment).total_seconds())
    if seconds < _DAY:
        return _today(seconds)
    days = seconds // _DAY
    for least, length, unit in _UNITS:
        if days >= least:
            return f"{_plural(days // length, unit)} ago"
    return f"{_plural(days, 'day')} ago"


def _today(seconds: int) -> str:
    if seconds < _MINUTE:
        return "just now"
    return f"{seconds // _MINUTE}min ago" if seconds < _HOUR else f"{seconds // _HOUR}h ago"


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def clean(text: str, limit: int = 200) -> str:
    """A stranger's text as one visible line: controls, ANSI escapes and bidi marks become escapes."""
    text = one_line(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def gap_text(gap: Gap) -> str:
    """A distance in a word or two, with a glyph so that colour never carries it alone."""
    if gap.state == "same":
        return "✓ in step"
    if gap.state == "behind":
        return f"▼ {gap.behind} behind"
    if gap.state == "ahead":
        return f"▲ {gap.ahead} ahead"
    if gap.state == "diverged":
        return f"◆ {gap.behind} behind, {gap.ahead} ahead" if gap.behind is not None else "◆ diverged"
    return "? unknown"


def drift_sentence(drift: Drift) -> str:
    """The strategy's alert: ``production is 28 versions behind develop (🟡 Medium Risk)``."""
    gap, one, other = drift.gap, drift.environment, drift.reference
    if gap.state == "same":
        said = f"{one} runs what {other} runs"
    elif gap.state == "behind":
        said = f"{one} is {_plural(gap.behind or 0, 'version')}{_days(gap)} behind {other}"
    elif gap.state == "ahead":
        said = f"{one} is {_plural(gap.ahead or 0, 'version')} ahead of {other}"
    elif gap.state == "diverged":
        said = f"{one} and {other} have diverged{_why(gap)}"
    else:
        said = f"how far {one} is from {other} is not known{_why(gap)}"
    return f"{said} ({GLYPHS[drift.level]} {WORDS[drift.level]})"


def _days(gap: Gap) -> str:
    return f" and {_plural(gap.days, 'day')}" if gap.days else ""


def _why(gap: Gap) -> str:
    return f": {clean(gap.reason)}" if gap.reason else ""


def display_width(text: str) -> int:
    """Columns that ``text`` takes on a terminal: wide characters and emoji take two, marks none."""
    width = 0
    for char in text:
        if unicodedata.combining(char) or char in "\u200d\ufe0f":
            continue
        width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return width


def pad(text: str, width: int) -> str:
    """``text`` filled with spaces, or cut with an ellipsis, to take ``width`` columns."""
    while display_width(text) > width:
        text = text[:-2] + "…"
    return text + " " * (width - display_width(text))
