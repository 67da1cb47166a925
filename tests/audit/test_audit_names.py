"""File names of records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from promote_actions.audit.names import Names, date_of, file_name, subject
from promote_actions.audit.record import Record

RECORD = Record(
    "promotion", "nexo-be", "2026.02.1", "staging", "production", "2026-02-01T10:30:00Z", "alice"
)
FIRST = "2026-02-01-nexo-be-prod.json"
SECOND = "2026-02-01-nexo-be-prod.4711-1.json"


@pytest.mark.parametrize(
    ("existing", "run_id", "attempt", "expected"),
    [
        ((), "4711", "1", FIRST),
        ((FIRST,), "4711", "1", SECOND),
        ((FIRST, SECOND), "4711", "1", "2026-02-01-nexo-be-prod.4711-1-2.json"),
        ((FIRST, SECOND), "4711", "2", "2026-02-01-nexo-be-prod.4711-2.json"),
        ((FIRST,), "", "", "2026-02-01-nexo-be-prod.local-1.json"),
        ((FIRST,), "../../x", "1", "2026-02-01-nexo-be-prod..._.._x-1.json"),
    ],
)
def test_the_days_first_has_the_strategys_name(existing, run_id, attempt, expected):
    """Later ones of a day carry the run and its attempt, so that none replaces another."""
    assert file_name(RECORD, existing, "prod", run_id, attempt) == expected


def test_the_day_is_utc():
    """A time with another offset counts for its day in UTC."""
    late = replace(RECORD, timestamp="2026-02-01T23:30:00-03:00")
    assert file_name(late, (), "prod", "1", "1") == "2026-02-02-nexo-be-prod.json"


def test_a_slow_clock_cannot_hide_a_record_under_an_older_day():
    """The name's day is never before the head's."""
    assert file_name(RECORD, (), "prod", "1", "1", not_before="2026-02-03").startswith("2026-02-03-")


@pytest.mark.parametrize(
    "service", ["../../etc/passwd", "team/nexo be", "a\x00b", "ü" * 300, "x" * 300, "a\nb"]
)
def test_hostile_services_make_plain_names(service):
    """Whatever a service is called, its file stays in the folder and has a name that every system takes."""
    name = file_name(replace(RECORD, service=service), (), "prod", "1", "1")
    assert "/" not in name
    assert name.isascii()
    assert name.isprintable()
    assert len(name) < 255
    assert name == file_name(replace(RECORD, service=service), (), "prod", "1", "1")


def test_long_names_stay_apart():
    """Two long services that begin alike don't share a name."""
    assert subject("x" * 300 + "a", "prod") != subject("x" * 300 + "b", "prod")


def test_names_are_found_by_subject_newest_day_first():
    """The index gives a pair's days, and leaves out services whose names begin alike."""
    names = Names(
        f"audit-logs/{name}"
        for name in (
            FIRST,
            SECOND,
            "2026-03-01-nexo-be-prod.json",
            "2026-03-02-nexo-be-prod-eu.json",
            "2026-03-03-nexo-be-v2-prod.json",
            "2026-03-04-nexo-be-qa.json",
            "README.md",
        )
    )
    assert names.newest_first("nexo-be", ("prod", "production")) == [
        ("2026-03-01", ["audit-logs/2026-03-01-nexo-be-prod.json"]),
        ("2026-02-01", [f"audit-logs/{FIRST}", f"audit-logs/{SECOND}"]),
    ]
    assert names.newest_first("nexo", ("prod",)) == []


def test_date_of_a_name():
    """Only our names have a date."""
    assert date_of(f"audit-logs/2026/{FIRST}") == "2026-02-01"
    assert not date_of("audit-logs/notes.json")
