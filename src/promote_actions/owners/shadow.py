"""Whether one CODEOWNERS pattern matches everything that another matches. Pure.

The answer "yes" is proof; "no" may also mean that no proof was found (two patterns that cover a third
only together, or wildcards that cover each other by coincidence).
"""

from __future__ import annotations

from dataclasses import dataclass

from promote_actions.owners.pattern import ANY_NAME, ONE, STAR, Pattern, Segment, Tail

LONGEST = 64
"""Patterns of more segments, and segments of more wildcards, are compared for equality only."""


@dataclass(frozen=True)
class _Wild:
    """At least ``least`` names of any kind; exactly that many unless ``more``."""

    least: int
    more: bool


def covers(general: Pattern, specific: Pattern) -> bool:
    """Whether every path that ``specific`` matches is matched by ``general`` too."""
    if general.never or specific.never:
        return False
    if (general.items, general.tail) == (specific.items, specific.tail):
        return True
    wanted = _spell(specific)
    steps = _runs(_spell(general))
    if max(len(wanted), len(steps)) > LONGEST:
        return False
    reached = {0}
    for step in steps:
        reached = {end for start in reached for end in _ends(step, wanted, start)}
        if not reached:
            return False
    return len(wanted) in reached


def _spell(pattern: Pattern) -> tuple[Segment | None, ...]:
    """The pattern with its tail written out: None is any number of names, also none."""
    tail: dict[Tail, tuple[Segment | None, ...]] = {
        Tail.EXACT: (),
        Tail.INSIDE: (ANY_NAME, None),
        Tail.BOTH: (None,),
    }
    return pattern.items + tail[pattern.tail]


def _runs(items: tuple[Segment | None, ...]) -> list[Segment | _Wild]:
    """``items`` with neighbouring wildcards as one: their order says nothing."""
    steps: list[Segment | _Wild] = []
    for item in items:
        if item is not None and item != ANY_NAME:
            steps.append(item)
            continue
        run = steps.pop() if steps and isinstance(steps[-1], _Wild) else _Wild(0, False)
        assert isinstance(run, _Wild)  # noqa: S101 - for the type checker
        steps.append(_Wild(run.least + (item is not None), run.more or item is None))
    return steps


def _ends(step: Segment | _Wild, wanted: tuple[Segment | None, ...], start: int) -> list[int]:
    """Where in ``wanted`` a step that begins at ``start`` may end."""
    if isinstance(step, Segment):
        item = wanted[start] if start < len(wanted) else None
        return [start + 1] if item is not None and _wider(step, item) else []
    if not step.more:
        taken = wanted[start : start + step.least]
        return [start + step.least] if len(taken) == step.least and None not in taken else []
    ends = []
    names = 0
    for end in range(start, len(wanted) + 1):
        if end > start and wanted[end - 1] is not None:
            names += 1
        if names >= step.least:
            ends.append(end)
    return ends


def _wider(general: Segment, specific: Segment) -> bool:
    if general in (specific, ANY_NAME):
        return True
    if specific.literal is not None:
        return general.matches(specific.literal)
    if max(len(general.tokens), len(specific.tokens)) > LONGEST:
        return False
    reached = {0}
    for token in general.tokens:
        if token == STAR:
            reached = set(range(min(reached), len(specific.tokens) + 1))
        else:
            reached = {
                at + 1
                for at in reached
                if at < len(specific.tokens) and _covers_token(token, specific.tokens[at])
            }
        if not reached:
            return False
    return len(specific.tokens) in reached


def _covers_token(general: int, specific: int) -> bool:
    return general == specific or (general == ONE and specific != STAR)
