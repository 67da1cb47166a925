"""What ``guard`` tells: outputs, words for a terminal, and the step summary. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from promote_actions.config.model import Config
from promote_actions.guard.touches import as_json

if TYPE_CHECKING:
    from promote_actions.guard.command import Guarded

_GLYPHS = {"success": "✔", "pending": "…", "failure": "✘", "error": "!"}


def outputs(guarded: Sequence[Guarded], config: Config) -> Mapping[str, object]:
    """The declared outputs."""
    promotions = [
        {
            "pull-request": each.pull.number,
            **as_json(touched, config),
            "merged": each.pull.merged,
            "commit": each.pull.merge_sha or each.pull.head_sha,
        }
        for each in guarded
        for touched in each.touches
        if touched.promotes
    ]
    states = {
        str(each.pull.number): {name: state for name, (state, _) in each.statuses.items()}
        for each in guarded
        if each.statuses
    }
    passed = not any(each.failure for each in guarded) and all(
        state == "success" for found in states.values() for state in found.values()
    )
    return {"promotions": promotions, "any": bool(promotions), "passed": passed, "statuses": states}


def words(guarded: Sequence[Guarded]) -> str:
    """Lines for a terminal."""
    lines = [] if guarded else ["no pull request is open"]
    for each in guarded:
        state = "merged" if each.pull.merged else each.pull.state
        lines.append(f"#{each.pull.number} ({state}) {_promotions(each) or 'promotes nothing'}")
        lines += [f"  {_GLYPHS[s]} {name}: {said}" for name, (s, said) in each.statuses.items()]
    return "\n".join(lines)


def summary(guarded: Sequence[Guarded]) -> str:
    """A table for the job's page."""
    lines = ["### Pull requests", "", "| | promotes | status | |", "|---|---|---|---|"]
    for each in guarded:
        rows = each.statuses.items() or [("", ("success", ""))]
        for name, (state, said) in rows:
            cells = (f"#{each.pull.number}", _promotions(each) or "–", name, f"{_GLYPHS[state]} {said}")
            lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) if guarded else ""


def _promotions(each: Guarded) -> str:
    return ", ".join(
        f"{touched.place.service} {touched.previous or 'nothing'} → {touched.version} "
        f"in {touched.place.environment.name}"
        for touched in each.touches
        if touched.promotes
    )


def _cell(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
    return escaped.replace("\n", " ").replace("@", "@\u200b")
