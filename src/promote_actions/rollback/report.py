"""What a rollback tells afterwards: outputs, words for a terminal, step summary, event. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.errors import PromoteError
from promote_actions.notify.event import Event, Outcome
from promote_actions.promotion import report
from promote_actions.promotion.land import Landing
from promote_actions.rollback.case import Order
from promote_actions.runner import Result

HOW = {
    "argocd": "through Argo CD",
    "ingress": "by switching the ingress",
    "direct": "by direct commit",
    "pull-request": "by pull request",
}

CLUSTER = ("argocd", "ingress")
"""Modes in which the cluster was changed and no values file."""


@dataclass(frozen=True)
class Told:
    """A rollback that is over, and what there is to tell: ``seconds`` from the failure to now, ``looked``
    when nothing was done, ``auto_sync`` as Argo CD's was left (empty: untouched)."""

    order: Order
    landing: Landing
    method: str
    seconds: int
    looked: bool = False
    auto_sync: str = ""

    @property
    def settled(self) -> bool:
        """Whether there was nothing to roll back."""
        return not self.landing.plan.changed

    @property
    def in_effect(self) -> bool:
        """Whether the restored version is on its way without anybody's word."""
        ends = self.landing.changed and self.landing.failure is None
        return ends and not self.settled and self.landing.plan.mode != "pull-request"


def result(told: Told, repository: GitOpsRepository) -> Result:
    """The command's result."""
    made = report.result(told.landing, repository, told.looked)
    headline = _headline(told)
    text = "\n".join([headline, *_rest(made.text, told)])
    summary = "\n".join([f"### {headline[:1].upper()}{headline[1:]}", *made.summary.split("\n")[1:]])
    return replace(made, outputs=_outputs(told, made.outputs), text=text, summary=summary)


def _rest(text: str, told: Told) -> list[str]:
    lines = text.split("\n")[1:]
    landing = told.landing
    dropped = {f"  note: {note}" for note in landing.notes[:1] if told.settled}
    if landing.plan.mode in CLUSTER:  # no file was changed
        dropped |= {f"  {move.file}: {move.previous} → {move.version}" for move in landing.plan.moves}
    kept = [line for line in lines if line not in dropped]
    if told.in_effect:
        kept.append(f"  {told.seconds} s since the trouble began")
    return kept


def _outputs(told: Told, outputs: Mapping[str, object]) -> Mapping[str, object]:
    mode = "direct" if told.landing.plan.mode in CLUSTER else outputs["mode"]
    return {
        **outputs,
        "mode": mode,
        "restored-version": outputs["version"],
        "method": told.method,
        "time-to-recover": told.seconds if told.in_effect else "",
        "auto-sync": told.auto_sync,
    }


def _headline(told: Told) -> str:
    landing, plan = told.landing, told.landing.plan
    environment = landing.facts.environment.name
    if told.settled:
        live = landing.facts.services[0]
        already = f"{environment} already has {live.service.name} {live.target.version}"
        first = landing.notes[0] if landing.notes else already
        ended = landing.changed and landing.failure is None
        return f"{'finished' if ended else 'nothing to do'}: {first}"
    move = plan.moves[0]
    what = f"{move.service.name} to {move.version} in {environment} {HOW[plan.mode]}"
    if told.looked:
        return f"would roll back {what}"
    if not landing.changed and landing.failure is None:
        return f"nothing to do: {move.service.name} is back at {move.version} in {environment} already"
    if plan.mode == "pull-request":
        return f"proposed to roll back {what}"
    return f"{'rolled back' if landing.failure is None else 'could not finish: roll back'} {what}"


def event_of(told: Told, repository: GitOpsRepository, run_url: str) -> Event | None:
    """What people should hear of; None when nothing was done."""
    landing, order = told.landing, told.order
    if told.looked or told.settled or not (landing.changed or landing.failure):
        return None
    move = landing.plan.moves[0]
    proposed = landing.plan.mode == "pull-request"
    outcome: Outcome = "failed" if landing.failure else "proposed" if proposed else "done"
    links = {
        "Pull request": landing.pr_url,
        "Commit": f"{repository.web_url}/commit/{landing.commit}"
        if landing.commit and repository.web_url
        else "",
        "Workflow run": run_url,
    }
    said = [str(landing.failure)] if landing.failure else []
    return Event(
        kind="rollback",
        outcome=outcome,
        service=move.service.name,
        environment=landing.facts.environment.name,
        version=move.version,
        at=order.request.now,
        previous=move.previous,
        actor=order.request.caller.actor,
        automatic=order.automatic,
        method=told.method,
        reason=order.request.reason,
        links={text: url for text, url in links.items() if url},
        notes=(*said, *landing.notes),
    )


def failure_of(order: Order, method: str, error: PromoteError, run_url: str) -> Event:
    """A rollback that nobody watches and that could not be made."""
    request = order.request
    return Event(
        kind="rollback",
        outcome="failed",
        service=request.services[0],
        environment=request.to,
        version=request.version,
        at=request.now,
        actor=request.caller.actor,
        automatic=order.automatic,
        method=method,
        reason=request.reason,
        links={"Workflow run": run_url} if run_url else {},
        notes=(str(error),),
    )
