"""Rollback in git: restore one service's version in one environment, whatever else was committed since."""

from __future__ import annotations

from dataclasses import replace

from promote_actions.errors import InputError
from promote_actions.promotion.diff import unified
from promote_actions.promotion.land import Landing
from promote_actions.promotion.messages import words
from promote_actions.promotion.model import Move, Plan
from promote_actions.rollback.case import Case, Target, hold_change, move_back, plan_of, target_of
from promote_actions.rollback.policy import approvals_needed

URGENT = "rollback"
"""The label of a rollback's pull request: somebody has to look at it now."""


def prepare_revert(case: Case, *, pull_requests: bool) -> Landing:
    """The rollback that ``case`` asks for, in git. Nothing is written.

    The version that is left is quarantined in the same commit.
    """
    if case.order.request.version == case.live.version:
        return settled(case)
    mode = choose_mode(case, pull_requests)
    target = target_of(case)
    return proposal(case, mode, move_back(case, target), target)


def settled(case: Case, note: str = "") -> Landing:
    """Nothing is to be done."""
    plan = Plan(case.environment, None, "none", (), (case.service.name,), rollback=True)
    return Landing(case.facts, plan, notes=(note,) if note else ())


def proposal(case: Case, mode: str, made: Move, target: Target) -> Landing:
    """Plan, words, diff and quarantine of a rollback that ``made`` is; ``mode`` is how it will land."""
    plan = plan_of(case, mode, made, target)
    if mode == "pull-request":
        labels = tuple(dict.fromkeys((URGENT, *case.environment.labels)))
        plan = replace(plan, environment=replace(case.environment, labels=labels))
    diff = unified(plan.moves)
    notes = urgency(case, made.previous) if mode == "pull-request" else ()
    text = words(case.order.request, plan, diff, notes)
    return Landing(case.facts, plan, text, diff, extra=hold_change(case, target.version))


def urgency(case: Case, left: str) -> tuple[str, ...]:
    """The first lines of the pull request: what is wrong, and what its policy asks for."""
    needed = approvals_needed(case.environment)
    people = f"{needed} approval{'s' * (needed != 1)} of an owner" if needed else "no approval"
    return (
        f"URGENT: {case.service.name} {left} is being taken out of {case.environment.name}",
        f"a rollback needs {people}, no soak and no gate, and no freeze or lock stops it",
    )


def choose_mode(case: Case, pull_requests: bool) -> str:
    """``direct`` or ``pull-request``, by the environment's ``rollback`` policy unless the caller says."""
    environment, request = case.environment, case.order.request
    by_policy = "pull-request" if environment.rollback == "pull-request" else "direct"
    chosen = by_policy if request.mode == "auto" else request.mode
    if chosen == "pull-request" and not pull_requests:
        raise InputError(
            f"{environment.name} is rolled back by pull request, which a plain git repository doesn't have",
            hint="give the GitHub repository as owner/name, or use --mode direct with a --reason",
        )
    if chosen == "direct" and by_policy == "pull-request" and not request.reason:
        raise InputError(
            f"{environment.name} is rolled back by pull request", hint="say why not with --reason"
        )
    return chosen
