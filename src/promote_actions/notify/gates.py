"""A gate that did not let a version pass, as an event. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from promote_actions.notify.event import Event, Outcome

if TYPE_CHECKING:
    from promote_actions.gates.context import Context
    from promote_actions.gates.model import GateResult

_OUTCOMES: Mapping[str, Outcome] = {
    "failed": "failed",
    "inconclusive": "inconclusive",
    "timed-out": "timed-out",
    "errored": "errored",
}


def event_of(result: GateResult, context: Context, at: datetime, actor: str, run_url: str) -> Event | None:
    """What people should hear of; None when the gate passed, or somebody stopped it.

    ``at`` is when it ended, ``actor`` whose run it was.
    """
    if result.passed or result.interrupted:
        return None
    bad = [check for check in result.checks if check.verdict == result.verdict]
    links = {link.text: link.url for check in bad for link in check.links}
    links |= {"Workflow run": run_url} if run_url else {}
    return Event(
        kind="gate",
        outcome=_OUTCOMES[result.verdict],
        service=context.service,
        environment=context.environment.name,
        version=context.version,
        at=at,
        actor=actor,
        reason="; ".join(f"{check.spec.name}: {check.reason}" for check in bad[:5]),
        links=links,
    )
