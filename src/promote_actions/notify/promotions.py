"""A promotion that was made or proposed, as an event. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from promote_actions.notify.event import Event

if TYPE_CHECKING:
    from promote_actions.promotion.land import Landing
    from promote_actions.promotion.model import Request


def event_of(landing: Landing, request: Request, web_url: str, dry_run: bool) -> Event | None:
    """What people should hear of; None when nothing was changed. Several services are one event.

    ``web_url`` is the page of the GitOps repository, empty when it has none.
    """
    moves = landing.plan.moves
    if dry_run or not landing.changed or not moves:
        return None
    commit = f"{web_url}/commit/{landing.commit}" if web_url and landing.commit else ""
    links = {"Pull request": landing.pr_url, "Commit": commit, "Workflow run": request.caller.run_url}
    said = (str(landing.failure),) if landing.failure else ()
    return Event(
        kind="promotion",
        outcome="done" if landing.plan.mode == "direct" else "proposed",
        service=_joined(move.service.name for move in moves),
        environment=landing.plan.environment.name,
        version=_joined(move.version for move in moves),
        at=request.now,
        previous=_joined(move.previous for move in moves if move.previous),
        source=landing.plan.source.name if landing.plan.source else "",
        actor=request.caller.actor,
        automatic=request.kind == "auto-promote",
        method="commit" if landing.plan.mode == "direct" else "pull request",
        reason=request.reason,
        links={text: url for text, url in links.items() if url},
        notes=(*said, *landing.notes),
    )


def _joined(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
