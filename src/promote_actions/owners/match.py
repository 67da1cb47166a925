"""Who owns a path: the last rule that matches it. Pure.

Four outcomes are kept apart, because a policy may treat each differently.
Source: GitHub's "About code owners".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from promote_actions.owners.parse import Codeowners, Owner, Problem, Rule
from promote_actions.owners.pattern import split_path


class Outcome(Enum):
    """What CODEOWNERS says of a path."""

    OWNED = "owned"
    UNOWNED = "unowned"
    """A line without owners matched: nobody owns it, on purpose."""
    NO_RULE = "no-rule"
    NO_FILE = "no-file"
    """There is no CODEOWNERS file, or GitHub would not load it."""


@dataclass(frozen=True)
class Match:
    """The answer for one path. ``rule`` is the line that decided (None for the last two outcomes).

    ``skipped`` are later lines that name the path as well, and would have decided, had GitHub not
    skipped them for an invalid owner.
    """

    path: str
    outcome: Outcome
    rule: Rule | None = None
    owners: tuple[Owner, ...] = ()
    skipped: tuple[Problem, ...] = ()


def owners_of(codeowners: Codeowners, path: str) -> Match:
    """Who owns ``path`` (from the repository's root, ``/`` between, no leading slash)."""
    if not codeowners.loaded:
        return Match(path, Outcome.NO_FILE)
    names = split_path(path)
    rule = next((rule for rule in reversed(codeowners.rules) if rule.pattern.matches_names(names)), None)
    skipped = tuple(
        problem
        for problem in codeowners.problems
        if problem.pattern is not None
        and problem.line > (rule.line if rule else 0)
        and problem.pattern.matches_names(names)
    )
    if rule is None:
        return Match(path, Outcome.NO_RULE, skipped=skipped)
    outcome = Outcome.OWNED if rule.owners else Outcome.UNOWNED
    return Match(path, outcome, rule, rule.owners, skipped)


def owners_of_all(codeowners: Codeowners, paths: Iterable[str]) -> tuple[Match, ...]:
    """:func:`owners_of` for each of ``paths``, in order."""
    return tuple(owners_of(codeowners, path) for path in paths)
