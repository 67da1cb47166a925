"""The command ``health-gate``: runs checks until they hold, fail, or their time is over."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from promote_actions.errors import DependencyError, InputError, PromoteError, Refused
from promote_actions.gates.inputs import OUTPUTS, HealthGateInputs
from promote_actions.gates.model import Check, GateResult
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command

INTERRUPTED = 130


def run(inputs: HealthGateInputs, runner: Runner) -> Result:
    """Run the gate. What is not passed is refused, after the outputs are written."""
    from promote_actions.gates import report
    from promote_actions.gates.engine import Gate
    from promote_actions.gates.progress import Progress, sigterm_interrupts

    context, checks = prepare(inputs, runner)
    what = " ".join(filter(None, (context.service, context.version)))
    subject = f"{what} in {context.environment.name}" if what else context.environment.name
    if inputs.explain:
        said = report.explain(checks, subject)
        return Result({"passed": False, "result": "inconclusive"}, text=said, summary=said)
    head = _head(context, runner) if inputs.publish and not inputs.dry_run else ""
    progress = Progress(runner)
    gate = Gate(checks, once=inputs.once, on_change=progress)
    with runner.group(f"Health gate: {subject}"), sigterm_interrupts():
        result = gate.run()
        progress.end()
    # A cancelled job has seconds left, which belong to the outputs.
    if not result.interrupted:
        with sigterm_interrupts(), suppress(KeyboardInterrupt):
            _announce(context, result, inputs, runner, head)
    return Result(
        outputs={**outputs_of(result), "version": context.version},
        text=report.text(result, subject),
        summary=report.summary(result, subject),
        refusal=refusal_of(result, subject),
    )


def _head(context: Any, runner: Runner) -> str:
    from promote_actions.gates.publish import head_to_judge

    return head_to_judge(context, runner)


def _announce(
    context: Any, result: GateResult, inputs: HealthGateInputs, runner: Runner, head: str
) -> None:
    """Commit statuses on the pull request's ``head``, and a word in the chat."""
    if head:
        from promote_actions.gates.publish import publish

        publish(context, result, runner, head)
    if (inputs.slack_webhook or inputs.webhook) and not (inputs.once or inputs.dry_run):
        from promote_actions.adapters.webhook import tell
        from promote_actions.notify.gates import event_of

        now, actor = datetime.now(timezone.utc), runner.env.get("GITHUB_ACTOR", "")
        tell(event_of(result, context, now, actor, runner.run_url), runner, inputs, context.config.slack)


def outputs_of(result: GateResult) -> Mapping[str, object]:
    """The outputs of the contract."""
    from promote_actions.gates.report import as_json

    return {
        "passed": result.passed,
        "result": result.result,
        "validation-results": result.validation_results,
        "checks": [as_json(check) for check in result.checks],
        "duration": result.seconds,
    }


def refusal_of(result: GateResult, subject: str) -> PromoteError | None:
    """Why the command doesn't exit with 0: 1 for what was measured and not good, or not proven in time;
    3 for what could not be measured; 130 when somebody stopped it."""
    from promote_actions.gates.report import refusal

    if result.interrupted:
        stopped = Refused(f"interrupted; {refusal(result, subject)}", hint="run it again")
        stopped.exit_status = INTERRUPTED
        return stopped
    if result.passed:
        return None
    message = refusal(result, subject)
    if result.verdict == "errored":
        return DependencyError(message, hint="repair what could not be measured and run it again")
    return Refused(message, hint="see the table of checks")


def prepare(inputs: HealthGateInputs, runner: Runner) -> tuple[Any, list[Check]]:
    """The context and the checks; raises :class:`InputError` for what lacks."""
    from promote_actions.gates.build import KINDS, OPTIONS, build
    from promote_actions.gates.config import plan, target_of
    from promote_actions.gates.context import Context

    config, repository, commit = _configuration(inputs, runner)
    environment = config.environment(inputs.environment)
    target = target_of(config, environment, inputs.to)
    _refuse_hostile(inputs)
    context = Context(
        config=config,
        instruments=_instruments(inputs, runner),
        service=inputs.service,
        environment=environment,
        target=target,
        version=inputs.version,
        repository=repository,
        branch=inputs.branch,
        revision=inputs.revision,
        digest=inputs.digest,
        number=inputs.pull_request or 0,
        stability=inputs.stability,
    )
    context = _with_version(context, commit)
    soak = inputs.soak or (target.soak if target else 0.0)
    wanted = _wanted(inputs, soak)
    specs = plan(config, target, wanted, OPTIONS)
    unknown = [kind for kind in inputs.skip if kind not in KINDS]
    if unknown:
        raise InputError(f"input 'skip' is '{unknown[0][:40]}'", hint="use " + ", ".join(KINDS))
    left = [spec for spec in specs if spec.kind not in inputs.skip]
    if not left:
        raise InputError(
            f"the gate has no check besides {', '.join(inputs.skip)}, so it can't pass",
            hint="skip less, or name other checks",
        )
    return context, [build(spec, context) for spec in left]


def _refuse_hostile(inputs: HealthGateInputs) -> None:
    if not inputs.service and not inputs.version:
        return
    from promote_actions.promotion.model import check_service, check_version

    if inputs.service:
        check_service(inputs.service)
    if inputs.version:
        check_version(inputs.version)


def _configuration(inputs: HealthGateInputs, runner: Runner) -> tuple[Any, Any, str]:
    """The configuration, the repository (or None) and the commit at which it was read."""
    from promote_actions.config.load import is_local, load_from, load_local
    from promote_actions.config.model import Config

    if not inputs.gitops:
        return (load_local(inputs.config) if is_local(inputs.config) else Config()), None, ""
    from promote_actions.adapters.repositories import open_repository

    repository = open_repository(inputs.gitops, inputs.token, runner.env)
    snapshot = repository.snapshot(inputs.branch)
    return load_from(snapshot, inputs.config), repository, snapshot.commit


def _with_version(context: Any, commit: str) -> Any:
    """Without ``version``, the one that the values file names: an automatic run has no inputs."""
    if context.version or context.git is None or not context.service:
        return context
    named = context.git.at(commit)
    if not named:
        raise InputError(
            f"{context.git.paths[0]} names no version of {context.service}",
            hint="check service and environment, or give version",
        )
    return context.with_version(named)


def _instruments(inputs: HealthGateInputs, runner: Runner) -> Any:
    from dataclasses import fields

    from promote_actions.adapters.instruments import Instruments

    given = {
        field.name: getattr(inputs, field.name) for field in fields(Instruments) if field.name != "env"
    }
    return Instruments(env=runner.env, **given)


def _wanted(inputs: HealthGateInputs, soak: float) -> Any:
    from promote_actions.gates.config import Timing, Wanted

    given = {
        "argocd": inputs.argocd_server,
        "http": inputs.base_url,
        "prometheus": inputs.prometheus_url,
        "logs": inputs.loki_url,
        "soak": soak and (inputs.gitops or inputs.argocd_server),
        "approvals": inputs.pull_request,
        "policy": inputs.pull_request,
    }
    metric = {
        "query": inputs.prometheus_query,
        "selector": inputs.prometheus_selector,
        "threshold": inputs.threshold,
        "window": inputs.window,
        "min-requests": inputs.min_requests,
        "on-no-data": inputs.on_no_data,
    }
    overrides: dict[str, dict[str, Any]] = {
        "http": {"paths": list(inputs.paths)} if inputs.paths else {},
        "prometheus": {key: value for key, value in metric.items() if value not in (None, "")},
        "soak": {"duration": inputs.soak} if inputs.soak else {},
    }
    return Wanted(
        checks=inputs.check,
        available=tuple(kind for kind, value in given.items() if value),
        overrides=overrides,
        timing=Timing(
            inputs.initial_delay, inputs.interval, inputs.timeout, inputs.success, inputs.failure_limit
        ),
    )


COMMAND = Command(
    name="health-gate",
    summary="Run checks until they hold, fail or time out.",
    description=(
        "Checks that a version is live and well in an environment before it may go on: Argo CD, smoke "
        "tests, metrics, soak time, approvals. What was not measured has not passed.\n\n"
        "Exit status: 0 passed; 1 failed, inconclusive or timed out; 2 bad input; 3 something needed for "
        "measuring did not answer."
    ),
    inputs=HealthGateInputs,
    outputs=OUTPUTS,
    run=run,
    icon="activity",
    color="green",
)
