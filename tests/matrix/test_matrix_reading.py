"""The short way of reading a version says what the parser says, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.matrix.reading import read_agreed, read_plain, read_version
from promote_actions.promotion.values import read_scalar

TYPICAL = b"""---
# values of nexo-be, \xc3\xa7a va
replicaCount: 2
image:
  repository: ghcr.io/nexo-org/nexo-be:main
  tag: "2026.02.1"  # moved by promotions
  pullPolicy: IfNotPresent
podAnnotations: {}
args: []
description: Some words, with (signs) here
env:
  - name: A
    value: b
  - name: SECRET
    valueFrom:
      secretKeyRef:
        name: x
        tag: not this one
hosts:
- a.example.com
- "b.example.com"
sidecar:
  image:
    tag: 1.2.3
"""


def test_a_typical_file_takes_the_short_way():
    """Comments, lists, empty collections and nested keys are plain."""
    assert read_plain(TYPICAL, "image.tag") == "2026.02.1"
    assert read_plain(TYPICAL, "sidecar.image.tag") == "1.2.3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"image:\n  tag: 2026.10\n", "2026.10"),
        (b"image:\n    tag: '2026.02.1'\n", "2026.02.1"),
        (b"image:\n  tag: a b  # c\n", "a b"),
        (b"image:\n  tag: a#b\n", "a#b"),
        (b"image:\n  tag: 1:2\n", "1:2"),
        (b"tag: 1\nimage:\n  tag: 2", "2"),
        (b"image:\n- tag: 1\n", None),
        (b"image:\n  tag:\n", None),
        (b"image:\n  tag: null\n", None),
        (b"image:\n  tag: ~\n", None),
        (b"image:\n  tag: 1\n  tag: 2\n", None),
        (b"image:\n  tag: 1\nimage:\n  tag: 2\n", None),
        (b"image:\n  tag: 1\n---\nimage:\n  tag: 2\n", None),
        (b"image: {tag: 1}\n", None),
        (b"image: &a\n  tag: 1\n", None),
        (b"image:\n  <<: *a\n  tag: 1\n", None),
        (b"text: |\n  image:\n    tag: 1\nimage:\n  tag: 2\n", None),
        (b'image:\n  tag: "1\n    2"\n', None),
        (b"image:\n  tag: 1\n    2\n", None),
        (b'image:\n  tag: "\\x31"\n', None),
        (b"image:\n  tag: 'it''s'\n", None),
        (b"image:\n\ttag: 1\n", None),
        (b"image:\r\n  tag: 1\r\n", None),
        (b"\xef\xbb\xbfimage:\n  tag: 1\n", None),
        (b"a: \xff\nimage:\n  tag: 1\n", None),
        (b"image: x\n  tag: 1\n", None),
        (b"a:\n    b: 1\n  c: 1\nimage:\n  tag: 1\n", None),
        (b"a:\n  - 1\n  b: 2\nimage:\n  tag: 1\n", None),
        (b"image:\n  tag: !!str 1\n", None),
        (b"- image:\n    tag: 1\n", None),
        (b"", None),
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(text, expected):
    """One wrong guess would show a wrong version: when in doubt, None."""
    assert read_plain(text, "image.tag") == expected


@pytest.mark.parametrize("path", ["images[].newTag", "[0].image.tag", "images[name=a].newTag"])
def test_paths_with_selectors_go_to_the_parser(path):
    """Only paths of keys have a short way."""
    assert read_plain(TYPICAL, path) is None


LINES = st.sampled_from(
    [
        "image:",
        "  tag: 2026.02.1",
        '  tag: "2026.02.2"  # c',
        "  tag: 'x'",
        "    tag: 5",
        "other: words and more",
        "  nested:",
        "    image:",
        "      tag: 7",
        "- a",
        "  - name: b",
        "    value: c:d",
        "  - x",
        "# comment",
        "",
        "---",
        "  tag: a: b",
        "list:",
        "empty: {}",
        "  key: v #",
        "text: |",
        "a: [1, 2]",
        "x: 'a' b",
        "  ",
        " odd: 1",
    ]
)


@given(st.lists(LINES, max_size=9), st.sampled_from(["image.tag", "nested.image.tag", "tag"]))
@settings(max_examples=600, deadline=None)
def test_the_short_way_agrees_with_the_parser(lines, path):
    """On any mixture of lines: when the short way answers, the parser gives the same answer."""
    data = "\n".join(lines).encode()
    short = read_plain(data, path)
    if short is not None:
        assert read_scalar(data, path) == short


def test_reading_falls_back_and_complains_like_the_parser():
    """What the short way leaves is read by the parser, with its message and place."""
    assert read_version(b"image: {tag: 1.2}\n", "image.tag", "v.yaml") == "1.2"
    with pytest.raises(InputError, match=r"v\.yaml:1:1: .*no 'tag'"):
        read_version(b"a: 1\n", "tag", "v.yaml")


def test_several_containers_run_one_version():
    """Two image tags of a service must agree."""
    data = b"a:\n  tag: 1\nb:\n  tag: 2\n"
    assert read_agreed(data, ["a.tag"], "v.yaml") == "1"
    with pytest.raises(InputError, match=r"image tags differ: a\.tag is 1, b\.tag is 2"):
        read_agreed(data, ["a.tag", "b.tag"], "v.yaml")
