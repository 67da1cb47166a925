"""``audit-log``: record, verify, query and measure promotions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from promote_actions.audit.inputs import OUTPUTS, AuditLogInputs
from promote_actions.errors import InputError, Location, Refused
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command

if TYPE_CHECKING:
    from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
    from promote_actions.audit.record import Record
    from promote_actions.audit.verify import Link, Pair
    from promote_actions.config.model import Config

EMPTY = {"path": "", "record": "", "record-hash": "", "verified": "", "slo": ""}
"""Every output; an operation fills in its own."""

SUMMARY_ROWS = 500
"""Records that a job's summary shows."""

HISTORY = 100_000
"""Commits that an import looks at."""

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
    from promote_actions.audit.describe import records_from, redacted
    from promote_actions.audit.pulls import read_pull
    from promote_actions.audit.record import to_document
    from promote_actions.audit.recording import land_records
    from promote_actions.promotion.pull import pull_requests_of

    repository = open_gitops(inputs, runner)
    config = load_config(repository.snapshot(inputs.branch), inputs)
    forge = pull_requests_of(repository) if inputs.pr else None
    pull = read_pull(forge.forge, inputs.pr) if forge else None
    now = datetime.now(timezone.utc)
    records = records_from(inputs, config, now, runner.run_url, web_url=repository.web_url, pull=pull)
    run_id, attempt = runner.env.get("GITHUB_RUN_ID", ""), runner.env.get("GITHUB_RUN_ATTEMPT", "")
    recorded = land_records(
        repository,
        lambda snapshot: load_config(snapshot, inputs),
        [redacted(record, runner.redact) for record in records],
        (run_id, attempt),
        branch=inputs.branch,
        dry_run=inputs.dry_run,
    )
    how = "would record" if inputs.dry_run else "recorded"
    said = [(how, each) for each in recorded.sealed] + [
        ("already recorded", each) for each in recorded.already
    ]
    text = "\n".join(f"{words} {each.change.path}\n{each.change.content.decode()}" for words, each in said)
    shown = [each for _, each in said]
    lists: dict[str, list[Any]] = {
        "path": [each.change.path for each in shown],
        "record": [to_document(each.record) for each in shown],
        "record-hash": [each.record.record_hash for each in shown],
    }
    one = len(shown) == 1
    outputs = {name: values[0] if one else values for name, values in lists.items()}
    return Result({**EMPTY, **outputs}, text.rstrip("\n"))


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


def _records_since(
    inputs: AuditLogInputs, runner: Runner, since: datetime | None
) -> tuple[list[Record], Config]:
    from promote_actions.audit.reading import read_records

    snapshot = open_gitops(inputs, runner).snapshot(inputs.branch)
    config = load_config(snapshot, inputs)
    found = read_records(
        snapshot, config.audit_folder, since=since, services=inputs.service, warn=runner.warning
    )
    return [record for _, record in found], config


def _query(inputs: AuditLogInputs, runner: Runner) -> Result:
    from promote_actions.audit.describe import moment_or_ago
    from promote_actions.audit.query import Filter, newest, render
    from promote_actions.audit.record import to_document

    now = datetime.now(timezone.utc)
    since = moment_or_ago(inputs.since, "since", now)
    records, config = _records_since(inputs, runner, since)
    wanted = Filter(
        services=inputs.service,
        environments=[config.environment(name).name for name in inputs.environment],
        outcomes=inputs.outcome,
        people=inputs.person,
        version=inputs.version,
        since=since,
        until=moment_or_ago(inputs.until, "until", now),
    )
    found = newest((record for record in records if wanted.fits(record)), inputs.limit)
    outputs = {**EMPTY, "record": [to_document(record) for record in found]}
    return Result(outputs, render(found, inputs.output), render(found[:SUMMARY_ROWS], "markdown"))


def _slo(inputs: AuditLogInputs, runner: Runner) -> Result:
    from promote_actions.audit.gate import chosen_windows, refusal
    from promote_actions.audit.slo_document import slo_document
    from promote_actions.audit.slo_picture import picture
    from promote_actions.audit.slo_render import render_markdown, render_text
    from promote_actions.audit.slo_report import slo_report

    now = datetime.now(timezone.utc)
    windows = chosen_windows(inputs.window)
    records, config = _records_since(inputs, runner, now - timedelta(days=max(windows) + 1))
    report = slo_report(
        records, config, now, windows, environments=inputs.environment, services=inputs.service
    )
    document = slo_document(report)
    if inputs.picture and not inputs.dry_run:
        write_file(inputs.picture, picture(report))
    refused = refusal(report, inputs.fail_on)
    if refused and inputs.override:
        runner.warning(f"overridden ({inputs.override}): {refused}")
        refused = None
    shown = render_markdown(report) if inputs.output == "markdown" else render_text(report)
    if inputs.output == "json":
        shown = json.dumps(document, indent=2)
    return Result({**EMPTY, "slo": document}, shown, render_markdown(report), refused)


def _import(inputs: AuditLogInputs, runner: Runner) -> Result:
    from promote_actions.audit.adopt import adopt
    from promote_actions.audit.recording import planned_again
    from promote_actions.matrix.files import folder_of

    repository = open_gitops(inputs, runner)

    def attempt() -> Result:
        snapshot = repository.snapshot(inputs.branch)
        config = load_config(snapshot, inputs)
        commits = repository.history(folder_of(config), at=snapshot.commit, limit=inputs.limit or HISTORY)
        sealed = adopt(snapshot, config, commits, repository.web_url)
        paths = [each.change.path for each in sealed]
        count = "1 record" if len(paths) == 1 else f"{len(paths)} records"
        how = "would import" if inputs.dry_run else "imported"
        if sealed and not inputs.dry_run:
            message = f"audit: import {count} from git history\n"
            repository.land(snapshot, [each.change for each in sealed], message)
        outputs = {**EMPTY, "path": paths}
        return Result(outputs, "\n".join([f"{how} {count} from {len(commits)} commits", *paths]))

    return planned_again(attempt)


def _export(inputs: AuditLogInputs, runner: Runner) -> Result:
    from promote_actions.audit.describe import moment_or_ago
    from promote_actions.audit.exports import cdevent, statement
    from promote_actions.audit.query import Filter

    now = datetime.now(timezone.utc)
    since = moment_or_ago(inputs.since, "since", now)
    records, config = _records_since(inputs, runner, since)
    environments = [config.environment(name).name for name in inputs.environment]
    wanted = Filter(environments=environments, version=inputs.version, since=since)
    chosen = [record for record in records if wanted.fits(record)]
    repository = open_gitops(inputs, runner)
    source = repository.web_url or repository.name

    def exported(record: Record) -> dict[str, Any] | None:
        image = config.service(record.service).image
        return cdevent(record, source, image) if inputs.export == "cdevents" else statement(record, image)

    events = [event for event in map(exported, chosen) if event is not None]
    if len(events) < len(chosen):
        left = len(chosen) - len(events)
        runner.warning(f"{left} of {len(chosen)} records have no event: no digest, or nothing was deployed")
    if inputs.sink and not inputs.dry_run:
        _send(inputs, runner, events)
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
    return Result({**EMPTY, "record": events}, "\n".join(lines) or "no events")


def _send(inputs: AuditLogInputs, runner: Runner, events: list[dict[str, Any]]) -> None:
    from promote_actions.adapters.http_client import HttpClient
    from promote_actions.audit.exports import cloudevent_headers
    from promote_actions.errors import DependencyError

    client = HttpClient("the event sink", redirects=0)
    for event in events:
        headers = {"Content-Type": "application/json"}
        if inputs.export == "cdevents":
            headers = cloudevent_headers(event)
        answer = client.request("POST", inputs.sink, headers, json.dumps(event).encode())
        if not 200 <= answer.status < 300:
            raise DependencyError(
                f"the event sink answered {answer.status}", hint="check its address; sending again is safe"
            )
    runner.say(f"sent {len(events)} events")


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
    "query": _query,
    "slo": _slo,
    "import": _import,
    "export": _export,
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
