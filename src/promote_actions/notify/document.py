"""An event as JSON for any other webhook. Pure.

Keys are stable and all texts are plain: whoever shows them escapes them. ``schema`` counts changes that
break readers.
"""

from __future__ import annotations

from datetime import timezone
from typing import Any

from promote_actions.notify.event import Event, headline

SCHEMA = 1


def document(event: Event) -> dict[str, Any]:
    """The JSON object that is sent; empty texts mean "not known"."""
    return {
        "schema": SCHEMA,
        "event": event.kind,
        "outcome": event.outcome,
        "text": headline(event),
        "service": event.service,
        "environment": event.environment,
        "version": event.version,
        "previous-version": event.previous,
        "from": event.source,
        "actor": event.actor,
        "automatic": event.automatic,
        "method": event.method,
        "reason": event.reason,
        "links": dict(event.links),
        "notes": list(event.notes),
        "time": event.at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
