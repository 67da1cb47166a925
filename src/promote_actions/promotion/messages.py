"""The words that other tools read: branch, title, commit message, trailers, pull request body. Pure.

Source: the design's "Messages that other tools read", and the strategy's commit and pull request.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promote_actions.errors import one_line
from promote_actions.promotion.model import Plan, Request

SUBJECT = re.compile(
    r"(?P<kind>promote|auto-promote|rollback)\((?P<service>[^()]+)\): "
    r"(?P<environment>\S+) (?:→|->) (?P<version>\S+)"
)
"""A commit subject or pull request title that names a promotion; the strategy's are read as well."""

_MARK = re.compile(r"<!-- promote-actions: (\{.*?\}) -->")
_PASSED = {"passed", "pass", "success", "true"}


@dataclass(frozen=True)
class Words:
    """Everything that a promotion writes for people and tools."""

    branch: str
    title: str
    commit: str
    body: str


def words(request: Request, plan: Plan, diff: str = "", notes: Sequence[str] = ()) -> Words:
    """The texts of ``plan``. ``diff`` is shown in the pull request, ``notes`` are extra lines of it."""
    title = title_of(request, plan)
    sections = _sections(request, plan)
    trailers = trailers_of(request, plan)
    commit = "\n".join([title, "", *sections, *trailers]) + "\n"
    return Words(branch_of(request, plan), title, commit, _body(request, plan, sections, diff, notes))


def title_of(request: Request, plan: Plan) -> str:
    """Commit subject and pull request title: ``promote(<service>): <environment> → <version>``."""
    services = ", ".join(move.service.name for move in plan.moves)
    versions = ", ".join(dict.fromkeys(move.version for move in plan.moves))
    return f"{request.kind}({services}): {plan.environment.name} → {versions}"


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
        lines += [f"Promotion-{key}: {one_line(value)}" for key, value in facts.items() if value]
    return lines


def _sections(request: Request, plan: Plan) -> list[str]:
    lines = ["## Changelog", *_changelog(request, plan), "", "## Validation", *_validation(request), ""]
    lines += ["## Rollback plan", *_rollback(plan), ""]
    if request.reason:
        lines += [f"Reason: {one_line(request.reason)}", ""]
    if plan.overridden:
        lines += [f"Overridden: {', '.join(plan.overridden)}", ""]
    return lines


def _changelog(request: Request, plan: Plan) -> list[str]:
    if request.changelog.strip():
        return [_no_trailer(line) for line in request.changelog.strip().splitlines()]
    return [f"- {move.service.name}: {move.previous or 'nothing'} → {move.version}" for move in plan.moves]


def _validation(request: Request) -> list[str]:
    if not request.validation:
        return ["- no results were given"]
    return [_result(name, str(result)) for name, result in request.validation.items()]


def _result(name: str, result: str) -> str:
    glyph = "✅" if result.lower() in _PASSED else "❌"
    return f"- {glyph} {one_line(name)}: {one_line(result)}"


def _rollback(plan: Plan) -> list[str]:
    how = "Revert this commit" if plan.mode == "direct" else "Revert this PR"
    previous = [
        f'set image.tag = "{move.previous}" in {move.file} (previous version)'
        for move in plan.moves
        if move.previous
    ]
    return [f"1. {how}", *(f"2. OR: {each}" for each in previous)]


def _no_trailer(line: str) -> str:
    """A stranger's line must not read as one of our trailers, nor as another commit's."""
    return one_line(line).replace("Promotion-", "Promotion -")


def _body(request: Request, plan: Plan, sections: Sequence[str], diff: str, notes: Sequence[str]) -> str:
    rows = [
        f"| {move.service.name} | {plan.source.name if plan.source else 'build'} → {plan.environment.name} "
        f"| `{move.previous or '–'}` | `{move.version}` | {_code(move.digest)} |"
        for move in plan.moves
    ]
    table = ["| service | promotion | from version | to version | digest |", "|---|---|---|---|---|", *rows]
    shown = ["", "## Changes", "```diff", diff.replace("```", "` ` `").rstrip(), "```"] if diff else []
    asked = f"Requested by @{request.caller.actor}" if request.caller.actor else ""
    run = f"[workflow run]({request.caller.run_url})" if request.caller.run_url else ""
    foot = [" · ".join(part for part in (asked, run) if part)]
    return "\n".join([*table, "", *notes, *sections, *shown, "", *foot, mark_of(plan)]).strip() + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else "–"


def mark_of(plan: Plan) -> str:
    """A comment in the pull request's body by which a later run knows what it promotes."""
    document = {
        "environment": plan.environment.name,
        "services": {move.service.name: move.version for move in plan.moves},
    }
    return f"<!-- promote-actions: {json.dumps(document, separators=(',', ':'))} -->"


def read_mark(body: str) -> tuple[str, Mapping[str, str]] | None:
    """Environment and versions by service that a pull request's body claims; None without a mark."""
    found = _MARK.search(body or "")
    if not found:
        return None
    try:
        document = json.loads(found[1])
        services = {str(name): str(version) for name, version in document["services"].items()}
        return str(document["environment"]), services
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


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
