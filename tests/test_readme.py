"""The README says what is there, and its workflow is one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from promote_actions.catalogue import actions

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_actions() -> None:
    """Each action has its row, with the summary from its specification."""
    rows = re.findall(r"^\| \[`([^`]+)`\]\(([^)]+)\) \| (.+) \|$", TEXT, re.MULTILINE)
    assert [(name, summary) for name, _, summary in rows] == [
        (each.name, each.summary) for each in actions()
    ]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_links_lead_somewhere(target: str) -> None:
    """Every relative link names a file or folder of the repository."""
    assert (ROOT / target).exists()


def test_the_workflow(tmp_path: Path) -> None:
    """The example is a valid workflow that uses our actions with inputs and outputs that they have."""
    snippet = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert snippet is not None
    file = tmp_path / "workflow.yml"
    file.write_text(snippet[1], encoding="utf-8")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.github-workflows",
            str(file),
        ],
        check=True,
        capture_output=True,
    )
    steps = YAML(typ="safe", pure=True).load(snippet[1])["jobs"]["deliver"]["steps"]
    names = [step["uses"].removeprefix("nexo-org/promote-actions/").removesuffix("@v1") for step in steps]
    assert names == ["calver", "docker-tags", "promote"]
    for name, step in zip(names, steps, strict=True):
        action = YAML(typ="safe", pure=True).load((ROOT / name / "action.yml").read_text(encoding="utf-8"))
        assert set(step.get("with", {})) <= set(action["inputs"])
        for other, output in re.findall(r"steps\.(\w+)\.outputs\.([\w-]+)", str(step)):
            used = names[[each.get("id") for each in steps].index(other)]
            made = YAML(typ="safe", pure=True).load(
                (ROOT / used / "action.yml").read_text(encoding="utf-8")
            )
            assert output in made["outputs"]


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_two_commands(command: str) -> None:
    """The two commands of the README are targets of the Makefile."""
    assert command in TEXT
    assert re.search(
        rf"^{command.split()[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
