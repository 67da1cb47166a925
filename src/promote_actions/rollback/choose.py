"""Which version a rollback restores. Pure.

Rules: only a version that was live there before; never one that was itself rolled back; never a newer
one; the last whose audit record says that it went well, when there are records. Source: the strategy's
"Rollback Strategies", the design's rule 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from promote_actions.errors import InputError, Refused
from promote_actions.promotion.policy import is_downgrade

GOOD = frozenset({"success", ""})
"""Outcomes of a version's last record that let it be restored; no record at all counts as good."""


@dataclass(frozen=True)
class Past:
    """The versions that an environment has had, newest first, without repetition in a row.

    The first is the one that is live. ``outcomes`` maps a version to the outcome of its last audit
    record, ``digests`` to the image that it was. ``complete`` is False when the history was cut off.
    """

    versions: Sequence[str]
    outcomes: Mapping[str, str]
    complete: bool = True
    digests: Mapping[str, str] = field(default_factory=dict)


def choose(
    past: Past,
    held: Callable[[str], bool],
    to_version: str = "",
    steps: int | None = None,
    reason: str = "",
) -> str:
    """The version to restore; ``held`` says whether a version is quarantined.

    ``to_version`` or ``steps`` (counted in versions that can be restored) choose one; otherwise it is
    the newest that can be. Raises :class:`Refused` when there is none.
    """
    if to_version and steps is not None:
        raise InputError("both to-version and steps were given", hint="give one of them")
    if to_version:
        return _named(past, held, to_version, reason)
    candidates = restorable(past, held)
    wanted = 1 if steps is None else steps
    if wanted < 1:
        raise InputError(f"input 'steps' is {wanted}", hint="give 1 or more")
    if len(candidates) < wanted:
        known = ", ".join(candidates) or "none"
        raise Refused(
            f"there are only {len(candidates)} earlier good versions ({known})",
            hint="name one with --to-version and a --reason",
        )
    return candidates[wanted - 1]


def search(
    read: Callable[[int], Past],
    depths: Sequence[int],
    *,
    held: Callable[[str], bool],
    to_version: str = "",
    steps: int | None = None,
    reason: str = "",
) -> tuple[str, Past]:
    """The version to restore and the past in which it was found, which is read no deeper than it must be.

    ``read`` gives the past to a depth; ``depths`` are tried in turn.
    """
    for depth in depths[:-1]:
        past = read(depth)
        unseen = to_version and to_version not in past.versions
        try:
            if past.complete or not unseen:
                return choose(past, held, to_version, steps, reason), past
        except Refused:
            if past.complete:
                raise
    past = read(depths[-1])
    return choose(past, held, to_version, steps, reason), past


def restorable(past: Past, held: Callable[[str], bool]) -> list[str]:
    """The versions that a rollback may restore by itself, newest first, each once."""
    live = past.versions[0] if past.versions else ""
    return [
        version
        for version in dict.fromkeys(past.versions)
        if version
        and version != live
        and past.outcomes.get(version, "") in GOOD
        and not is_downgrade(version, live)
        and not held(version)
    ]


def _named(past: Past, held: Callable[[str], bool], version: str, reason: str) -> str:
    if version not in past.versions and not reason:
        raise Refused(
            f"{version[:128]} was never live there"
            + ("" if past.complete else " as far as the history was read"),
            hint="choose one that was, or say why with --reason",
        )
    if held(version) and not reason:
        raise Refused(
            f"{version[:128]} was rolled back itself", hint="choose another, or say why with --reason"
        )
    return version
