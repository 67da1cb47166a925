"""``audit-log record``: one record, landed in a commit of its own, however many others write too."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from promote_actions.adapters.gitops import FileChange, GitOpsRepository, Snapshot
from promote_actions.audit.chain import head_of
from promote_actions.audit.log import Sealed, last_record, seal
from promote_actions.audit.record import Record, to_document, to_json
from promote_actions.config.model import Config
from promote_actions.errors import Conflict, InputError, one_line

ATTEMPTS = 12
"""Times that a landing is planned anew when others land first."""

LONGEST_PAUSE = 4.0
"""Seconds between two attempts at most."""

LAST = "last"
"""What ``amends`` says when it means the chain's last event."""

T = TypeVar("T")

_OF_THE_WRITING = frozenset(
    {
        "timestamp",
        "finished_at",
        "previous_version",
        "record_id",
        "sequence",
        "schema_version",
        "previous_hash",
        "record_hash",
    }
)


@dataclass(frozen=True)
class Recorded:
    """What was recorded: new records, and those that were there already. ``commit`` is empty when
    nothing was landed (a dry run, or nothing new)."""

    sealed: tuple[Sealed, ...]
    commit: str = ""
    already: tuple[Sealed, ...] = ()


def land_records(
    repository: GitOpsRepository,
    load: Callable[[Snapshot], Config],
    records: Sequence[Record],
    run: tuple[str, str],
    *,
    branch: str = "",
    dry_run: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Recorded:
    """Append ``records`` to their chains on ``branch``, in one commit, and say where they stand.

    ``load`` gives the configuration of a snapshot; ``run`` is the workflow run's id and attempt. The
    same event recorded again changes nothing. Raises :class:`Conflict` when others land first
    :data:`ATTEMPTS` times in a row.
    """

    def attempt() -> Recorded:
        snapshot = repository.snapshot(branch)
        config = load(snapshot)
        new: list[Record] = []
        found: list[Sealed] = []
        for record in records:
            environment = config.environment(record.to_environment)
            last = last_record(snapshot, config.audit_folder, record.service, environment)
            if last and same_event(last[1], replace(record, to_environment=environment.name)):
                found.append(_as_found(*last))
            else:
                new.append(_after(last[1] if last else None, record))
        sealed = tuple(seal(snapshot, config, new, *run))
        if dry_run or not sealed:
            return Recorded(sealed, already=tuple(found))
        landed = repository.land(snapshot, [each.change for each in sealed], message(sealed))
        return Recorded(sealed, landed, tuple(found))

    return planned_again(attempt, pause)


def _after(last: Record | None, record: Record) -> Record:
    """``record`` with what only the chain knows: the version before it, and which record is the last."""
    if record.amends == LAST:
        return replace(record, amends=_last_event(last, record))
    if record.previous_version or record.amends or last is None or last.effective_outcome != "success":
        return record
    return replace(record, previous_version=last.version)


def _last_event(last: Record | None, record: Record) -> str:
    where = f"{record.service} in {record.to_environment}"
    if last is None:
        raise InputError(f"there is no record of {where} to amend", hint="record the promotion first")
    if last.version != record.version:
        raise InputError(
            f"the last record of {where} is of {last.version}, not of {record.version}",
            hint="name the record_id with --amends",
        )
    return last.amends or last.record_id


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
    """Whether both say the same of one pull request, or of one workflow run; else two are never one."""
    if one.pr_url and not (one.amends or other.amends):
        return _identity(one) == _identity(other)
    return bool(one.run_url) and _facts(one) == _facts(other)


def _identity(record: Record) -> tuple[object, ...]:
    return (record.pr_url, record.version, record.rollback, record.effective_outcome)


def _facts(record: Record) -> dict[str, Any]:
    return {name: value for name, value in to_document(record).items() if name not in _OF_THE_WRITING}


def message(sealed: Sequence[Sealed]) -> str:
    """The commit message of records that land alone, without promotion trailers: they promote nothing."""
    first = sealed[0].record
    services = ", ".join(each.record.service for each in sealed)
    said = f"{first.event} of {first.version} to {first.to_environment}: {first.effective_outcome}"
    lines = "".join(f"Audit-Record: {one_line(each.record.record_id)}\n" for each in sealed)
    return f"{one_line(f'audit({services}): {said}')[:200]}\n\n{lines}"
