"""Rollback in git: restore one service's version in one environment, whatever else was committed since."""

from __future__ import annotations

import json
from collections.abc import Sequence

from promote_actions.adapters.gitops import FileChange, GitOpsRepository, Snapshot
from promote_actions.audit.record import Record, format_time
from promote_actions.config.load import load_from
from promote_actions.config.model import Environment
from promote_actions.errors import InputError
from promote_actions.promotion.diff import unified
from promote_actions.promotion.gather import live, read_values
from promote_actions.promotion.land import Landing
from promote_actions.promotion.messages import words
from promote_actions.promotion.model import Facts, Plan, Request, ServiceFacts, check_service, check_version
from promote_actions.promotion.plan import move
from promote_actions.promotion.policy import hold_file
from promote_actions.rollback.choose import choose
from promote_actions.rollback.past import read_past


def prepare_revert(
    request: Request,
    repository: GitOpsRepository,
    snapshot: Snapshot,
    config_path: str,
    *,
    steps: int | None,
    pull_requests: bool,
) -> Landing:
    """The rollback that ``request`` means at ``snapshot``: ``request.to`` is the environment,
    ``request.version`` the version to restore (empty: the last good one). Nothing is written.

    The version that is left is quarantined in the same commit, so that no automation brings it back.
    """
    config = load_from(snapshot, config_path)
    environment = config.environment(request.to)
    service = config.service(check_service(request.services[0]))
    files = read_values(snapshot, config, [service], [environment])
    here = live(files, config, service, environment)
    past, records = read_past(repository, snapshot, config, service, here)
    facts = Facts(snapshot.commit, snapshot.branch, config, environment, (ServiceFacts(service, here),))
    if request.version == here.version:
        return Landing(facts, Plan(environment, None, "none", (), (service.name,)))

    def held(version: str) -> bool:
        return snapshot.read(hold_file(service.name, version)) is not None

    mode = choose_mode(request.mode, environment, pull_requests, request.reason)
    version = check_version(choose(past, held, request.version, steps, request.reason))
    made = move(facts, facts.services[0], version)
    plan = Plan(environment, None, mode, (made,), rollback=True, rollback_of=_undone(records, here.version))
    diff = unified(plan.moves)
    hold = _hold(request, service.name, here.version, environment, version)
    return Landing(facts, plan, words(request, plan, diff), diff, extra=(hold,))


def choose_mode(mode: str, environment: Environment, pull_requests: bool, reason: str) -> str:
    """``direct`` or ``pull-request``, by the environment's ``rollback`` policy unless ``mode`` says."""
    by_policy = "pull-request" if environment.rollback == "pull-request" else "direct"
    chosen = by_policy if mode == "auto" else mode
    if chosen == "pull-request" and not pull_requests:
        raise InputError(
            f"{environment.name} is rolled back by pull request, which a plain git repository doesn't have",
            hint="give the GitHub repository as owner/name, or use --mode direct with a --reason",
        )
    if chosen == "direct" and by_policy == "pull-request" and not reason:
        raise InputError(
            f"{environment.name} is rolled back by pull request", hint="say why not with --reason"
        )
    return chosen


def _undone(records: Sequence[Record], version: str) -> str:
    """The id of the last record that brought ``version``: what this rollback undoes."""
    for record in reversed(records):
        if record.version == version and not record.rollback:
            return record.record_id
    return ""


def _hold(request: Request, service: str, version: str, environment: Environment, to: str) -> FileChange:
    document = {
        "service": service,
        "version": version,
        "environment": environment.name,
        "reason": request.reason or f"rolled back to {to} in {environment.name}",
        "since": format_time(request.now),
        "by": request.caller.actor,
    }
    content = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return FileChange(hold_file(service, version), content.encode())
