"""What Argo CD says about an application, as frozen facts. Pure.

Field names and meanings: Argo CD's API (``v1alpha1Application`` and ``v1alpha1ApplicationTree`` in its
swagger). Nothing there is required, so every field may be missing, and a wrong type counts as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

TROUBLED = frozenset({"Degraded", "Missing", "Unknown", "Suspended", "Progressing"})


@dataclass(frozen=True)
class Deployment:
    """One entry of an application's history: ``revisions`` is what was deployed, one a source."""

    id: int
    revisions: tuple[str, ...]
    deployed_at: datetime | None


@dataclass(frozen=True)
class Node:
    """One resource of the tree: its health and what it says; ``images`` run in it (pods)."""

    kind: str
    name: str
    namespace: str = ""
    health: str = ""
    message: str = ""
    images: tuple[str, ...] = ()
    info: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        said = f": {self.message}" if self.message else ""
        return f"{self.kind}/{self.name} {self.health or 'no health'}{said}"


@dataclass(frozen=True)
class Application:
    """One application at one moment of the server's clock (``seen_at``). Empty means not said."""

    name: str
    seen_at: datetime
    errors: tuple[str, ...] = ()
    operating: bool = False
    phase: str = ""
    phase_message: str = ""
    operation_finished: datetime | None = None
    operation_revisions: tuple[str, ...] = ()
    sync: str = ""
    revisions: tuple[str, ...] = ()
    health: str = ""
    health_message: str = ""
    health_since: datetime | None = None
    reconciled_at: datetime | None = None
    images: tuple[str, ...] = ()
    history: tuple[Deployment, ...] = ()
    auto_sync: bool = False
    troubled: tuple[Node, ...] = ()
    url: str = ""


def application_of(document: Mapping[str, Any], seen_at: datetime, url: str = "") -> Application:
    """The facts in a ``v1alpha1Application``; ``seen_at`` is the server's time of the answer."""
    metadata, spec, status = (_map(document, key) for key in ("metadata", "spec", "status"))
    operation, sync, health = (_map(status, key) for key in ("operationState", "sync", "health"))
    phase = _text(operation, "phase")
    finished = parse_time(operation.get("finishedAt"))
    return Application(
        name=_text(metadata, "name"),
        seen_at=seen_at,
        errors=tuple(_error_conditions(status)),
        operating=bool(document.get("operation")) or phase in ("Running", "Terminating"),
        phase=phase,
        phase_message=_text(operation, "message"),
        operation_finished=finished,
        operation_revisions=_revisions(_map(operation, "syncResult")),
        sync=_text(sync, "status"),
        revisions=_revisions(sync),
        health=_text(health, "status"),
        health_message=_text(health, "message"),
        health_since=parse_time(health.get("lastTransitionTime")),
        reconciled_at=parse_time(status.get("reconciledAt")),
        images=_texts(_map(status, "summary").get("images")),
        history=tuple(_history(status)),
        auto_sync=_automated(spec),
        troubled=tuple(_troubled(status)),
        url=url,
    )


def nodes_of(document: Mapping[str, Any]) -> tuple[Node, ...]:
    """The nodes of a ``v1alpha1ApplicationTree``."""
    return tuple(_node(item) for item in _maps(document.get("nodes")))


def _node(item: Mapping[str, Any]) -> Node:
    health = _map(item, "health")
    return Node(
        kind=_text(item, "kind"),
        name=_text(item, "name"),
        namespace=_text(item, "namespace"),
        health=_text(health, "status"),
        message=_text(health, "message"),
        images=_texts(item.get("images")),
        info=tuple((_text(info, "name"), _text(info, "value")) for info in _maps(item.get("info"))),
    )


def _troubled(status: Mapping[str, Any]) -> Iterator[Node]:
    for item in _maps(status.get("resources")):
        node = _node(item)
        if node.health in TROUBLED:
            yield node


def _error_conditions(status: Mapping[str, Any]) -> Iterator[str]:
    """Conditions whose type ends in ``Error``, as Argo CD tells errors from warnings."""
    for item in _maps(status.get("conditions")):
        kind = _text(item, "type")
        if kind.endswith("Error"):
            yield f"{kind}: {_text(item, 'message')}"


def _history(status: Mapping[str, Any]) -> Iterator[Deployment]:
    for item in _maps(status.get("history")):
        number = item.get("id")
        identity = int(number) if isinstance(number, (int, str)) and str(number).isdigit() else 0
        yield Deployment(identity, _revisions(item), parse_time(item.get("deployedAt")))


def _automated(spec: Mapping[str, Any]) -> bool:
    """Auto-sync is on when ``automated`` is there and doesn't say ``enabled: false``."""
    policy = _map(spec, "syncPolicy")
    automated = policy.get("automated")
    return isinstance(automated, Mapping) and automated.get("enabled") is not False


def _revisions(holder: Mapping[str, Any]) -> tuple[str, ...]:
    """``revisions`` of a multi-source application, else the one ``revision``."""
    several = _texts(holder.get("revisions"))
    one = _text(holder, "revision")
    return several or ((one,) if one else ())


def parse_time(value: object) -> datetime | None:
    """An RFC 3339 time as an aware datetime; None for anything else, and for the zero time."""
    if not isinstance(value, str) or not value or value.startswith("0001-"):
        return None
    try:
        found = datetime.fromisoformat(_python_time(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _python_time(value: str) -> str:
    """Python 3.10 reads neither ``Z`` nor more or fewer than 3 or 6 decimals."""
    text = value.strip().replace("z", "Z").replace("Z", "+00:00")
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"


def _map(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
