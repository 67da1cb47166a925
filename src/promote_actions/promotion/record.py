"""The audit records of a promotion that is about to land. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from promote_actions.audit.record import Record, format_time
from promote_actions.promotion.model import Move, Plan, Request


def records(
    request: Request, plan: Plan, *, outcome: str = "success", pr_url: str = ""
) -> Sequence[Record]:
    """One record for each service that ``plan`` moves, without chain fields."""
    return [_record(request, plan, move, outcome, pr_url) for move in plan.moves]


def _record(request: Request, plan: Plan, move: Move, outcome: str, pr_url: str) -> Record:
    at = format_time(request.now)
    return Record(
        event="rollback" if request.kind == "rollback" else "promotion",
        service=move.service.name,
        version=move.version,
        from_environment=plan.source.name if plan.source else "",
        to_environment=plan.environment.name,
        timestamp=at,
        initiator=request.caller.actor or "unknown",
        pr_url=pr_url,
        rollback=request.kind == "rollback",
        rollback_of=plan.rollback_of,
        validation_results={name: str(result) for name, result in request.validation.items()},
        outcome=outcome,
        started_at=at,
        finished_at=at,
        image_digest=move.digest,
        previous_version=move.previous,
        run_url=request.caller.run_url,
        reason=request.reason,
        override=", ".join(plan.overridden),
    )
