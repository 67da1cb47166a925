"""Cron expressions: which minutes they mean, through every zone's changes of clocks."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.config import cron

UTC = timezone.utc
WEEK = timedelta(days=7)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "now", "start"),
    [
        ("0 18 * * FRI", "2026-02-06 17:59", "2026-01-30 18:00"),  # a Friday
        ("0 18 * * FRI", "2026-02-06 18:00", "2026-02-06 18:00"),
        ("0 18 * * fri", "2026-02-08 03:00", "2026-02-06 18:00"),
        ("0 18 * * 5", "2026-02-08 03:00", "2026-02-06 18:00"),
        ("30 9 * * 0", "2026-02-08 10:00", "2026-02-08 09:30"),
        ("30 9 * * 7", "2026-02-08 10:00", "2026-02-08 09:30"),
        ("0 0 * * SAT-SUN", "2026-02-08 10:00", "2026-02-08 00:00"),
        ("0 0 * * 6-7", "2026-02-07 10:00", "2026-02-07 00:00"),
        ("*/20 * * * *", "2026-02-08 10:59", "2026-02-08 10:40"),
        ("5/20 * * * *", "2026-02-08 10:59", "2026-02-08 10:45"),
        ("0 8-18/5 * * *", "2026-02-08 23:00", "2026-02-08 18:00"),
        ("0 0 1 jan *", "2026-01-02 00:00", "2026-01-01 00:00"),
        ("15,45 6,22 * * *", "2026-02-08 22:30", "2026-02-08 22:15"),
        ("0 0 29 2 *", "2024-03-01 12:00", "2024-02-29 00:00"),
        ("0 0 29 2 *", "2026-03-01 12:00", None),
        ("59 23 31 12 *", "2026-01-01 00:00", "2025-12-31 23:59"),
    ],
)
def test_the_latest_start_within_a_week(expression: str, now: str, start: str | None) -> None:
    """Fields, names, lists, ranges and steps mean what crontab(5) says."""
    found = cron.parse(expression).latest_start(moment(now), UTC, WEEK)
    assert found == (moment(start) if start else None)


@pytest.mark.parametrize(
    ("expression", "day", "expected"),
    [
        ("0 0 13 * 5", "2026-02-06", True),  # a Friday that is no 13th
        ("0 0 13 * 5", "2026-01-13", True),  # a 13th that is no Friday
        ("0 0 13 * *", "2026-02-06", False),
        ("0 0 * * 5", "2026-01-13", False),
        ("0 0 */2 * 5", "2026-02-06", False),  # a field that begins with * only narrows
        ("0 0 */2 * 5", "2026-02-13", True),
    ],
)
def test_two_day_fields_are_joined_by_or(expression: str, day: str, expected: bool) -> None:
    """crontab(5): when neither day field begins with *, either is enough."""
    assert cron.parse(expression).matches_day(moment(day).date()) is expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("@daily", "1 fields"),
        ("60 * * * *", "the minute 60 is not between 0 and 59"),
        ("* 24 * * *", "hour 24"),
        ("* * 0 * *", "day of month 0"),
        ("* * * 13 *", "month 13"),
        ("* * * * 8", "day of week 8"),
        ("* * * foo *", "the month 'foo' is unknown"),
        ("* * * * january", "is not a number, a range or *"),
        ("mon * * * *", "the minute 'mon' is unknown"),
        ("9-5 * * * *", "runs backwards"),
        ("* * * * fri-mon", "runs backwards"),
        ("*/0 * * * *", "a step of 0"),
        ("*-5 * * * *", "is not a number, a range or *"),
        ("1,,2 * * * *", "the minute ''"),
        ("-1 * * * *", "the minute '-1'"),
        ("1.5 * * * *", "the minute '1.5'"),
        ("٣ * * * *", "is not a number"),
        ("* * 31 feb,apr,jun *", "never starts"),
        ("* * 30 2 */2", "never starts"),
    ],
)
def test_a_wrong_expression_names_its_field(expression: str, words: str) -> None:
    """The message says which field is wrong and why."""
    with pytest.raises(ValueError, match=r".") as caught:
        cron.parse(expression)
    assert words in str(caught.value)


ZONES = [
    "UTC",
    "America/Sao_Paulo",
    "Europe/Lisbon",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]


@pytest.mark.parametrize(
    ("expression", "zone", "now", "start"),
    [
        # Lisbon, 2026-10-25: 01:30 comes twice, at 00:30 and 01:30 UTC
        ("30 1 * * *", "Europe/Lisbon", "2026-10-25 01:00", "2026-10-25 00:30"),
        ("30 1 * * *", "Europe/Lisbon", "2026-10-25 01:45", "2026-10-25 01:30"),
        # Lisbon, 2026-03-29: 01:30 doesn't come; it would have been 01:30 UTC
        ("30 1 * * *", "Europe/Lisbon", "2026-03-29 12:00", "2026-03-29 01:30"),
        ("0 18 * * *", "America/Sao_Paulo", "2026-02-06 21:30", "2026-02-06 21:00"),
        # Apia had no 2011-12-30 at all: its noon would have been a day later than the 29th's
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-31 12:00", "2011-12-30 22:00"),
    ],
)
def test_changes_of_clocks(expression: str, zone: str, now: str, start: str) -> None:
    """A time that comes twice starts twice; one that is skipped still starts."""
    found = cron.parse(expression).latest_start(moment(now), ZoneInfo(zone), timedelta(days=2))
    assert found == moment(start)


_FIELD = {
    "minute": st.sampled_from(["*", "0", "30", "*/15", "10-50/20", "5,55"]),
    "hour": st.sampled_from(["*", "0", "1", "2", "23", "*/6", "1-3"]),
    "day": st.sampled_from(["*", "1", "*/2", "25-31", "28,29"]),
    "month": st.sampled_from(["*", "3", "10", "mar-apr", "*/5"]),
    "weekday": st.sampled_from(["*", "0", "7", "sat,sun", "mon-fri", "*/3"]),
}
_EDGES = st.sampled_from(
    [
        "2026-03-29 01:00",
        "2026-10-25 01:00",
        "2026-04-04 15:00",
        "2026-10-03 15:30",
        "2027-01-01 00:00",
        "2028-02-29 12:00",
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*_FIELD.values()).map(" ".join),
    st.sampled_from(ZONES[:-1]),
    _EDGES,
    st.integers(-3000, 3000),
    st.integers(1, 1500),
)
def test_it_agrees_with_watching_every_minute(
    expression: str, name: str, edge: str, offset: int, minutes: int
) -> None:
    """Looking at the clock each minute finds the same latest start (where no time is skipped)."""
    zone = ZoneInfo(name)
    now = moment(edge) + timedelta(minutes=offset)
    parsed = cron.parse(expression)
    found = parsed.latest_start(now, zone, timedelta(minutes=minutes))
    seen = None
    for back in range(minutes):
        wall = (now - timedelta(minutes=back)).astimezone(zone)
        if parsed.matches_day(wall.date()) and wall.hour in parsed.hours and wall.minute in parsed.minutes:
            seen = wall
            break
    if found is not None and _skipped(found, zone, parsed):
        return
    assert found == seen


def _skipped(start: datetime, zone: ZoneInfo, parsed: cron.Cron) -> bool:
    wall = start.astimezone(zone)
    return not (
        wall.hour in parsed.hours and wall.minute in parsed.minutes and parsed.matches_day(wall.date())
    )


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=30), st.text("0123456789*/,-@monj ", max_size=25)))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    """Noise never ends in another exception."""
    try:
        parsed = cron.parse(text)
    except ValueError:
        return
    parsed.latest_start(moment("2026-02-08 10:00"), UTC, WEEK)
