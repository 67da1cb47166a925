"""One audit record: the strategy's fields with its names, and ours beside them. Pure.

Source: the strategy's "Structured Audit Log". A record with the strategy's fields alone still reads;
its ``schema_version`` is 0 and it belongs to no chain. The published schema is
``schemas/audit-record.schema.json``; :func:`from_document` checks the same rules in code, so that
100,000 records are read in seconds and an error names its field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any, NoReturn

from promote_actions.errors import InputError, Location

SCHEMA_VERSION = 1
GENESIS = "0" * 64
"""``previous_hash`` of the first record of a chain."""

OUTCOMES = ("success", "failure", "refused", "cancelled", "rolled_back")
EVENTS = ("promotion", "rollback", "amendment")
LARGEST_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader keeps (RFC 8785 numbers are IEEE doubles)."""

LARGEST_FILE = 1 << 20
"""Bytes that a record's file may have."""

_TIMESTAMP = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))T"
    r"((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
)
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Record:
    """What happened to one version of one service in one environment.

    The first twelve fields are the strategy's. Times are RFC 3339 texts with an offset; an empty
    string, 0 or None means "not known" and is left out of the file, except in the strategy's own
    fields. ``timestamp`` is when the event was recorded, ``started_at`` and ``finished_at`` when the
    promotion was asked for and when it was over; ``waited_seconds`` is how long it waited for people
    in between. ``committed_at`` is when the change was committed in the service's repository.
    ``extra`` keeps fields that we don't know: a newer version may write them, and the hash covers them.
    """

    event: str
    service: str
    version: str
    from_environment: str
    to_environment: str
    timestamp: str
    initiator: str
    approvers: tuple[str, ...] = ()
    pr_url: str = ""
    argocd_sync_id: str = ""
    rollback: bool = False
    validation_results: Mapping[str, str] = field(default_factory=dict)
    schema_version: int = 0
    record_id: str = ""
    sequence: int = 0
    outcome: str = ""
    started_at: str = ""
    finished_at: str = ""
    waited_seconds: int | None = None
    committed_at: str = ""
    image_digest: str = ""
    git_commit: str = ""
    previous_version: str = ""
    merged_by: str = ""
    run_url: str = ""
    rollback_of: str = ""
    amends: str = ""
    reason: str = ""
    override: str = ""
    imported_from: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    previous_hash: str = ""
    record_hash: str = ""

    @property
    def chained(self) -> bool:
        """Whether the record is part of a hash chain; one with the strategy's fields alone is not."""
        return self.sequence > 0

    @property
    def effective_outcome(self) -> str:
        """The outcome; the strategy's bare record stands for a promotion that went well."""
        return self.outcome or "success"


STRATEGY_FIELDS = tuple(each.name for each in fields(Record))[:12]
_TRAILING = ("previous_hash", "record_hash")
_CHAIN_FIELDS = ("sequence", "previous_hash", "record_hash")
_OPTIONAL = tuple(
    each.name for each in fields(Record)[12:] if each.name != "extra" and each.name not in _TRAILING
)
_KNOWN = frozenset((*STRATEGY_FIELDS, *_OPTIONAL, *_TRAILING))


def to_document(record: Record) -> dict[str, Any]:
    """The JSON object of ``record``, keys in the order in which a person reads them."""
    document: dict[str, Any] = {name: getattr(record, name) for name in STRATEGY_FIELDS}
    document["approvers"] = list(record.approvers)
    document["validation_results"] = dict(record.validation_results)
    for name in _OPTIONAL:
        value = getattr(record, name)
        if value not in ("", None) and not (value == 0 and name in ("schema_version", "sequence")):
            document[name] = value
    document.update({name: value for name, value in record.extra.items() if name not in _KNOWN})
    document.update({name: getattr(record, name) for name in _TRAILING if getattr(record, name)})
    return document


def to_json(record: Record) -> bytes:
    """The file of ``record``: indented, stable key order, UTF-8, one final newline."""
    return (json.dumps(to_document(record), ensure_ascii=False, indent=2) + "\n").encode()


def from_json(data: bytes, file: str = "") -> Record:
    """The record in the bytes of ``file``; raises :class:`InputError` that names file and field."""
    return from_document(parse(data, file), file)


def parse(data: bytes, file: str = "") -> dict[str, Any]:
    """The JSON object in ``data``, without anything that two readers could read differently.

    Refuses doubled keys, fractions, numbers past 2^53, NaN, lone surrogates, and files over 1 MiB.
    """

    def refuse(reason: str) -> NoReturn:
        raise InputError(reason, hint="restore the file as it was committed", where=Location(file))

    if len(data) > LARGEST_FILE:
        refuse(f"an audit record of {len(data)} bytes is over the limit of {LARGEST_FILE}")
    try:
        text = data.decode("utf-8")
        document = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
            parse_int=_integer,
        )
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()
    except _Unreadable as error:
        refuse(str(error))
    except UnicodeError:
        refuse("the record is not UTF-8 text")
    except (ValueError, RecursionError) as error:
        refuse(f"the record is not JSON: {str(error)[:120]}")
    if not isinstance(document, dict):
        refuse("the record is not a JSON object")
    return document


class _Unreadable(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise _Unreadable(f"field '{double[:60]}' is there twice")
    return found


def _no_fraction(text: str) -> NoReturn:
    raise _Unreadable(f"the number {text[:40]} is not a whole number; records hold none")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(value := int(text)) > LARGEST_INTEGER:
        raise _Unreadable(f"the number {text[:40]} is too large")
    return value


def from_document(document: Mapping[str, Any], file: str = "") -> Record:
    """The record that ``document`` says; raises :class:`InputError` that names ``file`` and field."""
    values: dict[str, Any] = {}
    for name in STRATEGY_FIELDS:
        if name not in document:
            raise _wrong(file, name, "is missing")
    for name, value in document.items():
        check = _CHECKS.get(name)
        if check is None:
            values.setdefault("extra", {})[name] = value
            continue
        if value is None and name in _NULLABLE:
            values[name] = ""
            continue
        problem = check(value)
        if problem:
            raise _wrong(file, name, problem)
        values[name] = tuple(value) if name == "approvers" else value
    linked = [name for name in _CHAIN_FIELDS if name in document]
    missing = [name for name in (*_CHAIN_FIELDS, "schema_version") if name not in document]
    if linked and missing:
        raise _wrong(file, missing[0], f"is missing beside '{linked[0]}'")
    return Record(**values)


def _wrong(file: str, name: str, problem: str) -> InputError:
    return InputError(
        f"field '{name}' {problem}",
        hint="see schemas/audit-record.schema.json",
        where=Location(file) if file else None,
    )


def _text(value: object) -> str:
    return "" if isinstance(value, str) else "is not a text"


def _filled(value: object) -> str:
    return "" if isinstance(value, str) and value.strip() else "is not a text with something in it"


def _flag(value: object) -> str:
    return "" if isinstance(value, bool) else "is neither true nor false"


def _count(least: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        good = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return "" if good else f"is not a whole number of at least {least}"

    return check


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        return "" if isinstance(value, str) and value in choices else "is not one of " + ", ".join(choices)

    return check


def _texts(value: object) -> str:
    good = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return "" if good else "is not a list of texts"


def _results(value: object) -> str:
    good = isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    return "" if good else 'is not an object of texts such as {"smoke_tests": "passed"}'


def _time(value: object) -> str:
    good = isinstance(value, str) and parse_time(value) is not None
    return "" if good else "is not a time such as 2026-02-01T10:30:00Z"


def _hash(value: object) -> str:
    return "" if isinstance(value, str) and _HASH.fullmatch(value) else "is not 64 hexadecimal digits"


_CHECKS: Mapping[str, Callable[[object], str]] = {
    **dict.fromkeys(_KNOWN, _text),
    "event": _filled,
    "service": _filled,
    "version": _filled,
    "to_environment": _filled,
    "rollback": _flag,
    "approvers": _texts,
    "validation_results": _results,
    "schema_version": _count(0),
    "sequence": _count(1),
    "waited_seconds": _count(0),
    "outcome": _one_of(OUTCOMES),
    **dict.fromkeys(("timestamp", "started_at", "finished_at", "committed_at"), _time),
    **dict.fromkeys(_TRAILING, _hash),
}
_NULLABLE = frozenset({"pr_url", "argocd_sync_id", "initiator", "from_environment"})
"""Strategy fields that a hand-written record may have as ``null``: nothing to say is no error."""


def parse_time(text: str) -> datetime | None:
    """The aware datetime of an RFC 3339 text; None when it is none (an offset is required)."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    offset = "+00:00" if zone == "Z" else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{offset}")
    except ValueError:
        return None


def format_time(moment: datetime) -> str:
    """``moment`` (aware) as UTC text to the second, the strategy's form."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
