"""From records to what objectives count: attempts with their end, and the rollbacks that undid them. Pure.

The rules, stated so that every denominator can be checked:

- An attempt is a promotion that ran to an end: ``success``, ``failure`` or ``rolled_back``. What a gate
  or a policy ``refused`` and what a person ``cancelled`` is counted apart: a gate that says no works.
- A rollback is no deployment: it is the end of the promotion that it undoes (``rollback_of``, else the
  last attempt before it in the same chain).
- An amendment adds its outcome and times to the record that it amends, and is no event of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from promote_actions.audit.record import Record, parse_time

ENDED = ("success", "failure", "rolled_back")


@dataclass(frozen=True)
class Event:
    """One promotion as the objectives see it. ``at`` is its end; durations are seconds, None: not known.

    ``total`` runs from the asking to the end, ``active`` leaves out the waiting for people. ``undone`` is
    when it was rolled back, None when it was not. An ``imported`` one comes from git's history, which
    knows no failures: it is a deployment, and no evidence of a success rate.
    """

    service: str
    environment: str
    version: str
    outcome: str
    at: datetime
    total: int | None = None
    active: int | None = None
    lead: int | None = None
    undone: datetime | None = None
    record_id: str = ""
    imported: bool = False

    @property
    def ended(self) -> bool:
        """Whether it ran to an end, so that it counts."""
        return self.outcome in ENDED

    @property
    def good(self) -> bool:
        """Whether it ended well."""
        return self.outcome == "success"

    @property
    def failed_in_the_end(self) -> bool:
        """Whether it failed, or had to be taken back."""
        return self.ended and (not self.good or self.undone is not None)

    @property
    def hotfix(self) -> bool:
        """Whether its version is labelled a hotfix, as the strategy does (``2026.02.16-hotfix-auth``)."""
        return self.version.partition("-")[2].lower().startswith("hotfix")


def events(records: Iterable[Record]) -> list[Event]:
    """The events of ``records`` (any order), oldest first."""
    amended: dict[str, list[Record]] = {}
    others: list[Record] = []
    for record in records:
        if record.amends:
            amended.setdefault(record.amends, []).append(record)
        else:
            others.append(record)
    found: dict[tuple[str, str], list[Event]] = {}
    for record in sorted(others, key=lambda each: (each.sequence, each.timestamp)):
        chain = found.setdefault((record.service, record.to_environment), [])
        facts = _amend(record, amended.get(record.record_id, ()) if record.record_id else ())
        if record.rollback:
            _undo(chain, facts)
        elif (event := _event(facts)) is not None:
            chain.append(event)
    return sorted((event for chain in found.values() for event in chain), key=lambda event: event.at)


def _amend(record: Record, amendments: Iterable[Record]) -> Record:
    for each in sorted(amendments, key=lambda one: one.sequence):
        record = replace(
            record,
            outcome=each.outcome or record.outcome,
            finished_at=each.finished_at or record.finished_at,
            committed_at=each.committed_at or record.committed_at,
            waited_seconds=record.waited_seconds if each.waited_seconds is None else each.waited_seconds,
        )
    return record


def _undo(chain: list[Event], rollback: Record) -> None:
    moment = parse_time(rollback.finished_at or rollback.timestamp)
    if rollback.effective_outcome != "success" or moment is None:
        return
    for index in reversed(range(len(chain))):
        event = chain[index]
        named = rollback.rollback_of == event.record_id if rollback.rollback_of else event.ended
        if named and event.undone is None:
            chain[index] = replace(event, undone=moment)
            return


def _event(record: Record) -> Event | None:
    end = parse_time(record.finished_at or record.timestamp)
    if end is None:
        return None
    total = _seconds(record.started_at, record.finished_at)
    waited = record.waited_seconds or 0
    return Event(
        service=record.service,
        environment=record.to_environment,
        version=record.version,
        outcome=record.effective_outcome,
        at=end,
        total=total,
        active=None if total is None else max(total - waited, 0),
        lead=_seconds(record.committed_at, record.finished_at or record.timestamp),
        record_id=record.record_id,
        imported=bool(record.imported_from),
    )


def _seconds(start: str, end: str) -> int | None:
    """Seconds between two times; None when one is unknown, or when both are one: that was not timed."""
    one, other = parse_time(start), parse_time(end)
    if one is None or other is None or other <= one:
        return None
    return int((other - one).total_seconds())
