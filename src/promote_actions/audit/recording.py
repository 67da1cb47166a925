"""``audit-log record``: one record, landed in a commit of its own, however many others write too."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from promote_actions.adapters.gitops import FileChange, GitOpsRepository
from promote_actions.audit.chain import head_of
from promote_actions.audit.log import Sealed, last_record, seal
from promote_actions.audit.record import Record, to_document, to_json
from promote_actions.config.model import Config
from promote_actions.errors import Conflict, one_line

ATTEMPTS = 12
"""Times that a landing is planned anew when others land first."""

LONGEST_PAUSE = 4.0
"""Seconds between two attempts at most."""

T = TypeVar("T")

_OF_THE_WRITING = frozenset(
    {"timestamp", "finished_at", "record_id", "sequence", "schema_version", "previous_hash", "record_hash"}
)


@dataclass(frozen=True)
class Recorded:
    """What was recorded. ``commit`` is empty when nothing was landed (a dry run, or it was there)."""

    sealed: Sealed
    commit: str = ""
    already: bool = False


def land_record(
    repository: GitOpsRepository,
    load: Callable[[Any], Config],
    record: Record,
    run: tuple[str, str],
    *,
    branch: str = "",
    dry_run: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Recorded:
    """Append ``record`` to its chain on ``branch`` and say where it stands.

    ``load`` gives the configuration of a snapshot; ``run`` is the workflow run's id and attempt. The
    same event recorded again by the same run changes nothing. Raises :class:`Conflict` when others
    land first :data:`ATTEMPTS` times in a row.
    """

    def attempt() -> Recorded:
        snapshot = repository.snapshot(branch)
        config = load(snapshot)
        environment = config.environment(record.to_environment)
        last = last_record(snapshot, config.audit_folder, record.service, environment)
        if last and same_event(last[1], replace(record, to_environment=environment.name)):
            return Recorded(_as_found(*last), already=True)
        sealed = seal(snapshot, config, [record], *run)[0]
        if dry_run:
            return Recorded(sealed)
        return Recorded(sealed, repository.land(snapshot, [sealed.change], message(sealed.record)))

    return planned_again(attempt, pause)


def planned_again(attempt: Callable[[], T], pause: Callable[[float], None] = time.sleep) -> T:
    """What ``attempt`` returns, asked again after a pause while others land first."""
    for count in range(ATTEMPTS):
        try:
            return attempt()
        except Conflict:
            if count + 1 == ATTEMPTS:
                raise
            pause(random.uniform(0.1, min(LONGEST_PAUSE, 0.2 * 2**count)))  # noqa: S311 - jitter
    raise AssertionError("unreachable")


def _as_found(path: str, record: Record) -> Sealed:
    return Sealed(record, FileChange(path, to_json(record)), head_of(record, path))


def same_event(one: Record, other: Record) -> bool:
    """Whether both say the same of the same workflow run; outside a run two events are never one."""
    if not one.run_url:
        return False
    return _facts(one) == _facts(other)


def _facts(record: Record) -> dict[str, Any]:
    return {name: value for name, value in to_document(record).items() if name not in _OF_THE_WRITING}


def message(record: Record) -> str:
    """The commit message of a record that lands alone, without promotion trailers: it promotes nothing."""
    outcome = record.effective_outcome
    subject = (
        f"audit({record.service}): {record.event} of {record.version} to {record.to_environment}: {outcome}"
    )
    return f"{one_line(subject)[:200]}\n\nAudit-Record: {one_line(record.record_id)}\n"
