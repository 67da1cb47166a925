"""Freeze windows and locks: whether an environment is closed, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.config.freeze import frozen_until, locked, zone
from promote_actions.config.model import Environment, Freeze

HOUR = 3600.0
WEEKEND = Freeze("0 18 * * FRI", 62 * HOUR, "America/Sao_Paulo", "weekend", ("@nexo-org/sre",))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-02-06 20:59", None),
        ("2026-02-06 21:00", "2026-02-09 11:00"),
        ("2026-02-09 10:59", "2026-02-09 11:00"),
        ("2026-02-09 11:00", None),
    ],
)
def test_a_window_holds_from_its_start_to_its_end(now: str, until: str | None) -> None:
    """The start belongs to the window, the end doesn't; the zone's clock decides."""
    found = frozen_until(Environment("production", freeze=(WEEKEND,)), moment(now))
    assert found == ((WEEKEND, moment(until)) if until else None)


def test_no_window_no_freeze() -> None:
    """An environment without windows is never frozen."""
    assert frozen_until(Environment("qa"), moment("2026-02-06 20:59")) is None


def test_the_window_that_ends_last_is_named() -> None:
    """Of two open windows the longer one says until when."""
    night = Freeze("0 22 * * *", 8 * HOUR, reason="night")
    holidays = Freeze("0 0 20 12 *", 14 * 24 * HOUR, reason="holidays")
    environment = Environment("production", freeze=(night, holidays))
    assert frozen_until(environment, moment("2026-12-24 23:00")) == (holidays, moment("2027-01-03 06:00"))


def test_windows_that_touch_are_one() -> None:
    """Promotions go on only after the last of a chain of windows."""
    hours = Freeze("0 * * * SAT,SUN", HOUR)
    environment = Environment("production", freeze=(hours,))
    assert frozen_until(environment, moment("2026-02-07 05:30")) == (hours, moment("2026-02-09 00:00"))


def test_a_freeze_without_end_still_answers() -> None:
    """Windows that never leave a gap give a time to ask again, not an endless search."""
    now = moment("2026-02-07 05:30")
    found = frozen_until(Environment("production", freeze=(Freeze("* * * * *", 60.0),)), now)
    assert found is not None
    assert found[1] > now + timedelta(hours=6)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["0 18 * * 5", "0 0 1,15 * *", "30 */6 * * *", "0 2 * * 0"]),
    st.integers(60, 5 * 86400),
    st.sampled_from(["UTC", "Europe/Lisbon", "America/New_York"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
)
def test_the_end_is_when_it_opens(cron: str, seconds: int, name: str, wall: datetime) -> None:
    """A frozen environment is open at the end that is told, and frozen just before it."""
    environment = Environment("x", freeze=(Freeze(cron, float(seconds), name),))
    now = wall.replace(tzinfo=timezone.utc)
    found = frozen_until(environment, now)
    if found is None:
        return
    until = found[1]
    assert until > now
    assert frozen_until(environment, until - timedelta(microseconds=1)) is not None
    if until < now + timedelta(days=100):  # else the windows leave no gap at all
        assert frozen_until(environment, until) is None


def test_a_lock_holds_until_its_end() -> None:
    """A lock without an end holds for ever; one with an end opens at it."""
    now = moment("2026-02-07 05:30")
    environment = Environment("qa", lock="audit")
    assert locked(environment, now)
    assert not locked(replace(environment, lock_until=now), now)
    assert locked(replace(environment, lock_until=now + timedelta(seconds=1)), now)
    assert not locked(Environment("qa"), now)


@pytest.mark.parametrize(
    "name", ["", "x/y", "../UTC", "/etc/localtime", "Europe", "a\0b", "posixrules" * 9]
)
def test_an_unknown_zone_is_a_value_error(name: str) -> None:
    """No spelling of a zone reaches another file or another exception."""
    with pytest.raises(ValueError, match="there is no time zone"):
        zone(name)
