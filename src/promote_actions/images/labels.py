"""OCI labels and annotations: what the image is, where it comes from, and what a caller adds.

Keys: https://github.com/opencontainers/image-spec/blob/main/annotations.md. Which ones, their order
and how they are overridden are as docker/metadata-action documents them
(https://github.com/docker/metadata-action#overwrite-labels-and-annotations). Everything comes from
the event's payload and the environment, nothing from the network.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from promote_actions.errors import InputError, one_line
from promote_actions.images.context import Build, text_at
from promote_actions.images.expressions import Scope, render
from promote_actions.images.fields import unquote_line

LEVELS = ("manifest", "index", "manifest-descriptor", "index-descriptor")
"""Where BuildKit can attach an annotation (https://docs.docker.com/build/metadata/annotations/)."""

Pairs = tuple[tuple[str, str], ...]
"""Keys and values, in the order in which they are written."""

_ORDER = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
_RANKS = {ord(char): rank + 1 for rank, char in enumerate(_ORDER)}


def timestamp(epoch: float) -> str:
    """``epoch`` (seconds since 1970) as RFC 3339 in UTC, to the millisecond."""
    try:
        day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(epoch // 1)))
    except (ValueError, OverflowError, OSError):
        raise InputError(
            f"{epoch:g} s is no date", hint="give seconds since 1970 or an ISO 8601 date"
        ) from None
    return f"{day}.{int(epoch % 1 * 1000):03}Z"


def labels_of(build: Build, version: str, created: str) -> Pairs:
    """The labels that every image gets, sorted by key. ``created`` is a timestamp."""
    url = text_at(build.payload, "repository", "html_url")
    if not url and build.repository:
        url = f"{build.server}/{build.repository}"
    values = {
        "title": text_at(build.payload, "repository", "name") or build.repository.rpartition("/")[2],
        "description": text_at(build.payload, "repository", "description"),
        "url": url,
        "source": url,
        "version": version,
        "created": created,
        "revision": build.sha,
        "licenses": text_at(build.payload, "repository", "license", "spdx_id"),
    }
    return tuple(
        (f"org.opencontainers.image.{key}", _plain(value)) for key, value in sorted(values.items())
    )


def overridden(pairs: Pairs, lines: Iterable[str], scope: Scope, what: str) -> tuple[Pairs, list[str]]:
    """``pairs`` with the ``key=value`` of ``lines`` put over them, sorted; and notes for a warning.

    Expressions in a line are replaced first. A line without ``=`` does nothing but leave a note.
    """
    merged = dict(pairs)
    notes: list[str] = []
    for line in lines:
        rendered = render(unquote_line(line), scope, f"{what}: '{one_line(line[:100])}'")
        key, equals, value = rendered.partition("=")
        if equals:
            merged[key] = _plain(value)
        else:
            notes.append(f"{what}: '{one_line(line[:80])}' has no '=' and is left out")
    return tuple(sorted(merged.items(), key=lambda pair: collation_key(pair[0]))), notes


def with_levels(pairs: Pairs, levels: Sequence[str]) -> tuple[str, ...]:
    """Annotations as buildx takes them, ``level:key=value``, for each of ``levels`` in turn."""
    return tuple(f"{level}:{key}={value}" for level in levels for key, value in pairs)


def check_levels(levels: Sequence[str]) -> tuple[str, ...]:
    """``levels`` themselves; raises :class:`InputError` for one that BuildKit doesn't know."""
    for level in levels:
        name, bracket, platform = level.partition("[")
        if name not in LEVELS or (bracket and not platform.endswith("]")):
            raise InputError(
                f"there is no annotation level '{one_line(level[:60])}'",
                hint=f"use {', '.join(LEVELS)}, with a platform if need be: manifest[linux/arm64]",
            )
    return tuple(levels) or ("manifest",)


def collation_key(text: str) -> tuple[Any, ...]:
    """Sorts as Unicode's root collation does for ASCII: ``a`` before ``B``, ``_`` before ``-``."""
    return text.lower().translate(_RANKS), tuple(map(str.isupper, text)), text


def _plain(value: str) -> str:
    """``value`` on one line: a line break in it would begin a label of its own."""
    return "".join(char if char.isprintable() or char == "\t" else " " for char in value)
