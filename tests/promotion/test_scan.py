"""The line scanner: whenever it answers, the parser says the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.promotion import keypath
from promote_actions.promotion.locate import parse_and_locate
from promote_actions.promotion.scan import scan

PLAIN = {
    "plain": "image:\n  tag: 2026.02.1\n",
    "quotes": "image:\n  repository: \"a: b # c\"\n  tag: '2026''x' # c\n",
    "after a sequence": "hosts:\n- a: 1\n  image:\n    tag: no\n- b\nimage:\n  tag: yes1\n",
    "after a nested sequence": "a:\n  hosts:\n    - x: 1\n      y: 2\n  z: 1\nimage:\n  tag: v\n",
    "after block text": "notes: |\n  image:\n    tag: no\n\n   more\nimage:\n  tag: v\n",
    "folded in a sequence": "a:\n  - b: >-\n      image:\n        tag: no\nimage:\n  tag: v\n",
    "anchors": "d: &d\n  a: 1\nimage:\n  tag: &v 1.2\n  <<: *d\nx: *v\n",
    "flow elsewhere": 'r: {cpu: 1, mem: 512Mi}\nl: [a, "b"]\ne: {}\nimage:\n  tag: v\n',
    "CRLF and mark": "\ufeffimage:\r\n  tag: v # c\r\n",
    "comments and blanks": "# a\n\nimage:\n    # b\n\n    tag: v\n\n",
    "tabs before comments": "image:\t# x\n  tag:\tv\t# y\n",
    "document start": "---\nimage:\n  tag: v\n",
    "no final newline": "image:\n  tag: v",
    "deeper first": "image:\n  x:\n    tag: no\n  tag: v\n",
}
NOT_PLAIN = {
    "key twice": "image:\n  tag: a\n  tag: b\n",
    "flow": "image: {tag: v}\n",
    "two documents": "image:\n  tag: v\n---\na: 1\n",
    "several lines": 'a: "x\n  y"\nimage:\n  tag: v\n',
    "plain on two lines": "a: x\n  y\nimage:\n  tag: v\n",
    "bad indent": "image:\n    a: 1\n  tag: v\n",
    "key beside a sequence": "image:\n  - a\n  tag: v\n",
    "alias": "v: &v x\nimage:\n  tag: *v\n",
    "unknown alias": "a: *b\nimage:\n  tag: v\n",
    "escape": 'image:\n  tag: "a\\x41"\n',
    "tab as indentation": "image:\n\ttag: v\n",
    "missing": "image:\n  other: v\n",
    "no value": "image:\n  tag:\n",
    "block text": "image:\n  tag: |\n    v\n",
    "mapping": "image:\n  tag:\n    a: b\n",
    "colon in a value": "image:\n  tag: a: b\n",
    "line separator": "a: x\u2028y\nimage:\n  tag: v\n",
}


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN.keys())
def test_plain_files_are_scanned(text: str) -> None:
    """Block style, with all that usually stands around the tag, needs no parser."""
    spot = scan(text, ("image", "tag"))
    found = parse_and_locate(text, keypath.parse("image.tag"), "f")
    assert spot is not None
    assert spot == found


@pytest.mark.parametrize("text", NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_the_rest_is_left_to_the_parser(text: str) -> None:
    """What lines alone don't tell is not guessed."""
    assert scan(text, ("image", "tag")) is None


pieces = st.sampled_from(
    ["image:", "tag:", "a:", "- ", "-", "tag: v", "a: 'x'", 'b: "y"', "c: |", "d: >-", "x", "&q ",
     "*q", "? ", "{}",
     "[a, b]", "{a: b}", "# c", " # c", "\t", ": ", "<<: *q", "---", "...", "'", '"',
     "a: b: c", "é: ü", "1: 2"]
)  # fmt: skip
lines = st.builds(
    lambda indent, parts: " " * indent + "".join(parts), st.integers(0, 5), st.lists(pieces, max_size=3)
)


@given(st.lists(lines, max_size=9), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=1500, deadline=None)
def test_every_answer_is_the_parser_s(made: list[str], newline: str) -> None:
    """On any heap of YAML's pieces the scanner says what the parser says, or nothing."""
    text = newline.join(["a: &q 1", *made, "image:", "  tag: v", ""])
    spot = scan(text, ("image", "tag"))
    if spot is None:
        return
    try:
        found = parse_and_locate(text, keypath.parse("image.tag"), "f")
    except InputError as error:
        raise AssertionError(f"{text!r}: the parser says {error}") from None
    assert spot == found
