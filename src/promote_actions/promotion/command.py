"""``promote``: plans a promotion and lands it, as a direct commit or as a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from promote_actions.errors import InputError
from promote_actions.runner import Result, Runner
from promote_actions.spec import OUTCOME, Command, CommonInputs, Output, choice, flag, items, text

if TYPE_CHECKING:
    from promote_actions.notify.event import Event
    from promote_actions.promotion.land import Landing
    from promote_actions.promotion.model import Caller, Request
    from promote_actions.promotion.provenance import Verify


@dataclass(frozen=True, kw_only=True)
class PromoteInputs(CommonInputs):
    """What a promotion needs to be told."""

    gitops: str = text("The GitOps repository: owner/name on GitHub, a path or a URL.", required=True)
    branch: str = text("Its branch; empty for the default one.")
    service: tuple[str, ...] = items("The service, or several: one commit or pull request.", required=True)
    to: str = text("The environment to promote into.", required=True)
    from_: str = text("The environment to promote from; empty for the one before `to`.")
    version: str = text("The version; empty for the one that is live in the source environment.")
    mode: str = choice(
        "How it lands; auto follows the environment's policy.", ("auto", "direct", "pull-request"), "auto"
    )
    reason: str = text("Why, for the audit record; needed by every override.")
    allow_downgrade: bool = flag("Let an older version replace a newer one.")
    override: tuple[str, ...] = items(
        "Rules to set aside, with a reason: approvals, freeze, lock, order, provenance, quarantine, "
        "soak, stop."
    )
    automatic: bool = flag("Mark it as made by automation (`auto-promote` in its title).")
    image_check: str = choice(
        "Whether the registry must have the image; auto checks services that name one.",
        ("auto", "required", "off"),
        "auto",
    )
    move_tag: bool = flag(
        "Let the registry's tag of the environment (`image:qa`) point at the version once it is there."
    )
    validation_results: str = text("The gate's results as JSON, from health-gate's output of that name.")
    changelog: str = text("Markdown lines for the changelog; empty to list the service's commits.")
    slack_webhook: str = text(
        "Slack incoming webhook that is told of the promotion.", secret=True, env=("SLACK_WEBHOOK_URL",)
    )
    webhook: str = text("Any other webhook that gets the promotion as JSON.", secret=True)


OUTPUTS = (
    Output("changed", "`true` when something was committed or proposed."),
    Output("mode", "`direct`, `pull-request`, or `none` when there was nothing to do."),
    Output("service", "The service (comma-separated when there are several)."),
    Output("from", "The environment that the version comes from."),
    Output("to", "The environment that it goes to."),
    Output("version", "The promoted version."),
    Output("previous-version", "The version that it replaces."),
    Output("digest", "The image's digest, when it is known."),
    Output("commit-sha", "The commit that changed the values: on the branch, or the pull request's head."),
    Output("branch", "The branch that was written."),
    Output("pr-number", "The pull request's number."),
    Output("pr-url", "The pull request's address."),
    Output("reviewers", "Who was asked to review, comma-separated."),
    Output("plan", "The whole plan as JSON."),
    OUTCOME,
)


def request_of(inputs: PromoteInputs, env: Mapping[str, str]) -> Request:
    """The request that the inputs make, with one reading of the clock."""
    from promote_actions.promotion.model import Request, check_version

    override = frozenset(inputs.override) | ({"downgrade"} if inputs.allow_downgrade else frozenset())
    reason = inputs.reason or ("allow-downgrade" if override == {"downgrade"} else "")
    return Request(
        services=inputs.service,
        to=inputs.to,
        now=datetime.now(timezone.utc),
        source=inputs.from_,
        version=check_version(inputs.version) if inputs.version else "",
        mode=inputs.mode,
        reason=reason,
        override=override,
        validation=_validation(inputs.validation_results),
        changelog=inputs.changelog,
        kind="auto-promote" if inputs.automatic else "promote",
        caller=caller(env),
    )


def caller(env: Mapping[str, str]) -> Caller:
    """Who asks, and in which workflow run."""
    from promote_actions.promotion.model import Caller

    return Caller(
        actor=env.get("GITHUB_ACTOR", "") or env.get("USER", ""),
        run_url=Runner(env=env).run_url,
        run_id=env.get("GITHUB_RUN_ID", ""),
        attempt=env.get("GITHUB_RUN_ATTEMPT", ""),
    )


def _validation(text: str) -> Mapping[str, str]:
    import json

    if not text:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not all(
        isinstance(v, str | int | bool) for v in document.values()
    ):
        raise InputError(
            "input 'validation-results' is not a JSON object of names and results",
            hint='give one such as {"smoke_tests": "passed"}',
        )
    return {str(name): str(result) for name, result in document.items()}


def run(inputs: PromoteInputs, runner: Runner) -> Result:
    """Promote, and say what was done."""
    from promote_actions.adapters.repositories import open_repository
    from promote_actions.notify.promotions import event_of
    from promote_actions.promotion.land import again_on_conflict
    from promote_actions.promotion.report import result
    from promote_actions.promotion.session import Session

    request = request_of(inputs, runner.env)
    repository = open_repository(inputs.gitops, inputs.token, runner.env)
    session = Session(inputs, request, repository, runner, _verifier(inputs, runner))
    landing = session.with_tags(again_on_conflict(session.attempt, runner.say))
    for warning in landing.warnings:
        runner.warning(warning)
    calls = getattr(repository, "calls", None)
    if calls is not None:
        runner.debug(f"{calls} requests to GitHub")
    if inputs.slack_webhook or inputs.webhook:
        _tell(inputs, event_of(landing, request, repository.web_url, inputs.dry_run), landing, runner)
    return result(landing, repository, inputs.dry_run)


def _verifier(inputs: PromoteInputs, runner: Runner) -> Verify:
    """How the provenance of an image is verified, where an environment requires it."""

    def verify(image: str, digest: str, repository: str) -> str:
        from promote_actions.adapters.attestations import why_unverified
        from promote_actions.adapters.git import is_url

        # The token of a repository at a URL may be another forge's, which GitHub must not see.
        token = "" if is_url(inputs.gitops.strip()) else inputs.token
        return runner.redact(why_unverified(image, digest, repository, token, runner.env))

    return verify


def _tell(inputs: PromoteInputs, event: Event | None, landing: Landing, runner: Runner) -> None:
    from promote_actions.adapters.webhook import tell

    tell(event, runner, inputs, landing.facts.config.slack)


COMMAND = Command(
    name="promote",
    summary="Promote a version from one environment to the next.",
    inputs=PromoteInputs,
    outputs=OUTPUTS,
    run=run,
    icon="chevrons-right",
    color="green",
)
