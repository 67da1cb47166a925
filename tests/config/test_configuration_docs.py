"""docs/configuration.md: every example loads, and every key of the schema is explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from promote_actions.config.check import schema
from promote_actions.config.load import load
from promote_actions.config.model import STRATEGY_ENVIRONMENTS, Config
from promote_actions.errors import InputError

TEXT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_loads(example: str) -> None:
    """What the page shows can be pasted."""
    assert load(example.encode(), "promotion.yaml").environments


def test_the_full_example_is_the_default() -> None:
    """The example with the defaults changes nothing but the service it lists."""
    full = next(load(example.encode(), "x") for example in EXAMPLES if "audit:" in example)
    assert full.environments == STRATEGY_ENVIRONMENTS
    assert full == Config(services=full.services, source="x")


def test_the_message_shown_is_the_message() -> None:
    """The page's example of a mistake is what the command says."""
    with pytest.raises(InputError) as caught:
        load(b"version: 1\nenvironments:\n  qa: {trigger: atuo}\n", "promotion.yaml")
    assert str(caught.value) in TEXT


def keys(node: dict[str, Any]) -> list[str]:
    return list(node["properties"])


@pytest.mark.parametrize(
    "key",
    [
        *keys(schema()),
        *(k for n in ("service", "values", "environment", "freeze") for k in keys(schema()["$defs"][n])),
    ],
)
def test_every_key_is_explained(key: str) -> None:
    """A key that the schema knows is on the page."""
    assert re.search(rf"`(\w+\.)?{key}`|^ *(- )?{key}:", TEXT, re.MULTILINE)
