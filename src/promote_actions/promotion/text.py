"""Making strangers' words harmless in commit messages and pull requests. Pure.

A commit subject of a service, a reason, a check's name: GitHub would read mentions, references that close
issues, markup, and orders to skip workflows in them. Here they become words. Sources: GitHub's "Autolinked
references", "Linking a pull request to an issue", "Skipping workflow runs"; git-interpret-trailers(1).
"""

from __future__ import annotations

import re

from promote_actions.errors import one_line

LINE_LIMIT = 160
"""Characters of one line of somebody else's text."""

_REFERENCES = (
    (re.compile(r"@(?=[A-Za-z0-9_-])"), "@ "),
    (re.compile(r"#(?=\d)"), "# "),
    (re.compile(r"\bGH-(?=\d)", re.IGNORECASE), "GH "),
    (re.compile(r"https?://(?=\S*/(?:issues|pull|discussions)/\d)", re.IGNORECASE), ""),
)
"""What GitHub would turn into a mention or into a reference that a word such as "fixes" acts on."""

_SKIP = re.compile(r"\[(skip ci|ci skip|no ci|skip actions|actions skip)\]", re.IGNORECASE)
_SKIP_TRAILER = re.compile(r"\bskip-checks:", re.IGNORECASE)
_MARKUP = re.compile(r"([\\`*\[\]~|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def plain(text: str, limit: int = LINE_LIMIT) -> str:
    """``text`` as one harmless line of a commit message, at most ``limit`` characters long."""
    line = " ".join(one_line(text[: 4 * limit].replace("\n", " ").replace("\r", " ")).split())
    for pattern, instead in _REFERENCES:
        line = pattern.sub(instead, line)
    line = _SKIP.sub(r"(\1)", line).replace("Promotion-", "Promotion -")
    line = _SKIP_TRAILER.sub("skip-checks", line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def markdown(text: str, limit: int = LINE_LIMIT) -> str:
    """``text`` as one harmless line of Markdown: every character stands for itself."""
    escaped = plain(text, limit).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKUP.sub(r"\\\1", escaped)


def lines_of(text: str, lines: int = 200, limit: int = 400) -> list[str]:
    """A caller's own Markdown: its markup stays, but no mention, reference, HTML or trailer works.

    At most ``lines`` lines, each at most ``limit`` characters long.
    """
    found = text.strip().splitlines()
    kept = [_line_of(line, limit) for line in found[:lines]]
    return kept + ([f"… and {len(found) - lines} more lines"] if len(found) > lines else [])


def _line_of(line: str, limit: int) -> str:
    indent = line[: len(line) - len(line.lstrip(" "))][:8]
    harmless = indent + plain(line, limit).replace("<", "&lt;")
    return f" {harmless}" if harmless.startswith("---") else harmless  # else git takes the rest for a patch


def link(address: str) -> str:
    """``address`` as the target of a Markdown link; empty when it is none for the web."""
    if not re.fullmatch(r"https?://[^\s<>()\[\]\"'\\]{1,1000}", address):
        return ""
    return address


def fenced(text: str, language: str = "") -> list[str]:
    """``text`` as a code block that nothing in it can end; control characters are shown."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    shown = ["\t".join(one_line(part) for part in line.split("\t")) for line in text.split("\n")]
    return [f"{fence}{language}", *shown, fence]


def size(text: str) -> int:
    """How much of GitHub's limits ``text`` takes, on the safe side: its bytes."""
    return len(text.encode(errors="replace"))
