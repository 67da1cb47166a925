"""The check ``argocd``: does the application run the promoted version, and does it run well?

Options: ``app`` (several, by comma; default: the service's ``argocd-app``), ``stability``,
``old-version`` (``gone``, or ``allowed`` as blue-green needs it), ``image``, ``digest``, ``revision``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from promote_actions.gates.argocd_facts import Application, Node
from promote_actions.gates.argocd_judge import Expected, judge_application
from promote_actions.gates.judge import SEVERITY
from promote_actions.gates.model import Moment, Reading
from promote_actions.gates.options import COMMON, Options
from promote_actions.gates.versions_in_git import VersionsInGit

KNOWN = (*COMMON, "app", "stability", "old-version", "image", "digest", "revision")


class Applications(Protocol):
    """Argo CD, as much of it as the gate needs (``adapters.argocd.ArgoCD``)."""

    def application(self, name: str, refresh: bool = False) -> Application:
        """The facts about one application."""

    def resource_tree(self, name: str) -> tuple[Node, ...]:
        """Its live resources."""

    def page(self, name: str) -> str:
        """The application's page, for people."""


@dataclass(frozen=True)
class Settings:
    """The names of the applications, and what each must run."""

    apps: tuple[str, ...]
    expected: Expected


def parse(options: Options, apps: tuple[str, ...], default: Expected) -> Settings:
    """The settings: what is not given is as in ``default``."""
    old = options.choice("old-version", ("gone", "allowed"), "gone" if default.old_gone else "allowed")
    expected = replace(
        default,
        image=options.text("image", default.image),
        digest=options.text("digest", default.digest),
        revision=options.text("revision", default.revision),
        stability=options.seconds("stability", default.stability),
        old_gone=old == "gone",
    )
    return Settings(options.texts("app", apps), expected)


class ApplicationCheck:
    """Takes the readings. Git is asked to be looked at once, at the first reading."""

    def __init__(self, settings: Settings, argocd: Applications, git: VersionsInGit | None) -> None:
        self._settings = settings
        self._argocd = argocd
        self._git = git
        self._refreshed: set[str] = set()

    def measure(self, moment: Moment) -> Reading:
        """The worst reading of the applications; the version is live since the last one has it."""
        readings = [self._one(name) for name in self._settings.apps]
        bad = max(readings, key=lambda reading: SEVERITY[reading.outcome])
        if bad.outcome != "passed":
            return bad
        sinces = [reading.since for reading in readings if reading.since is not None]
        links = tuple(link for reading in readings for link in reading.links)
        return replace(bad, since=max(sinces) if sinces else None, links=links)

    def _one(self, name: str) -> Reading:
        refresh = name not in self._refreshed
        # Asked is asked: a refresh that takes longer than one call may must not be begun again and again.
        self._refreshed.add(name)
        app = self._argocd.application(name, refresh)
        expected = self._settings.expected
        view = None
        if self._git is not None:
            asked = [*app.revisions, *app.operation_revisions, *self._deployed(app)]
            view = self._git.view(asked, expected.revision)
        reading = judge_application(app, expected, view)
        several = len(self._settings.apps) > 1
        reading = replace(reading, reason=f"{name}: {reading.reason}") if several else reading
        return self._with_children(name, reading) if app.health == "Degraded" else reading

    def _deployed(self, app: Application) -> list[str]:
        """The history's newest revisions down to the first that doesn't name our version."""
        found: list[str] = []
        for entry in sorted(app.history, key=lambda entry: entry.id, reverse=True):
            found += entry.revisions
            versions = {self._git.at(revision) for revision in entry.revisions} if self._git else set()
            if self._settings.expected.version not in versions:
                break
        return found

    def _with_children(self, name: str, reading: Reading) -> Reading:
        """The degraded resources and what they say, from the resource tree."""
        troubled = [node for node in self._argocd.resource_tree(name) if node.health == "Degraded"]
        return replace(reading, details=tuple(str(node) for node in troubled[:8])) if troubled else reading
