"""Dates in the letters of Moment.js; the expectations were printed by Moment.js 2.30 itself."""

from __future__ import annotations

import string
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.images.moments import at, format_moment

EPOCH = 1578616205.678
"""2020-01-10T00:30:05.678Z, a Friday."""


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("YYYYMMDD", "20200110"),
        ("YYYYMMDD-HHmmss", "20200110-003005"),
        ("dddd, MMMM Do YYYY, h:mm:ss a", "Friday, January 10th 2020, 12:30:05 am"),
        ("YYYY-MM-DDTHH:mm:ssZ", "2020-01-10T00:30:05+00:00"),
        ("YYYY-MM-DDTHH:mm:ss.SSS[Z]", "2020-01-10T00:30:05.678Z"),
        ("ZZ z", "+0000 UTC"),
        ("X x", "1578616205 1578616205678"),
        ("S SS SSS SSSS SSSSSSSSS", "6 67 678 6780 678000000"),
        ("M Mo MM MMM MMMM", "1 1st 01 Jan January"),
        ("Q Qo", "1 1st"),
        ("D Do DD DDD DDDo DDDD", "10 10th 10 10 10th 010"),
        ("d do dd ddd dddd e E", "5 5th Fr Fri Friday 5 5"),
        ("w wo ww W Wo WW", "2 2nd 02 2 2nd 02"),
        ("YY YYYY Y YYYYY YYYYYY", "20 2020 2020 02020 +002020"),
        ("gg gggg GG GGGG", "20 2020 20 2020"),
        ("A a H HH h hh k kk", "AM am 0 00 12 12 24 24"),
        ("m mm s ss Hmm hmmss", "30 30 5 05 030 123005"),
        ("LT LTS L LL LLL", "12:30 AM 12:30:05 AM 01/10/2020 January 10, 2020 January 10, 2020 12:30 AM"),
        ("[at] YYYY [YYYY] \\M", "at 2020 YYYY M"),
        ("N y", "AD 2020"),
        ("T_.-/", "T_.-/"),
    ],
)
def test_format_letters(pattern: str, expected: str) -> None:
    """Every letter, in UTC."""
    assert format_moment(at(EPOCH, "UTC"), pattern) == expected


@pytest.mark.parametrize(
    ("epoch", "pattern", "expected"),
    [
        (1609459199, "YYYY-[W]WW GGGG gggg ww", "2020-W53 2020 2021 01"),
        (1609459200, "YYYY-[W]WW GGGG gggg ww", "2021-W53 2020 2021 01"),
        (1577836800, "Do DDDo d", "1st 1st 3"),
        (1582934400, "Do DDD MMMM", "29th 60 February"),
        (1585742400, "Do", "1st"),
        (1579653000, "Do", "22nd"),
        (1579739400, "Do", "23rd"),
        (1578789000, "Do", "12th"),
    ],
)
def test_year_ends_and_ordinals(epoch: int, pattern: str, expected: str) -> None:
    """ISO weeks and American weeks at the turn of a year, leap days, and the endings of ordinals."""
    assert format_moment(at(epoch, "UTC"), pattern) == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Tokyo", "20200110-093005 +09:00 JST"),
        ("America/New_York", "20200109-193005 -05:00 EST"),
        ("Asia/Kolkata", "20200110-060005 +05:30 IST"),
        ("UTC", "20200110-003005 +00:00 UTC"),
    ],
)
def test_zones(zone: str, expected: str) -> None:
    """A zone moves the date and shows its offset."""
    assert format_moment(at(EPOCH, zone), "YYYYMMDD-HHmmss Z z") == expected


@pytest.mark.parametrize(
    ("zone", "expected"), [("UTC", "2020-01-10T00:30:05Z"), ("Asia/Tokyo", "2020-01-10T09:30:05+09:00")]
)
def test_without_a_format_it_is_iso_8601(zone: str, expected: str) -> None:
    """As Moment.js does when a format isn't quoted."""
    assert format_moment(at(EPOCH, zone), None) == expected


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "", "a\0b", "é" * 100])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    """No silent UTC: a zone that doesn't exist would give a wrong date."""
    with pytest.raises(InputError, match="no time zone"):
        at(EPOCH, zone)


def test_a_format_has_an_end() -> None:
    """A format of thousands of letters isn't for a tag."""
    with pytest.raises(InputError, match="date format"):
        format_moment(at(EPOCH, "UTC"), "Y" * 201)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)),
    st.text(string.ascii_letters + "[]\\ :.-", max_size=20),
)
@settings(max_examples=200, deadline=None)
def test_any_format_gives_a_text(moment: datetime, pattern: str) -> None:
    """Unknown letters stay, and the date itself reads back."""
    assert isinstance(format_moment(moment, pattern), str)
    iso = format_moment(moment, "YYYY-MM-DDTHH:mm:ss.SSSZ")
    assert datetime.fromisoformat(iso) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
