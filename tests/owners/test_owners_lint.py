"""What the lint finds, and what it leaves alone."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.owners import lint as lint_module
from promote_actions.owners.lint import lint, second_files
from promote_actions.owners.match import owners_of
from promote_actions.owners.parse import Code, parse


def _codes(text: str, files: list[str] | None = None) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.code) for problem in lint(parse(text), files)]


CLEAN = """\
# owners
*                        @nexo-org/platform
/helm/                   @nexo-org/platform @alice-sre
helm/*/values-prod.yaml  @nexo-org/sre-team @bob-platform lead@nexo.com  # two of them
helm/*/values-qa.yaml
packages/@scope/*@2x.png @carol
app/(shop)/\\[id\\]/     @dave
"""


def test_clean_file() -> None:
    """A file that does what it says has no problem; people called after their team are people."""
    assert _codes(CLEAN) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* @nexo-sre-team", (1, 3, "team-as-user")),
        ("* @a @nexo-platform-leads", (1, 6, "team-as-user")),
        ("* @SRE_Team", (1, 3, "team-as-user")),
        ("* @maintainers", (1, 3, "team-as-user")),
        ("team @x\n* @steam\n* @team", (3, 3, "team-as-user")),
        ("* @" + "a" * 40, (1, 3, "impossible-login")),
        ("* @a--b", (1, 3, "impossible-login")),
        ("* @-a", (1, 3, "impossible-login")),
        ("* @a-", (1, 3, "impossible-login")),
        ("* @a @b @A", (1, 9, "repeated-owner")),
        ("* @nexo-org/a @nexo-org/a", (1, 15, "repeated-owner")),
        ("@nexo-org/platform", (1, 1, "owner-as-pattern")),
        ("@alice", (1, 1, "owner-as-pattern")),
        ("*@alice @bob", (1, 1, "owner-as-pattern")),
        ("*@nexo-org/sre", (1, 1, "owner-as-pattern")),
        ("/ @a", (1, 1, "matches-nothing")),
        ("  ./helm @a", (1, 3, "matches-nothing")),
        ("a//b @a", (1, 1, "matches-nothing")),
        ("*.{yml,yaml} @a", (1, 1, "literal-braces")),
        ("helm\u00a0@alice", (1, 1, "odd-space")),
        ("helm\u200b @alice", (1, 1, "odd-space")),
        ("x @a\nx @b", (1, 1, "dead-pattern")),
        ("x @a\n* @b", (1, 1, "dead-pattern")),
        ("x alice", (1, 3, "invalid-owner")),
        ("x[1] @a", (1, 2, "invalid-pattern")),
    ],
)
def test_one_problem(text: str, expected: tuple[int, int, str]) -> None:
    """Each kind of problem is found, at its line and column, and nothing else is."""
    found = [code for code in _codes(text) if code[2] != "dead-pattern" or expected[2] == "dead-pattern"]
    assert found == [expected]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* @nexo-sre-team @nexo-org/x", ["login of one user, not a team", "'@nexo-org/nexo-sre-team'"]),
        ("* @nexo-sre-team @a/x @b/x", ["'@ORG/nexo-sre-team'"]),
        ("* @nexo-sre-team", ["'@ORG/nexo-sre-team'"]),
        ("x @a\nx @b", ["stands again on line 2", "put all its owners on one line"]),
        ("helm/a/x @a\n/helm/ @b", ["line 2 ('/helm/') matches all", "move this line below line 2"]),
        ("/ @a", ["write '*' for every file"]),
        ("./helm @a", ["write '/helm'"]),
        ("a/../b @a", ["remove it"]),
        ("@org/x", ["'* @org/x'"]),
        ("*@x", ["a blank before '@x'"]),
        ("helm\u00a0@alice", ["(no-break space)", "plain blank"]),
    ],
)
def test_suggestions(text: str, words: list[str]) -> None:
    """A problem says what the line really does and what to write instead."""
    first = lint(parse(text))[0]
    for word in words:
        assert word in first.advice


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("*.js @a\n*.ts @b\n", []),
        ("* @a\n*.js @b\n", []),
        ("/docs/ @a\ndocs/* @b\n", []),
        ("docs/* @a\n/docs/ @b\n", [1]),
        ("docs/** @a\n/docs/ @b\n", [1]),
        ("/build/logs/ @a\n**/logs @b\n", [1]),
        ("a/b @a\na/* @b\n", []),
        ("helm/*/values-prod.yaml @a\nhelm/*/values-*.yaml @b\n", [1]),
        ("a @a\nb @b\n*\n", [1, 2]),
        ("x @a\n* @b alice\n", []),
        ("/ @a\n* @b\n", []),
        ("/ @a\n/ @b\n", []),
        ("a @a\na @a\na @a\n", [1, 2]),
    ],
)
def test_dead_patterns(text: str, dead: list[int]) -> None:
    """A line is dead when one later line, in force, matches all that it matches."""
    assert [line for line, _, code in _codes(text) if code == "dead-pattern"] == dead


def test_unused_patterns() -> None:
    """With the files of the repository, patterns that match none of them are found."""
    text = "* @a\n/helm/ @b\n/charts/ @c\n*.tf @d\nx/ bad\n"
    found = _codes(text, ["helm/a/values.yaml", "README.md"])
    assert [line for line, _, code in found if code == "matches-no-file"] == [3, 4]
    assert all(code != "matches-no-file" for _, _, code in _codes(text))


def test_second_files() -> None:
    """Files in the other places are reported, each with the one that GitHub reads."""
    found = second_files(["docs/CODEOWNERS", ".github/CODEOWNERS", "src/CODEOWNERS"])
    assert [(problem.file, problem.code) for problem in found] == [("docs/CODEOWNERS", "second-file")]
    assert ".github/CODEOWNERS" in found[0].message
    assert second_files(["docs/CODEOWNERS"]) == second_files([]) == ()


def test_search_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file too long to compare every pair says where the search stopped, and that is no fault."""
    text = "".join(f"*.x{number} @a\n" for number in range(40))
    assert lint(parse(text)) == ()
    monkeypatch.setattr(lint_module, "COMPARISONS", 100)
    (problem,) = lint(parse(text))
    assert (problem.code, problem.note) == ("not-compared", True)
    assert 1 < problem.line < 40


_PATTERN = st.sampled_from(
    ["*", "a", "/a", "a/", "*/b", "**/c", "a/*", "/*", "a/**", "b", "a/b", "a*", "?", "/a/*/"]
)
_PATH = st.lists(st.sampled_from(["a", "b", "c", "ab"]), min_size=1, max_size=4).map("/".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PATTERN, min_size=1, max_size=7), st.lists(_PATH, min_size=5, max_size=15))
def test_dead_lines_never_decide(patterns: list[str], paths: list[str]) -> None:
    """Taking the dead lines out of a file changes no answer."""
    lines = [f"{pattern} @o{number}" for number, pattern in enumerate(patterns)]
    dead = {line for line, _, code in _codes("\n".join(lines)) if code == "dead-pattern"}
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in dead)
    for path in paths:
        assert owners_of(parse("\n".join(lines)), path).owners == owners_of(parse(kept), path).owners


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_lint_never_fails(data: str | bytes) -> None:
    """Whatever the file holds, the lint ends, and its codes are words that the docs explain."""
    for problem in lint(parse(data), ["a", "b/c"]):
        assert problem.code in get_args(Code)
        assert problem.line >= 0
