"""``audit-log``: record, verify, query and measure promotions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from promote_actions.audit.inputs import OUTPUTS, AuditLogInputs
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command

if TYPE_CHECKING:
    from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
    from promote_actions.config.model import Config


def run(inputs: AuditLogInputs, runner: Runner) -> Result:
    """Do the operation that the inputs name."""
    return _OPERATIONS[inputs.operation](inputs, runner)


def open_gitops(inputs: AuditLogInputs, runner: Runner) -> GitOpsRepository:
    """The GitOps repository that the inputs name."""
    from promote_actions.adapters.repositories import open_repository

    return open_repository(inputs.gitops, inputs.token, runner.env)


def load_config(snapshot: Snapshot, inputs: AuditLogInputs) -> Config:
    """The configuration of the GitOps repository at ``snapshot``."""
    from promote_actions.config.load import load_from

    return load_from(snapshot, inputs.config)


def _record(inputs: AuditLogInputs, runner: Runner) -> Result:
    from promote_actions.audit.describe import record_from
    from promote_actions.audit.record import to_document
    from promote_actions.audit.recording import land_record

    repository = open_gitops(inputs, runner)
    config = load_config(repository.snapshot(inputs.branch), inputs)
    now = datetime.now(timezone.utc)
    record = record_from(inputs, config, now, runner.run_url, repository.web_url)
    run_id, attempt = runner.env.get("GITHUB_RUN_ID", ""), runner.env.get("GITHUB_RUN_ATTEMPT", "")
    recorded = land_record(
        repository,
        lambda snapshot: load_config(snapshot, inputs),
        record,
        (run_id, attempt),
        branch=inputs.branch,
        dry_run=inputs.dry_run,
    )
    made = recorded.sealed.record
    how = "would record" if inputs.dry_run else "already recorded" if recorded.already else "recorded"
    text = f"{how} {recorded.sealed.change.path}\n{recorded.sealed.change.content.decode()}"
    outputs = {
        "path": recorded.sealed.change.path,
        "record": to_document(made),
        "record-hash": made.record_hash,
        "verified": "",
        "slo": "",
    }
    return Result(outputs, text.rstrip("\n"))


_OPERATIONS: Mapping[str, Callable[[AuditLogInputs, Runner], Result]] = {
    "record": _record,
}

COMMAND = Command(
    name="audit-log",
    summary="Record, verify, query and measure promotions.",
    description=(
        "Keep the audit log of promotions in the GitOps repository: one JSON file an event, each "
        "carrying the hash of the one before it. Verify it against edits, query it, and compute the "
        "service level objectives and DORA measures of promotion from it."
    ),
    inputs=AuditLogInputs,
    outputs=OUTPUTS,
    run=run,
    icon="book-open",
    color="gray-dark",
)
