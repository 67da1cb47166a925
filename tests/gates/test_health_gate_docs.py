"""docs/health-gate.md: its example is a configuration, and every option of every check is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from promote_actions.config.load import load
from promote_actions.gates.build import OPTIONS
from promote_actions.gates.config import Wanted, plan, target_of
from promote_actions.gates.options import COMMON

TEXT = (Path(__file__).parents[2] / "docs" / "health-gate.md").read_text(encoding="utf-8")
KNOWN = dict(OPTIONS)
ELSEWHERE = frozenset({"url", "user", "tenant", "show", "tag-prefix", "format", "min-tests", "paths"})
"""Options whose names say it all, or whose input is in the reference."""


def test_the_example_is_a_plan_for_each_environment() -> None:
    """What the page shows can be pasted."""
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    config = load(example.encode(), "promotion.yaml")
    kinds = {}
    for environment in config.environments[:-1]:
        target = target_of(config, environment, "")
        kinds[environment.name] = [spec.kind for spec in plan(config, target, Wanted(), KNOWN)]
    assert kinds == {
        "develop": ["argocd", "http", "prometheus", "logs"],
        "qa": ["argocd", "github", "github"],
        "staging": ["argocd", "load", "prometheus", "prometheus", "soak"],
    }


@pytest.mark.parametrize("kind", OPTIONS)
def test_every_option_is_explained(kind: str) -> None:
    """The common ones once, the others with their check."""
    assert f"**`{kind}`**" in TEXT
    for option in {*KNOWN[kind], *COMMON} - ELSEWHERE:
        assert f"`{option}`" in TEXT or f"`{option}:" in TEXT, option
