"""Readers of what a step writes for the runner, after GitHub's "Workflow commands" page."""

from __future__ import annotations


def parse_key_values(text: str) -> dict[str, str]:
    """The pairs in the content of ``GITHUB_OUTPUT``: ``name=value`` and ``name<<delimiter`` blocks.

    Raises ValueError for what the runner refuses: a line that is neither, or a block without an end.
    """
    found: dict[str, str] = {}
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            found[line[:equals]] = line[equals + 1 :]
        elif heredoc > 0:
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            if not delimiter or delimiter not in lines:
                raise ValueError(f"no end of {name}")
            end = lines.index(delimiter)
            found[name] = "\n".join(lines[:end])
            lines = lines[end + 1 :]
        else:
            raise ValueError(f"neither a pair nor a block: {line!r}")
    return found


def parse_workflow_command(line: str) -> tuple[str, dict[str, str], str]:
    """Name, properties and data of ``::name key=value,…::data``."""
    head, _, data = line.removeprefix("::").partition("::")
    name, _, pairs = head.partition(" ")
    properties = dict(pair.split("=", 1) for pair in pairs.split(",") if pair)
    return name, {key: _unescape(value) for key, value in properties.items()}, _unescape(data)


def _unescape(text: str) -> str:
    for escape, char in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, char)
    return text
