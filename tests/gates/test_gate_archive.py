"""Archives from strangers: what they may hold, and what they may not do."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.gates import archive
from promote_actions.gates.archive import has_digest, read
from promote_actions.gates.file_formats import Unreadable

MIB = 1 << 20


def packed(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as made:
        warnings.simplefilter("ignore")
        for name, content in files:
            made.writestr(name, content)
    return stream.getvalue()


def with_entry(change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    """An archive of one file whose entry was changed before it was written."""
    stream = io.BytesIO()
    entry = zipfile.ZipInfo("a.xml")
    change(entry)
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr(entry, b"<a/>")
    return stream.getvalue()


def encrypted() -> bytes:
    """The flag in both headers of the only file."""
    data = bytearray(packed(("a.xml", b"<a/>")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


def lying(size: int) -> bytes:
    """A file whose headers say that it unpacks to ``size`` bytes, and that has more."""
    data = bytearray(packed(("a.xml", b"x" * MIB)))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(mark) + offset, size)
    return bytes(data)


def elsewhere(offset: int) -> bytes:
    """An archive whose directory says that its file begins at ``offset``."""
    data = bytearray(packed(("a.xml", b"<a/>")))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 42, offset)
    return bytes(data)


FILES = (("junit.xml", b"1"), ("reports/e2e/junit.xml", b"2"), ("reports/scan.sarif", b"3"), ("log/", b""))
CHOSEN: dict[str, tuple[str, Sequence[str]]] = {
    "by name, wherever it is": ("junit.xml", ["junit.xml", "reports/e2e/junit.xml"]),
    "by path": ("reports/scan.sarif", ["reports/scan.sarif"]),
    "by a pattern": ("*.sarif", ["reports/scan.sarif"]),
    "by a folder": ("reports/*", ["reports/e2e/junit.xml", "reports/scan.sarif"]),
    "all": ("*", ["junit.xml", "reports/e2e/junit.xml", "reports/scan.sarif"]),
}


@pytest.mark.parametrize(("pattern", "names"), CHOSEN.values(), ids=CHOSEN)
def test_files_are_chosen_by_path_or_name(pattern: str, names: Sequence[str]) -> None:
    """Folders are none."""
    assert [name for name, _ in read(packed(*FILES), pattern)] == names


def test_the_only_file_needs_no_name() -> None:
    """Packed or stored."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert read(packed(("x/a.json", b"{}"), method=method), "") == [("x/a.json", b"{}")]


REFUSED: dict[str, tuple[bytes, str, str]] = {
    "no archive": (b"<html>", "", "no ZIP archive"),
    "nothing": (b"", "", "no ZIP archive"),
    "cut off": (packed(("a.xml", b"<a/>"))[:-10], "", "no ZIP archive"),
    "an empty archive": (packed(), "", "it has 0 files"),
    "several, and none named": (packed(*FILES), "", "it has 3 files: name those"),
    "none like that": (packed(*FILES), "*.html", "no file like '*.html' among 3"),
    "a path to a parent": (packed(("../../junit.xml", b"")), "*", "lies outside"),
    "a path through a parent": (packed(("a/../../junit.xml", b"")), "*", "lies outside"),
    "an absolute path": (packed(("/etc/passwd", b"")), "*", "lies outside"),
    "a drive": (packed(("C:/junit.xml", b"")), "*", "lies outside"),
    "backslashes": (packed(("..\\junit.xml", b"")), "*", "lies outside"),
    "beside a good one": (packed(("junit.xml", b""), ("../x", b"")), "junit.xml", "lies outside"),
    "the same name twice": (
        packed(("a.xml", b"1"), ("a.xml", b"2")),
        "a.xml",
        "has the file 'a.xml' twice",
    ),
    "a link": (
        with_entry(lambda e: setattr(e, "external_attr", (stat.S_IFLNK | 0o777) << 16)),
        "",
        "is a link",
    ),
    "encrypted": (encrypted(), "", "is encrypted"),
    "bzip2": (packed(("a.xml", b"x"), method=zipfile.ZIP_BZIP2), "", "another way than deflate"),
    "lzma": (packed(("a.xml", b"x"), method=zipfile.ZIP_LZMA), "", "another way than deflate"),
    "a file at the archive's end": (elsewhere(len(packed(("a.xml", b"<a/>"))) - 5), "", "damaged"),
    "a file beyond it": (elsewhere(0x7FFFFFFF), "", "damaged"),
    "a bomb": (packed(("a.xml", b"\0" * (3 * MIB))), "", f"more than {MIB} bytes"),
    "a bomb in parts": (
        packed(*((f"{n}.xml", b"\0" * (MIB // 2)) for n in range(3))),
        "*",
        f"more than {MIB} bytes",
    ),
    "a name with control characters": (packed(("a\n::error::b/../x", b"")), "*", "'a\\n::error::b/../x'"),
}


@pytest.mark.parametrize(("data", "pattern", "words"), REFUSED.values(), ids=REFUSED)
def test_what_no_artifact_needs_is_refused(data: bytes, pattern: str, words: str) -> None:
    """Each with its reason, on one line; a mebibyte is the limit here."""
    with pytest.raises(Unreadable) as caught:
        read(data, pattern, limit=MIB)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_size_in_a_header_is_not_believed() -> None:
    """It says ten bytes, or none, and would unpack to a mebibyte."""
    for size in (0, 10):
        with pytest.raises(Unreadable):
            read(lying(size), "", limit=MIB // 2)


def test_entries_are_counted_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A central directory of a million entries costs more memory than its bytes."""
    monkeypatch.setattr(archive, "MOST_FILES", 10)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(Unreadable, match="more than 10 files"):
        read(b"PK\x01\x02" * 11, "")


@given(st.binary(max_size=400), st.integers(0, 200), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_reader(noise: bytes, place: int, byte: int) -> None:
    """Noise, and an archive with one byte changed: files, or unreadable."""
    spoiled = bytearray(packed(("a.xml", b"<a/>"), ("b.xml", b"<b/>")))
    spoiled[place % len(spoiled)] = byte
    for data in (noise, b"PK\x03\x04" + noise, bytes(spoiled)):
        with contextlib.suppress(Unreadable):
            read(data, "*")


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        ("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", True),
        ("sha256:" + "0" * 64, False),
        ("sha256:", False),
        ("", True),
        ("md5:x", True),
    ],
)
def test_a_digest_that_was_told_must_be_right(digest: str, expected: bool) -> None:
    """Older artifacts have none."""
    assert has_digest(b"abc", digest) is expected
