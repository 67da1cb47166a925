"""Argo CD's history: which deployment had which version, and whether a rollback to one has arrived. Pure.

A history entry names commits, not versions, so its version is read from the values file at its commit; for
sources that are not in our repository it is what the source itself sets (Helm parameters, Kustomize
images). Field names: Argo CD's API (``v1alpha1RevisionHistory``, ``v1alpha1ApplicationSource``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from promote_actions.errors import Refused
from promote_actions.gates.argocd_facts import Application
from promote_actions.gates.argocd_judge import Expected, image_name, runs, short

NOTE = "promote-actions/rollback"
"""The annotation of an application that is being rolled back: what a later run needs to finish it."""

Progress = Literal["waiting", "done", "failed"]


@dataclass(frozen=True)
class Entry:
    """One deployment: its history id, its revisions (one a source), and the version that it had."""

    id: int
    revisions: tuple[str, ...]
    version: str = ""

    def __str__(self) -> str:
        at = ", ".join(short(revision) for revision in self.revisions) or "no revision"
        return f"{self.id} ({self.version or 'unknown version'} at {at})"


@dataclass(frozen=True)
class Note:
    """What was begun: from which version to which, when, and the auto-sync policy to put back.

    ``automated`` is None when auto-sync was off before.
    """

    left: str
    restored: str
    since: str
    automated: Mapping[str, Any] | None

    def text(self) -> str:
        """The annotation's value."""
        document = {
            "left": self.left,
            "restored": self.restored,
            "since": self.since,
            "automated": None if self.automated is None else dict(self.automated),
        }
        return json.dumps(document, separators=(",", ":"), sort_keys=True)


def read_note(document: Mapping[str, Any]) -> Note | None:
    """The note on the application, or None when there is none that can be read."""
    try:
        found = json.loads(document["metadata"]["annotations"][NOTE])
        automated = found["automated"]
        if automated is not None and not isinstance(automated, dict):
            return None
        return Note(str(found["left"]), str(found["restored"]), str(found["since"]), automated)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def policy_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The ``automated`` object when auto-sync is on, else None."""
    try:
        automated = document["spec"]["syncPolicy"]["automated"]
    except (KeyError, TypeError):
        return None
    return automated if isinstance(automated, dict) and automated.get("enabled") is not False else None


def entries(
    document: Mapping[str, Any], at: Callable[[str], str | None], image: str, service: str
) -> tuple[Entry, ...]:
    """The history, newest first. ``at`` gives the version that our values file names at a revision, None
    for revisions that are not ours."""
    status = document.get("status")
    history = status.get("history") if isinstance(status, Mapping) else None
    found = [item for item in history if isinstance(item, Mapping)] if isinstance(history, list) else []
    made = [_entry(item, at, image, service) for item in found]
    return tuple(sorted(made, key=lambda entry: entry.id, reverse=True))


def _entry(item: Mapping[str, Any], at: Callable[[str], str | None], image: str, service: str) -> Entry:
    number = item.get("id")
    several = item.get("revisions")
    listed = several if isinstance(several, list) and several else [item.get("revision")]
    revisions = tuple(each for each in listed if isinstance(each, str) and each)
    named = (version for revision in revisions if (version := at(revision)))
    version = next(named, "") or next(_set_by_source(item, image, service), "")
    return Entry(
        int(number) if isinstance(number, int | str) and str(number).isdigit() else 0, revisions, version
    )


def _set_by_source(item: Mapping[str, Any], image: str, service: str) -> Iterator[str]:
    """Versions that the sources set themselves: ``image.tag`` parameters and Kustomize images."""
    several = item.get("sources")
    for source in several if isinstance(several, list) and several else [item.get("source")]:
        if not isinstance(source, Mapping):
            continue
        helm, kustomize = source.get("helm"), source.get("kustomize")
        for parameter in _maps(helm, "parameters"):
            if parameter.get("name") == "image.tag" and isinstance(parameter.get("value"), str):
                yield parameter["value"]
        images = kustomize.get("images") if isinstance(kustomize, Mapping) else None
        for text in images if isinstance(images, list) else []:
            new = str(text).rpartition("=")[2]
            name = image_name(new)
            if name == image or name.rpartition("/")[2] == service:
                yield new.partition("@")[0][len(name) :].lstrip(":")


def _maps(holder: object, key: str) -> list[Mapping[str, Any]]:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def find(
    history: Sequence[Entry], *, version: str = "", revision: str = "", id: int | None = None
) -> Entry:
    """The newest deployment with that id, revision (seven digits are enough) or version.

    Raises :class:`Refused` that says what there is: Argo CD keeps a limited number of deployments.
    """
    if id is not None:
        wanted, found = f"id {id}", [entry for entry in history if entry.id == id]
    elif revision:
        wanted = f"revision {revision[:40]}"
        found = [entry for entry in history if any(_begins(each, revision) for each in entry.revisions)]
    else:
        wanted, found = version, [entry for entry in history if entry.version == version]
    if found:
        return found[0]
    known = ", ".join(str(entry) for entry in history[:10]) or "nothing"
    raise Refused(
        f"Argo CD's history has no deployment of {wanted}; it has {known}",
        hint="it keeps revisionHistoryLimit deployments: roll back with --method revert",
    )


def _begins(revision: str, wanted: str) -> bool:
    return revision == wanted or (len(wanted) >= 7 and revision.startswith(wanted.lower()))


def deployed(app: Application, entry: Entry) -> bool:
    """Whether the last operation that ended was the one that deployed ``entry``, and it went well."""
    ours = app.operation_revisions == entry.revisions
    return ours and app.phase == "Succeeded" and not app.operating


def progress(app: Application, entry: Entry, expected: Expected) -> tuple[Progress, str]:
    """How far the rollback to ``entry`` has come, and what there is to say about it.

    *Synced* is not asked for: git names another version until it is mended. Health counts only as seen
    after the operation's end, and the images are those that run.
    """
    if (
        app.phase in ("Failed", "Error")
        and not app.operating
        and app.operation_revisions == entry.revisions
    ):
        return "failed", f"the operation ended {app.phase}{_said(app.phase_message)}"
    missing = _missing(app, entry, expected)
    return ("waiting", missing) if missing else ("done", f"Healthy with {expected.version or entry}")


def _missing(app: Application, entry: Entry, expected: Expected) -> str:
    """What the rollback still waits for; empty when it has arrived."""
    finished = app.operation_finished
    looked = finished is None or (app.reconciled_at is not None and app.reconciled_at >= finished)
    waits = (
        (app.operating, f"the operation is under way{_said(app.phase_message)}"),
        (app.operation_revisions != entry.revisions, "the operation has not begun"),
        (
            bool(expected.version and app.images) and not runs(app.images, expected),
            f"{expected.version} is not among the running images",
        ),
        (not looked, f"health ({app.health or 'unknown'}) is from before the operation's end"),
        (app.health != "Healthy", f"health is {app.health or 'unknown'}{_said(app.health_message)}"),
    )
    return next((words for waiting, words in waits if waiting), "")


def _said(message: str) -> str:
    return f": {message}" if message else ""
