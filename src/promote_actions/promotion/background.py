"""What a promotion's texts tell beside the plan: the commits between two versions, and the soak so far.

Pure but for the forge, which is handed in. None of it decides anything, so what can't be read becomes a
note and never stops a promotion.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timezone
from typing import TYPE_CHECKING

from promote_actions.errors import PromoteError
from promote_actions.promotion.changelog import Changelog, entries_of
from promote_actions.promotion.messages import Background
from promote_actions.promotion.model import Facts, Move, Plan, Request

if TYPE_CHECKING:
    from promote_actions.adapters.forge import Comparison, Forge

SERVICES = 20
"""Services of one promotion whose commits are asked for."""

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}/[A-Za-z0-9._-]{1,100}")


@dataclass
class Researcher:
    """Finds the background of ``request``; ``forge`` may be None. Asks for nothing twice."""

    request: Request
    forge: Forge | None
    _known: dict[tuple[str, str, str], Changelog] = field(default_factory=dict)

    def __call__(self, facts: Facts, plan: Plan) -> Background:
        soak = soak_lines(self.request, facts, plan)
        if self.request.changelog.strip():
            return Background((), soak)
        told = [self._changelog(move) for move in plan.moves[:SERVICES]]
        told += [
            _of(move, "too many services to list the commits of each") for move in plan.moves[SERVICES:]
        ]
        return Background(tuple(told), soak)

    def _changelog(self, move: Move) -> Changelog:
        key = (move.service.name, move.previous, move.version)
        if key not in self._known:
            self._known[key] = read_changelog(self.forge, move)
        return self._known[key]


def read_changelog(forge: Forge | None, move: Move) -> Changelog:
    """The commits of ``move`` by the comparison of its two tags, or a note that says why there are none."""
    name, repository = move.service.name, move.service.repository
    if not move.previous or move.previous == move.version:
        return _of(move, "there is no earlier version to compare with")
    if not repository:
        return _of(move, f"services.{name}.repository in the configuration would show the commits")
    if forge is None or not _SLUG.fullmatch(repository):
        return _of(move, f"the commits of {repository} can't be compared: it is not reached through GitHub")
    try:
        found = _compare(forge, move, repository)
    except PromoteError as error:
        return _of(move, f"the commits of {repository} could not be read: {error}")
    if found is None:
        missing = f"{move.previous} or {move.version} is no tag there, or the token may not read it"
        return _of(move, f"the commits of {repository} are not known: {missing}")
    more = max(found.total - len(found.commits), 0)
    entries = entries_of(found.commits)
    return replace(_of(move), entries=entries, more=more, lost=found.behind, url=found.url)


def _compare(forge: Forge, move: Move, repository: str) -> Comparison | None:
    """Tags are bare versions; in a repository of several services they begin with the service's name."""
    for prefix in ("", f"{move.service.name}/"):
        found = forge.compare(prefix + move.previous, prefix + move.version, repository)
        if found is not None:
            return found
    return None


def _of(move: Move, note: str = "") -> Changelog:
    return Changelog(move.service.name, move.previous, move.version, note=note)


def soak_lines(request: Request, facts: Facts, plan: Plan) -> tuple[str, ...]:
    """How long each version has been where it comes from, when the target asks for a soak."""
    required, source = plan.environment.soak, plan.source
    if required <= 0 or source is None:
        return ()
    from promote_actions.gates.soak import words as length

    asked = f"{plan.environment.name} asks for {length(required)}"
    lines = []
    for each in facts.services:
        version = each.source.version if each.source else ""
        if version not in {move.version for move in plan.moves if move.service == each.service}:
            continue
        known = "since when is not recorded"
        if each.since is not None:
            held = length(max((request.now - each.since).total_seconds(), 0.0))
            since = each.since.astimezone(timezone.utc)
            known = f"since {since:%Y-%m-%d %H:%M} UTC, {held} when this was written"
        lines.append(f"⏳ soak: {each.service.name} {version} is in {source.name} {known}; {asked}")
    return tuple(lines)


Research = Callable[[Facts, Plan], Background]
"""Finds the background of a plan."""
