"""Reading and editing versions in values files: only the bytes of that one scalar change.

Pure: bytes in, bytes out. The strategy's ``yq -i`` reflows the file, drops blank lines and may turn
``2026.10`` into a number; nothing here ever writes YAML, it replaces one token of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from promote_actions.errors import InputError, Location
from promote_actions.promotion import keypath
from promote_actions.promotion.scan import Found, scan

SIZE_LIMIT = 16 * 1024 * 1024
"""Bytes; a values file beyond this is a mistake."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@/-]*(?::[A-Za-z0-9][A-Za-z0-9._+@/-]*)?")
_NOT_TEXT = re.compile(
    r"""true|false|yes|no|on|off|y|n|null|nan|inf
      | [0-9][0-9_]*\.?[0-9_]*(?:e[-+]?[0-9]+)?     # 12, 2026.10, 1_000, 1e5
      | 0[xob][0-9a-f_]+
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*            # a date
      | [0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?  # sexagesimal, as YAML 1.1 has it
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Edit:
    """One change wanted: the scalar at ``path`` (as configured) becomes ``value``."""

    path: str
    value: str


@dataclass(frozen=True)
class Edited:
    """One change made: what stood at ``path`` on ``line`` before, and what stands there now."""

    path: str
    line: int
    before: str
    after: str


def read_scalar(data: bytes, path: str, file: str = "values.yaml", images: Sequence[str] = ()) -> str:
    """The text of the scalar at ``path`` in the file's bytes; raises :class:`InputError`."""
    return locate(decode(data, file), path, file, images).value


def edit(
    data: bytes, edits: Sequence[Edit], file: str = "values.yaml", images: Sequence[str] = ()
) -> tuple[bytes, tuple[Edited, ...]]:
    """``data`` with each of ``edits`` made, and what was changed (nothing that already holds).

    ``file`` is used in messages; ``images`` are the names by which ``[]`` in a path knows the
    service's image. Raises :class:`InputError` with file and line; never changes any other byte.
    """
    text = decode(data, file)
    places: list[tuple[Found, Edit]] = []
    for wanted in edits:
        found = locate(text, wanted.path, file, images)
        if found.value != wanted.value:
            places.append((found, wanted))
    for found, wanted in sorted(places, key=lambda place: place[0].start, reverse=True):
        text = text[: found.start] + render(found, wanted.value, file) + text[found.end :]
    done = tuple(Edited(wanted.path, found.line, found.value, wanted.value) for found, wanted in places)
    return text.encode(), done


def locate(text: str, path: str, file: str, images: Sequence[str] = ()) -> Found:
    """The scalar at ``path``: by lines where they tell, else by the parser; raises :class:`InputError`."""
    steps = keypath.parse(path)
    found = scan(text, steps.keys) if steps.keys else None
    if found is None:
        from promote_actions.promotion.locate import parse_and_locate

        found = parse_and_locate(text, steps, file, images)
    return found


def decode(data: bytes, file: str) -> str:
    """The text of a values file; a byte order mark stays in it as its first character."""
    if len(data) > SIZE_LIMIT:
        raise InputError(f"larger than {SIZE_LIMIT // 2**20} MiB", where=Location(file))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError("not UTF-8 text", hint="save it as UTF-8", where=Location(file, line)) from None


def render(found: Found, value: str, file: str) -> str:
    """``value`` as a YAML scalar in the style of the one it replaces; a number's look gets quotes."""
    if re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", value):
        raise InputError(f"{value!r} can't stand in a values file", where=Location(file, found.line))
    if found.style == "'":
        return "'" + value.replace("'", "''") + "'"
    if found.style == "" and is_plain_text(value):
        rendered = value
    else:
        rendered = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return " " + rendered if found.start == found.end else rendered


def is_plain_text(value: str) -> bool:
    """Whether ``value`` written without quotes is text to YAML 1.1 and YAML 1.2 readers alike."""
    return bool(_PLAIN.fullmatch(value)) and not _NOT_TEXT.fullmatch(value)
