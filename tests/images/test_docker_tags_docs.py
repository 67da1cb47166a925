"""`docs/docker-tags.md` says what the code does: types, priorities, expressions, the strategy's table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from promote_actions.images.context import Build
from promote_actions.images.makers import MAKERS
from promote_actions.images.rules import PRIORITIES, parse_rule
from promote_actions.images.scope import scope_of
from tests.images.builds import names

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "docker-tags.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below ``heading``, without its head."""
    table = re.search(r"(?m)^\|.*\n(?:\|.*\n)+", TEXT[TEXT.index(heading) :])
    assert table
    lines = table.group().replace("\\|", "¦").splitlines()[2:]
    return [[cell.strip().replace("¦", "|") for cell in line.strip("|").split("|")] for line in lines]


def test_every_type_is_documented_with_its_priority() -> None:
    """The table of types has each of them once, with the priority that holds."""
    documented = {row[0].strip("`"): float(row[4]) for row in rows("## Rules")}
    assert documented == dict(PRIORITIES)
    assert set(MAKERS) == set(PRIORITIES)


@pytest.mark.parametrize("row", rows("## Rules"), ids=lambda row: row[0])
def test_the_documented_attributes_exist(row: list[str]) -> None:
    """No attribute in the table is unknown to its type."""
    found = re.findall(r"`([a-z]+)(?:=([a-z]+)[^`]*)?`", re.sub(r"\([^)]*\)", "", row[1]))
    assert found
    attributes = {name: value or "1" for name, value in found}
    given = {"value": "1", "pattern": "x", "event": "tag"}
    needed = {name: value for name, value in given.items() if name in attributes} | attributes
    line = ",".join([f"type={row[0].strip('`')}", *(f"{key}={value}" for key, value in needed.items())])
    assert parse_rule(line).unknown == ()


def test_every_expression_is_documented() -> None:
    """Each name that expressions may use is in the table of expressions, and no other."""
    cells = [row[0] for row in rows("### Expressions")]
    documented = {name for cell in cells[:-2] for name in re.findall(r"\{\{([a-z_.]+)", cell)}
    context = next(cell for cell in cells if "ctx" in cell)
    documented |= {f"ctx.{name}" for name in re.findall(r"`\.([a-z_]+)`", context)}
    run = {"actor": "", "run_id": "", "run_number": ""}
    assert documented == set(scope_of(Build(run=run), version="", short_sha="", now=0, committed=None))


@pytest.mark.parametrize(
    ("column", "event"),
    [(3, "push main"), (3, "schedule"), (4, "push branch"), (4, "push tag"), (5, "pull request")],
)
def test_the_strategys_table_is_true(column: int, event: str) -> None:
    """The tags in each column are those that the event gets."""
    table = rows("## The tags without rules")
    commit = "c0ffee1" if event == "pull request" else "5f3c1a2"
    expected = {row[0].strip("`").replace("a3f2b1c", commit) for row in table if row[column]}
    assert set(names(event, version="2026.02.1")) == expected


def test_the_differences_are_numbered() -> None:
    """One list, so that a number names a difference for good."""
    numbers = [int(number) for number in re.findall(r"(?m)^\| (\d+) \|", TEXT)]
    assert numbers == list(range(1, len(numbers) + 1))
