"""What each action may import for the least that it can be asked: starts stay fast by this."""

from __future__ import annotations

import ast
import os
import sys

import pytest

from benchmarks.harness import ROOT
from benchmarks.imports import BUDGETS, SLOW, imports_of, sort
from benchmarks.least import Asked, least
from promote_actions import STDLIB_ONLY
from promote_actions.catalogue import actions


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asked]:
    return least(tmp_path_factory.mktemp("least"))


def test_budgets_are_for_actions(asked: dict[str, Asked]) -> None:
    """A renamed action takes its budget along, and each budget is measured."""
    assert set(BUDGETS) == set(asked) <= {command.name for command in actions()}
    assert set(BUDGETS) > STDLIB_ONLY


@pytest.mark.parametrize("action", BUDGETS)
def test_an_action_imports_no_more_than_its_budget(action: str, asked: dict[str, Asked]) -> None:
    """No package for the standard library's commands nor for plain git, and no more modules than agreed."""
    python = str(getattr(sys, "_base_executable", "") or sys.executable)
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    found = imports_of(action, asked[action].inputs, env, python)
    assert found.status == 0, found.said
    budget = BUDGETS[action]
    assert found.packages <= budget.packages
    assert len(found.standard) <= budget.standard, found.standard
    assert len(found.own) <= budget.own, found.own
    assert SLOW & set(found.standard) <= budget.slow
    if action in STDLIB_ONLY:
        assert not {"tempfile", "hashlib"} & set(found.standard)


def test_modules_are_told_apart() -> None:
    """Python's, ours and packages; what only Jython has is nobody's."""
    found = sort(
        ["json.decoder", "promote_actions.spec", "ruamel.yaml.main", "org.python", "_sysconfigdata_x"]
    )
    assert found.standard == ("json.decoder", "_sysconfigdata_x")
    assert found.own == ("promote_actions.spec",)
    assert found.packages == {"ruamel"}


def test_every_dataclass_has_a_docstring() -> None:
    """Without one, ``dataclass`` loads ``inspect`` to write it: a tenth of a short action's time."""
    bare = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        if "rehearsal" in path.parts or "setup" in path.parts:
            continue  # nobody waits for those
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            decorators = [ast.dump(each) for each in getattr(node, "decorator_list", ())]
            if isinstance(node, ast.ClassDef) and any("'dataclass'" in each for each in decorators):
                bare += [] if ast.get_docstring(node) else [f"{path.name}: {node.name}"]
    assert bare == []
