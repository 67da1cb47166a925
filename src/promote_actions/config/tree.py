"""YAML text as plain values that remember where they stand, for messages with file, line and column.

Built from the parser's events, which are read one by one: nesting, aliases and size have limits, so
that a hostile file costs no more than a long one. Scalars follow YAML 1.2's core schema: ``yes`` and
``on`` are texts, ``2026.10`` is a number, and nothing is ever a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from promote_actions.errors import InputError, Location

SIZE_LIMIT = 1 << 20
"""Bytes of a configuration at most."""

NODE_LIMIT = 50_000
"""Values at most, counted after aliases are expanded: an alias bomb ends here."""

DEPTH_LIMIT = 40
"""Levels of nesting at most."""

Path = tuple[str | int, ...]
Place = tuple[int, int]

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,2})?")
_CONSTANTS = {"": None, "~": None, "true": True, "false": False} | {
    spelling: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelling in (word, word.capitalize(), word.upper())
}


@dataclass
class _Node:
    """A value of the file: ``pairs`` of a mapping, ``entries`` of a sequence, or neither."""

    place: Place
    value: object = None
    key: str | None = None
    merge: bool = False
    pairs: list[tuple[_Node, _Node]] | None = None
    entries: list[_Node] | None = None
    whole: bool = True


@dataclass(frozen=True)
class Tree:
    """A YAML document: its plain ``value``, and the line and column of each value and key by path."""

    source: str
    value: Any = None
    places: Mapping[Path, Place] = field(default_factory=dict)
    keys: Mapping[Path, Place] = field(default_factory=dict)

    def where(self, path: Path, *, key: bool = False) -> Location:
        """The place of the value at ``path`` (or of its key); the nearest known one above it."""
        if key and path in self.keys:
            return Location(self.source, *self.keys[path])
        while path not in self.places and path:
            path = path[:-1]
        return Location(self.source, *self.places.get(path, (0, 0)))

    def fail(self, path: Path, message: str, hint: str, *, key: bool = False) -> NoReturn:
        """Raise the InputError that ``message`` at ``path`` is."""
        raise InputError(message, hint=hint, where=self.where(path, key=key))


def read(data: bytes, source: str) -> Tree:
    """The one document in ``data``; ``source`` is the file's name in messages.

    Raises :class:`InputError` with line and column for anything that is not one document of plain
    YAML: bad syntax, a second document, a duplicate key, a tag, an unknown or endless alias.
    """
    if len(data) > SIZE_LIMIT:
        raise InputError(
            f"the file has {len(data)} bytes",
            hint=f"keep it under {SIZE_LIMIT >> 20} MiB",
            where=Location(source),
        )
    root = _Composer(source, _decode(data, source)).document()
    if root is None:
        return Tree(source)
    expander = _Expander(source)
    value = expander.value(root, ())
    return Tree(source, value, expander.places, expander.keys)


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            "the file is not UTF-8", hint="save it as UTF-8", where=Location(source, line)
        ) from None


class _Composer:
    """Makes nodes of a parser's events. Not recursive: a stack holds the open collections."""

    def __init__(self, source: str, text: str) -> None:
        self.source = source
        self.text = text
        self.anchors: dict[str, _Node] = {}
        self.open: list[tuple[_Node, list[_Node]]] = []
        self.root: _Node | None = None
        self.count = 0

    def document(self) -> _Node | None:
        documents = 0
        for event in self._events():
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    self._fail(event, "a second document begins here", "keep one document in the file")
            elif kind in ("MappingStartEvent", "SequenceStartEvent", "ScalarEvent", "AliasEvent"):
                self._begin(event, kind)
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                self._end(event)
        return self.root

    def _events(self) -> Iterator[Any]:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            yield from YAML(typ="safe", pure=True).parse(self.text)
        except InputError:
            raise
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            raise self._syntax(str(error.problem or error.context or "bad syntax"), place) from None
        except YAMLError as error:
            position = getattr(error, "position", None)
            place = _place_at(self.text, position) if isinstance(position, int) else (0, 0)
            raise self._syntax(f"{error}".partition("\n")[0], place) from None
        except Exception as error:  # noqa: BLE001 - the parser raises other kinds on hostile text
            raise self._syntax(f"it cannot be parsed ({type(error).__name__})", (0, 0)) from None

    def _syntax(self, problem: str, place: Place) -> InputError:
        if "'\\t'" in problem:
            problem, hint = "a tab is used for indentation", "indent with spaces"
        else:
            hint = "mend the YAML syntax"
        return InputError(
            f"not valid YAML: {problem[:200]}", hint=hint, where=Location(self.source, *place)
        )

    def _begin(self, event: Any, kind: str) -> None:
        self.count += 1
        if self.count > NODE_LIMIT:
            self._fail(event, f"more than {NODE_LIMIT} values", "make the file smaller")
        if kind == "AliasEvent":
            self._add(self._alias(event))
            return
        node = self._node(event, kind)
        if event.anchor:
            self.anchors[str(event.anchor)] = node
        if kind == "ScalarEvent":
            self._add(node)
            return
        node.whole = False
        self.open.append((node, []))
        if len(self.open) > DEPTH_LIMIT:
            self._fail(event, f"nested more than {DEPTH_LIMIT} levels deep", "make it flatter")

    def _node(self, event: Any, kind: str) -> _Node:
        place = _place(event)
        tag = str(event.tag) if event.tag else ""
        if tag not in ("", "!", "tag:yaml.org,2002:str"):
            self._fail(event, f"the tag '{tag[:60]}' is not understood", "remove it")
        if kind != "ScalarEvent":
            return _Node(place)
        plain = event.style in (None, "") and not tag
        value = _scalar(event.value) if plain else str(event.value)
        return _Node(place, value, str(event.value), merge=plain and event.value == "<<")

    def _alias(self, event: Any) -> _Node:
        name = str(event.anchor)
        node = self.anchors.get(name)
        if node is None:
            self._fail(event, f"the alias '*{name[:60]}' has no anchor", f"write &{name[:60]} before it")
        if not node.whole:
            self._fail(event, f"the alias '*{name[:60]}' contains itself", "write the value out")
        return node

    def _add(self, node: _Node) -> None:
        if self.open:
            self.open[-1][1].append(node)
        else:
            self.root = node

    def _end(self, event: Any) -> None:
        node, children = self.open.pop()
        if type(event).__name__ == "SequenceEndEvent":
            node.entries = children
        else:
            node.pairs = list(zip(children[::2], children[1::2], strict=True))
        node.whole = True
        self._add(node)

    def _fail(self, event: Any, message: str, hint: str) -> NoReturn:
        raise InputError(message, hint=hint, where=Location(self.source, *_place(event)))


class _Expander:
    """Turns nodes into plain values, writing down where each stands."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.places: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.count = 0

    def value(self, node: _Node, path: Path) -> object:
        self.count += 1
        if self.count > NODE_LIMIT or len(path) > DEPTH_LIMIT:
            self._fail(node, "the aliases expand to too much", "write fewer of them")
        self.places[path] = node.place
        if node.entries is not None:
            return [self.value(entry, (*path, index)) for index, entry in enumerate(node.entries)]
        if node.pairs is None:
            return node.value
        return {
            key: self._pair(key_node, value, (*path, key))
            for key, (key_node, value) in self._pairs(node, 0).items()
        }

    def _pair(self, key: _Node, value: _Node, path: Path) -> object:
        self.keys[path] = key.place
        return self.value(value, path)

    def _pairs(self, node: _Node, depth: int) -> dict[str, tuple[_Node, _Node]]:
        """The pairs of a mapping by key, merge keys (``<<``) resolved; its own pairs win."""
        own: dict[str, tuple[_Node, _Node]] = {}
        merged: dict[str, tuple[_Node, _Node]] = {}
        for key, value in node.pairs or ():
            self.count += 1
            if self.count > NODE_LIMIT or depth > DEPTH_LIMIT:
                self._fail(key, "the aliases expand to too much", "write fewer of them")
            if key.merge:
                for source in value.entries if value.entries is not None else [value]:
                    if source.pairs is None:
                        self._fail(value, "'<<' merges something that is no mapping", "give it a mapping")
                    merged = self._pairs(source, depth + 1) | merged
                continue
            if key.key is None:
                self._fail(key, "a key that is no text", "use a word as key")
            if key.key in own:
                self._fail(key, f"the key '{key.key[:60]}' is given twice", "keep one of them")
            own[key.key] = (key, value)
        return own | {key: pair for key, pair in merged.items() if key not in own}

    def _fail(self, node: _Node, message: str, hint: str) -> NoReturn:
        raise InputError(message, hint=hint, where=Location(self.source, *node.place))


def _scalar(text: str) -> object:
    """A plain scalar's value in YAML 1.2's core schema, as far as a configuration needs it."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _place_at(text: str, index: int) -> Place:
    before = text[:index]
    return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1
