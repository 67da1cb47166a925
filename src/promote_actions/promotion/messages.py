"""The words that other tools read: branch, title, commit message and trailers. Pure.

Source: the design's "Messages that other tools read", and the strategy's commit and pull request. The body
of the pull request is :mod:`.body`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from promote_actions.errors import one_line
from promote_actions.promotion import body
from promote_actions.promotion.body import mark_of, read_mark
from promote_actions.promotion.changelog import Changelog, as_text, shortened
from promote_actions.promotion.model import Move, Plan, Request
from promote_actions.promotion.text import lines_of, plain

__all__ = ["SUBJECT", "Background", "Words", "mark_of", "read_mark", "read_trailers", "words"]

SUBJECT = re.compile(
    r"(?P<kind>promote|auto-promote|rollback)\((?P<service>[^()]+)\): "
    r"(?P<environment>\S+) (?:→|->) (?P<version>\S+)"
)
"""A commit subject or pull request title that names a promotion; the strategy's are read as well."""

TITLE_LIMIT = 240
"""Characters; GitHub takes 256 in a pull request's title."""

_NAMED = 3
"""Services and versions that a title names; of more it says how many."""

_PASSED = {"passed", "pass", "success", "true"}


@dataclass(frozen=True)
class Words:
    """Everything that a promotion writes for people and tools."""

    branch: str
    title: str
    commit: str
    body: str


@dataclass(frozen=True)
class Background:
    """What is told beside the plan: what changed in each service, and lines about the soak so far."""

    changelogs: tuple[Changelog, ...] = ()
    soak: tuple[str, ...] = ()


def words(
    request: Request,
    plan: Plan,
    diff: str = "",
    notes: Sequence[str] = (),
    background: Background = Background(),
) -> Words:
    """The texts of ``plan``. ``diff`` is shown in the pull request, ``notes`` are extra lines of it."""
    title = title_of(request, plan)
    lines = [title, "", "## Changelog", *_changelog(request, plan, background), ""]
    lines += ["## Validation", *validation(request), *_listed(background.soak), ""]
    lines += ["## Rollback plan", *rollback_plan(plan), "", *_reasons(request, plan)]
    commit = "\n".join([*lines, *trailers_of(request, plan)]) + "\n"
    sections = body.Sections(
        changelog=body.changelog(request, plan, background.changelogs),
        validation=(*validation(request), *_listed(background.soak)),
        rollback=tuple(rollback_plan(plan)),
        reasons=tuple(_reasons(request, plan)),
        notes=tuple(notes),
    )
    return Words(branch_of(request, plan), title, commit, body.compose(request, plan, sections, diff))


def title_of(request: Request, plan: Plan) -> str:
    """Commit subject and pull request title: ``promote(<service>): <environment> → <version>``."""
    services = _some([move.service.name for move in plan.moves])
    versions = _some([move.version for move in plan.moves])
    title = f"{request.kind}({services}): {plan.environment.name} → {versions}"
    return title if len(title) <= TITLE_LIMIT else title[: TITLE_LIMIT - 1] + "…"


def _some(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    if len(distinct) <= _NAMED:
        return ", ".join(distinct)
    return f"{', '.join(distinct[: _NAMED - 1])} and {len(distinct) - _NAMED + 1} more"


def branch_of(request: Request, plan: Plan) -> str:
    """``promote/<service>-<suffix>-<version>``; a train of several services gets a name of its content.

    A rollback's begins with ``rollback/``.
    """
    folder = "rollback" if request.kind == "rollback" else "promote"
    suffix = plan.environment.file_suffix
    if len(plan.moves) == 1:
        return f"{folder}/{plan.moves[0].service.name}-{suffix}-{plan.moves[0].version}"
    content = "\n".join(f"{move.service.name} {move.version}" for move in plan.moves)
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    return f"{folder}/train-{suffix}-{digest}"


def trailers_of(request: Request, plan: Plan) -> list[str]:
    """Git trailers, one group for each service; ``Promotion-Service`` begins a group."""
    lines = []
    for move in plan.moves:
        facts = {
            "Service": move.service.name,
            "From": plan.source.name if plan.source else "",
            "To": plan.environment.name,
            "Version": move.version,
            "Previous": move.previous,
            "Digest": move.digest,
            "Run": request.caller.run_url,
        }
        lines += [
            f"Promotion-{key}: {one_line(value[:300])}" for key, value in facts.items() if value.strip()
        ]
    return lines


def _changelog(request: Request, plan: Plan, background: Background) -> list[str]:
    if request.changelog.strip():
        return lines_of(request.changelog)
    if any(not each.note for each in background.changelogs):
        return as_text(shortened(background.changelogs))
    return [f"- {move.service.name}: {move.previous or 'nothing'} → {move.version}" for move in plan.moves]


def validation(request: Request) -> list[str]:
    """One line for each result that the gate passed on."""
    if not request.validation:
        return ["- no results were given"]
    return [_result(name, str(result)) for name, result in request.validation.items()]


def _result(name: str, result: str) -> str:
    glyph = "✅" if result.lower() in _PASSED else "❌"
    return f"- {glyph} {plain(name)}: {plain(result)}"


def _listed(lines: Sequence[str]) -> list[str]:
    return [f"- {plain(line, 300)}" for line in lines]


def rollback_plan(plan: Plan) -> list[str]:
    """How to undo it, in the strategy's two ways, with the real previous version."""
    how = "Revert this commit" if plan.mode == "direct" else "Revert this PR"
    previous = [
        f"{_set_back(move)} in {move.file} (previous version)" for move in plan.moves if move.previous
    ]
    return [f"1. {how}", *(f"2. OR: {each}" for each in previous)]


def _set_back(move: Move) -> str:
    paths = [edit.path for edit in move.edits if edit.after == move.version] or ["image.tag"]
    return "set " + " and ".join(f'{path} = "{one_line(move.previous)}"' for path in paths)


def _reasons(request: Request, plan: Plan) -> list[str]:
    lines = [f"Reason: {plain(request.reason, 500)}", ""] if request.reason else []
    return lines + ([f"Overridden: {', '.join(plan.overridden)}", ""] if plan.overridden else [])


def read_trailers(message: str) -> list[dict[str, str]]:
    """The promotions that a commit message names by its trailers, one dictionary for each service.

    Only the last paragraph counts, as git has it, so that a changelog can't claim a promotion.
    """
    groups: list[dict[str, str]] = []
    for line in message.rstrip().rpartition("\n\n")[2].splitlines():
        key, colon, value = line.partition(": ")
        if not colon or not key.startswith("Promotion-"):
            continue
        name = key.removeprefix("Promotion-").lower()
        if name == "service":
            groups.append({})
        if groups:
            groups[-1][name] = value.strip()
    return groups
