"""``audit-log``: record, verify, query and measure promotions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from promote_actions.audit.inputs import OUTPUTS, AuditLogInputs
from promote_actions.errors import InputError, Location, Refused
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command

if TYPE_CHECKING:
    from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
    from promote_actions.audit.verify import Link, Pair
    from promote_actions.config.model import Config

EMPTY = {"path": "", "record": "", "record-hash": "", "verified": "", "slo": ""}
"""Every output; an operation fills in its own."""

ANNOTATIONS = 10
"""Findings shown as annotations; a runner shows ten of a step."""


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
        **EMPTY,
        "path": recorded.sealed.change.path,
        "record": to_document(made),
        "record-hash": made.record_hash,
    }
    return Result(outputs, text.rstrip("\n"))


def _verify(inputs: AuditLogInputs, runner: Runner) -> Result:
    from promote_actions.adapters.git_stream import open_copy
    from promote_actions.audit.report import verified_summary, verified_text
    from promote_actions.audit.verification import verify
    from promote_actions.audit.verify import heads_document

    copy = open_copy(inputs.gitops, inputs.branch, inputs.token, runner.env)
    config = config_of(inputs, dict(copy.some([inputs.config])).get(inputs.config))
    report = verify(copy, config.audit_folder, _kept_heads(inputs.heads), say=runner.say)
    heads = heads_document(report.links, copy.commit)
    if inputs.save_heads and not inputs.dry_run and report.verdict == "true":
        write_file(inputs.save_heads, json.dumps(heads, indent=2) + "\n")
    for finding in report.findings[:ANNOTATIONS]:
        runner.notice(str(finding), Location(finding.file), "audit log")
    outputs = {**EMPTY, "verified": report.verdict}
    refusal = None
    if report.verdict != "true":
        hint = "compare with a clone made before" if report.findings else "check out with fetch-depth: 0"
        refusal = Refused(verified_text(report).partition("\n")[0], hint=hint)
    return Result(outputs, verified_text(report), verified_summary(report, heads), refusal)


def _kept_heads(path: str) -> tuple[Mapping[Pair, Link], str]:
    from promote_actions.audit.verify import read_heads

    if not path:
        return {}, ""
    try:
        with open(path, encoding="utf-8") as file:
            return read_heads(file.read(), path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(
            f"cannot read '{path[:200]}': {reason}", hint="give the file of --save-heads"
        ) from None


def config_of(inputs: AuditLogInputs, data: bytes | None) -> Config:
    """The configuration when its bytes inside the repository are at hand already (None: no file)."""
    from promote_actions.config.load import is_local, load, load_local

    return load_local(inputs.config) if is_local(inputs.config) else load(data, inputs.config)


def write_file(path: str, text: str) -> None:
    """Write ``text`` to the local file ``path``; raises :class:`InputError` when that can't be done."""
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise InputError(
            f"cannot write '{path[:200]}': {error.strerror}", hint="give another path"
        ) from None


_OPERATIONS: Mapping[str, Callable[[AuditLogInputs, Runner], Result]] = {
    "record": _record,
    "verify": _verify,
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
