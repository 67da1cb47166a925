"""Verifying chains of records, streaming: memory grows with services and with a day's records only. Pure.

What it finds without anything else: a record that was edited, deleted from the middle, inserted,
reordered, renamed or back-dated. A cut tail and a chain written anew show against heads kept elsewhere,
and in git's history (:mod:`promote_actions.audit.past`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from promote_actions.audit.chain import document_hash
from promote_actions.audit.names import date_of
from promote_actions.audit.record import GENESIS, Record, format_time, from_document, parse, parse_time
from promote_actions.errors import InputError

CLOCKS = timedelta(minutes=15)
"""How far the clocks of two runners may be apart."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written. ``kind`` is one word, ``field`` a field of the record."""

    file: str
    kind: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        place = f"{self.file}: field '{self.field}'" if self.field else self.file
        return f"{place}: {self.kind}: {self.message}"


@dataclass(frozen=True)
class Link:
    """Where a chain stands: its last record's sequence, hash, time and file."""

    sequence: int = 0
    record_hash: str = GENESIS
    timestamp: datetime | None = None
    file: str = ""


@dataclass
class Verifier:
    """Reads records day by day, oldest first, and says what is wrong.

    ``expected`` are heads kept elsewhere. Counters and ``links`` are good when everything is read.
    """

    expected: Mapping[Pair, Link] = field(default_factory=dict)
    links: dict[Pair, Link] = field(default_factory=dict)
    records: int = 0
    unchained: int = 0

    def read(self, files: Iterable[tuple[str, bytes]]) -> Iterator[Finding]:
        """What is wrong with ``files`` (path and bytes, in the order of the days in their names)."""
        for _, group in groupby(files, key=lambda each: date_of(each[0])):
            yield from self._day(group)

    def _day(self, files: Iterable[tuple[str, bytes]]) -> Iterator[Finding]:
        chained: list[tuple[str, dict[str, Any], Record]] = []
        for path, data in files:
            if not path.endswith(".json"):
                continue
            self.records += 1
            try:
                document = parse(data, path)
                record = from_document(document, path)
            except InputError as error:
                yield _unreadable(path, error)
                continue
            if record.chained:
                chained.append((path, document, record))
            else:
                self.unchained += 1
                yield from self._outside(path, record)
        chained.sort(key=lambda each: (each[2].service, each[2].to_environment, each[2].sequence, each[0]))
        for path, document, record in chained:
            yield from self._link(path, document, record)

    def _outside(self, path: str, record: Record) -> Iterator[Finding]:
        link = self.links.get((record.service, record.to_environment))
        if link is not None:
            yield Finding(
                path, "inserted", f"it is outside the chain that {link.file} belongs to", "sequence"
            )

    def _link(self, path: str, document: Mapping[str, Any], record: Record) -> Iterator[Finding]:
        pair = (record.service, record.to_environment)
        link = self.links.get(pair, Link())
        if document_hash(document) != record.record_hash:
            yield Finding(path, "edited", "the record is not what its hash was made from", "record_hash")
        yield from _order(path, record, link)
        yield from _moment(path, record, link)
        yield from _name(path, record, link)
        yield from self._anchor(path, record)
        if record.sequence >= link.sequence:
            moment = parse_time(record.timestamp)
            self.links[pair] = Link(record.sequence, record.record_hash, moment, path)

    def _anchor(self, path: str, record: Record) -> Iterator[Finding]:
        head = self.expected.get((record.service, record.to_environment))
        if head and head.sequence == record.sequence and head.record_hash != record.record_hash:
            yield Finding(
                path, "rewritten", f"record {record.sequence} of the chain was another one", "record_hash"
            )

    def finish(self) -> Iterator[Finding]:
        """What only shows at the end: chains that are shorter than the heads that were kept."""
        for pair, head in self.expected.items():
            link = self.links.get(pair, Link())
            if link.sequence < head.sequence:
                missing = _span(link.sequence + 1, head.sequence)
                where = link.file or head.file or f"{pair[0]} in {pair[1]}"
                yield Finding(
                    where, "truncated", f"{missing} after it should be there and are not", "sequence"
                )


def _order(path: str, record: Record, link: Link) -> Iterator[Finding]:
    expected = link.sequence + 1
    if record.sequence > expected:
        missing = _span(expected, record.sequence - 1)
        before = f"between {link.file} and it" if link.file else "before it"
        yield Finding(path, "deleted", f"{missing} {before} are missing", "sequence")
    elif record.sequence < expected:
        yield Finding(
            path,
            "reordered",
            f"it says {record.sequence}, but comes after {link.file} ({link.sequence})",
            "sequence",
        )
    elif record.previous_hash != link.record_hash:
        after = f"what {link.file} is" if link.file else "the beginning of a chain"
        yield Finding(path, "inserted", f"it does not follow {after}", "previous_hash")


def _span(first: int, last: int) -> str:
    return f"record {first}" if first == last else f"records {first} to {last}"


def _moment(path: str, record: Record, link: Link) -> Iterator[Finding]:
    moment = parse_time(record.timestamp)
    if moment and link.timestamp and moment < link.timestamp - CLOCKS:
        yield Finding(
            path,
            "back-dated",
            f"{record.timestamp} is before the record it follows ({link.file})",
            "timestamp",
        )


def _name(path: str, record: Record, link: Link) -> Iterator[Finding]:
    stem = path.rpartition("/")[2].removesuffix(".json")
    if record.record_id != stem:
        yield Finding(path, "renamed", f"it was written as {record.record_id}.json", "record_id")
        return
    moment = parse_time(record.timestamp)
    day = format_time(moment)[:10] if moment else ""
    if date_of(path) not in (day, max(day, date_of(link.file))):
        yield Finding(
            path, "back-dated", f"the day in its name is not that of {record.timestamp}", "timestamp"
        )


def _unreadable(path: str, error: InputError) -> Finding:
    name = re.match(r"field '([^']{1,60})'", error.message)
    return Finding(path, "unreadable", error.message, name[1] if name else "")


def edited_fields(original: bytes, now: bytes) -> list[str]:
    """The fields in which two states of a record differ; empty when one of them can't be read."""
    try:
        before, after = parse(original), parse(now)
    except InputError:
        return []
    names = dict.fromkeys((*before, *after))
    return [name for name in names if before.get(name, ...) != after.get(name, ...)]


def heads_document(links: Mapping[Pair, Link], commit: str) -> dict[str, Any]:
    """The heads of all chains as JSON, to be kept where the log's writers can't reach."""
    chains = [
        {
            "service": service,
            "environment": environment,
            "sequence": link.sequence,
            "record_hash": link.record_hash,
            "file": link.file,
        }
        for (service, environment), link in sorted(links.items())
    ]
    return {"commit": commit, "chains": chains}


def read_heads(text: str, file: str) -> tuple[Mapping[Pair, Link], str]:
    """Heads and commit that :func:`heads_document` wrote; raises :class:`InputError` naming ``file``."""
    try:
        document = json.loads(text)
        chains = {
            (str(each["service"]), str(each["environment"])): Link(
                int(each["sequence"]), str(each["record_hash"]), None, str(each.get("file", ""))
            )
            for each in document["chains"]
        }
        return chains, str(document.get("commit", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(
            f"'{file[:200]}' holds no chain heads", hint="give a file that --save-heads wrote"
        ) from None
