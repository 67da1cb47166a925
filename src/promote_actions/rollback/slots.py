"""Blue and green: which slot an Ingress serves, what the other one runs, and the patch that switches. Pure.

Source: the strategy's "Rollback em Produção (Blue/Green)": the backends ``<service>-blue`` and
``<service>-green`` of one Ingress. Field names: ``networking.k8s.io/v1`` Ingress, ``core/v1`` Pod.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promote_actions.errors import Refused
from promote_actions.gates.argocd_judge import image_name

SLOTS = ("blue", "green")
NOTE = "promote-actions/rollback"
"""The annotation of an Ingress that was switched: by it a second run knows that it was, and doesn't
switch back to the bad version."""

MANAGED = ("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance")
"""Annotation and label of what Argo CD manages: with self-heal it undoes a patch within seconds."""


@dataclass(frozen=True)
class Backend:
    """One place of an Ingress that names a Service: its JSON pointer, and the Service."""

    pointer: str
    service: str


@dataclass(frozen=True)
class Switched:
    """What the annotation says: the version left, the slot that was switched to, and its version."""

    left: str
    slot: str
    restored: str


@dataclass(frozen=True)
class Slot:
    """What is behind one Service: how many Pods are ready, and the versions of the service's image."""

    name: str
    ready: int
    versions: tuple[str, ...]


def other(slot: str) -> str:
    """The other of the two slots."""
    return SLOTS[1 - SLOTS.index(slot)]


def backends(ingress: Mapping[str, Any], base: str) -> tuple[Backend, ...]:
    """The backends that are ``<base>-blue`` or ``<base>-green``, wherever the Ingress names them."""
    names = [f"{base}-{slot}" for slot in SLOTS]
    return tuple(each for each in _backends(ingress.get("spec")) if each.service in names)


def _backends(spec: Any) -> Iterator[Backend]:
    default = _at(spec, "defaultBackend", "service", "name")
    if isinstance(default, str):
        yield Backend("/spec/defaultBackend/service/name", default)
    for index, rule in enumerate(_list(_at(spec, "rules"))):
        for place, path in enumerate(_list(_at(rule, "http", "paths"))):
            name = _at(path, "backend", "service", "name")
            if isinstance(name, str):
                yield Backend(f"/spec/rules/{index}/http/paths/{place}/backend/service/name", name)


def _at(holder: Any, *keys: str) -> Any:
    for key in keys:
        holder = holder.get(key) if isinstance(holder, Mapping) else None
    return holder


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def live_slot(found: Iterable[Backend], base: str, ingress: str) -> str:
    """The slot that all backends name; raises :class:`Refused` when they name none, or both."""
    slots = sorted({each.service[len(base) + 1 :] for each in found})
    if not slots:
        raise Refused(
            f"ingress '{ingress}' has no backend {base}-blue or {base}-green",
            hint="check ingress and backend",
        )
    if len(slots) > 1:
        raise Refused(
            f"ingress '{ingress}' sends some paths to {base}-blue and some to {base}-green",
            hint="say which one shall have them all with --slot",
        )
    return slots[0]


def patch(
    ingress: Mapping[str, Any], found: Sequence[Backend], base: str, slot: str, note: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The JSON patch that sends every backend to ``slot`` and leaves the note, or changes nothing at all.

    It begins with ``test`` operations of everything that it was made from, so that it can't be applied
    to an Ingress that somebody else has changed since.
    """
    wanted = f"{base}-{slot}"
    moving = [each for each in found if each.service != wanted]
    text = json.dumps(dict(note), separators=(",", ":"), sort_keys=True)
    version = _at(ingress, "metadata", "resourceVersion")
    tests = [{"op": "test", "path": "/metadata/resourceVersion", "value": version}] if version else []
    tests += [{"op": "test", "path": each.pointer, "value": each.service} for each in moving]
    replaced = [{"op": "replace", "path": each.pointer, "value": wanted} for each in moving]
    if isinstance(_at(ingress, "metadata", "annotations"), Mapping):
        noted: dict[str, Any] = {"path": f"/metadata/annotations/{NOTE.replace('/', '~1')}", "value": text}
    else:
        noted = {"path": "/metadata/annotations", "value": {NOTE: text}}
    return [*tests, *replaced, {"op": "add", **noted}]


def read_switched(ingress: Mapping[str, Any]) -> Switched | None:
    """The note on the Ingress; None when there is none that can be read."""
    try:
        found = json.loads(ingress["metadata"]["annotations"][NOTE])
        slot = str(found["slot"])
        return Switched(str(found["left"]), slot, str(found["restored"])) if slot in SLOTS else None
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def is_managed(ingress: Mapping[str, Any]) -> bool:
    """Whether Argo CD applies this Ingress from git."""
    metadata = _at(ingress, "metadata")
    return any(_at(metadata, kind, name) for kind in ("annotations", "labels") for name in MANAGED)


def selector_of(service: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels by which a Service finds its Pods; empty when it has none."""
    found = _at(service, "spec", "selector")
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}


def slot_of(name: str, pods: Iterable[Mapping[str, Any]], image: str, service: str) -> Slot:
    """What the Pods of a slot amount to. Only ready ones count, and only the service's own image."""
    ready, versions = 0, []
    for pod in pods:
        conditions = _list(_at(pod, "status", "conditions"))
        if not any(_at(each, "type") == "Ready" and _at(each, "status") == "True" for each in conditions):
            continue
        ready += 1
        for container in _list(_at(pod, "spec", "containers")):
            text = str(_at(container, "image") or "")
            found = image_name(text)
            if found == image or (not image and found.rpartition("/")[2] == service):
                versions.append(text.partition("@")[0][len(found) :].lstrip(":"))
    return Slot(name, ready, tuple(dict.fromkeys(version for version in versions if version)))
