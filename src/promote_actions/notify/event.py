"""One thing that happened and that people should hear of. Pure data.

Source: the strategy's "Notify Slack" step and its message ``✅ Auto-promoted nexo-be to QA: 2026.02.1``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["promotion", "gate", "rollback"]
Outcome = Literal["done", "proposed", "failed", "inconclusive", "timed-out", "errored"]


@dataclass(frozen=True)
class Event:
    """What happened to one version of one service in one environment.

    ``outcome``: ``done``, ``proposed`` (a pull request waits for people), ``failed`` (it could not be done,
    or the gate said so); the others are a gate's. ``previous`` is the version that was there before,
    ``source`` the environment that it came from. ``links`` are addresses by what they lead to; ``notes``
    are lines that a person must know. Texts may be anybody's; they are made harmless where they are shown.
    """

    kind: Kind
    outcome: Outcome
    service: str
    environment: str
    version: str
    at: datetime
    previous: str = ""
    source: str = ""
    actor: str = ""
    automatic: bool = False
    method: str = ""
    reason: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def headline(event: Event) -> str:
    """The event in one sentence, with a sign that can be told from afar."""
    return _HEADLINES[event.kind](event)


def shown(environment: str) -> str:
    """An environment as people write it: ``QA``, and longer names as they are."""
    return environment.upper() if len(environment) <= 3 else environment


def _promotion(event: Event) -> str:
    what = f"{event.service} to {shown(event.environment)}: {event.version}"
    if event.outcome == "done":
        return f"✅ {'Auto-promoted' if event.automatic else 'Promoted'} {what}"
    if event.outcome == "proposed":
        return f"🔀 Proposed to promote {what}"
    return f"❌ Could not promote {what}"


def _gate(event: Event) -> str:
    subject = f"{event.service} {event.version} in {shown(event.environment)}"
    words = {
        "done": "✅ Gate passed",
        "failed": "❌ Gate failed",
        "timed-out": "⌛ Gate timed out",
        "errored": "⚠️ Gate could not measure",
    }
    return f"{words.get(event.outcome, '❔ Gate is inconclusive')}: {subject}"


def _rollback(event: Event) -> str:
    what, to = (
        f"{event.service} in {shown(event.environment)}",
        f"to {event.version}" if event.version else "",
    )
    how = "Auto-rolled back" if event.automatic else "Rolled back"
    words = {"done": f"⏪ {how} {what}", "proposed": f"⏪ Urgent, needs a review: roll back {what}"}
    return f"{words.get(event.outcome, f'🚨 Could not roll back {what}')} {to}".rstrip()


_HEADLINES: Mapping[str, Callable[[Event], str]] = {
    "promotion": _promotion,
    "gate": _gate,
    "rollback": _rollback,
}
