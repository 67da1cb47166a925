"""The event that starts an auto-promotion: made by Argo CD's configuration, read by the workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from promote_actions.rehearsal.application import Behaviour
from tests.actions.step_runner import ROOT, load
from tests.rehearsal.argocd_bench import DEFINITION, NAME, Bench, until
from tests.workflows.argocd_notification import EXAMPLE, body, configuration, triggers

WORKFLOW = ROOT / "workflows-examples/gitops-repo/.github/workflows/auto-promote.yml"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, DEFINITION)
    yield made
    made.stop()


def application(bench: Bench) -> dict[str, Any]:
    """The application as Argo CD describes it, with the label that the example asks for."""
    status, document = bench.ask("GET", f"/api/v1/applications/{NAME}")
    assert status == 200
    document["metadata"]["labels"] = {"service": "nexo-be"}
    return dict(document)


def test_its_body_is_what_the_workflow_reads(bench: Bench) -> None:
    """Event type and field are the same on both sides, and within GitHub's limits."""
    until(lambda: triggers(application(bench)))
    sent = body(application(bench))
    workflow = load(WORKFLOW)
    assert workflow["on"]["repository_dispatch"]["types"] == [sent["event_type"]]
    (path,) = set(
        re.findall(r"github\.event\.client_payload\.([\w.]+)", WORKFLOW.read_text(encoding="utf-8"))
    )
    found: Any = sent["client_payload"]
    for name in path.split("."):
        found = found[name]
    assert found == "nexo-be"
    assert len(sent["event_type"]) <= 100
    assert len(sent["client_payload"]) <= 10


def test_it_is_sent_for_what_is_deployed_and_healthy(bench: Bench) -> None:
    """A deployment that succeeded and is well is told of; one that is not, is not."""
    until(lambda: triggers(application(bench)))
    bench.app.behave("2026.02.18", Behaviour(starts=False))
    bench.push("2026.02.18")
    bench.get(refresh=True)
    until(lambda: not triggers(application(bench)))
    assert not triggers({"metadata": {}, "status": {"health": {"status": "Healthy"}}})


def test_it_names_what_there_is() -> None:
    """Trigger, template, service and token refer to one another by the names that they have."""
    found = configuration()
    (trigger,) = found["trigger.on-deployed-develop"]
    assert [f"template.{name}" for name in trigger["send"]] == ["template.deploy-success-develop"]
    assert {
        f"service.webhook.{name}" for name in found["template.deploy-success-develop"]["webhook"]
    } <= set(found)
    text = EXAMPLE.read_text(encoding="utf-8")
    assert "subscribe.on-deployed-develop.promote-actions" in text
    assert "$promote-actions-token" in text
    assert '"promote-actions-token"' in text
