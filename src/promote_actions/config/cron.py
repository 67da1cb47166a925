"""Cron expressions of five fields, as crontab(5) describes them: when a freeze window starts.

Pure. A start is a whole minute whose wall clock in the zone matches the expression. Where clocks go
back, a wall-clock time that comes twice matches twice; where they go forward, a time that is skipped
matches at the moment it would have been by the old offset.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/([0-9]{1,2}))?")


@dataclass(frozen=True)
class _Field:
    """A field's name for messages, its bounds, and words that stand for numbers from ``first_word`` on."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    first_word: int = 0


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day of week", 0, 7, _DAYS, 0),
)


@dataclass(frozen=True)
class Cron:
    """A parsed expression. ``weekdays`` counts from Sunday = 0; ``either_day`` joins the two day
    fields by *or*, which crontab(5) asks for when neither begins with ``*``."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def matches_day(self, day: date) -> bool:
        """Whether it starts on ``day`` at all."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (in_month or in_week) if self.either_day else (in_month and in_week)

    def latest_start(self, now: datetime, zone: tzinfo, within: timedelta) -> datetime | None:
        """The latest start (UTC) that is not after ``now`` and less than ``within`` before it."""
        today = now.astimezone(zone).date()
        for back in range(-1, within.days + 3):
            day = _shift(today, -back)
            found = self._latest_on(day, zone, now) if day else None
            if found is not None:
                return found if now - found < within else None
        return None

    def _latest_on(self, day: date, zone: tzinfo, now: datetime) -> datetime | None:
        if not self.matches_day(day):
            return None
        offset = _steady_offset(day, zone)
        if offset is not None:
            wall = self._latest_wall(day, now.astimezone(timezone.utc).replace(tzinfo=None) + offset)
            return (wall - offset).replace(tzinfo=timezone.utc) if wall else None
        return max(self._starts(day, zone, now), default=None)

    def _latest_wall(self, day: date, now: datetime) -> datetime | None:
        midnight = datetime.combine(day, time())
        for hour in reversed(self.hours):
            for minute in reversed(self.minutes):
                wall = midnight + timedelta(hours=hour, minutes=minute)
                if wall <= now:
                    return wall
        return None

    def _starts(self, day: date, zone: tzinfo, now: datetime) -> list[datetime]:
        walls = [
            datetime.combine(day, time(hour, minute)) for hour in self.hours for minute in self.minutes
        ]
        return [start for wall in walls for start in _instants(wall, zone) if start <= now]


def _steady_offset(day: date, zone: tzinfo) -> timedelta | None:
    """The zone's offset around ``day`` when no clock changes near it: then no wall time comes twice."""
    ends = [_shift(day, -2), _shift(day, 3)]
    offsets = {datetime.combine(end, time(), zone).utcoffset() for end in ends if end}
    return offsets.pop() if len(offsets) == 1 and None not in ends else None


def _shift(day: date, days: int) -> date | None:
    try:
        shifted = day + timedelta(days=days)
    except OverflowError:
        return None
    return shifted if 2 <= shifted.year <= 9998 else None


def _instants(wall: datetime, zone: tzinfo) -> set[datetime]:
    """The moments (UTC) at which clocks in ``zone`` show ``wall``."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(timezone.utc)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(timezone.utc)
    skipped = first.astimezone(zone).replace(tzinfo=None) != wall
    return {first} if skipped else {first, second}


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Cron:
    """The expression in ``text``; raises ``ValueError`` whose message says which field is wrong.

    Takes ``*``, numbers, ``a-b``, ``/step``, lists by comma, and English names of months and days
    in three letters; Sunday is 0 or 7.
    """
    parts = text.lower().split()
    if len(parts) != 5:
        raise ValueError(f"it has {len(parts)} fields, not 5")
    minutes, hours, days, months, weekdays = (
        _field(field, part) for field, part in zip(_FIELDS, parts, strict=True)
    )
    either = not (parts[2].startswith("*") or parts[4].startswith("*"))
    if not either and not any(day <= _LONGEST_MONTH[month - 1] for month in months for day in days):
        raise ValueError("there is no such day of the month, so it never starts")
    weekdays = frozenset(day % 7 for day in weekdays)
    return Cron(tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays, either)


def _field(field: _Field, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match[1] == "*" and match[2]):
            raise ValueError(f"the {field.name} '{part[:40]}' is not a number, a range or *")
        low, high = _bounds(field, match)
        step = int(match[3]) if match[3] else 1
        if step == 0:
            raise ValueError(f"the {field.name} '{part}' has a step of 0")
        found.update(range(low, high + 1, step))
    return frozenset(found)


def _bounds(field: _Field, match: re.Match[str]) -> tuple[int, int]:
    if match[1] == "*":
        return field.low, min(field.high, 6) if field.name == "day of week" else field.high
    low = _number(field, match[1])
    high = low
    if match[2]:
        high = _number(field, match[2])
    elif match[3]:
        high = field.high
    if match[2] and high == 0 and low and field.name == "day of week":
        high = 7
    if low > high:
        raise ValueError(f"the {field.name} '{match[0]}' runs backwards; write two ranges")
    return low, high


def _number(field: _Field, text: str) -> int:
    if text in field.words:
        return field.words.index(text) + field.first_word
    if not text.isdigit():
        raise ValueError(f"the {field.name} '{text}' is unknown")
    value = int(text)
    if not field.low <= value <= field.high:
        raise ValueError(f"the {field.name} {value} is not between {field.low} and {field.high}")
    return value
