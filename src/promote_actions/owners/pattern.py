"""One CODEOWNERS pattern: what GitHub's dialect of gitignore makes of it, and which paths it matches.

Pure. A pattern becomes a row of path segments with "any number of folders" between them, and is matched
from left to right without going back more than one step, so that no pattern is slow on any path.

Source: GitHub's "About code owners" (syntax and its exceptions) and git's gitignore(5), which it refers
to. Where they differ GitHub holds: a pattern that ends in ``/*`` reaches one level down and no further.
Where neither says, the choice is stated in ``docs/owners.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

STAR = -1
ONE = -2
_DOT = ord(".")
_UNLIKELY = b"\x01\x02"


class PatternError(Exception):
    """A pattern that GitHub rejects: what is wrong, what to write, and where (characters from 0)."""

    def __init__(self, message: str, suggestion: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion
        self.offset = offset


class Tail(Enum):
    """What may follow the part of a path that a pattern spells out."""

    EXACT = "nothing: the path ends there"
    INSIDE = "something: only what is inside that folder"
    BOTH = "either: a file of that name, or everything inside a folder of that name"


@dataclass(frozen=True)
class Segment:
    """A pattern between two slashes: bytes, ``STAR`` (any run of bytes) and ``ONE`` (one byte)."""

    tokens: tuple[int, ...]

    @cached_property
    def literal(self) -> bytes | None:
        """The one name that this segment matches, or None when it holds a wildcard."""
        return bytes(self.tokens) if min(self.tokens, default=0) >= 0 else None

    @cached_property
    def example(self) -> bytes:
        """One name that this segment matches."""
        return b"".join(
            _UNLIKELY if t == STAR else b"\x01" if t == ONE else bytes((t,)) for t in self.tokens
        )

    @cached_property
    def _pieces(self) -> tuple[bytes | tuple[int, ...], ...]:
        return tuple(_piece(part) for part in _split(self.tokens))

    @cached_property
    def _shortest(self) -> int:
        return sum(token != STAR for token in self.tokens)

    def matches(self, name: bytes) -> bool:
        """Whether this segment matches the whole of one name in a path."""
        if self.literal is not None:
            return name == self.literal
        if len(name) < self._shortest:
            return False
        first, *rest = self._pieces
        if not rest:
            return len(name) == len(first) and _at(first, name, 0)
        *middle, last = rest
        end = len(name) - len(last)
        if not (_at(first, name, 0) and _at(last, name, end)):
            return False
        position = len(first)
        for piece in middle:
            # The leftmost place is always as good as any later one: no choice to come back to.
            position = _after(piece, name, position, end)
            if position < 0:
                return False
        return True


ANY_NAME = Segment((STAR,))


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern. ``items`` are segments, and None for "any number of folders".

    ``never`` is true for a pattern that no path in a repository can match (``/``, ``./x``, ``a//b``).
    """

    text: str
    items: tuple[Segment | None, ...]
    tail: Tail
    never: bool = False

    @cached_property
    def _chunks(self) -> tuple[tuple[Segment, ...], ...]:
        chunks: list[list[Segment]] = [[]]
        for item in self.items:
            if item is None:
                chunks.append([])
            else:
                chunks[-1].append(item)
        return tuple(tuple(chunk) for chunk in chunks)

    @cached_property
    def _least(self) -> int:
        return sum(map(len, self._chunks))

    @cached_property
    def example(self) -> str:
        """One path that this pattern matches (when any does), made of unlikely names."""
        names = [_UNLIKELY if item is None else item.example for item in self.items]
        return b"/".join(names if self.tail is Tail.EXACT else [*names, _UNLIKELY]).decode(
            "utf-8", "surrogateescape"
        )

    def matches(self, path: str) -> bool:
        """Whether the file at ``path`` (relative to the repository's root, ``/`` between) is meant."""
        return self.matches_names(split_path(path))

    def matches_names(self, names: Sequence[bytes]) -> bool:
        """As :meth:`matches`, for a path that :func:`split_path` has taken apart."""
        if self.never or len(names) < self._least:
            return False
        position = 0
        for index, chunk in enumerate(self._chunks):
            if self.tail is Tail.EXACT and index == len(self._chunks) - 1:
                start = len(names) - len(chunk)
                right_place = start >= position if index else start == position
                return right_place and _here(chunk, names, start)
            # The first chunk stands at the root; those after "any folders" at their leftmost place.
            position = _seek(chunk, names, position, len(names) if index else position + len(chunk))
            if position < 0:
                return False
        return self.tail is Tail.BOTH or position < len(names)


def split_path(path: str) -> tuple[bytes, ...]:
    """The names in ``path`` as bytes: patterns match bytes, as git does."""
    return tuple(_bytes(path).split(b"/"))


def compile_pattern(text: str) -> Pattern:
    """The pattern ``text`` as it stands in a CODEOWNERS line; raises :class:`PatternError`."""
    if text.startswith("!"):
        raise PatternError(
            "there are no '!' exceptions in CODEOWNERS",
            f"write '{text[1:]}' without an owner on a later line",
        )
    parts = _segments(text)
    folder_only = len(parts) > 1 and not parts[-1]
    if folder_only:
        parts.pop()
    anchored = len(parts) > 1
    if anchored and not parts[0]:
        parts.pop(0)
    never = any(part in ([], [_DOT], [_DOT, _DOT]) for part in parts)
    one_level = not folder_only and parts[-1] == [STAR]
    items = [None if part == [STAR, STAR] else _segment(part) for part in parts]
    if not anchored:
        items.insert(0, None)
    tail = Tail.INSIDE if folder_only else Tail.EXACT if one_level else Tail.BOTH
    if items[-1] is None:
        while items and items[-1] is None:
            items.pop()
        if folder_only:
            items.append(ANY_NAME)
        tail = Tail.INSIDE
    kept = tuple(item for at, item in enumerate(items) if item or items[at - 1 : at] != [None])
    return Pattern(text, kept, tail, never)


def _segments(text: str) -> list[list[int]]:
    """``text`` cut at its slashes, with wildcards and escapes read; raises :class:`PatternError`."""
    parts: list[list[int]] = [[]]
    escaped = False
    for offset, char in enumerate(text):
        if char == "#":
            raise PatternError(
                "a '#' inside a pattern cannot be written in CODEOWNERS, not even as '\\#'",
                "write '?' in its place, or a blank before it if it begins a comment",
                offset,
            )
        if char == "/":
            parts.append([])
        elif escaped:
            parts[-1] += _bytes(char)
        elif char in "[]":
            raise PatternError(
                f"there are no '[ ]' ranges in CODEOWNERS, and '{char}' is not escaped",
                f"write '\\{char}' for the character itself, or one line for each name",
                offset,
            )
        elif char != "\\":
            parts[-1] += [STAR] if char == "*" else [ONE] if char == "?" else _bytes(char)
            if parts[-1][-3:] == [STAR, STAR, STAR]:
                raise PatternError("three asterisks in a row", "write '**'", offset - 2)
        escaped = char == "\\" and not escaped
    if escaped:
        raise PatternError(
            "the pattern ends in a backslash that escapes nothing", "remove it", len(text) - 1
        )
    return parts


def _segment(part: Sequence[int]) -> Segment:
    # Asterisks in a row next to other characters are one asterisk (gitignore(5)).
    return Segment(
        tuple(t for index, t in enumerate(part) if t != STAR or part[index - 1 : index] != [STAR])
    )


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _split(tokens: Sequence[int]) -> list[list[int]]:
    parts: list[list[int]] = [[]]
    for token in tokens:
        if token == STAR:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _piece(tokens: Sequence[int]) -> bytes | tuple[int, ...]:
    return tuple(tokens) if ONE in tokens else bytes(tokens)


def _at(piece: bytes | tuple[int, ...], name: bytes, start: int) -> bool:
    if isinstance(piece, bytes):
        return name.startswith(piece, start)
    return all(token in (ONE, name[start + index]) for index, token in enumerate(piece))


def _after(piece: bytes | tuple[int, ...], name: bytes, start: int, end: int) -> int:
    """The position after the leftmost ``piece`` in ``name[start:end]``, or -1."""
    if isinstance(piece, bytes):
        found = name.find(piece, start, end)
        return found + len(piece) if found >= 0 else -1
    for place in range(start, end - len(piece) + 1):
        if _at(piece, name, place):
            return place + len(piece)
    return -1


def _here(chunk: Sequence[Segment], names: Sequence[bytes], start: int) -> bool:
    return all(segment.matches(names[start + index]) for index, segment in enumerate(chunk))


def _seek(chunk: Sequence[Segment], names: Sequence[bytes], start: int, end: int) -> int:
    """The position after the leftmost ``chunk`` in ``names[start:end]``, or -1."""
    for place in range(start, min(end, len(names)) - len(chunk) + 1):
        if _here(chunk, names, place):
            return place + len(chunk)
    return -1
