"""Landing a rollback: its files and its audit record in one commit, or its record alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from promote_actions.adapters.forge import ForgeRepository
from promote_actions.adapters.gitops import FileChange, GitOpsRepository
from promote_actions.audit.log import seal
from promote_actions.audit.record import Record, format_time
from promote_actions.errors import one_line
from promote_actions.promotion.land import Landing, file_changes
from promote_actions.promotion.messages import branch_of
from promote_actions.promotion.record import records
from promote_actions.rollback.case import Case

TARGETS: Mapping[str, float] = {"develop": 120.0, "qa": 120.0, "staging": 300.0, "production": 600.0}
"""Seconds from the failure to the rollback, by environment: the strategy's "Estratégia por Ambiente"."""


def utc_now() -> datetime:
    """The time at which something is over."""
    return datetime.now(timezone.utc)


def records_of(
    case: Case,
    landing: Landing,
    method: str,
    finished: datetime,
    *,
    outcome: str = "success",
    facts: Mapping[str, Any] | None = None,
) -> Sequence[Record]:
    """The audit record of a rollback: ``started_at`` is when the trouble began, ``finished_at`` is now.

    ``method`` and other ``facts`` become fields beside the known ones.
    """
    started = min(case.order.started, finished)
    extra = {"method": method, **(facts or {})}
    if case.order.automatic:
        extra["automatic"] = True
    return [
        replace(
            each,
            outcome=outcome,
            started_at=format_time(started),
            finished_at=format_time(finished),
            timestamp=format_time(finished),
            extra=extra,
        )
        for each in records(case.order.request, landing.plan)
    ]


def land_commit(
    case: Case,
    repository: GitOpsRepository,
    landing: Landing,
    made: Sequence[Record],
) -> Landing:
    """One commit on the case's snapshot: values, quarantine and audit records together.

    Raises :class:`~promote_actions.errors.Conflict` when the branch has moved; nothing has changed then.
    """
    by = case.order.request.caller
    sealed = seal(case.snapshot, case.facts.config, made, by.run_id, by.attempt)
    changes = [*file_changes(landing), *(each.change for each in sealed)]
    changes = [each for each in changes if each.create or case.snapshot.read(each.path) != each.content]
    text = landing.words.commit if landing.words else message(sealed[0].record)
    commit = repository.land(case.snapshot, changes, text)
    paths = tuple(each.change.path for each in sealed)
    return replace(landing, changed=True, commit=commit, audit_paths=paths)


def message(record: Record) -> str:
    """The commit message of a record that lands alone, without promotion trailers: no file says so."""
    how = f"rollback to {record.version} in {record.to_environment} by {record.extra.get('method')}"
    subject = f"audit({record.service}): {how}: {record.effective_outcome}"
    return f"{one_line(subject)[:200]}\n\nAudit-Record: {one_line(record.record_id)}\n"


def with_standing_hold(case: Case, repository: ForgeRepository, landing: Landing) -> Landing:
    """``landing`` with the quarantine file that its open pull request has already.

    The file says since when, so a run that is made again would change it, and with it the head that
    people have approved.
    """
    branch = branch_of(case.order.request, landing.plan)
    standing = [pull for pull in repository.forge.find_open_pulls(branch) if pull.head_branch == branch]
    if not standing:
        return landing
    kept = [_kept(repository, standing[0].head_sha, change) for change in landing.extra]
    return replace(landing, extra=tuple(kept))


def _kept(repository: ForgeRepository, head: str, change: FileChange) -> FileChange:
    there = repository.read_at(head, change.path)
    return change if there is None else replace(change, content=there)


def recovery(started: datetime, finished: datetime) -> int:
    """Whole seconds from the beginning of the trouble to ``finished``."""
    return max(0, round((finished - started).total_seconds()))


def too_slow(environment: str, seconds: float) -> str:
    """What to say when a rollback took longer than the strategy lets it; empty when it didn't."""
    target = TARGETS.get(environment)
    if target is None or seconds <= target:
        return ""
    return f"{seconds:.0f} s from the failure to the rollback; the strategy's target is {target:.0f} s"
