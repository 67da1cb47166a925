"""Whether one pattern covers another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.owners.pattern import compile_pattern
from promote_actions.owners.shadow import covers

COVERED = [
    ("*", "a"),
    ("*", "/a/b/"),
    ("**", "docs/*"),
    ("/**", "*"),
    ("*", "**"),
    ("**/*", "*"),
    ("a", "a"),
    ("a", "/a"),
    ("a", "a/"),
    ("a", "x/a"),
    ("a", "**/a/b"),
    ("a/", "a/b"),
    ("a/", "a/*"),
    ("a/**", "/a/"),
    ("a/", "a/**"),
    ("/a/", "/a/b/c.txt"),
    ("/a/", "a/**/b"),
    ("a/*", "/a/*"),
    ("*.js", "/src/*.js"),
    ("*.js", "a*.js"),
    ("*.js", "**/x.js"),
    ("?.js", "a.js"),
    ("a*", "a?b"),
    ("a*b*c", "axb?cc"),
    ("helm/*/values-*.yaml", "helm/*/values-prod.yaml"),
    ("helm/**/values-prod.yaml", "helm/*/values-prod.yaml"),
    ("helm/", "helm/*/values-prod.yaml"),
    ("**/logs", "/build/logs/"),
    ("/*/*/", "/a/b/c"),
    ("a/**/c", "a/b/**/c"),
    ("a/**/*/c", "a/*/**/c"),
    ("**/*/a", "x/y/a"),
    ("/*/", "a/b/"),
]
NOT_COVERED = [
    ("a", "*"),
    ("/a", "a"),
    ("a/", "a"),
    ("a/*", "a/"),
    ("a/*", "a/b"),
    ("docs/*", "docs/**"),
    ("/*", "/a"),
    ("*.js", "*.ts"),
    ("*.js", "*"),
    ("a?", "a*"),
    ("?", "*"),
    ("a?b", "a\\*"),
    ("helm/*/values-prod.yaml", "helm/**/values-prod.yaml"),
    ("helm/*/values-prod.yaml", "helm/*/values-*.yaml"),
    ("a/b", "a/**/b"),
    ("a/*/", "a/"),
    ("a/**/b/c", "a/**/c"),
    ("/", "/"),
    ("*", "/"),
    ("A", "a"),
]


@pytest.mark.parametrize(("general", "specific"), COVERED)
def test_covered(general: str, specific: str) -> None:
    """What is plain to a reader is found."""
    assert covers(compile_pattern(general), compile_pattern(specific))


@pytest.mark.parametrize(("general", "specific"), NOT_COVERED)
def test_not_covered(general: str, specific: str) -> None:
    """A pattern that leaves anything of the other is not said to cover it."""
    assert not covers(compile_pattern(general), compile_pattern(specific))


_SEGMENT = st.sampled_from(["a", "b", "*", "**", "a*", "?", "*b", "a?", "?*"])
_PATTERN = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "/"]),
    st.lists(_SEGMENT, min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
)
_PATH = st.lists(st.sampled_from(["a", "b", "ab", "aa", "bb", "c"]), min_size=1, max_size=6).map("/".join)


@settings(max_examples=500, deadline=None)
@given(_PATTERN, _PATTERN, st.lists(_PATH, min_size=5, max_size=20))
def test_covers_is_proof(general: str, specific: str, paths: list[str]) -> None:
    """Where one pattern covers another, no path is matched by the second alone."""
    wide, narrow = compile_pattern(general), compile_pattern(specific)
    if covers(wide, narrow):
        assert wide.matches(narrow.example)
        assert all(wide.matches(path) for path in paths if narrow.matches(path))


@settings(max_examples=200, deadline=None)
@given(_PATTERN)
def test_everything_covers_and_each_covers_itself(text: str) -> None:
    """Every pattern that matches anything is covered by itself and by the one that matches all."""
    pattern = compile_pattern(text)
    assert covers(pattern, pattern) is not pattern.never
    assert covers(compile_pattern("*"), pattern) is not pattern.never


def test_long_patterns_are_compared_for_equality_only() -> None:
    """Very long patterns cost nothing: equal ones are found, others are left alone."""
    long = compile_pattern("a/" * 500 + "b")
    assert covers(long, compile_pattern("a/" * 500 + "b"))
    assert not covers(compile_pattern("**/" + "a/" * 400 + "b"), long)
    assert not covers(compile_pattern("*a*" * 100), compile_pattern("*a*" * 101))
