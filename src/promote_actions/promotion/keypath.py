"""Paths inside a values file: ``image.tag``, ``images[].newTag``, ``[kind=Deployment].spec.image``.

A path is keys joined by dots; a key that holds a dot or a bracket is written in double quotes.
After a key may stand a selector for an item of a sequence: ``[0]`` by position, ``[name=api]`` by the
value of a key, ``[]`` for the item of the service's own image. A selector at the very beginning
chooses a document of a file that holds several.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from promote_actions.errors import InputError


@dataclass(frozen=True)
class Key:
    """A key of a mapping."""

    name: str

    def __str__(self) -> str:
        return f'"{self.name}"' if re.search(r'[.\[\]"]', self.name) else self.name


@dataclass(frozen=True)
class Select:
    """An item of a sequence: at ``index``, or with ``field`` equal to ``value``, or our own image's."""

    index: int | None = None
    field: str = ""
    value: str = ""

    @property
    def own_image(self) -> bool:
        return self.index is None and not self.field

    def __str__(self) -> str:
        if self.index is not None:
            return f"[{self.index}]"
        return f"[{self.field}={self.value}]" if self.field else "[]"


@dataclass(frozen=True)
class KeyPath:
    """A parsed path. ``str()`` gives it back as it is written."""

    steps: tuple[Key | Select, ...]

    def __str__(self) -> str:
        text = ""
        for step in self.steps:
            text += ("." if text and isinstance(step, Key) else "") + str(step)
        return text

    @property
    def keys(self) -> tuple[str, ...] | None:
        """The names of the keys when the path consists of keys alone, else None."""
        names = tuple(step.name for step in self.steps if isinstance(step, Key))
        return names if len(names) == len(self.steps) else None


_STEP = re.compile(
    r"""\[(?:(?P<index>[0-9]{1,6})|(?P<field>[^\]=\["]{1,100})=(?P<value>[^\]\["]{1,300}))?(?P<close>\])
      | (?P<dot>\.)?(?:"(?P<quoted>[^"]{1,200})"|(?P<plain>[^.\[\]"\s][^.\[\]"]{0,199}))""",
    re.VERBOSE,
)


def parse(text: str) -> KeyPath:
    """The path written as ``text``; raises :class:`InputError` when it isn't one."""
    steps: list[Key | Select] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None or bool(found["dot"]) != (bool(steps) and not found["close"]):
            break
        steps.append(_step(found))
        position = found.end()
    if not steps or position < len(text) or not isinstance(steps[-1], Key):
        raise InputError(
            f"'{text[:80]}' is not a path into a values file",
            hint="write keys joined by dots, such as image.tag or images[name=api].newTag",
        )
    return KeyPath(tuple(steps))


def _step(found: re.Match[str]) -> Key | Select:
    if not found["close"]:
        return Key(found["quoted"] or found["plain"])
    if found["index"] is not None:
        return Select(index=int(found["index"]))
    return Select(field=(found["field"] or "").strip(), value=(found["value"] or "").strip())
