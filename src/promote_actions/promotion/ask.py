"""Asking the owners of what a promotion changes for their reviews. Pure but for the forge, which is handed
in."""

from __future__ import annotations

from promote_actions.adapters.forge import Forge, PullRequest
from promote_actions.adapters.gitops import Snapshot
from promote_actions.owners.match import Match, owners_of_all
from promote_actions.owners.parse import LOCATIONS, choose
from promote_actions.owners.reviewers import Requests, reviewers_to_request
from promote_actions.promotion.model import Plan

Asked = tuple[tuple[str, ...], tuple[str, ...]]
"""Who is asked (logins and ``organization/slug``), and notes about those who can't be."""


def matches(snapshot: Snapshot, plan: Plan) -> tuple[Match, ...]:
    """Who owns the files that ``plan`` changes, by the CODEOWNERS of the base branch."""
    codeowners = choose(snapshot.read_many(LOCATIONS))
    return owners_of_all(codeowners, [move.file for move in plan.moves])


def ask(
    forge: Forge, pull: PullRequest, snapshot: Snapshot, plan: Plan, organization: str, *, fresh: bool
) -> Asked:
    """Ask the owners for reviews; those who can't be asked are reported and the rest still asked.

    ``fresh`` says that there is a new commit to look at. Without one nobody is asked twice: asking again
    would put a given approval in doubt.
    """
    wanted = reviewers_to_request(matches(snapshot, plan), pull.author, organization)
    everybody = names(wanted)
    if pull.draft:
        return (), ("reviews are asked for once it is no draft any more",) if everybody else ()
    known = {name.lower() for name in pull.requested}
    if not fresh and everybody and (known or forge.reviews(pull.number)):
        return everybody, ()
    users = [login for login in wanted.users if login.lower() not in known]
    teams = [team for team in wanted.teams if team.name.lower() not in known]
    asked = forge.request_reviewers(pull.number, users, teams)
    refused = {who.lower() for who, _ in asked.refused}
    notes = problems(wanted) + tuple(_cannot(who, why) for who, why in asked.refused)
    return tuple(name for name in everybody if name.lower() not in refused), notes


def preview(forge: Forge, snapshot: Snapshot, plan: Plan, organization: str) -> Asked:
    """Who would be asked, if the token's account opened the pull request now."""
    identity = forge.user()
    author = identity.login if identity else ""
    wanted = reviewers_to_request(matches(snapshot, plan), author, organization)
    return names(wanted), problems(wanted)


def names(wanted: Requests) -> tuple[str, ...]:
    """Users and teams as outputs show them."""
    return (*wanted.users, *(team.name for team in wanted.teams))


def problems(wanted: Requests) -> tuple[str, ...]:
    """A sentence for each owner who can't be asked at all."""
    mails = tuple(_cannot(each, "an e-mail address can't be asked") for each in wanted.emails)
    return tuple(_cannot(who, why) for who, why in wanted.left_out) + mails


def _cannot(who: str, why: str) -> str:
    return f"{who} can't be asked to review: {why}"
