"""What the pages about rollbacks and notifications promise is there."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from promote_actions.catalogue import load
from promote_actions.notify.document import document
from promote_actions.notify.event import Event, headline
from promote_actions.spec import inputs_of

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["rollback.md", "notifications.md"]


def fenced(page: str, kind: str) -> list[str]:
    """The examples of one kind on a page."""
    return re.findall(
        rf"^```{kind}\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize("page", PAGES)
def test_the_steps_of_the_examples_have_these_inputs(page: str) -> None:
    """Every key under ``with`` is an input of that action, and outputs that are read are outputs."""
    for example in fenced(page, "yaml"):
        for step in YAML(typ="safe").load(example):
            name = step["uses"].removeprefix("nexo-org/promote-actions/").removesuffix("@v1")
            command = load(name)
            assert set(step["with"]) <= {spec.name for spec in inputs_of(command.inputs)}
            for output in re.findall(r"steps\.gate\.outputs\.([a-z-]+)", str(step)):
                assert output in [each.name for each in load("health-gate").outputs]


def test_every_option_on_the_page_is_one() -> None:
    """Of rollback, or of the command that stands before it."""
    text = (DOCS / "rollback.md").read_text(encoding="utf-8")
    names = ("rollback", "promote", "audit-log")
    specs = [spec for name in names for spec in inputs_of(load(name).inputs)]
    known = {f"--{word}" for spec in specs for word in (spec.name, *spec.aliases)}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known


def test_the_json_on_the_page_is_what_is_sent() -> None:
    """All keys, and the same sentence."""
    (shown,) = (json.loads(example) for example in fenced("notifications.md", "json"))
    at = datetime(2026, 2, 1, 10, 30, tzinfo=timezone.utc)
    done = Event("rollback", "done", "nexo-be", "production", "2026.01.45", at, previous="2026.02.1")
    event = replace(done, actor="alice-sre", method="revert", reason="login fails", links=shown["links"])
    assert document(event) == shown


AT = datetime(2026, 2, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "event",
    [
        Event("promotion", "done", "nexo-be", "qa", "2026.02.1", AT, automatic=True),
        Event("promotion", "proposed", "nexo-be", "production", "2026.02.1", AT),
        Event("gate", "failed", "nexo-be", "qa", "2026.02.1", AT),
        Event("rollback", "done", "nexo-be", "production", "2026.01.45", AT),
        Event("rollback", "proposed", "nexo-be", "production", "2026.01.45", AT),
        Event("rollback", "failed", "nexo-be", "production", "", AT),
    ],
)
def test_the_sentences_on_the_page(event: Event) -> None:
    """Word for word."""
    assert headline(event) in (DOCS / "notifications.md").read_text(encoding="utf-8")
