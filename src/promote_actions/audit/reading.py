"""Reading many records from a snapshot: those of the days and services asked for, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta

from promote_actions.adapters.gitops import Snapshot
from promote_actions.audit.names import date_of
from promote_actions.audit.record import Record, format_time, from_json, parse_time
from promote_actions.errors import InputError

BATCH = 1000
"""Records held at a time."""


def read_records(
    snapshot: Snapshot,
    folder: str,
    *,
    since: datetime | None = None,
    services: Collection[str] = (),
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, Record]]:
    """Path and record of every record from ``since`` on, of ``services`` (empty: all), oldest day first.

    Days and services are first looked for in the names, then in the records. A file that can't be read
    is passed to ``warn`` and left out.
    """
    first = format_time(since - timedelta(days=1))[:10] if since else ""
    paths = [path for path in snapshot.files(folder) if _may_be(path, first, services)]
    paths.sort(key=lambda path: (date_of(path), path))
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        found = snapshot.read_many(batch)
        for path in batch:
            try:
                record = from_json(found[path], path)
            except InputError as error:
                warn(str(error))
                continue
            if _fits(record, since, services):
                yield path, record


def _may_be(path: str, first: str, services: Collection[str]) -> bool:
    if not path.endswith(".json") or (first and date_of(path) and date_of(path) < first):
        return False
    return not services or any(service in path for service in services) or not date_of(path)


def _fits(record: Record, since: datetime | None, services: Collection[str]) -> bool:
    if services and record.service not in services:
        return False
    moment = parse_time(record.timestamp)
    return since is None or (moment is not None and moment >= since)
