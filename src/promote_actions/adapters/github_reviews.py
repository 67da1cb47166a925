"""Reviews, requests for them, and who people are, in a GitHub repository.

Endpoints: "Pull request reviews", "Review requests", "Collaborators", "Team members" of GitHub's REST
reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from promote_actions.adapters.forge import Identity, Requested
from promote_actions.adapters.github_api import GitHubApi
from promote_actions.adapters.github_errors import Answer
from promote_actions.adapters.github_names import name_part
from promote_actions.adapters.github_parse import review_of
from promote_actions.adapters.github_requests import Requests
from promote_actions.owners.reviewers import Team
from promote_actions.owners.reviews import Review

_ROLES = ("admin", "maintain", "write", "triage", "read", "none")


class Reviews(Requests):
    """The part of the forge that knows people."""

    def __init__(self, api: GitHubApi, name: Callable[[], str]) -> None:
        super().__init__(api, name)
        self._permissions: dict[str, str | None] = {}

    def user(self) -> Identity | None:
        answer = self.api.ask("GET", "/user", accept=(403, 404), doing="say whom it is for")
        if not answer.ok:
            return None
        return answer.read(lambda data: Identity(data["login"], data["id"], data.get("type") == "Bot"))

    def request_reviewers(
        self, number: int, users: Iterable[str], teams: Iterable[Team | str] = ()
    ) -> Requested:
        organization = self.name.partition("/")[0]
        people = [("reviewers", login, login) for login in dict.fromkeys(users)]
        slugs = dict.fromkeys(
            team.slug if isinstance(team, Team) else team.rpartition("/")[2] for team in teams
        )
        wanted = people + [("team_reviewers", slug, f"{organization}/{slug}") for slug in slugs]
        if not wanted:
            return Requested()
        together = self._ask_for(number, wanted)
        if together.ok:
            return Requested(tuple(shown for _, _, shown in wanted))
        asked, refused = [], []
        for one in wanted:
            answer = self._ask_for(number, [one]) if len(wanted) > 1 else together
            if answer.ok:
                asked.append(one[2])
            else:
                refused.append((one[2], _why_not(answer)))
        return Requested(tuple(asked), tuple(refused))

    def _ask_for(self, number: int, wanted: Sequence[tuple[str, str, str]]) -> Answer:
        sent: dict[str, list[str]] = {}
        for kind, name, _ in wanted:
            sent.setdefault(kind, []).append(name)
        path = f"pulls/{number:d}/requested_reviewers"
        return self._send("POST", path, sent, f"ask for reviews of #{number}", accept=(422,))

    def reviews(self, number: int) -> Sequence[Review]:
        found = self._pages(f"pulls/{number:d}/reviews", review_of, f"read the reviews of #{number}")
        return [replace(review, can_write=self._can_write(review)) for review in found]

    def _can_write(self, review: Review) -> bool | None:
        role = self.permission(review.login) if review.user_id else "none"
        return None if role is None else role in ("admin", "maintain", "write")

    def permission(self, user: str) -> str | None:
        if user not in self._permissions:
            path = f"collaborators/{name_part(user)}/permission"
            answer = self._get(path, "read a collaborator's role", accept=(403, 404))
            self._permissions[user] = _role(answer)
        return self._permissions[user]

    def team_members(self, organization: str, slug: str) -> frozenset[str] | None:
        path = f"/orgs/{name_part(organization)}/teams/{name_part(slug)}/members"
        first = self.api.ask("GET", path, query={"per_page": 1}, accept=(403, 404), doing="read a team")
        if not first.ok:
            return None
        return frozenset(self.api.pages(path, lambda row: str(row["login"]), doing="read a team"))


def _role(answer: Answer) -> str | None:
    if answer.status == 404:
        return "none"
    if not answer.ok:
        return None
    role, legacy = answer.read(lambda data: (data.get("role_name"), data.get("permission")))
    return role if role in _ROLES else legacy if legacy in _ROLES else None


def _why_not(answer: Answer) -> str:
    said = answer.message
    if "could not resolve to a node" in said.lower():
        return "the token may not read the organisation's teams: grant it `members: read`"
    return said.removeprefix("Validation Failed").strip() or "GitHub refused without a reason"
