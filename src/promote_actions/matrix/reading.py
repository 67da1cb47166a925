"""Reading versions from thousands of values files: a short way for plain ones, the parser for the rest.

Pure. The short way takes only files in which every line is a comment, a key, a key with a scalar on
its line, or an item of a list. Whatever else there is (anchors, block scalars, flow style, several
documents, scalars over several lines) goes to :func:`promote_actions.promotion.values.read_scalar`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from promote_actions.errors import InputError
from promote_actions.promotion import keypath

_QUOTED = rb""" "[^"\\\n]*" | '[^'\n]*' """
_PLAIN = rb"""[A-Za-z0-9_./](?:[^\n:\#] | :(?=\S) | (?<=\S)\#)*"""
_FLOW = rb"""\[\] | \{\}"""
_END = rb"""\ *(?:(?<!\S)\#.*)?"""
_KEY = rb"""[A-Za-z_][A-Za-z0-9_./-]*"""
_SCALAR = rb"(?: %b | %b | %b )" % (_QUOTED, _PLAIN, _FLOW)
_LINE = re.compile(
    rb"(?P<indent>\ *) (?P<item>-\ +)?"
    rb"(?: (?P<key>%b): (?:\ +(?P<value>%b))? | (?(item)(?P<scalar>%b)|(?!)) )? %b"
    % (_KEY, _SCALAR, _SCALAR, _END),
    re.VERBOSE,
)
_NOT_PLAIN = re.compile(
    rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]"
)
_NULL = frozenset({b"null", b"Null", b"NULL"})


class _NotPlainError(Exception):
    """The file has something that only the parser can judge."""


class _Open:
    """What is open at a line, outermost first, as indentation has it: keys, and ``-`` for items."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self._indents: list[int] = []
        self._children: list[tuple[bool, int] | None] = [None]
        self._leaf = False

    def push(self, indent: int, name: bytes, leaf: bool) -> None:
        """Open ``name`` at column ``indent``; raise when the parser might see the line otherwise."""
        item = name == b"-"
        while self._indents and self._closes(indent, item):
            self.names.pop()
            self._indents.pop()
            self._children.pop()
            self._leaf = False
        inside = (item, indent)
        if self._leaf or self._children[-1] not in (None, inside):
            raise _NotPlainError
        self._children[-1] = inside
        self.names.append(name)
        self._indents.append(indent)
        self._children.append(None)
        self._leaf = leaf

    def _closes(self, indent: int, item: bool) -> bool:
        last = self._indents[-1]
        return last > indent or (last == indent and (not item or self.names[-1] == b"-"))


def read_plain(data: bytes, path: str) -> str | None:
    """The text at ``path`` when ``data`` is plain and has it once; None sends the caller to the parser."""
    names = keypath.parse(path).keys
    if names is None or _NOT_PLAIN.search(data):
        return None
    try:
        data.decode()
        return _find(data, [name.encode() for name in names])
    except (UnicodeDecodeError, _NotPlainError):
        return None


def _find(data: bytes, wanted: list[bytes]) -> str | None:
    open_ = _Open()
    found: bytes | None = None
    seen: set[int] = set()
    for line in data.removeprefix(b"---\n").split(b"\n"):
        match = _LINE.fullmatch(line)
        if match is None or (match["item"] and not match["key"] and not match["scalar"]):
            raise _NotPlainError
        if match["item"]:
            open_.push(match.end("indent"), b"-", match["scalar"] is not None)
        if match["key"] is None:
            continue
        open_.push(match.start("key"), match["key"], match["value"] is not None)
        depth = len(open_.names)
        if open_.names != wanted[:depth]:
            continue
        if depth in seen:
            raise _NotPlainError
        seen.add(depth)
        if depth == len(wanted):
            found = match["value"]
    return _text(found)


def _text(value: bytes | None) -> str | None:
    if value is None or value in _NULL or value in (b"[]", b"{}"):
        return None
    value = value.rstrip(b" ")
    return (value[1:-1] if value[:1] in (b'"', b"'") else value).decode()


def read_version(data: bytes, path: str, file: str, images: Sequence[str] = ()) -> str:
    """The version at ``path`` in the bytes of ``file``; raises :class:`InputError` as the parser does."""
    short = read_plain(data, path)
    if short is not None:
        return short
    from promote_actions.promotion.values import read_scalar

    return read_scalar(data, path, file, images)


def read_agreed(data: bytes, paths: Sequence[str], file: str, images: Sequence[str] = ()) -> str:
    """The one version at all of ``paths`` (several containers of a service run one version)."""
    found = [read_version(data, path, file, images) for path in paths]
    if len(set(found)) > 1:
        said = ", ".join(f"{path} is {version}" for path, version in zip(paths, found, strict=True))
        raise InputError(f"{file}: the image tags differ: {said}", hint="make them equal")
    return found[0]
