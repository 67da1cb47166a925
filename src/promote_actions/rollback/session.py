"""One run of ``rollback`` in git: the attempts to land it. Its parts are handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from promote_actions.adapters.forge import ForgeRepository
from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
from promote_actions.config.model import Environment
from promote_actions.promotion.ask import preview
from promote_actions.promotion.land import Landing, again_on_conflict
from promote_actions.promotion.pull import land_pull_request
from promote_actions.rollback.case import Case, Order, open_case
from promote_actions.rollback.land import land_commit, records_of, utc_now, with_standing_hold
from promote_actions.rollback.past import Sources
from promote_actions.rollback.revert import prepare_revert, settled
from promote_actions.rollback.switch import prepare_slot
from promote_actions.rollback.trigger import GateSays, stand_down

Prepare = Callable[[Case], Landing]
"""Makes the plan of a rollback in git from what the repository says; writes nothing."""


@dataclass(frozen=True)
class Gate:
    """What an automatic rollback was told: the gate's words, and the version that they are about."""

    says: GateSays
    version: str


@dataclass(frozen=True)
class Session:
    """A rollback on its way into ``repository``.

    ``sources_at`` gives the sources of the past at a snapshot; ``look`` says whether this is only a look
    (which may depend on the environment). ``gate`` is None when a person asked.
    """

    order: Order
    repository: GitOpsRepository
    branch: str
    sources_at: Callable[[Snapshot], Sources]
    look: Callable[[Environment], bool]
    say: Callable[[str], None]
    forge: ForgeRepository | None = None
    gate: Gate | None = None
    now: Callable[[], datetime] = utc_now

    def open(self) -> Case:
        """What the repository says now."""
        snapshot = self.repository.snapshot(self.branch)
        return open_case(self.order, snapshot, self.sources_at(snapshot))

    def objection(self, case: Case) -> str:
        """Why nothing is to be done (this run did it, or an automatic one has no cause); else empty."""
        if case.done_by_this_run:
            return case.done_by_this_run
        return "" if self.gate is None else stand_down(self.gate.says, self.gate.version, case)

    def revert(self) -> Landing:
        """The version comes back in git."""
        return self._in_git(
            lambda case: prepare_revert(case, pull_requests=self.forge is not None), "revert"
        )

    def switch_in_git(self, key: str, slot: str) -> Landing:
        """The other slot becomes live by the key of the values file."""
        return self._in_git(
            lambda case: prepare_slot(case, key, slot, pull_requests=self.forge is not None), "ingress"
        )

    def _in_git(self, prepare: Prepare, method: str) -> Landing:
        begun: list[str] = []

        def attempt() -> Landing:
            case = self.open()
            why = self.objection(case) or moved_on(case, begun)
            return settled(case, why) if why else self.land(case, prepare(case), method)

        return again_on_conflict(attempt, self.say)

    def land(self, case: Case, landing: Landing, method: str) -> Landing:
        """Land ``landing`` the way that its plan says, unless this is only a look."""
        if not landing.plan.changed:
            return landing
        if self.look(case.environment):
            return self._previewed(case, landing)
        if landing.plan.mode == "pull-request" and self.forge is not None:
            standing = with_standing_hold(case, self.forge, landing)
            return land_pull_request(self.order.request, self.forge, case.snapshot, standing)
        facts = switch_facts(landing) if method == "ingress" else {}
        made = records_of(case, landing, method, self.now(), facts=facts)
        return land_commit(case, self.repository, landing, made)

    def _previewed(self, case: Case, landing: Landing) -> Landing:
        if self.forge is None or landing.plan.mode != "pull-request":
            return landing
        organization = self.forge.name.partition("/")[0]
        asked, notes = preview(self.forge.forge, case.snapshot, landing.plan, organization)
        return replace(landing, reviewers=asked, notes=(*landing.notes, *notes))


def moved_on(case: Case, begun: list[str]) -> str:
    """What to say when the live version is not the one that was to be left, as ``begun`` remembers it.

    Two people press at the same time: planned again after the other one's rollback, the second would go
    a version further back than anybody asked for.
    """
    live = case.live.version
    begun.append(live)
    if live == begun[0] or case.order.request.version:
        return ""
    return f"{case.environment.name} went from {begun[0]} to {live} meanwhile, so this was left alone"


def switch_facts(landing: Landing) -> Mapping[str, Any]:
    """What the audit record keeps of a switch in git: the slot, by which a second run knows of it."""
    edits = landing.plan.moves[0].edits
    return {"via": "git", "slot": edits[0].after if edits else ""}
