"""How far each requirement is met by the approvals that count. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from promote_actions.owners.match import Match
from promote_actions.owners.parse import Owner, fold
from promote_actions.owners.reviews import Review


@dataclass(frozen=True)
class ApprovalPolicy:
    """``needed`` different people; with ``each_team``, one from every team that owns a path as well."""

    needed: int
    each_team: bool = False

    def __post_init__(self) -> None:
        if self.needed < 0:
            raise ValueError(f"needed is {self.needed}, and cannot be negative")


@dataclass(frozen=True)
class Crowd:
    """Who stands behind an owner. ``members`` maps an owner's key to folded logins, None if unreadable."""

    members: Mapping[str, AbstractSet[str] | None]

    @classmethod
    def of(
        cls, memberships: Mapping[str, AbstractSet[str] | None], emails: Mapping[str, str] | None
    ) -> Crowd:
        """A crowd from teams (``org/team`` to logins) and e-mail addresses (to one login)."""
        members: dict[str, AbstractSet[str] | None] = {
            "@" + fold(team.lstrip("@")): None if people is None else frozenset(map(fold, people))
            for team, people in memberships.items()
        }
        members |= {
            fold(email): frozenset({fold(login)}) for email, login in (emails or {}).items() if login
        }
        return cls(members)

    def people(self, owner: Owner) -> AbstractSet[str] | None:
        """The folded logins behind ``owner``, or None when they are not known."""
        return frozenset({fold(owner.login)}) if owner.kind == "user" else self.members.get(owner.key)


@dataclass(frozen=True)
class Need:
    """One requirement: paths with the same owners, or (no owners) those that any writer may approve."""

    owners: tuple[Owner, ...]
    matches: tuple[Match, ...]


@dataclass(frozen=True)
class Tally:
    """How far a requirement is met.

    ``have`` are the approvals that count for it, ``unread`` those that may. ``unknown`` are owners that
    nobody could look behind. ``possible`` is the number of known people who can ever approve it, the
    author left out; None where any writer may.
    """

    need: Need
    have: tuple[Review, ...]
    unread: tuple[Review, ...]
    missing: int
    teams_missing: tuple[Owner, ...]
    unknown: tuple[Owner, ...]
    possible: int | None


def needs(matches: Sequence[Match]) -> list[Need]:
    """The requirements of a change; one of any writers when it has no path at all."""
    groups: dict[frozenset[str], list[Match]] = {}
    for match in matches:
        groups.setdefault(frozenset(owner.key for owner in match.owners), []).append(match)
    return [Need(found[0].owners, tuple(found)) for found in groups.values()] or [Need((), ())]


def tally(
    policy: ApprovalPolicy, need: Need, crowd: Crowd, author: str, reviews: Mapping[bool, Sequence[Review]]
) -> Tally:
    """``need`` against ``reviews``: under True the approvals that count, under False those that may."""
    people = {owner: crowd.people(owner) for owner in need.owners}
    known: frozenset[str] = frozenset().union(*(found for found in people.values() if found is not None))
    have, unread = (
        tuple(review for review in reviews[sure] if not need.owners or fold(review.login) in known)
        for sure in (True, False)
    )
    approvers = {fold(review.login) for review in have}
    teams_missing = tuple(
        owner
        for owner, found in people.items()
        if policy.each_team and owner.kind == "team" and not approvers & (found or frozenset())
    )
    return Tally(
        need=need,
        have=have,
        unread=unread,
        missing=max(policy.needed - len(approvers), 1 if teams_missing else 0),
        teams_missing=teams_missing,
        unknown=tuple(owner for owner, found in people.items() if found is None),
        possible=len(known - {fold(author)}) if need.owners else None,
    )


def why_not_counted(policy: ApprovalPolicy, tallies: Sequence[Tally]) -> str:
    """Why the count could not be made, in one line; empty when it could. Fails closed.

    Only requirements that are not met count: what is known to be met needs nobody else.
    """
    unmet = [each for each in tallies if each.missing]
    teams = [owner.text for each in unmet for owner in each.unknown if owner.kind == "team"]
    if teams:
        return (
            f"members of {join(teams)} could not be read; the token needs members:read on an existing team"
        )
    unread = [review.login for each in unmet for review in each.unread]
    if unread:
        return f"whether {join(unread)} may write could not be read"
    stuck = [each for each in unmet if each.possible is not None and each.possible < policy.needed]
    emails = [owner.text for each in stuck for owner in each.unknown]
    return f"whose address {join(emails)} is could not be told; name owners by login" if emails else ""


def explain(policy: ApprovalPolicy, found: Tally) -> str:
    """One line about a requirement: what it is, who approved, and what is missing."""
    have = len({fold(review.login) for review in found.have})
    who = join([review.login for review in found.have])
    parts = [f"{_label(found.need)}: {have} of {policy.needed}" + (f" ({who})" if who else "")]
    if have < policy.needed:
        owners = join([owner.text for owner in found.need.owners]) or "anybody who may write"
        parts.append(f"{policy.needed - have} more from {owners}")
    if found.teams_missing:
        parts.append(f"one each from {join([owner.text for owner in found.teams_missing])}")
    if found.possible is not None and not found.unknown and found.possible < policy.needed:
        parts.append(f"owners who can approve, besides the author: {found.possible}, so add owners")
    skipped = sorted({problem.line for match in found.need.matches for problem in match.skipped})
    parts += [f"line {line} of CODEOWNERS names this too, but GitHub skips it" for line in skipped]
    return "; ".join(parts)


def _label(need: Need) -> str:
    if not need.matches:
        return "the change"
    first, *others = need.matches
    rest = f" and {len(others)} more" if others else ""
    place = f"line {first.rule.line}" if first.rule else first.outcome.value
    return f"{first.path}{rest} ({'owners of' if need.owners else 'no owner,'} {place})"


def join(words: Sequence[str]) -> str:
    """``words`` once each, with commas."""
    return ", ".join(dict.fromkeys(words))
