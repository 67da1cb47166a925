"""Making a record from what the caller of ``audit-log record`` says. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from promote_actions.audit.inputs import AuditLogInputs
from promote_actions.audit.pulls import PullFacts
from promote_actions.audit.record import OUTCOMES, Record, format_time, parse_time
from promote_actions.config.model import Config
from promote_actions.errors import InputError
from promote_actions.spec import parse_duration


def records_from(
    inputs: AuditLogInputs,
    config: Config,
    now: datetime,
    run_url: str,
    *,
    web_url: str = "",
    pull: PullFacts | None = None,
) -> list[Record]:
    """The records that ``inputs`` describe; raises :class:`InputError` that names the input.

    ``now`` is an aware datetime; ``run_url`` the workflow run; ``web_url`` the page of the GitOps
    repository, which makes a pull request's number a link. What the inputs leave out is taken from
    ``pull``: one record for each service that it promotes.
    """
    if pull is None:
        return [_described(inputs, config, now, run_url, pull_request_url(inputs.pr, web_url))]
    services = inputs.service or tuple(pull.versions)
    named = inputs.environment or ((pull.environment,) if pull.environment else ())
    made = []
    for service in services or ("",):
        version = inputs.version or pull.versions.get(service, "")
        own = replace(inputs, service=(service,) if service else (), environment=named, version=version)
        made.append(_with_pull(_described(own, config, now, run_url, pull.url), inputs, pull))
    return made


def redacted(record: Record, hide: Callable[[str], str]) -> Record:
    """``record`` with ``hide`` applied to every text in it: a log kept for years holds no secrets."""
    changes: dict[str, Any] = {}
    for each in fields(record):
        value = getattr(record, each.name)
        if isinstance(value, str):
            changes[each.name] = hide(value)
        elif isinstance(value, tuple):
            changes[each.name] = tuple(hide(text) for text in value)
    results = {hide(name): hide(result) for name, result in record.validation_results.items()}
    return replace(record, **changes, validation_results=results)


def _with_pull(record: Record, inputs: AuditLogInputs, pull: PullFacts) -> Record:
    started, finished = pull.opened_at, pull.closed_at
    rollback = record.rollback or pull.rollback
    return replace(
        record,
        event="rollback" if rollback else record.event,
        rollback=rollback,
        from_environment="" if rollback else record.from_environment,
        initiator=identity(pull.initiator) or record.initiator,
        approvers=record.approvers or pull.approvers,
        merged_by=pull.merged_by,
        outcome=record.outcome if inputs.outcome or pull.merged else "cancelled",
        started_at=record.started_at or (format_time(started) if started else ""),
        finished_at=record.finished_at or (format_time(finished) if finished else ""),
        waited_seconds=pull.waited_seconds if inputs.waited is None else inputs.waited,
        git_commit=record.git_commit or pull.merge_commit,
        validation_results=record.validation_results or pull.validation,
    )


def _described(inputs: AuditLogInputs, config: Config, now: datetime, run_url: str, pr_url: str) -> Record:
    environment = config.environment(_one(inputs.environment, "environment"))
    source = config.source_of(environment)
    rollback = inputs.rollback or inputs.event == "rollback" or bool(inputs.rollback_of)
    finished = _moment(inputs.finished_at, "finished-at", now)
    if inputs.started_at and not finished:
        finished = format_time(now)
    return Record(
        event="rollback" if rollback else "amendment" if inputs.amends else inputs.event,
        service=_one(inputs.service, "service"),
        version=_required(inputs.version, "version"),
        from_environment=inputs.from_environment or (source.name if source and not rollback else ""),
        to_environment=environment.name,
        timestamp=format_time(now),
        initiator=identity(inputs.initiator),
        approvers=tuple(identity(each) for each in inputs.approvers),
        pr_url=pr_url,
        argocd_sync_id=inputs.argocd_sync_id,
        rollback=rollback,
        validation_results=validation_results(inputs.validation_results),
        outcome=_outcome(inputs.outcome),
        started_at=_moment(inputs.started_at, "started-at", now),
        finished_at=finished,
        waited_seconds=inputs.waited,
        committed_at=_moment(inputs.committed_at, "committed-at", now),
        image_digest=inputs.image_digest,
        git_commit=inputs.git_commit,
        previous_version=inputs.previous_version,
        run_url=run_url,
        rollback_of=inputs.rollback_of,
        amends=inputs.amends,
        reason=inputs.reason,
        override=inputs.override,
    )


def _required(value: str, name: str) -> str:
    if not value:
        raise InputError(f"input '{name}' is required and empty", hint=f"pass --{name}")
    return value


def _one(values: tuple[str, ...], name: str) -> str:
    if len(values) > 1:
        raise InputError(f"input '{name}' names {len(values)}", hint="record one event at a time")
    return _required(values[0] if values else "", name)


def _outcome(values: tuple[str, ...]) -> str:
    outcome = _one(values, "outcome") if values else "success"
    if outcome not in OUTCOMES:
        raise InputError(f"input 'outcome' is '{outcome[:60]}'", hint="give one of " + ", ".join(OUTCOMES))
    return outcome


def validation_results(text: str) -> Mapping[str, str]:
    """The checks in ``text``: an object of check and result, or a list of objects with both.

    Results are texts; true and false stand for ``passed`` and ``failed``.
    """
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _not_results("it is not JSON") from None
    if not isinstance(found, dict):
        raise _not_results("it is not an object")
    results = {}
    for name, value in found.items():
        if isinstance(value, bool):
            results[name] = "passed" if value else "failed"
        elif isinstance(value, str):
            results[name] = value
        else:
            raise _not_results(f"'{name[:60]}' is no text")
    return results


def _not_results(reason: str) -> InputError:
    return InputError(
        f"input 'validation-results': {reason}", hint='give an object such as {"smoke_tests": "passed"}'
    )


def identity(person: str) -> str:
    """``person`` as the caller named them; GitHub's private addresses become the login they stand for."""
    person = person.strip().removeprefix("@")
    local, _, host = person.partition("@")
    return local.rpartition("+")[2] if host == "users.noreply.github.com" else person


def pull_request_url(pr: str, web_url: str) -> str:
    """The address of the pull request that ``pr`` (number or address) names."""
    if not pr or pr.startswith(("https://", "http://")):
        return pr
    number = pr.removeprefix("#")
    if not number.isascii() or not number.isdigit() or not web_url:
        raise InputError(f"input 'pr' is '{pr[:80]}'", hint="give the address of the pull request")
    return f"{web_url}/pull/{number}"


def _moment(text: str, name: str, now: datetime) -> str:
    if not text:
        return ""
    moment = parse_time(text)
    if moment is None:
        raise _not_time(name, text)
    if moment > now + timedelta(hours=1):
        raise InputError(f"input '{name}' is in the future ({text})", hint="give a time that has been")
    return format_time(moment)


def _not_time(name: str, text: str) -> InputError:
    return InputError(f"input '{name}' is '{text[:60]}'", hint="give a time such as 2026-02-01T10:30:00Z")


def moment_or_ago(text: str, name: str, now: datetime) -> datetime | None:
    """The time that ``text`` means: a day, a full time, or a length of time before ``now``."""
    if not text:
        return None
    full = parse_time(f"{text}T00:00:00Z") if len(text) == 10 else parse_time(text)
    if full is not None:
        return full
    seconds = parse_duration(text)
    if seconds is None or seconds > 100 * 366 * 86400:
        raise InputError(f"input '{name}' is '{text[:60]}'", hint="give 2026-02-01, a full time, or 30d")
    return now - timedelta(seconds=seconds)
