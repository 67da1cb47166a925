"""Whom to ask for a review. Pure.

GitHub's "Request reviewers for a pull request" takes logins and bare team slugs apart from each other,
and refuses the whole call for one name that it doesn't like: the author, or a team of another
organisation. So those are left out here, with the reason, and the rest can be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promote_actions.owners.match import Match
from promote_actions.owners.parse import Owner, fold


@dataclass(frozen=True)
class Team:
    """A team: GitHub's call takes ``slug`` alone; the organisation is the repository's."""

    organization: str
    slug: str

    @property
    def name(self) -> str:
        return f"{self.organization}/{self.slug}"


@dataclass(frozen=True)
class Requests:
    """``users`` (logins) and ``teams`` to ask, ``emails`` (of logins not known here), and the rest."""

    users: tuple[str, ...] = ()
    teams: tuple[Team, ...] = ()
    emails: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def reviewers_to_request(matches: Sequence[Match], author: str, organization: str = "") -> Requests:
    """The owners of all paths in ``matches``, each once, without the author.

    ``organization`` is the owner of the repository; teams of another one are left out when it is given.
    ``left_out`` holds owners as written, each with the reason.
    """
    owners: dict[str, Owner] = {}
    for match in matches:
        for owner in match.owners:
            owners.setdefault(owner.key, owner)
    left_out = {
        owner.text: reason for owner in owners.values() if (reason := _unfit(owner, author, organization))
    }
    asked = [owner for owner in owners.values() if owner.text not in left_out]
    return Requests(
        users=tuple(owner.login for owner in asked if owner.kind == "user"),
        teams=tuple(Team(owner.organization, owner.slug) for owner in asked if owner.kind == "team"),
        emails=tuple(owner.text for owner in asked if owner.kind == "email"),
        left_out=tuple(left_out.items()),
    )


def _unfit(owner: Owner, author: str, organization: str) -> str:
    if owner.kind == "user" and fold(owner.login) == fold(author):
        return "is the author"
    if owner.kind == "team" and organization and fold(owner.organization) != fold(organization):
        return f"is not a team of {organization}"
    return ""
