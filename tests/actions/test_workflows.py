"""The workflows: the reusable ones, and the examples that call them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from promote_actions.catalogue import actions
from promote_actions.config.load import load as load_config
from promote_actions.spec import inputs_of
from tests.actions.step_runner import ROOT, load

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
REUSABLE = {path.name: load(path) for path in WORKFLOWS if "workflow_call" in load(path)["on"]}
EXAMPLES = sorted((ROOT / "workflows-examples").glob("*/.github/workflows/*.yml"))
CALL = re.compile(r"nexo-org/promote-actions/\.github/workflows/([\w-]+\.yml)@v1")
OURS = re.compile(r"(?:\$|nexo-org/promote-actions)/([\w-]+)(?:@v1)?")
LEVELS = ["none", "read", "write"]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def jobs(workflow: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(workflow["jobs"])


def steps() -> list[Any]:
    """Every step of every workflow that uses one of our actions, with the action's name."""
    found = []
    sources = [*REUSABLE.items(), *((shown(path), load(path)) for path in EXAMPLES)]
    for name, workflow in sources:
        for job, spec in jobs(workflow).items():
            for step in spec.get("steps", []):
                match = re.fullmatch(
                    r"(?:\$|nexo-org/promote-actions)/([\w-]+)(?:@v1)?", step.get("uses", "")
                )
                if match:
                    found.append(pytest.param(match[1], step, id=f"{name}-{job}-{match[1]}"))
    return found


@pytest.mark.parametrize(("name", "step"), steps())
def test_a_step_passes_what_its_action_takes(name: str, step: dict[str, Any]) -> None:
    """No input is misspelt, and none that is required is missing."""
    command = next(each for each in actions() if each.name == name)
    specs = {spec.name: spec for spec in inputs_of(command.inputs)}
    assert set(step["with"]) <= set(specs)
    assert {name for name, spec in specs.items() if spec.required} <= set(step["with"])


@pytest.mark.parametrize(("name", "step"), steps())
def test_a_choice_is_one_of_the_choices(name: str, step: dict[str, Any]) -> None:
    """A value that is written in a workflow is one that the input allows."""
    command = next(each for each in actions() if each.name == name)
    for spec in inputs_of(command.inputs):
        value = str(step["with"].get(spec.name, ""))
        assert not spec.choices or not value or value in spec.choices or "${{" in value


@pytest.mark.parametrize("name", REUSABLE)
def test_outputs_come_from_steps(name: str) -> None:
    """Each output of a workflow is followed to a step's output that its action declares."""
    workflow = REUSABLE[name]
    outputs = {command.name: {each.name for each in command.outputs} for command in actions()}
    for output in workflow["on"]["workflow_call"].get("outputs", {}).values():
        job, key = re.fullmatch(r"\$\{\{ jobs\.([\w-]+)\.outputs\.([\w-]+) \}\}", output["value"]).groups()  # type: ignore[union-attr]
        value = workflow["jobs"][job]["outputs"][key]
        step_id, step_key = re.fullmatch(r"\$\{\{ steps\.([\w-]+)\.outputs\.([\w-]+) \}\}", value).groups()  # type: ignore[union-attr]
        step = next(each for each in workflow["jobs"][job]["steps"] if each.get("id") == step_id)
        assert step_key in outputs[step["uses"].removeprefix("$/")]


@pytest.mark.parametrize("name", REUSABLE)
def test_every_input_and_secret_is_used(name: str) -> None:
    """A workflow takes nothing that it doesn't use, and uses nothing that it doesn't take."""
    text = (ROOT / ".github/workflows" / name).read_text(encoding="utf-8")
    call = REUSABLE[name]["on"]["workflow_call"]
    assert set(re.findall(r"\binputs\.([\w-]+)", text)) == set(call["inputs"])
    assert set(re.findall(r"\bsecrets\.([\w-]+)", text)) == set(call.get("secrets", {}))
    assert all(
        "description" in each for each in [*call["inputs"].values(), *call.get("secrets", {}).values()]
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=shown)
def test_an_example_calls_what_there_is(path: Path) -> None:
    """An example passes inputs and secrets that the called workflow takes, and all that it must."""
    for job in jobs(load(path)).values():
        if "uses" not in job:
            continue
        called = REUSABLE[CALL.fullmatch(job["uses"])[1]]  # type: ignore[index]
        takes = called["on"]["workflow_call"]
        assert set(job.get("with", {})) <= set(takes["inputs"])
        assert {name for name, each in takes["inputs"].items() if each.get("required")} <= set(job["with"])
        assert set(job.get("secrets", {})) <= set(takes.get("secrets", {}))


@pytest.mark.parametrize("path", EXAMPLES, ids=shown)
def test_an_example_grants_what_is_needed(path: Path) -> None:
    """A called workflow can't have more than its caller grants, and gets no more than it needs."""
    for job in jobs(load(path)).values():
        if "uses" not in job:
            continue
        called = REUSABLE[CALL.fullmatch(job["uses"])[1]]  # type: ignore[index]
        needed: dict[str, str] = {}
        for inner in jobs(called).values():
            for scope, level in inner["permissions"].items():
                needed[scope] = max(level, needed.get(scope, "none"), key=LEVELS.index)
        assert job["permissions"] == needed


@pytest.mark.parametrize("path", [*EXAMPLES, *WORKFLOWS], ids=shown)
def test_nothing_is_granted_by_default(path: Path) -> None:
    """Permissions are given to jobs, never to a workflow, and every job that runs has a time limit."""
    workflow = load(path)
    assert workflow["permissions"] == {}
    for job in jobs(workflow).values():
        assert "permissions" in job
        assert "uses" in job or 0 < int(job["timeout-minutes"]) <= 120


@pytest.mark.parametrize("path", [*EXAMPLES, *WORKFLOWS], ids=shown)
def test_waiting_promotions_are_never_dropped(path: Path) -> None:
    """By default a newer run cancels the one that waits: groups that promote queue without a limit."""
    workflow = load(path)
    groups = [workflow, *jobs(workflow).values()]
    for group in (each["concurrency"] for each in groups if "concurrency" in each):
        assert group.get("queue") == "max" or "cancel-in-progress" in group
        assert group["group"].startswith("ci-") or group.get("queue") == "max"


def test_the_examples_configuration_is_read() -> None:
    """The GitOps example's promotion.yaml is read, and says what the strategy says."""
    path = ROOT / "workflows-examples/gitops-repo/promotion.yaml"
    config = load_config(path.read_bytes(), path.name)
    assert [each.name for each in config.environments] == ["develop", "qa", "staging", "production"]
    assert config.environment("prod").approvals == 2
    assert config.environment("prod").soak == 1800
    assert config.service("nexo-be").application("qa") == "nexo-be-qa"


def test_the_examples_owners_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """The GitOps example's CODEOWNERS has no line that GitHub would skip."""
    from promote_actions.__main__ import run

    file = ROOT / "workflows-examples/gitops-repo/.github/CODEOWNERS"
    paths = ["helm/nexo-be/values-prod.yaml", "helm/nexo-be/values-qa.yaml"]
    assert run(["owners", "--codeowners", str(file), "--lint", *paths]) == 0
    assert "@nexo-org/sre" in capsys.readouterr().out
