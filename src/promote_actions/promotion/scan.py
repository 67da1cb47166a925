"""Finding a scalar in plain block style by lines, without a YAML parser. Pure, standard library only.

Most values files are nested block mappings of one-line scalars. In those the place of ``image.tag``
follows from indentation alone, which is many times faster than parsing. Whatever is not plainly of
that kind (a flow collection with more in it than words, a key twice, two documents, an odd character)
makes :func:`scan` say None, and then the parser decides. It never guesses: a property test holds every
answer against the parser's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_QUOTED = r"""'(?:[^'\\]|'')*'|"[^"\\]*\""""
_ATOM = r"""(?:[A-Za-z0-9_./][A-Za-z0-9_./-]*|'[^'\\]*'|"[^"\\]*")"""
_FLOW = rf"""\[(?:{_ATOM}(?:,[ ]*{_ATOM})*)?\]|\{{(?:\w+:[ ]{_ATOM}(?:,[ ]*\w+:[ ]{_ATOM})*)?\}}"""
_PLAIN = r"""(?![-?:](?:[ \t]|$))[^\s#&*!|>'"%@`{}\[\],](?:[^\s:#]|:(?=\S)|(?<=\S)\#|[ \t]+(?=[^\s#]))*"""
_VALUE = rf"""{_QUOTED}|{_FLOW}|\*(?P<alias>[A-Za-z0-9_-]+)|{_PLAIN}"""
_LINE = re.compile(
    rf"""
    (?P<indent>[ ]*)
    (?:
        (?P<empty>[ \t]*(?:\#.*)?$)
      | (?P<dash>-[ ]+)?
        (?:
            (?P<key>[A-Za-z0-9_][\w./-]{{0,200}}|<<|'[^'\\]{{1,200}}'|"[^"\\]{{1,200}}"):(?=[ \t]|$)[ \t]*
            (?:&(?P<anchor>[A-Za-z0-9_-]+)(?:[ \t]+|$))?
            (?:(?P<block>[|>][-+]?)|(?P<value>{_VALUE})|)
          | (?P<item>{_QUOTED}|{_FLOW}|{_PLAIN})
        )
        (?:[ \t]+\#.*|[ \t]*)$
    )""",
    re.VERBOSE,
)
_ODD = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML forbids, what it takes for a line's end, and byte order marks."""

_MAPPING, _SEQUENCE = "mapping", "sequence"


@dataclass(frozen=True)
class Found:
    """A scalar in a text: ``text[start:end]`` is it, with its quotes. ``line`` counts from 1.

    ``value`` is what a YAML reader makes of it as text, ``style`` its quote (``'``, ``"`` or empty).
    """

    start: int
    end: int
    line: int
    value: str
    style: str


@dataclass(frozen=True)
class _Row:
    """One key of a mapping that is in no sequence. ``start`` and ``end`` are its value's (equal: none)."""

    line: int
    indent: int
    key: str
    start: int
    end: int


def scan(text: str, keys: Sequence[str]) -> Found | None:
    """The scalar at the path ``keys`` of nested mappings, or None when lines alone don't tell."""
    rows = _rows(text)
    if rows is None:
        return None
    low, high, indent = 0, len(rows), 0
    row = None
    for key in keys:
        level = [index for index in range(low, high) if rows[index].indent == indent]
        found = [index for index in level if rows[index].key == key]
        if len(found) != 1:
            return None
        row = rows[found[0]]
        low, high = found[0] + 1, next((each for each in level if each > found[0]), high)
        indent = rows[low].indent if low < high else -1
    return _spot(text, row) if row is not None and low == high else None


def _spot(text: str, row: _Row) -> Found | None:
    raw = text[row.start : row.end]
    if not raw or raw[0] in "*[{":
        return None
    if raw[0] not in "'\"":
        return Found(row.start, row.end, row.line, raw, "")
    inner = raw[1:-1]
    return Found(row.start, row.end, row.line, inner.replace("''", "'") if raw[0] == "'" else inner, raw[0])


def _rows(text: str) -> list[_Row] | None:
    """The keys of the text's one document that are in no sequence, or None: not of the plain kind."""
    begin = 1 if text.startswith("\ufeff") else 0
    if _ODD.search(text, begin):
        return None
    reader, rows, offset = _Reader(), [], begin
    for number, whole in enumerate(text[begin:].split("\n"), 1):
        line = whole.removesuffix("\r")
        if "\r" in line:
            return None
        if not (number == 1 and line.rstrip() == "---"):
            row = reader.read(line, offset, number)
            if row is False:
                return None
            if isinstance(row, _Row):
                rows.append(row)
        offset += len(whole) + 1
    return rows


class _Reader:
    """Reads line by line, keeping the collections that are open, and block text."""

    def __init__(self) -> None:
        self.open = [(0, _MAPPING)]
        self.expects = True
        """Whether the last key or item may still get a nested collection."""
        self.block = -1
        """The indent of the block text that is open, or -1; before its first line the least it may have."""
        self.block_over = 0
        """The least indent with which a line is still in the collection that holds the block text."""
        self.block_begins = False
        """Blank lines before the first of a block text decide its indent: those are the parser's."""
        self.anchors: set[str] = set()

    def read(self, line: str, offset: int, number: int) -> _Row | bool | None:
        """A key that is in no sequence, None for a line without one, False when it can't be told."""
        if self.block >= 0:
            inside = self._in_block(line)
            if inside is not None:
                return None if inside else False
        found = _LINE.match(line)
        if found is None:
            return False
        if found["empty"] is not None:
            return None
        indent, dash = len(found["indent"]), found["dash"]
        if not (self._item(indent) if dash else self._key(indent)):
            return False
        return self._content(found, indent + len(dash or ""), offset, number)

    def _in_block(self, line: str) -> bool | None:
        """True for a line of the open block text, None for the first one after it, False for neither."""
        if not line.strip():
            return not (line and self.block_begins)
        indent = len(line) - len(line.lstrip(" "))
        if self.block_begins and indent >= self.block:
            self.block, self.block_over = indent, self.block
        self.block_begins = False
        if indent >= self.block:
            return True
        over, self.block = self.block_over, -1
        return False if indent >= over else None

    def _key(self, indent: int) -> bool:
        """Whether a line without a dash may stand at ``indent``; closes what ends there."""
        while self.open and (self.open[-1][0] > indent or self.open[-1] == (indent, _SEQUENCE)):
            self.open.pop()
            self.expects = False
        if self.open and self.open[-1][0] < indent and self.expects:
            self.open.append((indent, _MAPPING))
        return bool(self.open) and self.open[-1] == (indent, _MAPPING)

    def _item(self, indent: int) -> bool:
        """The same for an item of a sequence, which may stand under its key without more indent."""
        while self.open and self.open[-1][0] > indent:
            self.open.pop()
            self.expects = False
        if self.open and self.open[-1] != (indent, _SEQUENCE) and self.expects:
            self.open.append((indent, _SEQUENCE))
        return bool(self.open) and self.open[-1] == (indent, _SEQUENCE)

    def _content(self, found: re.Match[str], column: int, offset: int, number: int) -> _Row | bool | None:
        if not self._anchors(found) or (found["item"] is not None and not found["dash"]):
            return False
        if found["item"] is not None:
            self.expects = False
            return None
        if found["dash"]:
            self.open.append((column, _MAPPING))
        if found["block"] is not None:
            self.block = self.block_over = column + 1
            self.block_begins = True
        self.expects = found["value"] is None and found["block"] is None
        if any(kind == _SEQUENCE for _, kind in self.open):
            return None
        start, end = found.span("value") if found["value"] is not None else (0, 0)
        key = found["key"]
        return _Row(number, column, key[1:-1] if key[0] in "'\"" else key, offset + start, offset + end)

    def _anchors(self, found: re.Match[str]) -> bool:
        if found["alias"] and found["alias"] not in self.anchors:
            return False
        if found["anchor"]:
            if found["anchor"] in self.anchors or found["alias"]:
                return False
            self.anchors.add(found["anchor"])
        return True
