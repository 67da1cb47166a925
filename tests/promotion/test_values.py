"""The values editor: one scalar's bytes change, whatever the file looks like."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from promote_actions.errors import InputError
from promote_actions.promotion.values import Edit, edit, is_plain_text, read_scalar

OLD, NEW = "2026.02.1", "2026.02.15"

SHAPES = {
    "plain": b"image:\n  repository: ghcr.io/o/a\n  tag: 2026.02.1\n",
    "double quotes": b'image:\n  tag: "2026.02.1"\nreplicas: 2\n',
    "single quotes": b"image:\n  tag: '2026.02.1'   # set by promotion\n",
    "CRLF": b'# head\r\nimage:\r\n  tag: "2026.02.1"\r\n\r\nx: 1\r\n',
    "no final newline": b"image:\n  tag: 2026.02.1",
    "byte order mark": b'\xef\xbb\xbfimage:\n  tag: "2026.02.1"\n',
    "tab in a comment": b"image: #\ta\tb\n  tag: 2026.02.1\t# c\td\n",
    "tab before a comment": b"\t# head\nimage:\t# x\n  tag:\t2026.02.1\t# y\n\t\nb: |\n  \tx\n",
    "flow style": b"image: {repository: a, tag: 2026.02.1, pullPolicy: Always}\n",
    "flow style, quoted": b'image: {"tag": "2026.02.1"}\n',
    "JSON": b'{"image": {"tag": "2026.02.1"}, "x": [1, 2]}',
    "anchor on the tag": b'image:\n  tag: &version "2026.02.1"\nsidecar:\n  tag: *version\n',
    "anchor elsewhere": b"base: &base\n  a: 1\nimage:\n  tag: 2026.02.1\nother:\n  <<: *base\n",
    "tagged": b"image:\n  tag: !!str 2026.02.1\n",
    "long string before": b"note: " + b"x" * 9000 + b"\nimage:\n  tag: 2026.02.1\n",
    "folded text before": b"note: >-\n  image:\n    tag: 1\n\n  more\nimage:\n  tag: 2026.02.1\n",
    "not ASCII": "título: ação → 日本\nimage:\n  tag: 2026.02.1 # não\n".encode(),
    "blank lines and comments": b"\n\n# a\nimage:\n\n  # b\n\n  tag: 2026.02.1\n\n\n",
    "document start and end": b"---\nimage:\n  tag: 2026.02.1\n...\n",
    "second document": b"kind: X\n---\nimage:\n  tag: 2026.02.1\n",
    "same key elsewhere": b"tag: 2026.02.1\ns:\n  image:\n    tag: 2026.02.1\nimage:\n  tag: 2026.02.1\n",
    "quoted keys": b"\"image\":\n  'tag': 2026.02.1\n",
    "explicit key": b"? image\n: tag: 2026.02.1\n",
}


def changed_lines(before: bytes, after: bytes) -> list[int]:
    """Numbers of the lines that differ; the two must have equally many."""
    old, new = before.split(b"\n"), after.split(b"\n")
    assert len(old) == len(new)
    return [number for number, (a, b) in enumerate(zip(old, new, strict=True), 1) if a != b]


@pytest.mark.parametrize("before", SHAPES.values(), ids=SHAPES.keys())
def test_only_the_tag_changes(before: bytes) -> None:
    """Exactly one line changes, and in it exactly the version."""
    after, edits = edit(before, [Edit("image.tag", NEW)])
    assert [each.before for each in edits] == [OLD]
    assert changed_lines(before, after) == [edits[0].line]
    spots = [match.span() for match in re.finditer(re.escape(OLD.encode()), before)]
    assert after in [before[:start] + NEW.encode() + before[end:] for start, end in spots]
    assert read_scalar(after, "image.tag") == NEW


@pytest.mark.parametrize("before", SHAPES.values(), ids=SHAPES.keys())
def test_there_and_back_is_the_same_file(before: bytes) -> None:
    """A promotion and its rollback leave the file as it was, to the byte."""
    there, _ = edit(before, [Edit("image.tag", NEW)])
    back, _ = edit(there, [Edit("image.tag", OLD)])
    assert back == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"image:\n  tag:\n", b"image:\n  tag: 2026.02.15\n"),
        (b"image:\n  tag: # later\n  x: 1\n", b"image:\n  tag: 2026.02.15 # later\n  x: 1\n"),
        (b"image:\n  tag: ''\n", b"image:\n  tag: '2026.02.15'\n"),
        (b"image:\n  tag: ~\n", b"image:\n  tag: 2026.02.15\n"),
        (b"image: {tag: }\n", b"image: {tag: 2026.02.15 }\n"),
    ],
)
def test_an_empty_value_is_filled(before: bytes, after: bytes) -> None:
    """A key without a value gets one, in its place."""
    assert edit(before, [Edit("image.tag", NEW)])[0] == after


@pytest.mark.parametrize(
    "value",
    [
        "2026.10",
        "1e5",
        "0x1f",
        "12",
        "1_000",
        "true",
        "No",
        "null",
        "2026-02-01",
        "12:30:00",
        "0o17",
        "nan",
    ],
)
def test_a_value_that_looks_like_a_number_is_quoted(value: str) -> None:
    """Text that YAML would read as something else gets quotes, so Helm sees what was meant."""
    after, _ = edit(b"image:\n  tag: x\n", [Edit("image.tag", value)])
    assert after == f'image:\n  tag: "{value}"\n'.encode()


@pytest.mark.parametrize(
    ("data", "path", "line", "words"),
    [
        (b"image:\n  repository: x\n", "image.tag", 2, "there is no 'tag' there; it holds repository"),
        (b"", "image.tag", 0, "the file is empty"),
        (b"- a\n", "image.tag", 1, "no mapping that could hold 'image'"),
        (b"image:\n  tag: {a: 1}\n", "image.tag", 2, "not a single value"),
        (b"image:\n  tag: |\n    x\n", "image.tag", 2, "a block text"),
        (b"v: &v x\nimage:\n  tag: *v\n", "image.tag", 3, "is an alias"),
        (b"b: &b {tag: x}\nimage: *b\n", "image.tag", 2, "'image' is an alias"),
        (b"b: &b {tag: x}\nimage:\n  <<: *b\n", "image.tag", 3, "may come from a merge key"),
        (b"image:\n  tag: a\n  tag: b\n", "image.tag", 2, "stands twice, on lines 2 and 3"),
        (
            b"image:\n  tag: a\n---\nimage:\n  tag: b\n",
            "image.tag",
            0,
            "in 2 documents of the file (lines 2, 5)",
        ),
        (b"image: [", "image.tag", 1, "not YAML"),
        (b"a: 1\nimage:\n\ttag: x\n", "image.tag", 3, "not YAML"),
        (b"image: \xff\n", "image.tag", 1, "not UTF-8"),
        (b"image:\n  tag: a\x00\n", "image.tag", 0, "not YAML"),
        (
            b"images:\n- name: a\n  newTag: x\n- name: b\n  newTag: y\n",
            "images[].newTag",
            2,
            "fits 0 of 2 items",
        ),
        (b"images:\n- newTag: x\n", "images[3].newTag", 2, "there are only 1 items"),
        (b"images: {}\n", "images[0].newTag", 1, "needs a list"),
        (b"[" * 5000, "image.tag", 0, "not YAML"),
    ],
)
def test_what_cannot_be_edited_is_refused(data: bytes, path: str, line: int, words: str) -> None:
    """The message names the file, the line, the trouble; nothing is guessed."""
    with pytest.raises(InputError) as caught:
        edit(data, [Edit(path, NEW)], "helm/a/values-qa.yaml")
    assert words in str(caught.value)
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == ("helm/a/values-qa.yaml", line)


KUSTOMIZE = b"""\
resources: [deployment.yaml]
images:
  - name: ghcr.io/nexo-org/nexo-be
    newTag: "2026.02.1" # be
  - name: app
    newName: ghcr.io/nexo-org/nexo-web
    newTag: 2026.02.1
"""


@pytest.mark.parametrize(
    ("path", "images", "line"),
    [
        ("images[].newTag", ("nexo-be",), 4),
        ("images[].newTag", ("ghcr.io/nexo-org/nexo-web", "web"), 7),
        ("images[name=app].newTag", (), 7),
        ("images[0].newTag", (), 4),
        ("images[newName=ghcr.io/nexo-org/nexo-web].newTag", (), 7),
    ],
)
def test_kustomize_images(path: str, images: tuple[str, ...], line: int) -> None:
    """An item of ``images`` is found by our own image, by a key's value or by its position."""
    after, edits = edit(KUSTOMIZE, [Edit(path, NEW)], images=images)
    assert changed_lines(KUSTOMIZE, after) == [line]
    assert edits[0].before == OLD


@pytest.mark.parametrize(("path", "line"), [("[kind=B].image.tag", 7), ("[0].image.tag", 3)])
def test_one_of_several_documents(path: str, line: int) -> None:
    """A selector at the beginning chooses a document."""
    data = b"kind: A\nimage:\n  tag: 2026.02.1\n---\nkind: B\nimage:\n  tag: 2026.02.1\n"
    assert changed_lines(data, edit(data, [Edit(path, NEW)])[0]) == [line]


def test_umbrella_chart() -> None:
    """A path may go as deep as an umbrella chart does."""
    data = b"svc:\n  image:\n    tag: a\nimage:\n  tag: b\n"
    assert edit(data, [Edit("svc.image.tag", NEW)])[0] == data.replace(b"a\n", b"2026.02.15\n", 1)


def test_several_scalars_at_once() -> None:
    """Tag and digest change together, and a value that already holds is left alone."""
    data = b'image:\n  digest: "sha256:aa"\n  tag: 1\njob:\n  tag: 2026.02.15\n'
    after, edits = edit(
        data, [Edit("image.tag", NEW), Edit("image.digest", "sha256:bb"), Edit("job.tag", NEW)]
    )
    assert after == b'image:\n  digest: "sha256:bb"\n  tag: 2026.02.15\njob:\n  tag: 2026.02.15\n'
    assert {each.path for each in edits} == {"image.tag", "image.digest"}


scalars = st.sampled_from(["x", '"x"', "'x'", "1.5", "~", "", "[a, b]", "{a: 1}", "|\n    text\n    more"])
keys = st.sampled_from(["a", "b", "tag", "image", "c-d", '"q r"'])


@st.composite
def files(draw: st.DrawFn) -> str:
    """Values files of many shapes that hold ``image.tag``."""
    comments = st.sampled_from(["", " # c", "  # image: tag: x"])
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [f"k{i}: {draw(scalars)}{''}" for i in range(draw(st.integers(0, 4)))]
    quote = draw(st.sampled_from(["", '"', "'"]))
    block = [f"image:{draw(comments)}", *[f"  s{i}: x" for i in range(draw(st.integers(0, 2)))]]
    block.append(f"  tag: {quote}old{quote}{draw(comments)}")
    at = draw(st.integers(0, len(lines)))
    text = "\n".join([*lines[:at], *block, *lines[at:]]) + draw(st.sampled_from(["", "\n", "\n\n"]))
    return text.replace("\n", newline)


@given(files(), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True))
@settings(max_examples=150, deadline=None)
def test_the_rest_of_the_document_means_the_same(text: str, version: str) -> None:
    """A YAML reader sees the new version as text and everything else as before."""
    after, _ = edit(text.encode(), [Edit("image.tag", version)])
    before_doc, after_doc = (YAML(typ="safe", pure=True).load(each) for each in (text, after.decode()))
    assert after_doc["image"]["tag"] == version
    before_doc["image"]["tag"] = version
    assert after_doc == before_doc


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_edited_or_refused(data: bytes) -> None:
    """Whatever a stranger commits gives an edit or one error of ours."""
    try:
        after, _ = edit(data, [Edit("image.tag", NEW)])
    except InputError:
        return
    assert read_scalar(after, "image.tag") == NEW


@given(st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_plain_text_is_text_to_a_yaml_reader(value: str) -> None:
    """What we write without quotes is read as the very same text, by YAML 1.1 and 1.2."""
    if is_plain_text(value):
        for version in ((1, 1), (1, 2)):
            yaml = YAML(typ="safe", pure=True)
            yaml.version = version  # type: ignore[assignment]
            assert yaml.load(f"k: {value}\n") == {"k": value}
