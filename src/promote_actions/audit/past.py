"""What git's history says of the audit log: nothing in it may ever change, go, or come too late. Pure.

Source of the rule: records are only ever added. A change is found even inside a merge, because merges
are compared with each of their parents, and simplification of the history is off.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timezone

from promote_actions.audit.names import date_of
from promote_actions.audit.verify import Finding

ARGUMENTS = (
    "-m",
    "--full-history",
    "--no-renames",
    "--name-status",
    "--format=%x00commit %H %ct %P",
)
"""Arguments of ``git log -z`` whose output :func:`findings` reads."""

LATE_DAYS = 2
"""Days that a record may be older than the commit that brings it: a run over midnight, a queue."""

_WORDS = {"M": "edited", "D": "deleted", "T": "edited"}
_COMMIT = re.compile(rb"commit ([0-9a-f]{40,64}) (\d+)((?: [0-9a-f]{40,64})*)\s*")


CANDIDATES = 20_000
"""Late records that are remembered until an older commit shows that they were back-dated."""


@dataclass(frozen=True, order=True)
class Late:
    """A record that came days after the day in its name, when newer ones were there: back-dated.

    ``day`` is the day in its name, ``commit`` what brought it, ``days`` later. A record that was
    imported from git's history looks the same, and names the commit that it was made from.
    """

    day: date
    file: str
    commit: str
    days: int


def findings(pieces: Iterable[bytes]) -> Iterator[Finding | Late]:
    """What the pieces between the NULs of git's output (newest commit first) say is wrong.

    A record is late when its commit came days after the day in its name *and* an older commit had
    brought a newer record: a repository that was moved into one commit has late commits, not late
    records.
    """
    candidates: list[Late] = []
    added: list[Late] = []
    newest = date.min
    commit, moment, merge = "", date.min, False
    iterator = iter(pieces)
    for piece in iterator:
        word = piece.strip(b"\n")
        match = _COMMIT.fullmatch(word)
        if match:
            yield from _overtaken(candidates, added, newest)
            added, newest = [], date.min
            commit = match[1].decode()
            moment = datetime.fromtimestamp(int(match[2]), timezone.utc).date()
            merge = len(match[3].split()) > 1
        elif word in (b"A", b"M", b"D", b"T"):
            path = next(iterator, b"").decode(errors="surrogateescape")
            found = _judge(word.decode(), path, commit, moment)
            if isinstance(found, Finding):
                yield found
            elif found is not None and not merge:
                newest = max(newest, found.day)
                if found.days > LATE_DAYS and len(added) < CANDIDATES:
                    added.append(found)
    yield from _overtaken(candidates, added, newest)


def _overtaken(candidates: list[Late], added: list[Late], newest: date) -> Iterator[Late]:
    """Those of ``candidates`` that claim a day before ``newest``, an older commit's; its own join them."""
    while candidates and (newest - candidates[0].day).days > LATE_DAYS:
        yield heapq.heappop(candidates)
    for each in added[: CANDIDATES - len(candidates)]:
        heapq.heappush(candidates, each)


def _judge(status: str, path: str, commit: str, moment: date) -> Finding | Late | None:
    if not path.endswith(".json"):
        return None
    if status != "A":
        return Finding(path, _WORDS[status], f"commit {commit[:12]} changed what must never change")
    try:
        named = date.fromisoformat(date_of(path))
    except ValueError:
        return Finding(path, "misnamed", "its name has no day", "record_id")
    return Late(named, path, commit, (moment - named).days)
