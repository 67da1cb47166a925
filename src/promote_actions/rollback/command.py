"""``rollback``: restores the previous good version of a service in one environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from promote_actions.promotion.command import OUTPUTS as PROMOTE_OUTPUTS
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command, CommonInputs, Output, choice, flag, number, text

if TYPE_CHECKING:
    from promote_actions.promotion.land import Landing
    from promote_actions.promotion.model import Request


@dataclass(frozen=True, kw_only=True)
class RollbackInputs(CommonInputs):
    """What a rollback needs to be told."""

    gitops: str = text("The GitOps repository: owner/name on GitHub, a path or a URL.", required=True)
    branch: str = text("Its branch; empty for the default one.")
    service: str = text("The service.", required=True)
    environment: str = text("The environment.", required=True, aliases=("env",))
    method: str = choice("How: `revert` restores the version in git.", ("revert",), "revert")
    to_version: str = text("The version to restore; empty for the last good one.")
    steps: int | None = number("How many good versions to go back, instead of one.", minimum=1)
    mode: str = choice(
        "How it lands; auto follows the environment's policy.", ("auto", "direct", "pull-request"), "auto"
    )
    reason: str = text("Why, for the audit record and for whoever reads it at night.")
    yes: bool = flag("On a terminal: do it, where policy asks for a pull request, without a look first.")


OUTPUTS = (
    *PROMOTE_OUTPUTS,
    Output("restored-version", "The version that is live again (or will be, once merged)."),
    Output("method", "How it was rolled back."),
)


def run(inputs: RollbackInputs, runner: Runner) -> Result:
    """Roll back, and say what was done."""
    from promote_actions.adapters.repositories import open_repository
    from promote_actions.promotion.land import again_on_conflict, land_direct
    from promote_actions.promotion.pull import land_pull_request, pull_requests_of
    from promote_actions.promotion.report import result
    from promote_actions.rollback.revert import prepare_revert

    request = _request(inputs, runner.env)
    repository = open_repository(inputs.gitops, inputs.token, runner.env)
    forge = pull_requests_of(repository)
    looked_only = inputs.dry_run

    def attempt() -> Landing:
        nonlocal looked_only
        snapshot = repository.snapshot(inputs.branch)
        landing = prepare_revert(
            request,
            repository,
            snapshot,
            inputs.config,
            steps=inputs.steps,
            pull_requests=forge is not None,
        )
        guarded = landing.facts.environment.rollback == "pull-request"
        looked_only = inputs.dry_run or (guarded and runner.interactive and not inputs.yes)
        if not landing.plan.changed or looked_only:
            return landing
        if landing.plan.mode == "pull-request" and forge is not None:
            return land_pull_request(request, forge, snapshot, landing)
        return land_direct(request, repository, snapshot, landing)

    landing = again_on_conflict(attempt, runner.say)
    if looked_only and not inputs.dry_run:
        runner.notice("this was a look at the plan; run it again with --yes to do it")
    return _with_own_outputs(result(landing, repository, looked_only), inputs.method)


def _with_own_outputs(result: Result, method: str) -> Result:
    restored = str(result.outputs["version"])
    return replace(result, outputs={**result.outputs, "restored-version": restored, "method": method})


def _request(inputs: RollbackInputs, env: Mapping[str, str]) -> Request:
    from promote_actions.promotion.command import caller
    from promote_actions.promotion.model import Request, check_version

    return Request(
        services=(inputs.service,),
        to=inputs.environment,
        now=datetime.now(timezone.utc),
        version=check_version(inputs.to_version) if inputs.to_version else "",
        mode=inputs.mode,
        reason=inputs.reason,
        kind="rollback",
        caller=caller(env),
    )


COMMAND = Command(
    name="rollback",
    summary="Roll a service back to its last good version in one environment.",
    inputs=RollbackInputs,
    outputs=OUTPUTS,
    run=run,
    icon="rotate-ccw",
    color="orange",
)
