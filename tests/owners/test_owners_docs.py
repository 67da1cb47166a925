"""The page about owners says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from promote_actions.owners.lint import lint
from promote_actions.owners.parse import Code, parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "owners.md").read_text(encoding="utf-8")


def test_every_lint_code_is_explained() -> None:
    """The table of codes has exactly the codes that there are."""
    explained = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE, re.MULTILINE)
    assert sorted(explained) == sorted(get_args(Code))


def test_example_file_is_clean() -> None:
    """The CODEOWNERS that the page recommends has no problem, and four rules."""
    example = re.findall(r"```\n(helm/.*?)```", PAGE, re.DOTALL)[-1]
    codeowners = parse(example)
    assert len(codeowners.rules) == 4
    assert lint(codeowners) == ()
