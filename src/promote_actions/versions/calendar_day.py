"""Which month a version belongs to: one reading of the clock, in one zone. Pure.

``datetime`` and ``zoneinfo`` are imported only for ``--date`` and for zones other than UTC: the usual
run needs neither, and it starts sooner without them.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from promote_actions.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

RECALL_DAYS = 35
"""How far back a commit's version is looked for. GitHub re-runs a workflow within 30 days of the first
run, and lets one run (with its waits for approval) last 35."""

_ISO_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ISO_TIME = _ISO_DATE + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
_ZONE = r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,3}"


@dataclass(frozen=True)
class Month:
    """A month of the calendar. ``str()`` is how versions begin: ``2026.02``."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}.{self.month:02}"

    def back(self, months: int = 1) -> Month:
        """The month that many months earlier."""
        index = self.year * 12 + self.month - 1 - months
        return Month(index // 12, index % 12 + 1)


def calendar_day(date: str = "", timezone: str = "UTC", now: float | None = None) -> tuple[Month, int]:
    """The month and the day of the month that a version asked for now belongs to.

    ``date`` stands in for the clock: ``2026-02-01`` is that day in ``timezone``; a date and time with an
    offset is a moment, seen from ``timezone``; without an offset it is local to ``timezone``. ``now`` is
    seconds since the epoch (default: the clock). Raises :class:`InputError`.
    """
    if date and re.fullmatch(_ISO_DATE, date):
        zone_of(timezone)
        return _plain_day(date)
    if date:
        return _moment(date, timezone)
    seconds = time.time() if now is None else now
    if timezone == "UTC":
        utc = time.gmtime(seconds)
        return Month(utc.tm_year, utc.tm_mon), utc.tm_mday
    from datetime import datetime

    there = datetime.fromtimestamp(seconds, zone_of(timezone))
    return Month(there.year, there.month), there.day


def recall_months(month: Month, day: int) -> tuple[Month, ...]:
    """This month and those before it that began at most :data:`RECALL_DAYS` ago, newest first."""
    before = month.back()
    days_before = _length(before)
    return (month, before, before.back()) if day + days_before <= RECALL_DAYS else (month, before)


def zone_of(name: str) -> tzinfo:
    """The IANA zone called ``name`` as a ``tzinfo``; raises :class:`InputError`."""
    from datetime import timezone as fixed

    if name == "UTC":
        return fixed.utc
    from zoneinfo import ZoneInfo

    try:
        zone = ZoneInfo(name) if re.fullmatch(_ZONE, name) else None
    except (KeyError, ValueError, OSError):
        zone = None
    if zone is None:
        raise InputError(
            f"timezone '{name[:60]}' is not known on this machine",
            hint="use an IANA name such as UTC or America/Sao_Paulo (the system's tzdata has them)",
        )
    return zone


def _plain_day(date: str) -> tuple[Month, int]:
    year, month, day = (int(part) for part in date.split("-"))
    if year < 1000 or not 1 <= month <= 12 or not 1 <= day <= _length(Month(year, month)):
        raise _wrong(date)
    return Month(year, month), day


def _moment(date: str, timezone: str) -> tuple[Month, int]:
    from datetime import datetime

    if not re.fullmatch(_ISO_TIME, date):
        raise _wrong(date)
    zone = zone_of(timezone)
    try:
        moment = datetime.fromisoformat(_for_python_310(date))
        there = moment.astimezone(zone) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise _wrong(date) from None
    return Month(there.year, there.month), there.day


def _for_python_310(date: str) -> str:
    date = re.sub("[Zz]$", "+00:00", date)
    return re.sub(r"\.([0-9]{1,6})", lambda found: "." + found[1].ljust(6, "0"), date)


def _length(month: Month) -> int:
    if month.month == 2:
        leap = month.year % 4 == 0 and (month.year % 100 != 0 or month.year % 400 == 0)
        return 29 if leap else 28
    return 30 if month.month in (4, 6, 9, 11) else 31


def _wrong(date: str) -> InputError:
    return InputError(
        f"date '{date[:60]}' is not a date", hint="write 2026-02-01 or 2026-02-01T10:30:00Z (ISO 8601)"
    )
