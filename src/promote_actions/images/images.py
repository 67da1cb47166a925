"""``images``: the names under which the image is published.

The input of that name of docker/metadata-action
(https://github.com/docker/metadata-action#images-input).
"""

from __future__ import annotations

from collections.abc import Iterable

from promote_actions.errors import InputError, one_line
from promote_actions.images.expressions import Scope, render
from promote_actions.images.fields import split_fields, split_pair
from promote_actions.images.names import check_image


def image_names(lines: Iterable[str], scope: Scope) -> tuple[str, ...]:
    """The enabled images of ``lines``, in lower case, each once; empty when there are no lines.

    A line is ``name/app``, several names parted by commas, or ``name=name/app,enable=true``. Raises
    :class:`InputError` for a name that is none, and when every image is disabled.
    """
    names: dict[str, None] = {}
    given = False
    for line in lines:
        given = True
        found, enabled = _parse(line, scope)
        if enabled:
            names.update(dict.fromkeys(found))
    if given and not names:
        raise InputError(
            "images: every image is disabled, so there is nothing to tag",
            hint="leave `images` empty for tags without a name, or enable one",
        )
    return tuple(names)


def _parse(line: str, scope: Scope) -> tuple[list[str], bool]:
    names: list[str] = []
    enabled = "true"
    for field in split_fields(line, "images"):
        key, value = split_pair(field) or ("", field.strip())
        if key == "enable":
            enabled = render(value, scope, f"images: '{one_line(line[:100])}'")
        elif key == "name":
            names = [value]
        elif key:
            raise _wrong(line, f"there is no attribute '{one_line(key[:40])}'")
        else:
            names.append(value)
    if enabled not in ("true", "false"):
        raise _wrong(line, f"enable is '{one_line(enabled[:40])}'")
    if not names:
        raise _wrong(line, "there is no name")
    return [check_image(name) for name in names], enabled == "true"


def _wrong(line: str, why: str) -> InputError:
    return InputError(
        f"images: {why} in '{one_line(line[:120])}'",
        hint="write name/app or name=name/app,enable=true",
    )
