"""The emulator's applications as Argo CD's API shows them (``v1alpha1Application`` and friends). Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from promote_actions.rehearsal.argocd.state import App, Definition, Entry, Operation

REPOSITORY = "https://git.example.com/gitops.git"
NAMESPACE = "argocd"


def stamp(time: datetime) -> str:
    """Kubernetes' times have whole seconds."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def application(app: App) -> dict[str, Any]:
    """The application itself."""
    status: dict[str, Any] = {
        "sync": _sync(app),
        "health": _health(app),
        "summary": {"images": app.images} if app.images else {},
        "history": [_entry(app.definition, entry) for entry in app.history],
        "resources": [_resource(app)],
        "sourceType": "Helm",
    }
    conditions = [{"type": kind, "message": text} for kind, text in _conditions(app)]
    if conditions:
        status["conditions"] = conditions
    if app.reconciled_at is not None:
        status["reconciledAt"] = stamp(app.reconciled_at)
    if app.operation is not None:
        status["operationState"] = _operation_state(app, app.operation)
    document: dict[str, Any] = {
        "metadata": {
            "name": app.definition.name,
            "namespace": NAMESPACE,
            "uid": f"uid-{app.definition.name}",
            **({"annotations": dict(app.annotations)} if app.annotations else {}),
        },
        "spec": _spec(app),
        "status": status,
    }
    if app.busy and app.operation is not None:
        document["operation"] = {"sync": {"revision": app.operation.revision}}
    return document


def _spec(app: App) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "project": "default",
        "destination": {
            "server": "https://kubernetes.default.svc",
            "namespace": f"{app.definition.service}-{app.definition.environment}",
        },
        "syncPolicy": {"automated": app.automated} if app.auto_sync else {},
    }
    sources = _sources(app.definition)
    return {**spec, **({"sources": sources} if len(sources) > 1 else {"source": sources[0]})}


def _sources(definition: Definition) -> list[dict[str, Any]]:
    folder = definition.values_path.rpartition("/")[0] or "."
    git = {"repoURL": REPOSITORY, "path": folder, "targetRevision": definition.branch}
    if not definition.chart:
        return [git]
    chart = {
        "repoURL": "https://charts.example.com",
        "chart": definition.service,
        "targetRevision": definition.chart,
    }
    return [chart, {**git, "ref": "values"}]


def _revisions(definition: Definition, revision: str) -> dict[str, Any]:
    if definition.chart:
        return {"revisions": [definition.chart, revision]}
    return {"revision": revision}


def _sync(app: App) -> dict[str, Any]:
    sources = _sources(app.definition)
    compared: dict[str, Any] = {"sources": sources} if len(sources) > 1 else {"source": sources[0]}
    found = {"status": app.sync, "comparedTo": compared}
    return {**found, **(_revisions(app.definition, app.desired.revision) if app.desired.revision else {})}


def _health(app: App) -> dict[str, Any]:
    found: dict[str, Any] = {"status": app.health}
    if app.health_message:
        found["message"] = app.health_message
    if app.health_since is not None:
        found["lastTransitionTime"] = stamp(app.health_since)
    return found


def _conditions(app: App) -> list[tuple[str, str]]:
    found = list(app.override.conditions)
    if app.desired.error:
        found.append(("ComparisonError", app.desired.error))
    if app.failed_revision and app.failed_revision == app.desired.revision and app.operation is not None:
        text = f"Failed last sync attempt to [{app.failed_revision}]: {app.operation.message}"
        found.append(("SyncError", text))
    return found


def _operation_state(app: App, operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "phase": app.override.phase or operation.phase,
        "message": operation.message,
        "startedAt": stamp(operation.started),
        "operation": {
            "sync": {"revision": operation.revision},
            "initiatedBy": {"automated": True} if operation.automated else {"username": "admin"},
        },
        "syncResult": {
            **_revisions(app.definition, operation.revision),
            "resources": [
                {
                    "group": "apps",
                    "version": "v1",
                    "kind": "Deployment",
                    "name": app.definition.service,
                    "status": "SyncFailed" if operation.phase == "Failed" else "Synced",
                    "message": operation.message,
                    "syncPhase": "Sync",
                }
            ],
        },
    }
    if operation.finished is not None:
        found["finishedAt"] = stamp(operation.finished)
    return found


def _entry(definition: Definition, entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        **_revisions(definition, entry.revision),
        "deployStartedAt": stamp(entry.started),
        "deployedAt": stamp(entry.deployed),
        "initiatedBy": {"automated": True} if entry.automated else {"username": "admin"},
        "source": _sources(definition)[-1],
    }


def _kind(app: App) -> tuple[str, str, str]:
    return (
        ("argoproj.io", "v1alpha1", "Rollout") if app.definition.rollout else ("apps", "v1", "Deployment")
    )


def _resource(app: App) -> dict[str, Any]:
    group, version, kind = _kind(app)
    return {
        "group": group,
        "version": version,
        "kind": kind,
        "name": app.definition.service,
        "namespace": f"{app.definition.service}-{app.definition.environment}",
        "status": app.sync,
        "health": {k: v for k, v in _health(app).items() if k != "lastTransitionTime"},
    }


def resource_tree(app: App) -> dict[str, Any]:
    """The workload and its pods, one for each image that runs."""
    top = _resource(app)
    group, version, kind = _kind(app)
    parent = {
        "group": group,
        "version": version,
        "kind": kind,
        "name": top["name"],
        "namespace": top["namespace"],
    }
    nodes = [{**parent, "uid": f"uid-{top['name']}", "health": top["health"]}]
    for index, image in enumerate(app.images):
        pod = {
            "version": "v1",
            "kind": "Pod",
            "namespace": top["namespace"],
            "name": f"{top['name']}-{index}",
            "uid": f"uid-{top['name']}-{index}",
            "parentRefs": [parent],
            "images": [image],
            "health": top["health"] if index == 0 else {"status": "Progressing"},
        }
        nodes.append(pod)
    return {"nodes": nodes}


def events(app: App) -> dict[str, Any]:
    """What happened, newest last, as Kubernetes events."""
    return {
        "metadata": {},
        "items": [
            {
                "metadata": {"name": f"{app.definition.name}.{index}", "namespace": NAMESPACE},
                "reason": reason,
                "message": message,
                "type": "Normal",
                "lastTimestamp": stamp(time),
                "involvedObject": {"kind": "Application", "name": app.definition.name},
            }
            for index, (time, reason, message) in enumerate(app.events)
        ],
    }
