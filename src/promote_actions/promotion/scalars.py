"""Whether a change of a values file touches the promoted scalars and not one other byte. Pure.

A person may have edited by hand, as the strategy does with ``yq``; any quotes that read as the same text
will do, but a reflowed file, a dropped blank line or a changed replica count is no promotion.
"""

from __future__ import annotations

from collections.abc import Sequence

from promote_actions.config.model import Values
from promote_actions.errors import InputError, Location
from promote_actions.promotion.scan import Found
from promote_actions.promotion.values import decode, is_plain_text, locate


def other_change(
    before: bytes, after: bytes, values: Values, file: str, images: Sequence[str] = ()
) -> InputError | None:
    """What ``after`` changes beside the scalars that ``values`` names, or None when that is nothing.

    A version without quotes that Helm would read as a number is such a change too.
    """
    old, new = decode(before, file), decode(after, file)
    paths = dict.fromkeys((*values.image_tag, *values.image_digest))
    was = [locate(old, path, file, images) for path in paths]
    now = [locate(new, path, file, images) for path in paths]
    rest, left = _without(old, was), _without(new, now)
    if rest != left:
        line = _first_difference(rest, left)
        return InputError(
            f"more than {' and '.join(paths)} is changed",
            hint="change nothing else here (yq reflows a file; promote doesn't), or update the branch",
            where=Location(file, line),
        )
    for found in now:
        if not found.style and found.value and not is_plain_text(found.value):
            return InputError(
                f"{found.value} without quotes is read as something else than text",
                hint=f'write "{found.value}"',
                where=Location(file, found.line),
            )
    return None


def _without(text: str, places: Sequence[Found]) -> str:
    """``text`` with a mark instead of each scalar; a mark that the text can't hold."""
    for found in sorted(places, key=lambda place: place.start, reverse=True):
        start = found.start
        while start and text[start - 1] == " ":  # an empty value has no blank of its own before it
            start -= 1
        text = f"{text[:start]}\0{text[found.end :]}"
    return text


def _first_difference(one: str, other: str) -> int:
    """The line in which two texts begin to differ, counted in the second."""
    length = min(len(one), len(other))
    at = next((index for index in range(length) if one[index] != other[index]), length)
    return other.count("\n", 0, at) + 1
