"""Reading a branch's rules from GitHub's documents, the classic ones and those of rulesets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from promote_actions.config.load import load
from promote_actions.setup.doctor.protection import Required, Rules, judge, read_branch, read_rules
from tests.actions.step_runner import ROOT

CONFIG = load(b"version: 1\n", "promotion.yaml")
NONE = load(b"version: 1\nenvironments: {dev: , live: {approvals: 0}}\n", "promotion.yaml")
ALL = ("promotion/approvals", "promotion/soak", "promotion/policy")


def rules_of(*contexts: str, app: int | None = None) -> Rules:
    return Rules(tuple(Required(context, app) for context in contexts), True, True)


def test_the_examples_ruleset_is_enough() -> None:
    """What this repository tells people to use satisfies its own doctor."""
    ruleset = json.loads((ROOT / "workflows-examples/gitops-repo/ruleset.json").read_text(encoding="utf-8"))
    text = json.dumps(ruleset["rules"]).replace('"integration_id": 0', '"integration_id": 4711')
    found = read_rules(json.loads(text))
    assert found.pull_requests
    assert [(each.context, each.app) for each in found.required] == [(context, 4711) for context in ALL]
    assert [each.state for each in judge(CONFIG, "main", [Rules(), found])] == ["right"]


def test_classic_protection_is_read() -> None:
    """Contexts, and whose status counts."""
    checks = [{"context": "promotion/soak", "app_id": 12}, {"context": "lint", "app_id": None}]
    document = {"protected": True, "protection": {"required_status_checks": {"checks": checks}}}
    found = read_branch(document)
    assert found == Rules((Required("promotion/soak", 12), Required("lint", None)), None, True)


@pytest.mark.parametrize(
    "document", [None, [], {}, "x", [1], {"protection": []}, [{"type": "x", "parameters": 1}]]
)
def test_any_other_document_has_no_rules(document: Any) -> None:
    """What GitHub doesn't tell is not made up, and breaks nothing."""
    assert read_branch(document).required == ()
    assert read_rules(document).required == ()


@pytest.mark.parametrize(
    ("found", "states"),
    [
        ([], ["wrong"]),
        ([rules_of(*ALL, app=1)], ["right"]),
        ([rules_of(*ALL)], ["doubtful"]),
        ([rules_of(*ALL[:1], app=1), rules_of(*ALL[1:], app=1)], ["right"]),
        ([rules_of(*ALL[:2])], ["wrong", "doubtful"]),
    ],
)
def test_the_judgement(found: list[Rules], states: list[str]) -> None:
    """All statuses must be required, and one App's alone should count."""
    assert [each.state for each in judge(CONFIG, "main", found)] == states


def test_nothing_is_asked_where_nothing_is_approved() -> None:
    """Without approvals and soak no status is needed."""
    assert list(judge(NONE, "main", [])) == []
