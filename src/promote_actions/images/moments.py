"""Dates in the format letters of Moment.js, which ``{{date 'YYYYMMDD'}}`` is written in.

Letters and results: https://momentjs.com/docs/#/displaying/format/, in English. ``datetime`` and the
time zones are imported only when a rule has a date in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from promote_actions.errors import InputError, one_line

if TYPE_CHECKING:
    from datetime import datetime

FORMAT_LIMIT = 200
"""Characters of a format at most: the result is part of a tag or a label."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_LOCAL = {
    "LTS": "h:mm:ss A",
    "LT": "h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "LLL": "MMMM D, YYYY h:mm A",
    "LL": "MMMM D, YYYY",
    "L": "MM/DD/YYYY",
    "llll": "ddd, MMM D, YYYY h:mm A",
    "lll": "MMM D, YYYY h:mm A",
    "ll": "MMM D, YYYY",
    "l": "M/D/YYYY",
}


def at(epoch: float, zone: str) -> datetime:
    """The moment ``epoch`` (seconds since 1970) in the IANA time zone ``zone``.

    Raises :class:`InputError` when there is no such zone, or no such date.
    """
    from datetime import datetime, timezone

    try:
        moment = datetime.fromtimestamp(epoch, timezone.utc)
        if zone.upper() in ("UTC", "ETC/UTC", "GMT", "Z"):
            return moment
        from zoneinfo import ZoneInfo

        return moment.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError, OverflowError):
        raise InputError(
            f"there is no time zone '{one_line(zone[:60])}' for the date of this run",
            hint="give an IANA name such as Europe/Lisbon, and install tzdata where the system has none",
        ) from None


def format_moment(moment: datetime, pattern: str | None) -> str:
    """``moment`` written as ``pattern`` says; None is ISO 8601 to the second.

    Text in square brackets stays as it is, and so does every character that is no format letter.
    """
    if pattern is None:
        pattern = "YYYY-MM-DDTHH:mm:ss[Z]" if _is_utc(moment) else "YYYY-MM-DDTHH:mm:ssZ"
    if len(pattern) > FORMAT_LIMIT:
        raise InputError(f"a date format has {len(pattern)} characters", hint=f"use at most {FORMAT_LIMIT}")
    return "".join(_write(moment, token) for token in _tokens(_expand(pattern)))


def _is_utc(moment: datetime) -> bool:
    return moment.tzname() == "UTC"


def _expand(pattern: str) -> str:
    """``pattern`` with the locale's own formats (``LL``) written out, where they aren't in brackets."""
    return "".join(_LOCAL.get(token, token) for token in _tokens(pattern, _LOCAL))


def _tokens(pattern: str, only: Mapping[str, object] | None = None) -> list[str]:
    """``pattern`` cut into bracketed texts, format tokens (the longest that fits) and characters."""
    known = _WRITERS if only is None else only
    found: list[str] = []
    position = 0
    while position < len(pattern):
        token = _bracketed(pattern, position) or _longest(pattern, position, known)
        found.append(token)
        position += len(token)
    return found


def _bracketed(pattern: str, start: int) -> str:
    if pattern[start] == "[":
        end = pattern.find("]", start)
        if end > 0 and "[" not in pattern[start + 1 : end]:
            return pattern[start : end + 1]
    if pattern[start] == "\\" and start + 1 < len(pattern):
        return "\\" + _longest(pattern, start + 1, _WRITERS)
    return ""


def _longest(pattern: str, start: int, known: Mapping[str, object]) -> str:
    for length in range(min(9, len(pattern) - start), 1, -1):
        if pattern[start : start + length] in known:
            return pattern[start : start + length]
    return pattern[start]


def _write(moment: datetime, token: str) -> str:
    if token.startswith("[") and len(token) > 1:
        return token[1:-1]
    if token.startswith("\\") and len(token) > 1:
        return token[1:]
    writer = _WRITERS.get(token)
    return writer(moment) if writer else token


def _ordinal(number: int) -> str:
    teen = number // 10 % 10 == 1
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _weekday(moment: datetime) -> int:
    """0 for Sunday, as Moment counts."""
    return moment.isoweekday() % 7


def _day_of_year(moment: datetime) -> int:
    return moment.timetuple().tm_yday


def _us_week(moment: datetime) -> tuple[int, int]:
    """Year and week where weeks begin on Sunday and week 1 holds January 1st (Moment's English)."""
    from datetime import date, timedelta

    day = moment.date()
    saturday = day + timedelta(days=6 - _weekday(moment))
    first = date(saturday.year, 1, 1)
    start = first - timedelta(days=first.isoweekday() % 7)
    return saturday.year, (day - start).days // 7 + 1


def _offset(moment: datetime, colon: str) -> str:
    shift = moment.utcoffset()
    minutes = round(shift.total_seconds() / 60) if shift is not None else 0
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{minutes // 60:02}{colon}{minutes % 60:02}"


def _hour12(moment: datetime) -> int:
    return moment.hour % 12 or 12


def _zone_name(moment: datetime) -> str:
    return moment.tzname() or ""


_WRITERS: dict[str, Callable[[datetime], str]] = {
    "M": lambda m: str(m.month),
    "Mo": lambda m: _ordinal(m.month),
    "MM": lambda m: f"{m.month:02}",
    "MMM": lambda m: _MONTHS[m.month - 1][:3],
    "MMMM": lambda m: _MONTHS[m.month - 1],
    "Q": lambda m: str((m.month + 2) // 3),
    "Qo": lambda m: _ordinal((m.month + 2) // 3),
    "D": lambda m: str(m.day),
    "Do": lambda m: _ordinal(m.day),
    "DD": lambda m: f"{m.day:02}",
    "DDD": lambda m: str(_day_of_year(m)),
    "DDDo": lambda m: _ordinal(_day_of_year(m)),
    "DDDD": lambda m: f"{_day_of_year(m):03}",
    "d": lambda m: str(_weekday(m)),
    "do": lambda m: _ordinal(_weekday(m)),
    "dd": lambda m: _DAYS[_weekday(m)][:2],
    "ddd": lambda m: _DAYS[_weekday(m)][:3],
    "dddd": lambda m: _DAYS[_weekday(m)],
    "e": lambda m: str(_weekday(m)),
    "E": lambda m: str(m.isoweekday()),
    "w": lambda m: str(_us_week(m)[1]),
    "wo": lambda m: _ordinal(_us_week(m)[1]),
    "ww": lambda m: f"{_us_week(m)[1]:02}",
    "W": lambda m: str(m.isocalendar()[1]),
    "Wo": lambda m: _ordinal(m.isocalendar()[1]),
    "WW": lambda m: f"{m.isocalendar()[1]:02}",
    "Y": lambda m: str(m.year),
    "YY": lambda m: f"{m.year % 100:02}",
    "YYYY": lambda m: f"{m.year:04}",
    "YYYYY": lambda m: f"{m.year:05}",
    "YYYYYY": lambda m: f"+{m.year:06}",
    "yo": lambda m: _ordinal(m.year),
    "N": lambda _: "AD",
    "NN": lambda _: "AD",
    "NNN": lambda _: "AD",
    "NNNN": lambda _: "Anno Domini",
    "NNNNN": lambda _: "AD",
    "y": lambda m: str(m.year),
    "yy": lambda m: f"{m.year:02}",
    "yyy": lambda m: f"{m.year:03}",
    "yyyy": lambda m: f"{m.year:04}",
    "gg": lambda m: f"{_us_week(m)[0] % 100:02}",
    "gggg": lambda m: str(_us_week(m)[0]),
    "ggggg": lambda m: f"{_us_week(m)[0]:05}",
    "GG": lambda m: f"{m.isocalendar()[0] % 100:02}",
    "GGGG": lambda m: str(m.isocalendar()[0]),
    "GGGGG": lambda m: f"{m.isocalendar()[0]:05}",
    "A": lambda m: "AM" if m.hour < 12 else "PM",
    "a": lambda m: "am" if m.hour < 12 else "pm",
    "H": lambda m: str(m.hour),
    "HH": lambda m: f"{m.hour:02}",
    "h": lambda m: str(_hour12(m)),
    "hh": lambda m: f"{_hour12(m):02}",
    "k": lambda m: str(m.hour or 24),
    "kk": lambda m: f"{m.hour or 24:02}",
    "m": lambda m: str(m.minute),
    "mm": lambda m: f"{m.minute:02}",
    "s": lambda m: str(m.second),
    "ss": lambda m: f"{m.second:02}",
    "Hmm": lambda m: f"{m.hour}{m.minute:02}",
    "Hmmss": lambda m: f"{m.hour}{m.minute:02}{m.second:02}",
    "hmm": lambda m: f"{_hour12(m)}{m.minute:02}",
    "hmmss": lambda m: f"{_hour12(m)}{m.minute:02}{m.second:02}",
    "S": lambda m: str(m.microsecond // 100000),
    "SS": lambda m: f"{m.microsecond // 10000:02}",
    "SSS": lambda m: f"{m.microsecond // 1000:03}",
    "x": lambda m: str(round(m.timestamp() * 1000)),
    "X": lambda m: str(int(m.timestamp() // 1)),
    "z": _zone_name,
    "zz": _zone_name,
    "Z": lambda m: _offset(m, ":"),
    "ZZ": lambda m: _offset(m, ""),
}
_WRITERS |= {
    "S" * digits: lambda m, zeros="0" * (digits - 3): f"{m.microsecond // 1000:03}{zeros}"  # type: ignore[misc]
    for digits in range(4, 10)
}
