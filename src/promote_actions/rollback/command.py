"""``rollback``: restores the previous good version of a service in one environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from promote_actions.errors import InputError, PromoteError
from promote_actions.rollback.inputs import OUTPUTS, RollbackInputs
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command

if TYPE_CHECKING:
    from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
    from promote_actions.config.model import Environment
    from promote_actions.notify.event import Event
    from promote_actions.promotion.land import Landing
    from promote_actions.rollback.case import Order
    from promote_actions.rollback.past import Sources
    from promote_actions.rollback.report import Told
    from promote_actions.rollback.session import Gate, Session
    from promote_actions.rollback.switch import Cluster


def run(inputs: RollbackInputs, runner: Runner) -> Result:
    """Roll back, and say what was done."""
    from promote_actions.adapters.repositories import open_repository
    from promote_actions.rollback.report import event_of, failure_of, result

    method = "revert" if inputs.method == "auto" else inputs.method
    gate = gate_of(inputs)
    order = order_of(inputs, gate, runner.env)
    repository = open_repository(inputs.gitops, inputs.token, runner.env)
    session = _session(inputs, order, gate, repository, runner)
    try:
        landing, auto_sync = _METHODS[method](inputs, session, runner)
    except PromoteError as error:
        if order.automatic and not inputs.dry_run:
            _tell(failure_of(order, method, error, runner.run_url), inputs, True, runner)
        raise
    told = _told(session, landing, method, auto_sync)
    _speak(told, inputs, runner)
    _tell(event_of(told, repository, runner.run_url), inputs, landing.facts.config.slack, runner)
    return result(told, repository)


def _tell(event: Event | None, inputs: RollbackInputs, slack: bool, runner: Runner) -> None:
    if event is not None and (inputs.slack_webhook or inputs.webhook):
        from promote_actions.adapters.webhook import tell

        tell(event, runner, inputs, slack)


def _told(session: Session, landing: Landing, method: str, auto_sync: str) -> Told:
    from promote_actions.rollback.land import recovery
    from promote_actions.rollback.report import Told

    looked = session.look(landing.facts.environment) and not landing.changed
    seconds = recovery(session.order.started, session.now())
    return Told(session.order, landing, method, seconds, looked, auto_sync)


def _speak(told: Told, inputs: RollbackInputs, runner: Runner) -> None:
    """The warnings and notices, beside the result itself."""
    from promote_actions.rollback.land import too_slow

    landing = told.landing
    for warning in landing.warnings:
        runner.warning(warning)
    if told.settled and told.order.automatic and landing.notes:
        runner.notice(f"no rollback: {landing.notes[0]}")
    if told.looked and not inputs.dry_run:
        runner.notice("this was a look at the plan; run it again with --yes to do it")
    if told.auto_sync == "off" and told.landing.notes and not told.looked:
        runner.warning(landing.notes[0])
    slow = too_slow(landing.facts.environment.name, told.seconds) if told.order.automatic else ""
    if slow and told.in_effect:
        runner.warning(slow)


# -- what was asked ------------------------------------------------------------------------------


def gate_of(inputs: RollbackInputs) -> Gate | None:
    """What the gate said, when the rollback is automatic; None when a person asks for it.

    Any input of an automatic rollback makes it one: a gate's output that is empty, because the gate
    crashed, must not turn into a rollback that somebody ordered.
    """
    from promote_actions.promotion.model import check_version
    from promote_actions.rollback.session import Gate
    from promote_actions.rollback.trigger import read_gate

    if not (inputs.automatic or inputs.gate_result or inputs.failed_version):
        return None
    failed = check_version(inputs.failed_version) if inputs.failed_version else ""
    return Gate(read_gate(inputs.gate_result), failed)


def order_of(inputs: RollbackInputs, gate: Gate | None, env: Mapping[str, str]) -> Order:
    """The order that the inputs give, with one reading of the clock."""
    from promote_actions.promotion.command import caller
    from promote_actions.promotion.model import Request, check_version
    from promote_actions.rollback.case import Order

    now = datetime.now(timezone.utc)
    request = Request(
        services=(inputs.service,),
        to=inputs.environment,
        now=now,
        version=check_version(inputs.to_version) if inputs.to_version else "",
        mode=inputs.mode,
        reason=inputs.reason or (gate.says.reason if gate is not None else ""),
        kind="rollback",
        caller=caller(env),
    )
    return Order(request, inputs.config, _started(inputs.failed_at, now), inputs.steps, gate is not None)


def _started(text: str, now: datetime) -> datetime:
    from promote_actions.audit.record import parse_time

    if not text:
        return now
    found = parse_time(text)
    if found is None or found > now + timedelta(hours=1):
        raise InputError(
            f"input 'failed-at' is '{text[:60]}'",
            hint="give a time that has been, such as 2026-02-01T10:30:00Z",
        )
    return min(found, now)


def _session(
    inputs: RollbackInputs, order: Order, gate: Gate | None, repository: GitOpsRepository, runner: Runner
) -> Session:
    from promote_actions.adapters.git_history import history_of
    from promote_actions.adapters.renames import renames_of
    from promote_actions.promotion.pull import pull_requests_of
    from promote_actions.rollback.past import Sources
    from promote_actions.rollback.session import Session

    def sources_at(snapshot: Snapshot) -> Sources:
        return Sources(repository, lambda: history_of(repository, snapshot), renames_of(repository))

    def look(environment: Environment) -> bool:
        guarded = environment.rollback == "pull-request"
        return inputs.dry_run or (guarded and runner.interactive and not inputs.yes)

    forge = pull_requests_of(repository)
    return Session(order, repository, inputs.branch, sources_at, look, runner.say, forge, gate)


# -- the methods ---------------------------------------------------------------------------------


def _argocd(inputs: RollbackInputs, session: Session, runner: Runner) -> tuple[Landing, str]:
    from promote_actions.adapters.argocd import ArgoCD
    from promote_actions.adapters.http_client import Tls
    from promote_actions.rollback.argocd import Watch
    from promote_actions.rollback.by_argocd import ByArgocd, Wanted

    if not inputs.argocd_server:
        raise InputError("no Argo CD server was given", hint="give argocd-server, or use --method revert")
    tls = Tls(inputs.argocd_ca, insecure=inputs.argocd_insecure)
    server = ArgoCD(inputs.argocd_server, inputs.argocd_token, tls, inputs.argocd_namespace)
    wanted = Wanted(inputs.history_id, inputs.revision, inputs.terminate, inputs.with_revert)
    watch = Watch(inputs.timeout, time.monotonic, time.sleep, runner.say)
    return ByArgocd(session, server, wanted, watch).run()


def _ingress(inputs: RollbackInputs, session: Session, runner: Runner) -> tuple[Landing, str]:
    from promote_actions.rollback.by_ingress import ByIngress
    from promote_actions.rollback.switch import Place, slot_in_git

    case = session.open()
    has_key = inputs.via != "api" and slot_in_git(case, inputs.slot_key) is not None
    if inputs.via == "git" or has_key:
        runner.say(f"through git ({inputs.slot_key}), which is audited and what Argo CD applies")
        return session.switch_in_git(inputs.slot_key, inputs.slot), ""
    names = _named(case.service.name, case.environment.name)
    cluster = _cluster(inputs, names, runner)
    place = Place(names(inputs.ingress), names(inputs.backend))
    by = ByIngress(
        session,
        cluster,
        place,
        inputs.slot,
        inputs.slot_key,
        inputs.with_revert,
        inputs.stability,
        time.sleep,
    )
    return by.run(), ""


def _named(service: str, environment: str) -> Callable[[str], str]:
    return lambda text: text.replace("{service}", service).replace("{environment}", environment)


def _cluster(inputs: RollbackInputs, names: Callable[[str], str], runner: Runner) -> Cluster:
    from promote_actions.adapters.github_api import Patience
    from promote_actions.adapters.kubeconfig import Options, access_of
    from promote_actions.adapters.kubernetes import Kubernetes

    options = Options(
        inputs.kube_server, inputs.kube_token, inputs.kube_ca, inputs.kubeconfig, inputs.kube_context
    )
    access = access_of(options, runner.env, runner.mask)
    namespace = names(inputs.namespace) or access.namespace
    if not namespace:
        raise InputError("the ingress's namespace is not known", hint="give namespace")
    return Kubernetes(access, namespace, first_pause=Patience.of(runner.env).pause)


_METHODS: Mapping[str, Callable[[RollbackInputs, Session, Runner], tuple[Landing, str]]] = {
    "revert": lambda inputs, session, runner: (session.revert(), ""),  # noqa: ARG005 - one shape for all
    "argocd": _argocd,
    "ingress": _ingress,
}

COMMAND = Command(
    name="rollback",
    summary="Roll a service back to its last good version in one environment.",
    description=(
        "Restores the last good version of one service in one environment, and quarantines the version "
        "that it leaves. By default in git, by direct commit or pull request as the environment's policy "
        "has it; Argo CD and a blue/green switch are ways for when that is too slow. Every way may be run "
        "again: it finishes what is missing, and never goes back and forth."
    ),
    inputs=RollbackInputs,
    outputs=OUTPUTS,
    run=run,
    icon="rotate-ccw",
    color="orange",
)
