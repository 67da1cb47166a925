"""Counting approvals: whose word counts, for which path, and when nobody can tell."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.owners.approvals import ApprovalPolicy, Review, Verdict, count, last_words
from promote_actions.owners.match import Match, owners_of_all
from promote_actions.owners.parse import ABSENT, parse

HEAD = "a" * 40
OLD = "b" * 40
START = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
PROD = "helm/nexo-be/values-prod.yaml"
IDS = {"alice": 1, "bob": 2, "carol": 3, "dave": 4, "erin": 5, "mallory": 66, "robot": 77}

TEAMS = "helm/*/values-prod.yaml @nexo-org/sre @nexo-org/leads\n"
MEMBERS = {"nexo-org/sre": {"alice", "bob"}, "nexo-org/leads": {"carol", "bob"}}


def review(text: str) -> Review:
    """A review from ``login[:state[:commit[:flags]]]``; the flags are bot, reader and unread."""
    login, state, commit, flags = [*text.split(":"), "", "", ""][:4]
    words = {"": "APPROVED", "no": "CHANGES_REQUESTED", "ok": "APPROVED"}
    return Review(
        user_id=IDS[login.lower()],
        login=login,
        is_bot="bot" in flags,
        state=words.get(state, state.upper()),
        commit={"": HEAD, "old": OLD, "none": ""}[commit],
        submitted_at=None,
        can_write=None if "unread" in flags else "reader" not in flags,
    )


def verdict(
    text: str | None,
    reviews: str,
    *,
    needed: int = 2,
    each_team: bool = False,
    paths: str = PROD,
    author: str = "erin",
    members: dict[str, set[str] | None] | None = None,
    emails: dict[str, str] | None = None,
) -> Verdict:
    """The verdict on a change of ``paths`` under the CODEOWNERS ``text`` (None: there is no file)."""
    codeowners = ABSENT if text is None else parse(text)
    return count(
        ApprovalPolicy(needed, each_team),
        owners_of_all(codeowners, paths.split()),
        [review(each) for each in reviews.split()],
        HEAD,
        author,
        MEMBERS if members is None else members,
        emails=emails,
    )


USERS = f"{PROD} @Alice @bob @carol\n"


@pytest.mark.parametrize(
    ("reviews", "approved", "missing", "counted"),
    [
        ("", False, 2, ""),
        ("alice", False, 1, "alice"),
        ("alice bob", True, 0, "alice bob"),
        ("ALICE Bob", True, 0, "ALICE Bob"),
        ("alice alice", False, 1, "alice"),
        ("alice Alice", False, 1, "Alice"),
        ("alice bob carol", True, 0, "alice bob carol"),
        ("alice dave", False, 1, "alice"),
        ("dave mallory", False, 2, ""),
        ("alice erin", False, 1, "alice"),
        ("alice bob:ok:old", False, 1, "alice"),
        ("alice bob:ok:none", False, 1, "alice"),
        ("alice bob:ok:old bob", True, 0, "alice bob"),
        ("alice bob bob:ok:old", False, 1, "alice"),
        ("alice bob bob:commented", True, 0, "alice bob"),
        ("alice bob bob:pending", True, 0, "alice bob"),
        ("alice bob:commented", False, 1, "alice"),
        ("alice bob bob:dismissed", False, 1, "alice"),
        ("alice bob:dismissed", False, 1, "alice"),
        ("alice bob:dismissed bob", True, 0, "alice bob"),
        ("alice bob:ok::bot", False, 1, "alice"),
        ("alice bob:ok::reader", False, 1, "alice"),
        ("alice bob carol:no", False, 0, "alice bob"),
        ("alice bob carol:no:old", False, 0, "alice bob"),
        ("alice bob carol:no carol", True, 0, "alice bob carol"),
        ("alice bob carol:no carol:commented", False, 0, "alice bob"),
        ("alice bob carol:no carol:dismissed", True, 0, "alice bob"),
        ("alice bob bob:no", False, 1, "alice"),
        ("alice bob dave:no", False, 0, "alice bob"),
        ("alice bob dave:no::reader", True, 0, "alice bob"),
        ("alice bob dave:no::unread", False, 0, "alice bob"),
        ("alice bob erin:no", True, 0, "alice bob"),
        ("alice bob robot:no::bot", False, 0, "alice bob"),
        ("alice bob robot:no::bot,reader", True, 0, "alice bob"),
        ("alice bob robot:no::bot,unread", True, 0, "alice bob"),
        ("alice bob robot:something_new", True, 0, "alice bob"),
    ],
)
def test_two_of_three_owners(reviews: str, approved: bool, missing: int, counted: str) -> None:
    """Two different owners, by their last word, on the head; anybody who may write can object."""
    found = verdict(USERS, reviews)
    assert (found.approved, found.missing, found.counted) == (approved, missing, tuple(counted.split()))
    assert found.error == ""


@pytest.mark.parametrize(
    ("reviews", "ignored"),
    [
        ("erin", ("erin", "is the author")),
        ("robot:ok::bot", ("robot", "is a bot")),
        ("alice:ok:old", ("alice", "approved another commit (bbbbbbb, not aaaaaaa)")),
        ("alice:ok:none", ("alice", "approved another commit (unknown, not aaaaaaa)")),
        ("alice:dismissed", ("alice", "review was dismissed")),
        ("alice:ok::reader", ("alice", "may not write to the repository")),
        ("dave:no::reader", ("dave", "may not write to the repository")),
        ("dave", ("dave", "owns none of the paths")),
        ("alice:ok::unread", ("alice", "permission could not be read")),
    ],
)
def test_reasons(reviews: str, ignored: tuple[str, str]) -> None:
    """Whoever is not counted is told why."""
    assert verdict(USERS, reviews).ignored == (ignored,)


@pytest.mark.parametrize(
    ("reviews", "each_team", "approved", "missing"),
    [
        ("alice bob", False, True, 0),
        ("alice bob", True, True, 0),
        ("alice carol", True, True, 0),
        ("alice", True, False, 1),
        ("bob", True, False, 1),
        ("alice dave", False, False, 1),
        ("alice:ok:old carol", True, False, 1),
    ],
)
def test_teams(reviews: str, each_team: bool, approved: bool, missing: int) -> None:
    """Members of owning teams own the path; one person may stand for two teams, but is one person."""
    found = verdict(TEAMS, reviews, each_team=each_team)
    assert (found.approved, found.missing, found.error) == (approved, missing, "")


def test_each_team_needs_every_team() -> None:
    """Two approvals of one team are enough for the number, and not for "one of each team"."""
    members: dict[str, set[str] | None] = {"nexo-org/sre": {"alice", "bob"}, "nexo-org/leads": {"carol"}}
    assert verdict(TEAMS, "alice bob", members=members).approved
    found = verdict(TEAMS, "alice bob", members=members, each_team=True)
    assert (found.approved, found.missing) == (False, 1)
    assert "one each from @nexo-org/leads" in found.explanation
    assert verdict(TEAMS, "alice carol", members=members, each_team=True).approved


def test_each_team_holds_without_a_number() -> None:
    """One of each team can be asked for with no number at all."""
    assert verdict(TEAMS, "", needed=0).approved
    assert not verdict(TEAMS, "alice", needed=0, each_team=True).approved
    assert verdict(TEAMS, "bob", needed=0, each_team=True).approved


@pytest.mark.parametrize("team", ["nexo-org/sre", "@nexo-org/sre", "Nexo-Org/SRE"])
def test_team_names_are_compared_without_case(team: str) -> None:
    """A team is found however its name and its members are spelt."""
    text = "* @NEXO-org/sre\n"
    assert verdict(text, "alice bob", members={team: {"Alice", "BOB"}}).approved


@pytest.mark.parametrize(
    ("text", "reviews", "approved"),
    [
        (None, "dave mallory", True),
        (None, "dave", False),
        ("", "dave mallory", True),
        (f"* @alice\n{PROD}\n", "dave mallory", True),
        (f"* @alice\n{PROD}\n", "dave erin", False),
        (f"* @alice\n{PROD}\n", "dave mallory:ok::reader", False),
        (f"* @alice\n{PROD}\n", "dave mallory:ok:old", False),
    ],
)
def test_paths_without_owners(text: str | None, reviews: str, approved: bool) -> None:
    """A path that nobody owns needs the number all the same, of anybody who may write."""
    assert verdict(text, reviews).approved is approved


def test_no_changed_path_still_needs_the_number() -> None:
    """A change of nothing is not approved by nobody."""
    assert verdict(USERS, "", paths="").missing == 2
    assert verdict(USERS, "dave mallory", paths="").approved


@pytest.mark.parametrize(
    ("reviews", "approved", "missing", "counted"),
    [
        ("alice bob", False, 2, "alice bob"),
        ("alice bob carol", False, 1, "alice bob carol"),
        ("alice bob carol dave", True, 0, "alice bob carol dave"),
        ("alice carol", False, 1, "alice carol"),
        ("mallory", False, 2, ""),
    ],
)
def test_every_path_needs_its_own_owners(reviews: str, approved: bool, missing: int, counted: str) -> None:
    """A change of two services needs the number from the owners of each."""
    found = verdict("/a @alice @bob\n/b @carol @dave\n", reviews, paths="a b")
    assert (found.approved, found.missing, found.counted) == (approved, missing, tuple(counted.split()))
    assert len(found.explanation.splitlines()) == 2


def test_owned_and_unowned_paths_together() -> None:
    """Owners of one path count for another that nobody owns; other writers count only there."""
    text = "/a @alice @bob\n"
    assert verdict(text, "alice bob", paths="a b").approved
    found = verdict(text, "dave mallory", paths="a b")
    assert (found.approved, found.missing, found.ignored) == (False, 2, ())


def test_paths_with_the_same_owners_are_one_line() -> None:
    """The explanation has one line for each set of owners, however many paths it has."""
    found = verdict("helm/ @alice @bob\n", "alice", paths="helm/a helm/b helm/c")
    assert (
        found.explanation
        == "helm/a and 2 more (owners of line 1): 1 of 2 (alice); 1 more from @alice, @bob"
    )


# -- what can't be told ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members", [{"nexo-org/sre": {"alice"}, "nexo-org/leads": None}, {"nexo-org/sre": {"alice"}}]
)
def test_unreadable_team_fails_closed(members: dict[str, set[str] | None]) -> None:
    """Approvals that may or may not come from a team are neither a yes nor a no."""
    found = verdict(TEAMS, "alice dave", members=members)
    assert (found.approved, found.state) == (False, "error")
    assert "@nexo-org/leads could not be read" in found.error and "members:read" in found.error
    assert found.summary == found.error


def test_unreadable_team_is_an_error_before_anybody_approves() -> None:
    """The fault shows at once, not after everybody has approved in vain."""
    assert verdict(TEAMS, "", members={}).state == "error"


def test_unreadable_team_does_not_matter_where_the_others_suffice() -> None:
    """What is known to be met needs nobody else, unless every team must be heard."""
    members: dict[str, set[str] | None] = {"nexo-org/sre": {"alice", "bob"}, "nexo-org/leads": None}
    found = verdict(TEAMS, "alice bob", members=members)
    assert (found.approved, found.state, found.error) == (True, "success", "")
    found = verdict(TEAMS, "alice bob", members=members, each_team=True)
    assert (found.approved, found.state) == (False, "error")


def test_objection_comes_before_the_error() -> None:
    """With changes requested the answer is no, whatever else could not be read."""
    found = verdict(TEAMS, "alice carol:no", members={})
    assert (found.state, found.blocked_by, found.error) == ("failure", ("carol",), "")
    assert found.summary == "changes requested by carol"


def test_empty_team_is_known() -> None:
    """A team without members is no error: it just never approves, and the explanation says so."""
    found = verdict("* @nexo-org/sre\n", "dave", members={"nexo-org/sre": set()})
    assert (found.state, found.missing) == ("pending", 2)
    assert "owners who can approve, besides the author: 0" in found.explanation


def test_unread_permission_fails_closed() -> None:
    """An owner's approval whose right to write could not be read makes the count an error."""
    found = verdict(USERS, "alice bob:ok::unread")
    assert (found.approved, found.state) == (False, "error")
    assert "whether bob may write could not be read" in found.error


@pytest.mark.parametrize("reviews", ["alice bob carol:ok::unread", "alice bob dave:ok::unread"])
def test_unread_permission_that_is_not_needed(reviews: str) -> None:
    """Nobody asks after an approval that is not needed."""
    assert verdict(USERS, reviews).approved


def test_unread_permission_of_a_stranger_is_no_error() -> None:
    """Who owns nothing would not count anyway."""
    assert verdict(USERS, "alice dave:ok::unread").state == "pending"


def test_emails_are_resolved_by_the_caller() -> None:
    """An e-mail owner counts as its login; an unknown one is an error only where it is needed."""
    text = f"{PROD} @alice Lead@Nexo.com\n"
    assert verdict(text, "alice bob", emails={"lead@nexo.COM": "Bob"}).approved
    assert verdict(text, "alice carol", emails={"lead@nexo.com": "bob"}).missing == 1
    found = verdict(text, "alice bob")
    assert (found.state, "Lead@Nexo.com" in found.error) == ("error", True)
    assert verdict(text, "alice bob", emails={"lead@nexo.com": ""}).state == "error"
    assert verdict(f"{PROD} @alice @bob lead@nexo.com\n", "alice").state == "pending"


def test_too_few_owners_is_said() -> None:
    """A path that can never get its approvals says so: the author is no owner of their own change."""
    found = verdict("* @alice @erin\n", "alice")
    assert (found.state, found.missing) == ("pending", 1)
    assert "besides the author: 1, so add owners" in found.explanation


def test_skipped_line_is_said() -> None:
    """A line for the path that GitHub skips is named where approvals are explained."""
    found = verdict(f"* @alice @bob\n{PROD} @carol leads\n", "alice bob")
    assert found.approved
    assert "line 2 of CODEOWNERS names this too, but GitHub skips it" in found.explanation


@pytest.mark.parametrize(("head", "author"), [("", "erin"), (HEAD, "")])
def test_head_and_author_must_be_known(head: str, author: str) -> None:
    """Without the head or the author nothing is counted: an empty name would match too much."""
    with pytest.raises(ValueError, match="must be known"):
        count(ApprovalPolicy(1), [], [], head, author, {})


def test_number_cannot_be_negative() -> None:
    """A policy that asks for less than nothing is a mistake."""
    with pytest.raises(ValueError, match="negative"):
        ApprovalPolicy(-1)


def test_author_is_known_by_id_as_well() -> None:
    """An author who has changed their login since is still the author."""
    reviews = [review("alice"), review("bob")]
    matches: list[Match] = []
    policy = ApprovalPolicy(2)
    assert count(policy, matches, reviews, HEAD, "old-name", {}).approved
    assert not count(policy, matches, reviews, HEAD, "old-name", {}, author_id=IDS["bob"]).approved


def test_two_accounts_of_one_name_are_one_person() -> None:
    """Distinct people have distinct logins: a list that says otherwise does not count double."""
    twice = [review("alice"), dataclasses.replace(review("alice"), user_id=900, login="ALICE")]
    assert not count(ApprovalPolicy(2), [], twice, HEAD, "erin", {}).approved


def test_dates_overrule_the_order_of_the_list() -> None:
    """The last word is the latest one, whatever order the pages came in."""
    late = dataclasses.replace(review("alice:no"), submitted_at=START + timedelta(hours=1))
    early = dataclasses.replace(review("alice"), submitted_at=START)
    assert last_words([late, early]) == last_words([early, late]) == (late,)


def test_same_moment_takes_the_order_of_the_list() -> None:
    """Two reviews of one second stand in the order in which GitHub lists them."""
    first = dataclasses.replace(review("alice:no"), submitted_at=START)
    second = dataclasses.replace(review("alice"), submitted_at=START)
    assert last_words([first, second]) == (second,)


def test_summary_fits_a_commit_status() -> None:
    """The one-line summary never exceeds what GitHub takes, and counts in plain words."""
    assert verdict(USERS, "").summary == "2 more approvals needed"
    assert verdict(USERS, "alice").summary == "1 more approval needed"
    assert verdict(USERS, "alice bob").summary == "approved by alice, bob"
    assert verdict(USERS, "", needed=0).summary == "no approval needed"
    teams = " ".join(f"@nexo-org/{'t' * 30}-{number}" for number in range(9))
    long = verdict(f"* {teams}\n", "", members={}).summary
    assert len(long) == 140 and long.endswith("…")


# -- properties ------------------------------------------------------------------------------------

_REVIEW = st.builds(
    lambda login, state, commit, flags: review(f"{login}:{state}:{commit}:{flags}"),
    st.sampled_from(sorted(IDS)),
    st.sampled_from(["ok", "ok", "no", "commented", "dismissed", "pending"]),
    st.sampled_from(["", "", "old", "none"]),
    st.sampled_from(["", "", "", "bot", "reader", "unread"]),
)
_REVIEWS = st.lists(_REVIEW, max_size=8)
_FILE = st.sampled_from(
    [USERS, TEAMS, f"{PROD} @alice\n", f"{PROD} @nexo-org/sre @dave\n", f"* @a\n{PROD} @bob @carol\n"]
)
_NUMBER = st.integers(0, 3)


def _judge(text: str, reviews: list[Review], needed: int, **more: object) -> Verdict:
    matches = owners_of_all(parse(text), [PROD])
    return count(ApprovalPolicy(needed), matches, reviews, HEAD, "erin", MEMBERS, **more)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(_FILE, _REVIEWS, _NUMBER)
def test_stranger_changes_nothing(text: str, reviews: list[Review], needed: int) -> None:
    """The approval of somebody who owns nothing never changes a verdict on owned paths."""
    before = _judge(text, reviews, needed)
    stranger = Review(1000, "stranger", False, "APPROVED", HEAD, None, True)
    after = _judge(text, [*reviews, stranger], needed)
    assert dataclasses.replace(after, ignored=before.ignored) == before


@settings(max_examples=200, deadline=None)
@given(_FILE, _REVIEWS, _NUMBER, _REVIEW.filter(lambda each: each.state in ("COMMENTED", "PENDING")))
def test_comment_changes_nothing(text: str, reviews: list[Review], needed: int, comment: Review) -> None:
    """A comment, by whomever and whenever, leaves the verdict as it is."""
    assert _judge(text, [*reviews, comment], needed) == _judge(text, reviews, needed)


@settings(max_examples=200, deadline=None)
@given(_FILE, _REVIEWS, _NUMBER, st.sampled_from(["alice", "bob", "carol", "dave"]))
def test_approval_never_hurts(text: str, reviews: list[Review], needed: int, login: str) -> None:
    """A fresh approval of the head by a writer never turns a yes into a no, nor adds to what is missing."""
    before = _judge(text, reviews, needed)
    after = _judge(text, [*reviews, review(login)], needed)
    assert after.missing <= before.missing
    assert after.approved or not before.approved


@settings(max_examples=200, deadline=None)
@given(_FILE, _REVIEWS, _NUMBER)
def test_more_is_asked_for_more(text: str, reviews: list[Review], needed: int) -> None:
    """Who passes with N+1 passes with N; an objection or an unread team never passes."""
    assert _judge(text, reviews, needed).approved or not _judge(text, reviews, needed + 1).approved
    found = _judge(text, reviews, needed)
    assert not (found.approved and (found.blocked_by or found.error or found.missing))
    assert found.state in ("success", "failure", "error", "pending")


@settings(max_examples=200, deadline=None)
@given(_FILE, _REVIEWS, _NUMBER)
def test_case_of_names_is_nothing(text: str, reviews: list[Review], needed: int) -> None:
    """Logins in capitals give the same verdict."""
    loud = [dataclasses.replace(each, login=each.login.upper()) for each in reviews]
    plain, shouted = _judge(text, reviews, needed), _judge(text.replace("@alice", "@ALICE"), loud, needed)
    assert (plain.approved, plain.missing) == (shouted.approved, shouted.missing)


@settings(max_examples=200, deadline=None)
@given(_FILE, _REVIEWS, _NUMBER)
def test_approved_means_what_policy_says(text: str, reviews: list[Review], needed: int) -> None:
    """A yes is never given with fewer people than asked, and each of them is fit and an owner."""
    found = _judge(text, reviews, needed)
    owners = {owner.login.lower() for match in owners_of_all(parse(text), [PROD]) for owner in match.owners}
    for team, people in MEMBERS.items():
        owners |= people if f"@{team}" in text else set()
    assert {login.lower() for login in found.counted} <= owners - {"erin"}
    assert len(set(found.counted)) >= needed or not found.approved
    for login in found.counted:
        assert any(
            each.login == login and each.commit == HEAD and each.can_write and not each.is_bot
            for each in reviews
        )
