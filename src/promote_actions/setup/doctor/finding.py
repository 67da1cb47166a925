"""What ``doctor`` found: one line each, with what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from promote_actions.errors import PromoteError, one_line

State = Literal["right", "wrong", "doubtful", "not asked"]

MARKS: dict[State, str] = {"right": "✔", "wrong": "✘", "doubtful": "!", "not asked": "–"}
SHOWN = 10
"""Findings of one kind that are shown each; of more it says how many."""


@dataclass(frozen=True)
class Finding:
    """One line. ``subject`` is what was looked at, ``fix`` what to do (empty: nothing)."""

    state: State
    subject: str
    said: str
    fix: str = ""

    def __str__(self) -> str:
        text = f"{MARKS[self.state]} {self.subject}: {self.said}"
        return one_line(f"{text}; {self.fix}" if self.fix else text)


def right(subject: str, said: str) -> Finding:
    """It is as it should be."""
    return Finding("right", subject, said)


def wrong(subject: str, said: str, fix: str) -> Finding:
    """It must be fixed, or promotions fail."""
    return Finding("wrong", subject, said, fix)


def doubtful(subject: str, said: str, fix: str = "") -> Finding:
    """It works, and may not do what it should; or nobody can tell."""
    return Finding("doubtful", subject, said, fix)


def not_asked(subject: str, fix: str) -> Finding:
    """It was not looked at; ``fix`` says how it can be."""
    return Finding("not asked", subject, "not looked at", fix)


def from_error(subject: str, error: PromoteError) -> Finding:
    """An error of a command, as what is wrong with the setup."""
    where = f"{error.where}: " if error.where else ""
    return wrong(subject, f"{where}{error.message}", error.hint or "see above")


def guarded(subject: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What ``look`` finds; what it raises is a finding too, so that one broken thing hides no other."""
    try:
        yield from look()
    except PromoteError as error:
        yield from_error(subject, error)


def few(findings: Sequence[Finding]) -> list[Finding]:
    """``findings``, cut after :data:`SHOWN` with how many more there are."""
    left = findings[SHOWN:]
    if not left:
        return list(findings)
    more = Finding(left[0].state, left[0].subject, f"{len(left)} more of the kind", "fix these first")
    return [*findings[:SHOWN], more]
