"""What each request to the emulator does, and how Argo CD words its refusals."""

# ruff: noqa: ARG001 - handlers have one shape

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from promote_actions.rehearsal.argocd import documents
from promote_actions.rehearsal.argocd.state import App, Definition, Desired

At = Callable[[Definition, str], Desired]
"""What git asks for at a revision."""


class Refusal(Exception):
    """An answer that is an error: HTTP status, gRPC code and message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def now_utc() -> datetime:
    return datetime.now(timezone.utc)


def json_object(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        raise Refusal(400, 3, "invalid character in request body") from None
    return found if isinstance(found, dict) else {}


def get(at: At, app: App, body: Mapping[str, Any]) -> Any:
    return documents.application(app)


def tree(at: At, app: App, body: Mapping[str, Any]) -> Any:
    return documents.resource_tree(app)


def events(at: At, app: App, body: Mapping[str, Any]) -> Any:
    return documents.events(app)


def patch(at: At, app: App, body: Mapping[str, Any]) -> Any:
    if body.get("patchType", "json") != "merge":
        raise Refusal(400, 3, "this emulator knows merge patches only")
    whole = json_object(str(body.get("patch", "")).encode())
    metadata, spec = whole.get("metadata"), whole.get("spec")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    for name, value in (annotations or {}).items():
        if value is None:
            app.annotations.pop(name, None)
        else:
            app.annotations[name] = str(value)
    return set_spec(app, spec if isinstance(spec, dict) else {})


def put_spec(at: At, app: App, body: Mapping[str, Any]) -> Any:
    set_spec(app, {"syncPolicy": body.get("syncPolicy") or {"automated": None}})
    return documents.application(app)["spec"]


def set_spec(app: App, spec: Mapping[str, Any]) -> Any:
    policy = spec.get("syncPolicy", ...)
    if policy is None:
        app.auto_sync = False
    elif isinstance(policy, dict) and "automated" in policy:
        automated = policy["automated"]
        app.auto_sync = isinstance(automated, dict) and automated.get("enabled") is not False
        if app.auto_sync:
            app.automated = dict(automated)
    if app.managed:  # an ApplicationSet or an app of apps puts back what it says
        app.auto_sync = True
        app.annotations.clear()
    return documents.application(app)


def sync(at: At, app: App, body: Mapping[str, Any]) -> Any:
    refuse_busy(app)
    revision = str(body.get("revision") or "")
    if app.auto_sync and revision and revision != app.desired.revision:
        raise Refusal(
            400, 9, f"Cannot sync to {revision}: auto-sync currently set to {app.definition.branch}"
        )
    desired = at(app.definition, revision) if revision else app.desired
    if desired.error:
        raise Refusal(400, 9, desired.error)
    app.begin(desired.revision, desired.version, now_utc())
    return documents.application(app)


def rollback(at: At, app: App, body: Mapping[str, Any]) -> Any:
    if app.auto_sync:
        raise Refusal(400, 9, "rollback cannot be initiated when auto-sync is enabled")
    refuse_busy(app)
    number = body.get("id", 0)
    entry = next((entry for entry in app.history if entry.id == int(number)), None)
    if entry is None:
        raise Refusal(
            400, 3, f"application {app.definition.name} does not have deployment id {number} in history"
        )
    app.begin(entry.revision, entry.version, now_utc())
    return documents.application(app)


def terminate(at: At, app: App, body: Mapping[str, Any]) -> Any:
    if not app.busy or app.operation is None:
        raise Refusal(400, 3, "Unable to terminate operation. No operation is in progress")
    app.operation.phase, app.operation.finished = "Failed", now_utc()
    app.operation.message = "Operation terminated"
    return {}


def refuse_busy(app: App) -> None:
    if app.busy:
        raise Refusal(400, 9, "another operation is already in progress")


Handle = Callable[[At, App, Mapping[str, Any]], Any]
HANDLERS: Mapping[tuple[str, str], Handle] = {
    ("GET", ""): get,
    ("PATCH", ""): patch,
    ("PUT", "spec"): put_spec,
    ("POST", "sync"): sync,
    ("POST", "rollback"): rollback,
    ("GET", "resource-tree"): tree,
    ("GET", "events"): events,
    ("DELETE", "operation"): terminate,
}
