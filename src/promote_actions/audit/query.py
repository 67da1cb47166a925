"""``audit-log query``: choosing records and showing them as a table, JSON or CSV. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from promote_actions.audit.record import STRATEGY_FIELDS, Record, parse_time, to_document
from promote_actions.matrix.markup import code, markdown, markdown_link
from promote_actions.matrix.words import clean, display_width, pad

COLUMNS = (*STRATEGY_FIELDS, "outcome", "sequence", "record_id", "started_at", "finished_at", "reason")
"""Columns of the CSV: the strategy's fields, and those of ours that people sort by."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Filter:
    """Which records are wanted; an empty collection or None asks for all.

    ``environments`` are canonical names; ``people`` match initiator, approvers and who merged.
    """

    services: Collection[str] = ()
    environments: Collection[str] = ()
    outcomes: Collection[str] = ()
    people: Collection[str] = ()
    version: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, record: Record) -> bool:
        """Whether ``record`` is one of those."""
        moment = parse_time(record.timestamp)
        if moment is None:
            return False
        return (
            (not self.services or record.service in self.services)
            and (not self.environments or record.to_environment in self.environments)
            and (not self.outcomes or record.effective_outcome in self.outcomes)
            and (not self.people or bool(_people(record) & {name.lower() for name in self.people}))
            and (not self.version or record.version == self.version)
            and (self.since is None or moment >= self.since)
            and (self.until is None or moment < self.until)
        )


def _people(record: Record) -> set[str]:
    return {name.lower() for name in (record.initiator, record.merged_by, *record.approvers) if name}


def newest(records: Iterable[Record], limit: int | None) -> list[Record]:
    """``records`` by time, the newest first, at most ``limit`` of them."""
    ordered = sorted(records, key=_moment, reverse=True)
    return ordered[:limit] if limit else ordered


def _moment(record: Record) -> tuple[float, int]:
    moment = parse_time(record.timestamp)
    return (moment.timestamp() if moment else 0.0, record.sequence)


def render(records: Sequence[Record], form: str) -> str:
    """``records`` in the ``form`` asked for: ``table``, ``json``, ``csv`` or ``markdown``."""
    return {"table": _table, "json": _json, "csv": _csv, "markdown": _markdown}[form](records)


def _json(records: Sequence[Record]) -> str:
    return json.dumps([to_document(record) for record in records], ensure_ascii=False, indent=2)


def _csv(records: Sequence[Record]) -> str:
    """RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for record in records:
        writer.writerow([_plain(getattr(record, name)) for name in COLUMNS])
    return out.getvalue().rstrip("\r\n")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        text = "; ".join(f"{key}={result}" for key, result in value.items())
    elif isinstance(value, tuple):
        text = "; ".join(map(str, value))
    else:
        text = str(value)
    text = clean(text, 2000)
    return f"'{text}" if text.startswith(_FORMULA) else text


_HEADINGS = ("Time", "Service", "Version", "To", "Outcome", "Initiator", "Approvers")


def _cells(record: Record) -> list[str]:
    outcome = f"{'↩ ' if record.rollback else ''}{record.effective_outcome}"
    return [
        record.timestamp,
        record.service,
        record.version,
        record.to_environment,
        outcome,
        record.initiator or "–",
        ", ".join(record.approvers) or "–",
    ]


def _table(records: Sequence[Record]) -> str:
    if not records:
        return "no records"
    rows = [[clean(cell, 60) for cell in _cells(record)] for record in records]
    widths = [max(display_width(cell) for cell in column) for column in zip(_HEADINGS, *rows, strict=True)]
    lines = [_HEADINGS, tuple("─" * width for width in widths), *rows]
    return "\n".join(
        "  ".join(pad(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _markdown(records: Sequence[Record]) -> str:
    lines = ["| " + " | ".join(_HEADINGS) + " | PR |", "|" + "---|" * (len(_HEADINGS) + 1)]
    for record in records:
        cells = [markdown(cell, 80) for cell in _cells(record)]
        cells[2] = code(record.version)
        link = markdown_link(record.pr_url, "PR") if record.pr_url else "–"
        lines.append("| " + " | ".join([*cells, link]) + " |")
    return "\n".join(lines)
