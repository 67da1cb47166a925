"""The body of a promotion's pull request: for people, with a mark for later runs. Pure.

A stranger's text in it is harmless (:mod:`.text`). What is too long is shortened to GitHub's limit, the
diff first; the mark at the very end always stays whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from promote_actions.errors import InputError
from promote_actions.promotion.changelog import Changelog, as_markdown, shortened
from promote_actions.promotion.model import Plan, Request
from promote_actions.promotion.text import fenced, lines_of, link, markdown, size

BODY_LIMIT = 60_000
"""Bytes; GitHub takes 65,536 characters."""

_ROWS = 100
"""Services that the table shows."""

_MARK = re.compile(r"<!-- promote-actions: (\{.*?\}) -->")
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")


@dataclass(frozen=True)
class Sections:
    """The lines of each section. ``changelog`` is Markdown already; the others are plain lines."""

    changelog: tuple[str, ...]
    validation: tuple[str, ...]
    rollback: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def changelog(request: Request, plan: Plan, changelogs: Sequence[Changelog]) -> tuple[str, ...]:
    """The section's lines: the caller's own words, else the commits, else versions alone."""
    if request.changelog.strip():
        return tuple(lines_of(request.changelog))
    if changelogs:
        return tuple(as_markdown(shortened(changelogs)))
    return tuple(
        f"- {move.service.name}: {markdown(move.previous) or 'nothing'} → {markdown(move.version)}"
        for move in plan.moves
    )


def compose(request: Request, plan: Plan, sections: Sections, diff: str) -> str:
    """The whole body. Raises :class:`InputError` when even its shortest form is too long."""
    rest = _compose(request, plan, sections, [])
    if size(rest) > BODY_LIMIT:
        kept = tuple(sections.changelog[: max(10, len(sections.changelog) // 8)])
        short = (*kept, f"- … {len(sections.changelog) - len(kept)} more lines were left out")
        sections = replace(sections, changelog=short)
        rest = _compose(request, plan, sections, [])
    if size(rest) > BODY_LIMIT:
        raise InputError(
            f"{len(plan.moves)} services are too many for one pull request's text",
            hint="promote them in several",
        )
    shown = _diff(diff, BODY_LIMIT - size(rest) - 200)
    return _compose(request, plan, sections, shown)


def _compose(request: Request, plan: Plan, sections: Sections, diff: Sequence[str]) -> str:
    lines = [*_table(plan), "", *(f"- {markdown(note, 400)}" for note in sections.notes)]
    lines += ["", "## Changelog", *sections.changelog, ""]
    lines += ["## Validation", *(_escaped(line) for line in sections.validation), ""]
    lines += ["## Rollback plan", *(_escaped(line) for line in sections.rollback), ""]
    lines += [*(markdown(line, 600) for line in sections.reasons), *diff, "", _foot(request), mark_of(plan)]
    return "\n".join(lines).strip() + "\n"


def _escaped(line: str) -> str:
    """A line of a list: its sign stays, the rest is text."""
    sign, blank, rest = line.partition(" ")
    return f"{sign}{blank}{markdown(rest, 500)}"


def _table(plan: Plan) -> list[str]:
    source = markdown(plan.source.name) if plan.source else "rollback" if plan.rollback else "build"
    environment = markdown(plan.environment.name)
    rows = [
        f"| {move.service.name} | {source} → {environment} "
        f"| {_code(move.previous)} | {_code(move.version)} | {_code(move.digest)} |"
        for move in plan.moves[:_ROWS]
    ]
    if len(plan.moves) > _ROWS:
        rows.append(f"| … and {len(plan.moves) - _ROWS} more | | | | |")
    return ["| service | promotion | from version | to version | digest |", "|---|---|---|---|---|", *rows]


def _code(text: str) -> str:
    """``text`` as code in a table, if nothing in it could end the code or the cell."""
    if not text:
        return "–"
    return f"`{text}`" if re.fullmatch(r"[A-Za-z0-9._:+@/-]{1,200}", text) else markdown(text)


def _diff(diff: str, room: int) -> list[str]:
    """The section with the diff, cut at a line's end so that it takes at most ``room`` bytes."""
    if not diff or room < 200:
        return []
    lines = diff.rstrip().split("\n")
    shown = ["", "## Changes", *fenced("\n".join(lines), "diff")]
    kept = len(lines)
    while size("\n".join(shown)) > room and kept:
        kept = kept * 3 // 4
        more = f"… and {len(lines) - kept} more lines: see the files of this pull request"
        shown = ["", "## Changes", *fenced("\n".join(lines[:kept]), "diff"), more]
    return shown if kept else []


def _foot(request: Request) -> str:
    actor, run = request.caller.actor, link(request.caller.run_url)
    if actor:
        known = run and _LOGIN.fullmatch(actor.removesuffix("[bot]"))
        actor = f"Requested by @{actor}" if known else f"Requested by {markdown(actor)}"
    return " · ".join(part for part in (actor, f"[workflow run]({run})" if run else "") if part)


def mark_of(plan: Plan) -> str:
    """A comment in the pull request's body by which a later run knows what it promotes."""
    document = {
        "environment": plan.environment.name,
        "services": {move.service.name: move.version for move in plan.moves},
    }
    text = json.dumps(document, separators=(",", ":")).replace("--", "\\u002d-").replace(">", "\\u003e")
    return f"<!-- promote-actions: {text} -->"


def read_mark(body: str) -> tuple[str, Mapping[str, str]] | None:
    """Environment and versions by service that a pull request's body claims; None without a mark.

    The last mark counts: what stands before it may quote a stranger.
    """
    found = _MARK.findall(body or "")
    if not found:
        return None
    try:
        document = json.loads(found[-1])
        services = {str(name): str(version) for name, version in document["services"].items()}
        return str(document["environment"]), services
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
