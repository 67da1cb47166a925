"""The tags of a build for a person: lines for a terminal, a table for the job's page."""

from __future__ import annotations

from promote_actions.images.outputs import Published
from promote_actions.images.tags import Tag


def terminal(it: Published) -> str:
    """Plain text: the version, then every tag with its kind and whether it moves, then the full names."""
    found = it.found
    width = max(len(tag.name) for tag in found.tags)
    kind = max(len(tag.kind) for tag in found.tags)
    lines = [f"version {found.version}"]
    lines += [f"  {tag.name:{width}}  {tag.kind:{kind}}  {tag.mutability}" for tag in found.tags]
    if found.withheld:
        names = ", ".join(tag.name for tag in found.withheld)
        lines.append(f"not for a pull request: {names}")
    return "\n".join([*lines, *it.references()])


def markdown(it: Published) -> str:
    """A heading and the table tag | kind | mutable?; everything in it is of a tag's own characters."""
    found = it.found
    lines = [f"### Image version `{found.version}`", ""]
    if it.images:
        lines += ["Images: " + ", ".join(f"`{image}`" for image in it.images), ""]
    lines += ["| tag | kind | mutable? |", "| --- | --- | --- |"]
    lines += [_row(tag, tag.mutability) for tag in found.tags]
    lines += [_row(tag, "withheld: not for a pull request") for tag in found.withheld]
    return "\n".join(lines) + "\n"


def _row(tag: Tag, state: str) -> str:
    return f"| `{tag.name}` | {tag.kind} | {state} |"
