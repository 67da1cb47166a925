"""docs/promote.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from promote_actions.promotion.command import COMMAND
from promote_actions.promotion.messages import words
from promote_actions.promotion.model import OVERRIDABLE
from promote_actions.spec import inputs_of
from tests.promotion.promotions import move, plan_of, request

TEXT = (Path(__file__).parents[2] / "docs" / "promote.md").read_text(encoding="utf-8")


def test_every_rule_is_in_the_table() -> None:
    """With the name by which it is overridden."""
    rows = re.findall(r"^\| `([a-z]+)` \| ", TEXT, re.MULTILINE)
    assert set(OVERRIDABLE) <= set(rows)


def test_the_options_that_are_named_exist() -> None:
    """What is written with two dashes is an input of a command."""
    from promote_actions.catalogue import ROOMS, load

    known = {each.name for name in ROOMS for each in inputs_of(load(name).inputs)}
    assert set(re.findall(r"--([a-z][a-z-]+)", TEXT)) - {"format"} <= known
    assert {"move-tag", "changelog", "validation-results"} <= {
        each.name for each in inputs_of(COMMAND.inputs)
    }


def test_the_trailers_are_those_of_a_commit() -> None:
    """All of them, in their order."""
    shown = re.findall(r"^(Promotion-\w+): ", TEXT, re.MULTILINE)
    made = words(request(), plan_of(move(digest="sha256:1"))).commit
    assert [name for name in shown if name != "Promotion-Run"] == re.findall(
        r"^(Promotion-\w+): ", made, re.MULTILINE
    )


def test_links_lead_somewhere() -> None:
    """To files of this folder."""
    for target in re.findall(r"\]\(([a-z-]+\.md)", TEXT):
        assert (Path(__file__).parents[2] / "docs" / target).is_file()
