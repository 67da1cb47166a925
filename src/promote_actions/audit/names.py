"""File names of audit records: the strategy's for a day's first, one with the run for later ones. Pure.

Names are for people and for finding a chain's newest day quickly. What a record says is read from its
JSON, and order comes from ``sequence``: ``...-prod.9-1.json`` sorts before ``...-prod.json``.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable
from itertools import groupby

from promote_actions.audit.record import Record, format_time, parse_time

LONGEST_STEM = 180
"""File systems take 255 bytes; the rest is for the run, a counter and ``.json``."""

_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})-(.+)\.json")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def subject(service: str, alias: str) -> str:
    """``<service>-<alias>`` with nothing in it that a path could take for something else."""
    name = f"{_UNSAFE.sub('_', service)}-{_UNSAFE.sub('_', alias)}"
    if len(name) > LONGEST_STEM:
        name = f"{name[: LONGEST_STEM - 13]}_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return name


def date_of(path: str) -> str:
    """The day in the name of the file ``path`` (``YYYY-MM-DD``), or an empty string."""
    match = _DATED.fullmatch(path.rpartition("/")[2])
    return match[1] if match else ""


def file_name(
    record: Record,
    existing: Collection[str],
    alias: str,
    run_id: str,
    attempt: str,
    *,
    not_before: str = "",
) -> str:
    """The name (without folder) of a new record's file.

    ``existing`` are the names already in the folder; ``alias`` is the environment's file suffix
    (``prod``). ``not_before`` is the day in the chain head's name: a clock that is behind must not
    hide the new record under an older day, for the head is looked for in the newest.
    """
    moment = parse_time(record.timestamp)
    day = max(format_time(moment)[:10] if moment else record.timestamp[:10], not_before)
    base = f"{day}-{subject(record.service, alias)}"
    run = _UNSAFE.sub("_", f"{run_id or 'local'}-{attempt or '1'}")[:60]
    candidates = [f"{base}.json", f"{base}.{run}.json"]
    for name in candidates:
        if name not in existing:
            return name
    count = 2
    while f"{base}.{run}-{count}.json" in existing:
        count += 1
    return f"{base}.{run}-{count}.json"


class Names:
    """The dated names of a folder, found by what they are about. Built once for many look-ups."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.taken: set[str] = set()
        entries = []
        for path in paths:
            name = path.rpartition("/")[2]
            self.taken.add(name)
            if match := _DATED.fullmatch(name):
                entries.append((f"{match[2]}.", path))
        self._entries = sorted(entries)

    def newest_first(self, service: str, aliases: Iterable[str]) -> list[tuple[str, list[str]]]:
        """Days and the paths that can hold a record of ``service`` under one of ``aliases``."""
        found = [path for alias in aliases for path in self._about(f"{subject(service, alias)}.")]
        found.sort(key=date_of, reverse=True)
        return [(day, list(paths)) for day, paths in groupby(found, key=date_of)]

    def _about(self, prefix: str) -> Iterable[str]:
        index = bisect_left(self._entries, (prefix, ""))
        while index < len(self._entries) and self._entries[index][0].startswith(prefix):
            yield self._entries[index][1]
            index += 1
