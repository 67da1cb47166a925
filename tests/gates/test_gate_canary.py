"""The check of Argo Rollouts."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from promote_actions.gates.argocd_facts import Application, Node
from promote_actions.gates.argocd_judge import Expected
from promote_actions.gates.canary import KNOWN, CanaryCheck, parse
from promote_actions.gates.model import Moment
from promote_actions.gates.options import Options

EXPECTED = Expected("2026.02.2", service="nexo-be")
OLD, NEW = (Node("Pod", f"p{tag}", images=(f"ghcr.io/x/nexo-be:2026.02.{tag}",)) for tag in (1, 2))


def rollout(health: str, name: str = "nexo-be", message: str = "") -> Node:
    return Node("Rollout", name, health=health, message=message)


class Server:
    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes

    def application(self, name: str, refresh: bool = False) -> Application:
        raise AssertionError("only the tree is asked for")

    def resource_tree(self, name: str) -> tuple[Node, ...]:
        return self.nodes

    def page(self, name: str) -> str:
        return f"https://argocd/{name}"


@pytest.mark.parametrize(
    ("values", "nodes", "outcome", "words"),
    [
        ({}, [rollout("Healthy"), NEW], "passed", "nexo-be is rolled out"),
        ({}, [rollout("Healthy"), OLD], "waiting", "no pod runs 2026.02.2"),
        ({}, [rollout("Progressing"), OLD, NEW], "waiting", "nexo-be is progressing"),
        (
            {},
            [rollout("Suspended", message="CanaryPauseStep"), OLD, NEW],
            "waiting",
            "paused: CanaryPauseStep",
        ),
        ({"paused": "pass"}, [rollout("Suspended"), OLD, NEW], "passed", "nexo-be is paused"),
        ({"paused": "pass"}, [rollout("Suspended"), OLD], "waiting", "no pod runs"),
        ({}, [rollout("Degraded", message="RolloutAborted"), OLD], "failed", "Degraded: RolloutAborted"),
        ({}, [rollout("Unknown"), NEW], "inconclusive", "health of nexo-be is Unknown"),
        ({}, [rollout(""), NEW], "inconclusive", "not known"),
        ({}, [NEW], "inconclusive", "has no Rollout"),
        ({"rollout": "other"}, [rollout("Healthy"), NEW], "inconclusive", "there is no Rollout 'other'"),
        ({}, [rollout("Healthy"), rollout("Degraded", "two"), NEW], "failed", "two is Degraded"),
        (
            {"rollout": "nexo-be"},
            [rollout("Healthy"), rollout("Degraded", "two"), NEW],
            "passed",
            "rolled out",
        ),
    ],
)
def test_rollouts(values: dict[str, Any], nodes: list[Node], outcome: str, words: str) -> None:
    """A rollout of the version before may be healthy too, so a pod must run the new one."""
    settings = parse(Options("canary", values, KNOWN), "nexo-be-staging", EXPECTED)
    reading = CanaryCheck(settings, Server(*nodes)).measure(Moment(datetime.now(timezone.utc)))
    assert (reading.outcome, words in reading.reason) == (outcome, True), reading.reason
    assert reading.links[0].url == "https://argocd/nexo-be-staging"
