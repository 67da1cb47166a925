"""Which month it is: zones, month ends, wrong clocks."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.versions.calendar_day import Month, calendar_day, recall_months

YEAR_END = datetime(2026, 12, 31, 23, 30, tzinfo=timezone.utc).timestamp()
MONTH_START = datetime(2026, 3, 1, 2, 30, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("now", "zone", "month", "day"),
    [
        (YEAR_END, "UTC", "2026.12", 31),
        (YEAR_END, "Asia/Tokyo", "2027.01", 1),
        (YEAR_END, "Pacific/Kiritimati", "2027.01", 1),
        (YEAR_END, "America/Sao_Paulo", "2026.12", 31),
        (YEAR_END + 1800, "UTC", "2027.01", 1),
        (YEAR_END + 1800, "America/Sao_Paulo", "2026.12", 31),
        (YEAR_END + 4 * 3600, "America/Sao_Paulo", "2027.01", 1),
        (MONTH_START, "UTC", "2026.03", 1),
        (MONTH_START, "America/Sao_Paulo", "2026.02", 28),
        (MONTH_START, "Pacific/Honolulu", "2026.02", 28),
        (MONTH_START, "Etc/GMT+12", "2026.02", 28),
        (MONTH_START, "Europe/Berlin", "2026.03", 1),
    ],
)
def test_the_zone_decides_the_month(now: float, zone: str, month: str, day: int) -> None:
    """The same moment is another month on the other side of midnight."""
    assert calendar_day("", zone, now) == (Month(*map(int, month.split("."))), day)


@pytest.mark.parametrize(
    ("given_date", "zone", "month", "day"),
    [
        ("2026-02-01", "UTC", "2026.02", 1),
        ("2026-02-01", "Pacific/Honolulu", "2026.02", 1),
        ("2024-02-29", "UTC", "2024.02", 29),
        ("2026-03-01T02:59:59Z", "America/Sao_Paulo", "2026.02", 28),
        ("2026-03-01T03:00:00Z", "America/Sao_Paulo", "2026.03", 1),
        ("2026-02-28T23:00:00-03:00", "UTC", "2026.03", 1),
        ("2026-02-28T23:00:00.5-03:00", "UTC", "2026.03", 1),
        ("2026-02-28 23:00", "America/Sao_Paulo", "2026.02", 28),
        ("2026-01-01T00:00:00+14:00", "UTC", "2025.12", 31),
    ],
)
def test_a_date_stands_in_for_the_clock(given_date: str, zone: str, month: str, day: int) -> None:
    """A day is taken as it is; a moment is seen from the zone, whatever the runner's clock says."""
    assert calendar_day(given_date, zone, now=0.0) == (Month(*map(int, month.split("."))), day)


@pytest.mark.parametrize(
    "wrong",
    [
        "yesterday",
        "2026",
        "2026-2-1",
        "2026-02-30",
        "2025-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-01-01",
        "2026-02-01T25:00",
        "2026-02-01T10",
        "2026-02-01T10:00+99:00",
        "0001-01-01T00:00+10:00",
        "1e9",
        "2026-02-01\n",
        "2026-02-01; rm -rf /",
        "２０２６-02-01",
        "9999-12-31T23:59-10:00",
        "--date",
    ],
)
def test_garbage_is_no_date(wrong: str) -> None:
    """What isn't ISO 8601 or isn't a day is refused in one line."""
    with pytest.raises(InputError, match="is not a date"):
        calendar_day(wrong, "UTC")


@pytest.mark.parametrize(
    "zone",
    [
        "Mars/Olympus",
        "",
        " ",
        "../../etc/passwd",
        "/etc/passwd",
        "America",
        "UTC\n",
        "GMT+25",
        "\x00",
        "America/Sao_Paulo/..",
        "A" * 500,
    ],
)
def test_an_unknown_zone_is_named(zone: str) -> None:
    """A zone that isn't one is an error, and no file is opened for it."""
    with pytest.raises(InputError, match="timezone"):
        calendar_day("", zone, 0.0)
    with pytest.raises(InputError, match="timezone"):
        calendar_day("2026-02-01", zone)


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
@settings(max_examples=200, deadline=None)
def test_recalled_months_hold_the_last_35_days(day: date) -> None:
    """The months looked through are this one, the one before, and whatever 35 days back reaches."""
    reach = {((day - timedelta(back)).year, (day - timedelta(back)).month) for back in range(36)}
    before = date(day.year, day.month, 1) - timedelta(1)
    expected = reach | {(before.year, before.month)}
    found = recall_months(Month(day.year, day.month), day.day)
    assert [(month.year, month.month) for month in found] == sorted(expected, reverse=True)


def test_walking_back_crosses_years() -> None:
    """Twelve months back is the same month a year earlier."""
    months = [str(Month(2026, 3).back(count)) for count in (0, 1, 2, 3, 12, 15)]
    assert months == ["2026.03", "2026.02", "2026.01", "2025.12", "2025.03", "2024.12"]


def test_the_clock_is_read_in_utc_by_default() -> None:
    """With no zone and no date, the month is UTC's now."""
    before = datetime.now(timezone.utc)
    month, day = calendar_day()
    after = datetime.now(timezone.utc)
    assert (month.year, month.month, day) in {(each.year, each.month, each.day) for each in (before, after)}
    assert 1 <= day <= monthrange(month.year, month.month)[1]
