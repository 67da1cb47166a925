"""After a rollback in the cluster: its record and quarantine in git, and git brought to agree if asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from promote_actions.audit.record import Record
from promote_actions.errors import PromoteError
from promote_actions.promotion.land import Landing, again_on_conflict
from promote_actions.rollback.case import Case, Target, hold_change, plan_of, still, undone
from promote_actions.rollback.land import land_commit, records_of
from promote_actions.rollback.revert import prepare_revert
from promote_actions.rollback.session import Prepare, Session


@dataclass(frozen=True)
class Done:
    """What happened in the cluster: by which method, from which version to which.

    ``acted``: something was changed in this run. ``problem``: it did not go well. ``facts`` are fields of
    the audit record.
    """

    method: str
    target: Target
    left: str
    acted: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    sync_id: str = ""
    problem: PromoteError | None = None


def into_git(session: Session, case: Case, done: Done, mend: Prepare | None) -> Landing:
    """Record what was done in a commit of its own, with the quarantine of the version that was left.

    With ``mend`` git is brought to agree as well: in the same commit, or by a pull request after it. The
    cluster is what it is by now, so a failure here is part of the landing rather than raised. ``case`` is
    what git said before.
    """
    try:
        landing = again_on_conflict(lambda: _record(session, done, mend), session.say)
        if mend is not None and landing.plan.mode != "direct":
            landing = _propose(session, done, mend, landing)
    except PromoteError as error:
        failure = type(error)(
            f"rolled back in the cluster, and git does not have it yet: {error}",
            hint="run the same again: it finishes what is missing",
        )
        return replace(_alone(case, done), extra=(), failure=failure, changed=done.acted)
    problem = done.problem or landing.failure
    return replace(landing, failure=problem, changed=landing.changed or done.acted)


def _alone(case: Case, done: Done) -> Landing:
    """A landing that changes no values file."""
    target = replace(done.target, undoes=undone(case.records, done.left))
    plan = plan_of(case, done.method, still(case, target.version, done.left), target)
    return Landing(case.facts, plan, extra=hold_change(case, target.version, done.left))


def _record(session: Session, done: Done, mend: Prepare | None) -> Landing:
    case = session.open()
    landing = _alone(case, done)
    if mend is not None and case.live.version == done.left:
        mending = mend(case)
        if mending.plan.mode == "direct":
            landing = mending
    if landing.plan.mode != "direct" and not done.acted and recorded(case.last_record, done):
        return replace(landing, extra=())
    outcome = "failure" if done.problem else "success"
    made = records_of(case, landing, done.method, session.now(), outcome=outcome, facts=done.facts)
    made = [replace(each, argocd_sync_id=done.sync_id, **_amending(case, done)) for each in made]
    return land_commit(case, session.repository, landing, made)


def _amending(case: Case, done: Done) -> Mapping[str, Any]:
    """A rollback that is on record already is not recorded twice: that git was mended is a late fact."""
    last = case.last_record
    if done.acted or last is None or not recorded(last, done):
        return {}
    return {"event": "amendment", "amends": last.record_id}


def _propose(session: Session, done: Done, mend: Prepare, landing: Landing) -> Landing:
    """The pull request that makes git agree, after the record's own commit."""
    case = session.open()
    if case.live.version != done.left:
        return landing
    proposed = session.land(case, mend(case), "revert")
    return replace(
        proposed,
        plan=landing.plan,
        audit_paths=landing.audit_paths,
        changed=landing.changed or proposed.changed,
    )


def recorded(last: Record | None, done: Done) -> bool:
    """Whether the newest record tells of this very rollback already."""
    return (
        last is not None
        and last.rollback
        and last.extra.get("method") == done.method
        and (last.version, last.previous_version) == (done.target.version, done.left)
        and (last.effective_outcome == "success") == (done.problem is None)
    )


def revert_to(version: str, *, pull_requests: bool) -> Prepare:
    """Prepares the revert in git to the version that the cluster runs now."""

    def prepare(case: Case) -> Landing:
        request = replace(case.order.request, version=version)
        order = replace(case.order, request=request, steps=None)
        return prepare_revert(replace(case, order=order), pull_requests=pull_requests)

    return prepare
