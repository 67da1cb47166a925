"""Which rule decides about a path, and the four outcomes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.owners.match import Outcome, owners_of, owners_of_all
from promote_actions.owners.parse import ABSENT, parse

STRATEGY = """\
# Production values requerem 2 aprovadores
helm/*/values-prod.yaml @nexo-sre-team @nexo-platform-leads

# Staging requer 1 aprovador
helm/*/values-staging.yaml @nexo-platform-team

# Develop e QA: auto-merge permitido
helm/*/values-develop.yaml
helm/*/values-qa.yaml
"""

GITHUB_STYLE = """\
* @everyone
*.js @js
/build/logs/ @logs
docs/* @docs
apps/ @apps
/vendor
/vendor/ours @us
"""


@pytest.mark.parametrize(
    ("text", "path", "outcome", "owners", "line"),
    [
        (
            STRATEGY,
            "helm/nexo-be/values-prod.yaml",
            Outcome.OWNED,
            ["@nexo-sre-team", "@nexo-platform-leads"],
            2,
        ),
        (STRATEGY, "helm/nexo-be/values-staging.yaml", Outcome.OWNED, ["@nexo-platform-team"], 5),
        (STRATEGY, "helm/nexo-be/values-develop.yaml", Outcome.UNOWNED, [], 8),
        (STRATEGY, "helm/nexo-be/values-qa.yaml", Outcome.UNOWNED, [], 9),
        (STRATEGY, "helm/nexo-be/values-production.yaml", Outcome.NO_RULE, [], 0),
        (STRATEGY, "helm/nexo-be/charts/values-prod.yaml", Outcome.NO_RULE, [], 0),
        (STRATEGY, "audit-logs/x.json", Outcome.NO_RULE, [], 0),
        (GITHUB_STYLE, "a.py", Outcome.OWNED, ["@everyone"], 1),
        (GITHUB_STYLE, "apps/a.js", Outcome.OWNED, ["@apps"], 5),
        (GITHUB_STYLE, "x/a.js", Outcome.OWNED, ["@js"], 2),
        (GITHUB_STYLE, "build/logs/x/y", Outcome.OWNED, ["@logs"], 3),
        (GITHUB_STYLE, "x/build/logs/y", Outcome.OWNED, ["@everyone"], 1),
        (GITHUB_STYLE, "docs/a.md", Outcome.OWNED, ["@docs"], 4),
        (GITHUB_STYLE, "docs/x/a.md", Outcome.OWNED, ["@everyone"], 1),
        (GITHUB_STYLE, "vendor/x", Outcome.UNOWNED, [], 6),
        (GITHUB_STYLE, "vendor/ours/x", Outcome.OWNED, ["@us"], 7),
        ("", "x", Outcome.NO_RULE, [], 0),
        ("# only a comment\n", "x", Outcome.NO_RULE, [], 0),
        ("x @a\nx @b\n", "x", Outcome.OWNED, ["@b"], 2),
        ("x @a\nx\n", "x", Outcome.UNOWNED, [], 2),
        ("x @a\nX @b\n", "x", Outcome.OWNED, ["@a"], 1),
    ],
)
def test_last_match_wins(text: str, path: str, outcome: Outcome, owners: list[str], line: int) -> None:
    """The last line that matches decides whole: nothing is added up, and no owner overrides an owner."""
    match = owners_of(parse(text), path)
    assert match.outcome is outcome
    assert [owner.text for owner in match.owners] == owners
    assert (match.rule.line if match.rule else 0) == line


def test_no_file_is_an_outcome_of_its_own() -> None:
    """No file, no rule, no owner and owned are four different answers."""
    files = [ABSENT, parse("y @a\n"), parse("x\n"), parse("x @a\n")]
    outcomes = [owners_of(codeowners, "x").outcome for codeowners in files]
    assert outcomes == [Outcome.NO_FILE, Outcome.NO_RULE, Outcome.UNOWNED, Outcome.OWNED]


def test_several_paths_keep_their_order() -> None:
    """Every path gets its answer, in the order in which they were asked."""
    found = owners_of_all(parse("a @a\n"), ["b", "a"])
    assert [(match.path, match.outcome) for match in found] == [
        ("b", Outcome.NO_RULE),
        ("a", Outcome.OWNED),
    ]


_PATTERN = st.sampled_from(["*", "a", "/a", "a/", "*/b", "**/c", "a/*", "/*", "a/**", "b"])
_OWNERS = st.sampled_from(["", "@x", "@y @z"])
_PATH = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_PATTERN, _OWNERS), max_size=6), _PATTERN, _OWNERS, _PATH)
def test_one_more_line(lines: list[tuple[str, str]], pattern: str, owners: str, path: str) -> None:
    """A line at the end decides about what it matches, and about nothing else."""
    text = "".join(f"{each} {names}\n" for each, names in lines)
    before = owners_of(parse(text), path)
    after = owners_of(parse(f"{text}{pattern} {owners}\n"), path)
    if parse(pattern).rules[0].pattern.matches(path):
        assert after.rule is not None and after.rule.line == len(lines) + 1
        assert " ".join(owner.text for owner in after.owners) == owners
    else:
        assert after == before
