"""The check ``canary``: how far Argo Rollouts has come, by the application's resource tree.

Healthy is a rollout that went all the way; a pod must run the version, or it was the one before.
``paused: pass`` is for a canary that stops at a step on purpose ("Canary deployment" before the soak in the
strategy's staging). Options: ``app``, ``rollout`` (several; default: every Rollout of the application),
``paused``. Pure but for its source. Source of the words: Argo CD's health check of
``argoproj.io/Rollout``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from promote_actions.gates.argocd import Applications
from promote_actions.gates.argocd_facts import Node
from promote_actions.gates.argocd_judge import Expected, runs
from promote_actions.gates.judge import SEVERITY
from promote_actions.gates.model import Link, Moment, Outcome, Reading
from promote_actions.gates.options import COMMON, Options

KNOWN = (*COMMON, "app", "rollout", "paused")


@dataclass(frozen=True)
class Settings:
    """Which rollouts of which application; empty ``rollouts``: all of them."""

    app: str
    expected: Expected
    rollouts: tuple[str, ...] = ()
    paused: Literal["wait", "pass"] = "wait"


def parse(options: Options, app: str, expected: Expected) -> Settings:
    """The settings."""
    paused = options.choice("paused", ("wait", "pass"), "wait")
    name = options.text("app", app)
    return Settings(name, expected, options.texts("rollout"), cast(Literal["wait", "pass"], paused))


class CanaryCheck:
    """Takes the readings."""

    def __init__(self, settings: Settings, argocd: Applications) -> None:
        self._settings = settings
        self._argocd = argocd

    def measure(self, moment: Moment) -> Reading:
        nodes = self._argocd.resource_tree(self._settings.app)
        outcome, reason = judge(self._settings, nodes)
        page = self._argocd.page(self._settings.app)
        details = tuple(str(node) for node in nodes if node.kind in ("Rollout", "AnalysisRun"))
        links = (Link(self._settings.app, page),) if page else ()
        return Reading(outcome, reason, moment.now, links=links, details=details[:8])


def judge(settings: Settings, nodes: Sequence[Node]) -> tuple[Outcome, str]:
    """Outcome and reason; no rollout in the tree is nothing measured."""
    rollouts = [node for node in nodes if node.kind == "Rollout"]
    wanted = settings.rollouts or tuple(node.name for node in rollouts)
    if not wanted:
        return "inconclusive", f"{settings.app} has no Rollout"
    found = [_one(settings, name, [node for node in rollouts if node.name == name]) for name in wanted]
    images = [image for node in nodes for image in node.images]
    if not runs(images, settings.expected):
        found.append(("waiting", f"no pod runs {settings.expected.version}"))
    return max(found, key=lambda item: SEVERITY[item[0]])


def _one(settings: Settings, name: str, nodes: Sequence[Node]) -> tuple[Outcome, str]:
    if not nodes:
        return "inconclusive", f"there is no Rollout '{name}'"
    node = nodes[0]
    said = f": {node.message}" if node.message else ""
    if node.health == "Healthy":
        return "passed", f"{name} is rolled out"
    if node.health == "Degraded":
        return "failed", f"{name} is Degraded{said}"
    if node.health == "Suspended":
        passes = settings.paused == "pass"
        return ("passed" if passes else "waiting"), f"{name} is paused{said}"
    if node.health == "Progressing":
        return "waiting", f"{name} is progressing{said}"
    return "inconclusive", f"health of {name} is {node.health or 'not known'}{said}"
