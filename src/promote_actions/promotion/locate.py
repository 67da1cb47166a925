"""Finding the one scalar that a path means, with ruamel.yaml's parser and its marks.

The nodes that the parser composes know where in the text they begin and end; nothing is ever
dumped, so nothing else in the file can change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from promote_actions.errors import InputError, Location
from promote_actions.promotion.keypath import Key, KeyPath, Select
from promote_actions.promotion.scan import Found

_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)*")
_SEPARATING_TABS = re.compile(r"^[ \t]*(?:#.*)?\r?$|(?<=\S)[ \t]+", re.MULTILINE)
"""Tabs that YAML allows and ruamel.yaml's scanner does not; a space instead moves no mark."""

_SHOWN_KEYS = 12


def documents(text: str, file: str) -> list[Node]:
    """The root nodes of the documents in ``text``; raises :class:`InputError` with the place."""
    try:
        return _compose(text, file)
    except InputError:
        softened = _SEPARATING_TABS.sub(lambda found: found[0].replace("\t", " "), text)
        if softened == text:
            raise
        return _compose(softened, file)


def _compose(text: str, file: str) -> list[Node]:
    try:
        return [node for node in YAML(typ="safe", pure=True).compose_all(text) if node is not None]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)
        raise InputError(f"not YAML: {error.problem or error.context}", where=where) from None
    except (YAMLError, RecursionError, ValueError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else _first_line(error)
        raise InputError(f"not YAML: {reason}", where=Location(file)) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def parse_and_locate(text: str, path: KeyPath, file: str, images: Sequence[str] = ()) -> Found:
    """The scalar at ``path``; ``images`` are the names by which ``[]`` knows the service's own image.

    Raises :class:`InputError` when there is none, when there are several, or when it is not a
    scalar that can be edited in place.
    """
    node, before = _resolve(documents(text, file), path, file, images)
    where = Location(file, node.start_mark.line + 1, node.start_mark.column + 1)
    if node.start_mark.index < before:
        raise InputError(
            f"{path} is an alias (*) of an anchor elsewhere",
            hint="write the value itself there, so that a promotion changes this place alone",
            where=Location(file, text.count("\n", 0, before) + 1),
        )
    if not isinstance(node, ScalarNode):
        raise InputError(f"{path} is not a single value", hint="point at the tag itself", where=where)
    if node.style in ("|", ">"):
        raise InputError(f"{path} is a block text", hint="write it on one line", where=where)
    start, end = node.start_mark.index, node.end_mark.index
    properties = _PROPERTIES.match(text, start, end)
    start = properties.end() if properties else start
    value, style = str(node.value), node.style or ""
    if not value and not style:
        start = end = _after_colon(text, before, path, where)
    return Found(start, end, text.count("\n", 0, start) + 1, value, style)


def _after_colon(text: str, key_end: int, path: KeyPath, where: Location) -> int:
    """Where the value of a key without one belongs: the marks of an empty scalar say nothing."""
    colon = re.compile(r"[ \t]*:(?=[ \t]*(?:#|[\r\n,}]|$))").match(text, key_end)
    if colon is None:
        raise InputError(f"{path} has no value", hint="write it as `key: value`", where=where)
    return colon.end()


def _resolve(roots: list[Node], path: KeyPath, file: str, images: Sequence[str]) -> tuple[Node, int]:
    steps = path.steps
    if isinstance(steps[0], Select):
        roots = [_pick(roots, steps[0], path, Location(file), images)]
        steps = steps[1:]
    walks = [_try_walk(root, steps, path, file, images) for root in roots]
    reached = [walk for walk in walks if not isinstance(walk, _Missing)]
    missing = next((walk for walk in walks if isinstance(walk, _Missing)), None)
    if len(reached) > 1:
        places = ", ".join(str(node.start_mark.line + 1) for node, _ in reached)
        raise InputError(
            f"{path} is in {len(reached)} documents of the file (lines {places})",
            hint=f"choose one, such as [0].{path} or [kind=Deployment].{path}",
            where=Location(file),
        )
    if not reached:
        raise missing or InputError("the file is empty", hint=f"add {path}", where=Location(file))
    return reached[0]


class _Missing(InputError):
    """The path ends early in this document; another one may have it."""


def _try_walk(
    node: Node, steps: Sequence[Key | Select], path: KeyPath, file: str, images: Sequence[str]
) -> tuple[Node, int] | _Missing:
    try:
        return _walk(node, steps, path, file, images)
    except _Missing as missing:
        return missing


def _walk(
    node: Node, steps: Iterable[Key | Select], path: KeyPath, file: str, images: Sequence[str]
) -> tuple[Node, int]:
    before = 0
    for step in steps:
        where = Location(file, node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(step, Select):
            if not isinstance(node, SequenceNode):
                raise _Missing(f"{path}: {step} needs a list there", where=where)
            node = _pick(node.value, step, path, where, images)
            continue
        if not isinstance(node, MappingNode):
            raise _Missing(f"{path}: there is no mapping that could hold '{step}'", where=where)
        before, node = _value(node, step, path, where)
    return node, before


def _value(node: MappingNode, step: Key, path: KeyPath, where: Location) -> tuple[int, Node]:
    pairs = [
        (key, value) for key, value in node.value if isinstance(key, ScalarNode) and key.value == step.name
    ]
    if len(pairs) > 1:
        lines = " and ".join(str(key.start_mark.line + 1) for key, _ in pairs)
        raise InputError(f"'{step}' stands twice, on lines {lines}", hint="remove one", where=where)
    if pairs:
        key, value = pairs[0]
        if value.start_mark.index < key.end_mark.index and not isinstance(value, ScalarNode):
            raise InputError(
                f"{path}: '{step}' is an alias (*) of an anchor elsewhere, which others may use too",
                hint="write the mapping itself there, so that a promotion changes this place alone",
                where=Location(where.file, key.start_mark.line + 1),
            )
        return key.end_mark.index, value
    names = [str(key.value) for key, _ in node.value if isinstance(key, ScalarNode)]
    if "<<" in names:
        raise InputError(
            f"{path}: '{step}' may come from a merge key (<<), which a promotion can't edit",
            hint=f"write '{step}' in this mapping itself",
            where=where,
        )
    shown = ", ".join(names[:_SHOWN_KEYS]) or "nothing"
    raise _Missing(f"{path}: there is no '{step}' there", hint=f"it holds {shown}", where=where)


def _pick(
    items: Sequence[Node], step: Select, path: KeyPath, where: Location, images: Sequence[str]
) -> Node:
    if step.index is not None:
        if step.index < len(items):
            return items[step.index]
        raise InputError(f"{path}: there are only {len(items)} items", where=where)
    if step.own_image:
        if len(items) == 1:
            return items[0]
        chosen = [item for item in items if _is_own(item, images)]
    else:
        chosen = [item for item in items if step.value in _fields(item, step.field)]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(name for item in items for name in _fields(item, step.field or "name"))
    raise InputError(
        f"{path}: {step} fits {len(chosen)} of {len(items)} items",
        hint=f"name one of {names or 'them by position'}, such as [name=…]",
        where=where,
    )


def _fields(item: Node, *names: str) -> list[str]:
    if not isinstance(item, MappingNode):
        return []
    return [
        str(value.value)
        for key, value in item.value
        if isinstance(key, ScalarNode) and isinstance(value, ScalarNode) and key.value in names
    ]


def _is_own(item: Node, images: Sequence[str]) -> bool:
    names = _fields(item, "name", "newName")
    wanted = {*images, *(image.rpartition("/")[2] for image in images)}
    return any(name in wanted or name.rpartition("/")[2] in wanted for name in names)
