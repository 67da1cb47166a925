"""Patterns: a table of behaviour, patterns that GitHub rejects, and hostile ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.owners.pattern import PatternError, compile_pattern

TABLE = json.loads(Path(__file__).with_name("patterns.json").read_text(encoding="utf-8"))
CASES = [
    pytest.param(row["pattern"], path, expected, id=f"{row['pattern']} {'=' if expected else '!'} {path}")
    for row in TABLE
    for key, expected in (("matches", True), ("misses", False))
    for path in row[key]
]


@pytest.mark.parametrize(("pattern", "path", "expected"), CASES)
def test_pattern_table(pattern: str, path: str, expected: bool) -> None:
    """Each pattern of the table matches the paths that it names, and no other."""
    assert compile_pattern(pattern).matches(path) is expected


def test_table_is_not_empty() -> None:
    """The table holds what it is meant to hold: well over a hundred decisions, of both kinds."""
    assert len(CASES) > 350
    assert {row["fact"] for row in TABLE if not row["matches"]} >= {"a lone slash matches nothing"}


@pytest.mark.parametrize(
    ("pattern", "message", "suggestion", "offset"),
    [
        ("!keep", "no '!' exceptions", "write 'keep' without an owner", 0),
        ("a[bc]", "no '[ ]' ranges", "write '\\['", 1),
        ("abc]", "no '[ ]' ranges", "write '\\]'", 3),
        ("a\\[b]", "no '[ ]' ranges", "write '\\]'", 4),
        ("***/x", "three asterisks", "write '**'", 0),
        ("a/b***", "three asterisks", "write '**'", 3),
        ("\\#x", "'#' inside a pattern", "write '?'", 1),
        ("a#x", "'#' inside a pattern", "write '?'", 1),
        ("a/\\", "escapes nothing", "remove it", 2),
    ],
)
def test_invalid_patterns(pattern: str, message: str, suggestion: str, offset: int) -> None:
    """What GitHub rejects is rejected, with the character that is at fault and what to write."""
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert message in caught.value.message
    assert suggestion in caught.value.suggestion
    assert caught.value.offset == offset


@pytest.mark.parametrize("pattern", ["/", "//", "a//b", "./a", "a/./b", "../a", "a/.."])
def test_patterns_that_never_match(pattern: str) -> None:
    """A pattern that no path can match says so."""
    assert compile_pattern(pattern).never


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 2000 + "b", "a" * 4000),
        ("a?*" * 1300 + "b", "a" * 4000),
        ("*" + "?a" * 1000 + "*b", "a" * 4000 + "c"),
        ("**/a/" * 1000 + "b", "a/" * 2000 + "c"),
        ("**/*a*a/" * 300 + "b", "aaaaaa/" * 600 + "c"),
        ("**/" + "a/" * 300 + "b", "a/" * 2000 + "c"),
        ("**/" + "*a*" * 500, "a/" * 2000 + "c"),
    ],
)
def test_hostile_patterns_end(pattern: str, path: str) -> None:
    """Patterns that take a backtracking matcher years are answered, and the answer is no."""
    assert compile_pattern(pattern).matches(path) is False


def test_hostile_pattern_still_matches() -> None:
    """The same shapes match where they should."""
    assert compile_pattern("*a" * 1000 + "*b").matches("a" * 2000 + "b")
    assert compile_pattern("**/a/" * 500 + "b").matches("x/" + "a/" * 700 + "b")


def test_text_that_is_not_unicode() -> None:
    """Half a surrogate pair, as JSON can carry it, is matched like any other character."""
    assert compile_pattern("a\ud800*").matches("a\ud800b")
    assert not compile_pattern("a\ud800*").matches("a\ud801b")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_compiles_or_is_refused(pattern: str, path: str) -> None:
    """No text breaks the compiler or the matcher: it is a pattern, or it is refused with a hint."""
    try:
        compiled = compile_pattern(pattern)
    except PatternError as error:
        assert error.message and error.suggestion
        assert 0 <= error.offset < len(pattern)
    else:
        assert compiled.matches(path) in (True, False)


_NAME = st.text("ab*?\\ [].é", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))


@settings(max_examples=300, deadline=None)
@given(st.lists(_NAME, min_size=1, max_size=4))
def test_escaped_path_is_a_pattern_for_itself(names: list[str]) -> None:
    """Escaping every special character of a path gives a pattern for that path and what is in it."""
    path = "/".join(names)
    pattern = compile_pattern("/" + "".join("\\" + char if char in "*?\\[] " else char for char in path))
    assert pattern.matches(path)
    assert pattern.matches(path + "/inside")
    assert not pattern.matches("x/" + path)
    assert not pattern.matches(path + "x")


_PIECES = st.sampled_from(["a", "b", "ab", "*", "a*", "*b", "?", "a?b", "**", "\\*"])
PATTERNS = st.builds(
    lambda start, pieces, end: start + "/".join(pieces) + end,
    st.sampled_from(["", "/"]),
    st.lists(_PIECES, min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
)


@settings(max_examples=300, deadline=None)
@given(PATTERNS)
def test_example_is_matched(text: str) -> None:
    """The example path that a pattern gives of itself is one that it matches."""
    pattern = compile_pattern(text)
    assert pattern.never or pattern.matches(pattern.example)
