"""What git's history says of the audit log: nothing in it may ever change, go, or come too late. Pure.

Source of the rule: records are only ever added. A change is found even inside a merge, because merges
are compared with each of their parents, and simplification of the history is off.
"""

from __future__ import annotations

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


@dataclass(frozen=True)
class Late:
    """A record that came into the history ``days`` after the day in its name: back-dated, or imported."""

    file: str
    commit: str
    days: int


def findings(pieces: Iterable[bytes]) -> Iterator[Finding | Late]:
    """What the pieces between the NULs of git's output say is wrong, as they come."""
    commit, moment, merge = "", date.min, False
    iterator = iter(pieces)
    for piece in iterator:
        word = piece.strip(b"\n")
        match = _COMMIT.fullmatch(word)
        if match:
            commit = match[1].decode()
            moment = datetime.fromtimestamp(int(match[2]), timezone.utc).date()
            merge = len(match[3].split()) > 1
        elif word in (b"A", b"M", b"D", b"T"):
            path = next(iterator, b"").decode(errors="surrogateescape")
            found = _judge(word.decode(), path, commit, moment)
            if found is not None and not (merge and isinstance(found, Late)):
                yield found


def _judge(status: str, path: str, commit: str, moment: date) -> Finding | Late | None:
    if not path.endswith(".json"):
        return None
    if status != "A":
        return Finding(path, _WORDS[status], f"commit {commit[:12]} changed what must never change")
    try:
        named = date.fromisoformat(date_of(path))
    except ValueError:
        return Finding(path, "misnamed", "its name has no day", "record_id")
    days = (moment - named).days
    return Late(path, commit, days) if days > LATE_DAYS else None
