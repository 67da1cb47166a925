"""The GitOps example's workflows, run whole by act: against emulators, a registry, metrics and real git."""

from __future__ import annotations

import json
from typing import Any

from promote_actions.rehearsal.application import Behaviour
from tests.workflows.act_world import SERVICE, Stage


def dispatched(service: str) -> dict[str, Any]:
    payload = {"promotion": {"service": service}}
    return {"action": "deploy-success-develop", "client_payload": payload}


def test_develop_goes_to_qa_by_itself(stage: Stage) -> None:
    """Gate, promotion, check where it arrived: one commit, with its record, and nothing is taken back."""
    ran = stage.gitops("auto-promote.yml", "repository_dispatch", dispatched(SERVICE))
    assert ran.status == 0, ran.log
    assert set(ran.jobs) == {"Gate", "Promote", "Check it where it arrived"}
    assert stage.version("qa") == "2026.02.17"
    assert stage.subjects()[0] == f"auto-promote({SERVICE}): qa → 2026.02.17"
    (record,) = map(json.loads, stage.records())
    assert (record["outcome"], record["to_environment"]) == ("success", "qa")
    assert record["validation_results"] == {
        "argocd_health": "passed",
        "smoke_tests": "passed",
        "error_rate": "passed",
    }


def test_a_bad_version_is_taken_back_and_recorded(stage: Stage) -> None:
    """The gate of develop fails: qa gets nothing, develop gets its last good version back, once."""
    stage.world.application.behave("2026.02.18", Behaviour(error_ratio=0.5))
    stage.set_version("develop", "2026.02.18")
    ran = stage.gitops("auto-promote.yml", "repository_dispatch", dispatched(SERVICE))
    assert ran.status != 0
    assert ran.jobs == {
        "Gate": "failed",
        "Take a failed version back": "succeeded",
        "Record what did not happen": "succeeded",
    }
    assert (stage.version("develop"), stage.version("qa")) == ("2026.02.17", "2026.02.15")
    told = {
        (each["to_environment"], each["event"], each["outcome"])
        for each in map(json.loads, stage.records())
    }
    assert told == {("develop", "rollback", "success"), ("qa", "promotion", "refused")}
