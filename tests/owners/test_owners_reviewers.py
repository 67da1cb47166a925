"""Whom to ask for a review."""

from __future__ import annotations

from promote_actions.owners.approvals import Requests, Team, reviewers_to_request
from promote_actions.owners.match import owners_of_all
from promote_actions.owners.parse import parse


def _requests(text: str, paths: str = "a b", author: str = "erin", organization: str = "") -> Requests:
    return reviewers_to_request(owners_of_all(parse(text), paths.split()), author, organization)


def test_users_teams_and_emails_apart() -> None:
    """Users go by login, teams by bare slug, e-mail owners are reported for the caller to resolve."""
    found = _requests("* @Alice @nexo-org/sre lead@nexo.com\n")
    assert found.users == ("Alice",)
    assert found.teams == (Team("nexo-org", "sre"),)
    assert [team.name for team in found.teams] == ["nexo-org/sre"]
    assert found.emails == ("lead@nexo.com",)
    assert found.left_out == ()


def test_each_owner_once_over_all_paths() -> None:
    """An owner of several paths is asked once, in the order of the paths."""
    found = _requests("/a @bob @alice @o/t\n/b @ALICE @O/T @carol\n")
    assert found.users == ("bob", "alice", "carol")
    assert found.teams == (Team("o", "t"),)


def test_author_is_left_out_without_case() -> None:
    """Asking the author would fail the whole call, however their name is spelt."""
    found = _requests("* @Erin @alice\n", author="eRIN")
    assert (found.users, found.left_out) == (("alice",), (("@Erin", "is the author"),))


def test_foreign_team_is_left_out() -> None:
    """GitHub takes bare slugs, so a team of another organisation would be somebody else's team."""
    found = _requests("* @nexo-org/sre @other/sre\n", organization="Nexo-Org")
    assert found.teams == (Team("nexo-org", "sre"),)
    assert found.left_out == (("@other/sre", "is not a team of Nexo-Org"),)


def test_nobody_to_ask() -> None:
    """Paths without owners give an empty request."""
    assert _requests("a\n") == Requests()
