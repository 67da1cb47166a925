"""The method ``ingress`` through the cluster's API: the other slot gets the traffic at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from promote_actions.errors import InputError
from promote_actions.promotion.land import Landing, again_on_conflict
from promote_actions.rollback.case import Case, plan_of, still
from promote_actions.rollback.cluster import Done, into_git, revert_to
from promote_actions.rollback.revert import settled
from promote_actions.rollback.session import Prepare, Session, moved_on
from promote_actions.rollback.switch import (
    Cluster,
    Place,
    Switch,
    apply_switch,
    plan_switch,
    prepare_slot,
    slot_in_git,
)


@dataclass(frozen=True)
class ByIngress:
    """One run of the method. ``stability`` is how many seconds the switch must hold."""

    session: Session
    cluster: Cluster
    place: Place
    slot: str
    slot_key: str
    with_revert: bool
    stability: float
    sleep: Callable[[float], None]

    def run(self) -> Landing:
        """Switch, record, and bring git to agree if asked."""
        begun: list[str] = []
        return again_on_conflict(lambda: self._attempt(begun), self.session.say)

    def _attempt(self, begun: list[str]) -> Landing:
        session, case = self.session, self.session.open()
        why = session.objection(case) or moved_on(case, begun)
        if why:
            return settled(case, why)
        switch = plan_switch(case, self.cluster, self.place, self.slot)
        if not switch.ours:
            already = f"ingress '{self.place.ingress}' sends all to {self.place.base}-{switch.slot} already"
            return settled(case, already)
        mend = self._mend(case, switch) if self.with_revert else None
        if mend is not None:  # what git would refuse is refused before anything is done
            mend(case)
        if session.look(case.environment):
            return self._looked(case, switch)
        problem = apply_switch(self.cluster, switch, self.stability, self.sleep)
        facts = {"via": "api", "slot": switch.slot, "ingress": self.place.ingress}
        acted = bool(switch.operations)
        done = Done("ingress", switch.target, case.live.version, acted, facts, problem=problem)
        landing = into_git(session, case, done, None if problem else mend)
        said = () if self.with_revert else self._disagreement(case, switch)
        return replace(landing, notes=(*switch.notes, *landing.notes, *said))

    def _mend(self, case: Case, switch: Switch) -> Prepare:
        """Git agrees when its slot is this one; without such a key, when it names the version again."""
        pull_requests = self.session.forge is not None
        if slot_in_git(case, self.slot_key) is not None:
            return lambda fresh: prepare_slot(
                fresh, self.slot_key, switch.slot, pull_requests=pull_requests
            )
        return revert_to(switch.target.version, pull_requests=pull_requests)

    def _disagreement(self, case: Case, switch: Switch) -> tuple[str, ...]:
        try:
            has_key = slot_in_git(case, self.slot_key) is not None
        except InputError:
            has_key = False
        how = f"--via git --slot {switch.slot}" if has_key else f"--to-version {switch.target.version}"
        what = self.slot_key if has_key else f"version {case.live.version}"
        return (
            f"git does not know of the switch ({what} still stands there): mend it with "
            f"rollback {'--method ingress ' if has_key else '--method revert '}{how}, or use --with-revert",
        )

    def _looked(self, case: Case, switch: Switch) -> Landing:
        made = still(case, switch.target.version, case.live.version)
        plan = plan_of(case, "ingress", made, switch.target)
        text = json.dumps(list(switch.operations), indent=2)
        said = f"ingress '{self.place.ingress}' would send all to {self.place.base}-{switch.slot}"
        return Landing(case.facts, plan, diff=text, notes=(said, *switch.notes))
