"""Lines of the rule language as fields: comma-separated, with double quotes around a field.

The language is the one that docker/metadata-action documents
(https://github.com/docker/metadata-action#tags-input). Quoting follows RFC 4180, on one line.
"""

from __future__ import annotations

from collections.abc import Iterable

from promote_actions.errors import InputError, one_line


def without_comments(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines that are neither empty nor comments; a comment has ``#`` as its first character."""
    stripped = (line.strip() for line in lines)
    return tuple(line for line in stripped if line and not line.startswith("#"))


def split_fields(line: str, what: str) -> list[str]:
    """The fields of ``line``; ``what`` names the input in the message of an :class:`InputError`.

    A double quote that doesn't begin a field is a character like any other. A field that is quoted
    twice (the whole quoted field in quotes again) loses both pairs: that is how a comma has to be
    written for docker/metadata-action, which reads such a line twice.
    """
    fields: list[str] = []
    rest = line
    while True:
        if rest.startswith('"'):
            field, rest = _quoted(rest, line, what)
        else:
            field, comma, rest = rest.partition(",")
            rest = comma + rest
        fields.append(field)
        if not rest:
            return fields
        rest = rest[1:]


def _quoted(text: str, line: str, what: str) -> tuple[str, str]:
    """The field that ``text`` begins with, unquoted, and what follows it (empty, or from a comma on)."""
    end = 1
    while True:
        end = text.find('"', end)
        if end < 0:
            raise _malformed(line, what, "a double quote is never closed")
        if not text.startswith('""', end):
            break
        end += 2
    field, rest = text[1:end].replace('""', '"'), text[end + 1 :]
    if rest and not rest.startswith(","):
        raise _malformed(line, what, "something follows a closing double quote")
    if len(field) > 1 and field.startswith('"') and field.endswith('"'):
        field = field[1:-1].replace('""', '"')
    return field, rest


def split_pair(field: str) -> tuple[str, str] | None:
    """Key (in lower case) and value of ``key=value``, both stripped; None for a bare value.

    An equals sign inside an expression (``{{date 'YYYY' tz='UTC'}}``) parts nothing.
    """
    key, equals, value = field.partition("=")
    if not equals or not key or "{{" in key:
        return None
    return key.strip().lower(), value.strip()


def unquote_line(line: str) -> str:
    """A label's line without the double quotes around its comma-separated parts, if it has any.

    ``"key=a, b"`` is ``key=a, b``. Quotes anywhere else belong to the value.
    """
    if not line.startswith('"'):
        return line
    try:
        return ",".join(split_fields(line, "labels"))
    except InputError:
        return line


def _malformed(line: str, what: str, why: str) -> InputError:
    return InputError(
        f"{what}: {why} in '{one_line(line[:120])}'",
        hint='put double quotes around the whole field ("pattern=a,b") and double those inside it',
    )
