"""Files in a ZIP archive that strangers may have written: read in memory, within limits. Pure.

Nothing is unpacked to a disk, so no name in it can reach one; a name that tries to is refused all the same,
as are two files of one name, and what no artifact needs (encryption, links, methods other than deflate).
A header's sizes are not believed: bytes are counted as they come out.
"""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from promote_actions.errors import one_line
from promote_actions.gates.file_formats import Unreadable

if TYPE_CHECKING:
    import zipfile

LIMIT = 64 * 1024 * 1024
"""Bytes of an archive at most, and of the files that are read from one together."""

MOST_FILES = 50_000
_ENTRY = b"PK\x01\x02"
_UNSAFE = re.compile(r"(^|/)\.\.(/|$)|^/|\\|\0|^[A-Za-z]:")
_METHODS = (0, 8)
"""Stored and deflated, by their numbers in the format."""


def read(data: bytes, pattern: str, limit: int = LIMIT) -> list[tuple[str, bytes]]:
    """Name and content of the files like ``pattern`` (with ``*``), by path or by name; empty: the only one.

    Raises :class:`Unreadable` for what is no archive, not a safe one, or one without such a file.
    """
    import zipfile

    # Each file has an entry that begins so: counted before anything is made of them.
    if data.count(_ENTRY) > MOST_FILES:
        raise Unreadable(f"it has more than {MOST_FILES} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return list(_contents(archive, _chosen(archive, pattern), limit))
    except Unreadable:
        raise
    except Exception:  # noqa: BLE001 - the reader raises a dozen kinds on hostile bytes
        raise Unreadable("it is no ZIP archive, or a damaged one") from None


def _chosen(archive: zipfile.ZipFile, pattern: str) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    for entry in entries:
        if _UNSAFE.search(entry.orig_filename):
            raise Unreadable(f"it names the file {shown(entry.orig_filename)}, which lies outside of it")
    files = [entry for entry in entries if not entry.is_dir()]
    found = [entry for entry in files if not pattern or _is_like(entry.filename, pattern)]
    if not pattern and len(files) != 1:
        raise Unreadable(f"it has {len(files)} files: name those to read with the option 'file'")
    if not found:
        raise Unreadable(f"it has no file like {shown(pattern)} among {len(files)}")
    seen: set[str] = set()
    for entry in found:
        if entry.filename in seen:
            raise Unreadable(f"it has the file {shown(entry.filename)} twice")
        seen.add(entry.filename)
    return found


def _is_like(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(path.rpartition("/")[2], pattern)


def _contents(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], limit: int
) -> Iterator[tuple[str, bytes]]:
    left = limit
    for entry in entries:
        name = shown(entry.filename)
        if entry.flag_bits & 1:
            raise Unreadable(f"its file {name} is encrypted")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Unreadable(f"its file {name} is a link")
        if entry.compress_type not in _METHODS:
            raise Unreadable(f"its file {name} is packed in another way than deflate")
        with archive.open(entry) as stream:
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            raise Unreadable(f"its files have more than {limit} bytes")
        yield entry.filename, content


def has_digest(data: bytes, digest: str) -> bool:
    """Whether ``data`` has the ``sha256:…`` that was told; when none was, or of another kind, it has."""
    kind, _, told = digest.partition(":")
    if kind != "sha256":
        return True
    import hashlib

    return hashlib.sha256(data).hexdigest() == told


def shown(name: str) -> str:
    """A name from an archive, for a message."""
    return f"'{one_line(name[:100])}'"
