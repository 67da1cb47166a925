"""The action.yml files themselves: generated, complete, and free of code that a caller could write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promote_actions.catalogue import ROOMS, actions
from promote_actions.generate.__main__ import differing, main
from promote_actions.generate.actions import composite, docker
from promote_actions.generate.reference import reference
from promote_actions.generate.yaml_text import scalar
from promote_actions.spec import Command, CommonInputs, Output, choice, inputs_of, items, text
from tests.actions.step_runner import ROOT, load

NO_ACTIONS = {"rehearse", "init", "doctor"}
"""Commands for a person at a terminal."""

NAMES = [name for name in ROOMS if name not in NO_ACTIONS]
COMPOSITES = [Path(name) for name in NAMES] + [Path("actions") / name for name in NAMES]
WORKFLOWS = sorted(
    [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("workflows-examples/*/.github/workflows/*.yml")]
)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
OURS = re.compile(r"\$/[\w.-]+|nexo-org/promote-actions/[\w./-]+@v\d+")


@dataclass(frozen=True, kw_only=True)
class Inputs(CommonInputs):
    images: tuple[str, ...] = items('Images: "a", b | c.', required=True)
    mode: str = choice("How.", ("auto", "direct"), "auto", env=("MODE",))
    on: str = text("True: or #not.", "yes")


COMMAND = Command(
    "sample",
    "Does: a thing, #1.",
    Inputs,
    (Output("a-b", "It's {a}."),),
    lambda inputs, runner: None,
    "A\n\nB.",
)


def test_generated_files_are_what_the_specifications_say() -> None:
    """`make generate` was run after the last change of an input or output."""
    assert differing(ROOT) == []


def test_the_check_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """--check compares and reports."""
    assert main(["--check"]) == 0
    assert "different: 0" in capsys.readouterr().out


def test_every_action_is_in_both_places() -> None:
    """`<name>/` is for `uses:`, `actions/<name>/` for readers; they are the same bytes."""
    assert [command.name for command in actions()] == NAMES
    for name in NAMES:
        assert (ROOT / name / "action.yml").read_bytes() == (
            ROOT / "actions" / name / "action.yml"
        ).read_bytes()


@pytest.mark.parametrize("folder", COMPOSITES, ids=str)
def test_every_input_is_mapped(folder: Path) -> None:
    """The runner sets no INPUT_* in a composite action, so each input needs its own line in `env:`."""
    spec = load(ROOT / folder / "action.yml")
    (step,) = spec["runs"]["steps"]
    expected = {
        "INPUT_" + name.upper().replace("-", "_"): "${{ inputs." + name + " }}" for name in spec["inputs"]
    }
    assert step["env"] == expected


@pytest.mark.parametrize("folder", COMPOSITES, ids=str)
def test_outputs_come_from_the_step(folder: Path) -> None:
    """Each declared output is the step's output of that name."""
    spec = load(ROOT / folder / "action.yml")
    command = next(each for each in actions() if each.name == folder.name)
    assert list(spec["outputs"]) == [output.name for output in command.outputs]
    for name, output in spec["outputs"].items():
        assert output["value"] == "${{ steps.run.outputs." + name + " }}"


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [each for part in value.values() for each in strings(part)]
    if isinstance(value, list):
        return [each for part in value for each in strings(part)]
    return [value] if isinstance(value, str) else []


def steps_of(path: Path) -> list[dict[str, Any]]:
    spec = load(path)
    if "runs" in spec:
        return list(spec["runs"].get("steps", []))
    return [
        step
        for job in spec["jobs"].values()
        for step in [*job.get("steps", []), job]
        if isinstance(step, dict)
    ]


@pytest.mark.parametrize(
    "path",
    [ROOT / "action.yml", *(ROOT / folder / "action.yml" for folder in COMPOSITES), *WORKFLOWS],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_script_holds_an_expression(path: Path) -> None:
    """An expression inside `run:` is code that whoever names a branch can write."""
    for step in steps_of(path):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_others_wrote_is_pinned_by_commit(path: Path) -> None:
    """A tag of somebody else's action can be moved; a commit can't."""
    for step in steps_of(path):
        used = step.get("uses", "")
        assert not used or PINNED.fullmatch(used) or OURS.fullmatch(used) or used.startswith("nexo-org/"), (
            used
        )


def test_the_docker_action_takes_every_input() -> None:
    """`action.yml` passes on what any of its commands takes, and gives no default but the token's."""
    spec = load(ROOT / "action.yml")
    every = {each.name for command in actions() for each in inputs_of(command.inputs)}
    assert set(spec["inputs"]) == every | {"command"}
    assert spec["runs"]["args"] == ["action", "${{ inputs.command }}"]
    defaults = {name: each["default"] for name, each in spec["inputs"].items() if each.get("default")}
    assert set(defaults) <= {"token"}


def test_generated_text_survives_yaml(tmp_path: Path) -> None:
    """Colons, quotes, hashes and words that YAML reads as booleans come back as they were declared."""
    (tmp_path / "action.yml").write_text(composite(COMMAND))
    spec = load(tmp_path / "action.yml")
    assert spec["description"] == "Does: a thing, #1."
    assert spec["inputs"]["images"] == {"description": 'Images: "a", b | c.', "required": True}
    assert spec["inputs"]["mode"] == {
        "description": "How. One of auto, direct. Else MODE from the environment.",
        "default": "",
    }
    assert spec["inputs"]["on"] == {"description": "True: or #not.", "default": "yes"}
    assert spec["outputs"]["a-b"]["description"] == "It's {a}."
    (tmp_path / "action.yml").write_text(docker([COMMAND]))
    assert load(tmp_path / "action.yml")["inputs"]["on"]["default"] == ""


@pytest.mark.parametrize(
    "value", ["yes", "No", "null", "1.0", "2026.10", "a: b", "- a", "#x", "{a}", "é→", "", "a,b", "~"]
)
def test_a_scalar_stays_a_string(value: str, tmp_path: Path) -> None:
    """What YAML would read as something else is quoted."""
    (tmp_path / "a.yml").write_text("{k: " + scalar(value) + "}", encoding="utf-8")
    assert load(tmp_path / "a.yml") == {"k": value}


def test_the_reference_has_every_input() -> None:
    """A table's cells hold what was declared, with bars escaped."""
    page = reference([COMMAND])
    assert '| `images` | items | **required** | Images: "a", b \\| c. |' in page
    assert "| `mode` | `auto` \\| `direct` | `auto` | How. Also `MODE`. |" in page
    assert "| `a-b` | It's {a}. |" in page
