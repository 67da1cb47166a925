"""From what a pull request changes to the checks it needs and the commit statuses it gets.

Every status that a branch's protection may ask for is given to every pull request, or one that promotes
nothing could never be merged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from promote_actions.adapters.forge import CommitStatus, StatusState
from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError
from promote_actions.gates.build import OPTIONS, build
from promote_actions.gates.config import Wanted, plan
from promote_actions.gates.context import Context
from promote_actions.gates.model import Check, GateResult
from promote_actions.gates.publish import CONTEXTS, heads, statuses
from promote_actions.guard.touches import Touch, touch
from promote_actions.rollback.policy import approvals_needed

Statuses = Mapping[str, tuple[StatusState, str]]
"""State and description by context."""

ContextOf = Callable[[str, Environment, Environment, str], Context]
"""Makes the context of checks: service, the environment it comes from, the one it goes to, version."""

LOOKED_BACK = 40
"""Changes of a values file in which a version is looked for that a rollback restores."""


NOTHING: tuple[StatusState, str] = ("success", "no version is changed")


@dataclass(frozen=True)
class Plan:
    """The checks of a pull request, and the statuses that need none."""

    checks: tuple[Check, ...]
    settled: Statuses


@dataclass(frozen=True)
class Planner:
    """Plans checks by ``config``. ``context_of`` makes what a check is about; ``ran_before`` says whether
    a version ran at its place before: putting it back is a rollback, which no soak may hold up."""

    config: Config
    context_of: ContextOf
    ran_before: Callable[[Touch], bool]

    def plan(self, touches: Sequence[Touch]) -> Plan:
        """Approvals by the strictest environment that is touched, soak and policy of what is promoted."""
        settled = dict.fromkeys(CONTEXTS.values(), NOTHING)
        promotions = [each for each in touches if each.promotes]
        checks = [*self._approvals(touches), *self._soaks(promotions), *self._policy(promotions)]
        if promotions:
            settled[CONTEXTS["soak"]] = ("success", "nothing has to soak")
        if touches:
            settled[CONTEXTS["approvals"]] = ("success", "no approval is asked for")
        return Plan(tuple(checks), settled)

    def _approvals(self, touches: Sequence[Touch]) -> list[Check]:
        asks = [each for each in touches if each.place.environment.approvals]
        strictest = max(asks, key=lambda each: each.place.environment.approvals, default=None)
        if strictest is None:
            return []
        kind = "approvals"
        if all(each.goes_back and self.ran_before(each) for each in asks):
            kind = f"approvals:needed={approvals_needed(strictest.place.environment)};each-team=false"
        return [self._check(kind, strictest)]

    def _soaks(self, promotions: Sequence[Touch]) -> list[Check]:
        """A check for each service whose environment asks for a soak and has one to soak in."""
        asked = [
            each
            for each in promotions
            if each.place.environment.soak and self.config.source_of(each.place.environment)
        ]
        forward = [each for each in asked if not (each.goes_back and self.ran_before(each))]
        several = len(forward) > 1
        names = [f"soak of {each.place.service}" if several else "" for each in forward]
        return [self._check("soak", each, name) for each, name in zip(forward, names, strict=True)]

    def _policy(self, promotions: Sequence[Touch]) -> list[Check]:
        return [self._check("policy", promotions[0])] if promotions and "policy" in OPTIONS else []

    def _check(self, kind: str, touched: Touch, name: str = "") -> Check:
        target = touched.place.environment
        source = self.config.source_of(target) or target
        context = self.context_of(touched.place.service, source, target, touched.version)
        (spec,) = plan(self.config, target, Wanted(checks=(kind,)), OPTIONS)
        return build(replace(spec, name=name) if name else spec, context)


def verdicts(planned: Plan, result: GateResult | None, head: str) -> Statuses:
    """The statuses of ``head``: those that were measured, and those that needed no measuring.

    What was measured on another head is true of that one: it is left out, and looked at again.
    """
    if result is None:
        return planned.settled
    judged = heads(result)
    measured: dict[str, tuple[StatusState, str]] = {name: (s, said) for name, s, said in statuses(result)}
    moved = {name for name in measured if judged.get(name, head) != head}
    return {n: verdict for n, verdict in {**planned.settled, **measured}.items() if n not in moved}


def unreadable(error: InputError) -> Statuses:
    """The statuses of a pull request that makes a values file unreadable."""
    said: tuple[StatusState, str] = ("failure", str(error))
    return dict.fromkeys(CONTEXTS.values(), said)


def news(wanted: Statuses, there: Mapping[str, CommitStatus]) -> Statuses:
    """Those of ``wanted`` that are not ``there`` yet: GitHub keeps a thousand of each context, no more."""
    return {
        name: (state, said)
        for name, (state, said) in wanted.items()
        if name not in there or (there[name].state, there[name].description) != (state, said[:140])
    }


def ran_before(repository: GitOpsRepository, config: Config, branch: str, touched: Touch) -> bool:
    """Whether the new version is in the history of its values file on ``branch``."""
    path = touched.place.path
    for commit in repository.history(path, branch, LOOKED_BACK):
        content = repository.read_at(commit.sha, path)
        try:
            if touch(config, touched.place, None, content).version == touched.version:
                return True
        except InputError:
            continue
    return False
