"""Records: the strategy's JSON in and out, and what is refused."""

from __future__ import annotations

import json
from datetime import timezone
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from promote_actions.audit.chain import append
from promote_actions.audit.record import (
    STRATEGY_FIELDS,
    Record,
    from_document,
    from_json,
    parse,
    parse_time,
    to_document,
    to_json,
)
from promote_actions.errors import InputError

STRATEGY = {
    "event": "promotion",
    "service": "nexo-be",
    "version": "2026.02.1",
    "from_environment": "staging",
    "to_environment": "production",
    "timestamp": "2026-02-01T10:30:00Z",
    "initiator": "alice@nexo.com",
    "approvers": ["bob@nexo.com", "charlie@nexo.com"],
    "pr_url": "https://github.com/nexo-org/nexo-gitops/pull/123",
    "argocd_sync_id": "abc123",
    "rollback": False,
    "validation_results": {"smoke_tests": "passed", "load_test": "passed", "security_scan": "passed"},
}


def validator() -> Draft202012Validator:
    """The published schema."""
    text = (files("promote_actions") / "schemas/audit-record.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_strategy_record_survives_a_round_trip_byte_for_byte():
    """The strategy's example reads, and is written with its fields in its order and nothing else."""
    data = (json.dumps(STRATEGY, indent=2) + "\n").encode()
    record = from_json(data, "audit-logs/2026-02-01-nexo-be-prod.json")
    assert not record.chained
    assert record.effective_outcome == "success"
    assert to_json(record) == data


def test_strategy_fields_come_first_and_always():
    """A record that knows little still has every field of the strategy."""
    record = Record("promotion", "a", "2026.02.1", "", "qa", "2026-02-01T10:30:00Z", "")
    assert tuple(to_document(record)) == STRATEGY_FIELDS == tuple(STRATEGY)


@pytest.mark.parametrize("name", STRATEGY_FIELDS)
def test_a_missing_strategy_field_is_named(name):
    """Without one of the strategy's fields a record is refused, and the message says which."""
    document = {key: value for key, value in STRATEGY.items() if key != name}
    with pytest.raises(InputError, match=rf"x\.json: field '{name}' is missing"):
        from_document(document, "x.json")
    assert not validator().is_valid(document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event", ""),
        ("event", 1),
        ("service", "  "),
        ("version", None),
        ("to_environment", ""),
        ("timestamp", "2026-02-01"),
        ("timestamp", "2026-02-01T10:30:00"),
        ("timestamp", "2026-13-01T10:30:00Z"),
        ("started_at", "yesterday"),
        ("approvers", "bob"),
        ("approvers", [1]),
        ("rollback", "false"),
        ("rollback", 0),
        ("validation_results", []),
        ("validation_results", {"smoke": True}),
        ("sequence", 0),
        ("sequence", "1"),
        ("sequence", True),
        ("waited_seconds", -1),
        ("schema_version", -1),
        ("outcome", "passed"),
        ("record_hash", "abc"),
        ("previous_hash", "A" * 64),
        ("image_digest", 5),
        ("amends", None),
    ],
)
def test_a_wrong_value_is_refused_by_code_and_by_schema(name, value):
    """What the schema refuses, the reader refuses, and names the field."""
    document = {**STRATEGY, name: value}
    with pytest.raises(InputError, match=f"field '{name}'"):
        from_document(document, "x.json")
    assert not validator().is_valid(document)


@pytest.mark.parametrize("missing", ["sequence", "previous_hash", "record_hash", "schema_version"])
def test_chain_fields_come_together(missing):
    """A record is in a chain with all of its fields or not at all."""
    document = to_document(append(None, from_document(STRATEGY)))
    assert validator().is_valid(document)
    del document[missing]
    with pytest.raises(InputError, match=f"field '{missing}' is missing"):
        from_document(document)
    assert not validator().is_valid(document)


@pytest.mark.parametrize("name", ["pr_url", "argocd_sync_id", "initiator", "from_environment"])
def test_null_means_nothing_to_say(name):
    """Hand-written records say null where there is no pull request or sync."""
    document = {**STRATEGY, name: None}
    assert getattr(from_document(document), name) == ""
    assert validator().is_valid(document)


def test_unknown_fields_are_kept():
    """A field from a newer version stays in the record."""
    record = from_document({**STRATEGY, "ticket": {"id": 7}})
    assert to_document(record)["ticket"] == {"id": 7}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not UTF-8"),
        (b'{"a": 1.5}', "not a whole number"),
        (b'{"a": NaN}', "not a whole number"),
        (b'{"a": 1, "a": 2}', "'a' is there twice"),
        (b'{"a": 9007199254740993}', "too large"),
        (b'{"a": %s}' % (b"9" * 5000), "too large"),
        (b'{"a": "\\ud800"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b" " * (1 << 20) + b"{}", "over the limit"),
    ],
)
def test_ambiguous_json_is_refused(data, words):
    """Nothing that two readers could read differently gets in, and the message names the file."""
    with pytest.raises(InputError, match=words) as caught:
        parse(data, "audit-logs/x.json")
    assert str(caught.value).startswith("audit-logs/x.json: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-01T10:30:00Z", "2026-02-01T10:30:00+00:00"),
        ("2026-02-01T10:30:00+02:00", "2026-02-01T10:30:00+02:00"),
        ("2026-02-01T10:30:00.5Z", "2026-02-01T10:30:00.500000+00:00"),
        ("2026-02-30T10:30:00Z", None),
        ("2026-02-01 10:30:00Z", None),
        ("2026-02-01T10:30:00Z\n", None),
        ("２０２６-02-01T10:30:00Z", None),
    ],
)
def test_times_need_an_offset(text, expected):
    """Only RFC 3339 with an offset is a time, on every Python."""
    found = parse_time(text)
    assert (found.isoformat() if found else None) == expected


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
filled = texts.filter(str.strip)
times = st.datetimes(timezones=st.just(timezone.utc)).map(
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
)
records = st.builds(
    Record,
    event=filled,
    service=filled,
    version=filled,
    from_environment=texts,
    to_environment=filled,
    timestamp=times,
    initiator=texts,
    approvers=st.lists(texts, max_size=3).map(tuple),
    pr_url=texts,
    argocd_sync_id=texts,
    rollback=st.booleans(),
    validation_results=st.dictionaries(texts, texts, max_size=3),
    outcome=st.sampled_from(["", "success", "failure", "refused", "cancelled", "rolled_back"]),
    waited_seconds=st.none() | st.integers(0, 2**40),
    reason=texts,
    extra=st.dictionaries(filled.map(lambda key: f"x-{key}"), texts | st.integers(-9, 9), max_size=2),
)


@given(records)
@settings(max_examples=80, deadline=None)
def test_every_record_round_trips_and_fits_the_schema(record):
    """Whatever a record says, writing and reading it changes nothing, chained or not."""
    check = validator()
    for each in (record, append(None, record)):
        assert from_json(to_json(each)) == each
        assert check.is_valid(json.loads(to_json(each)))
