"""Pull requests, reviews, teams, statuses and events through GitHub's API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from promote_actions.adapters.forge import Forge, PullRequest
from promote_actions.adapters.github import GitHubRepository
from promote_actions.adapters.github_api import GitHubApi, Patience
from promote_actions.errors import Conflict, DependencyError, InputError, Refused
from promote_actions.owners.reviewers import Team
from promote_actions.rehearsal.github import GitHubEmulator, Protection

NAME = "nexo-org/nexo-gitops"
VALUES = "helm/nexo-be/values-prod.yaml"
BRANCH = "promote/nexo-be-prod-2026.02.17"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubEmulator]:
    """A GitHub with one repository, people of each kind and a team."""
    with GitHubEmulator(tmp_path) as github:
        for login in ("ana", "ben"):
            github.add_user(login)
        github.add_user("reader", write=False)
        github.add_user("boss", role="maintain")
        github.add_user("stranger", role="none")
        github.add_user("promoter[bot]", "bot-token", bot=True)
        github.add_team("nexo-org", "sre", ["ana", "ben"])
        github.add_team("nexo-org", "night", ["boss"], parent="sre", pending=["reader"])
        github.add_repository(NAME)
        github.commit(NAME, {VALUES: "1\n", "old name.yaml": "a\nb\nc\nd\n"})
        yield github
        assert github.crashes == []


def forge_of(github: GitHubEmulator, token: str = "bot-token") -> Forge:
    env = {"GITHUB_API_URL": github.url}
    api = GitHubApi(token, env, patience=Patience(timeout=5, tries=3, pause=0), sleep=lambda _: None)
    return GitHubRepository(NAME, token, env, api=api).forge


def propose(github: GitHubEmulator, branch: str = BRANCH, content: str = "2\n") -> PullRequest:
    github.commit(NAME, {VALUES: content}, branch=branch)
    return forge_of(github).open_pull("promote(nexo-be): production → 2026.02.17", "why", branch, "main")


@pytest.fixture
def act(github: GitHubEmulator) -> Callable[..., int]:
    """What people do on the page of a pull request, by HTTP with their own token."""

    def send(who: str, event: str, number: int = 1, **more: str) -> int:
        url = f"{github.url}/repos/{NAME}/pulls/{number}/reviews"
        headers = {"Authorization": f"Bearer {who}-token"}
        body = {"event": event, "body": "because", **more}
        return requests.post(url, json=body, headers=headers, timeout=5).status_code

    return send


def test_a_pull_request_is_opened_once_and_found(github: GitHubEmulator) -> None:
    """Opening it again returns the one there is; it is found by its branch."""
    pull = propose(github)
    forge = forge_of(github)
    assert forge.open_pull("other", "", BRANCH, "main") == pull
    assert (pull.number, pull.state, pull.merged, pull.author) == (1, "open", False, "promoter[bot]")
    assert (pull.head_branch, pull.base_branch, pull.body) == (BRANCH, "main", "why")
    assert pull.head_sha == github.repository(NAME).store.head(BRANCH)
    propose(github, "promote/nexo-fe-prod-1")
    propose(github, "feature/x")
    assert [one.number for one in forge.find_open_pulls("promote/")] == [1, 2]
    assert [one.number for one in forge.find_open_pulls()] == [1, 2, 3]


def test_a_closed_pull_request_frees_its_branch(github: GitHubEmulator) -> None:
    """One that was closed by hand is not taken for the open one: a new one is made."""
    forge = forge_of(github)
    closed = forge.close_pull(propose(github).number)
    assert (closed.state, closed.merged) == ("closed", False)
    assert forge.close_pull(1).state == "closed"
    assert forge.find_open_pulls("promote/") == []
    assert forge.open_pull("again", "", BRANCH, "main").number == 2


def test_title_and_body_change_apart(github: GitHubEmulator) -> None:
    """What is not given stays; a text that is too long is cut, and says so."""
    forge = forge_of(github)
    number = propose(github).number
    assert forge.update_pull(number, title="new").body == "why"
    changed = forge.update_pull(number, body="é" * 70_000)
    assert changed.title == "new"
    assert len(changed.body) == 65_536
    assert changed.body.endswith("GitHub takes no more._")


def test_a_branch_without_a_change_makes_no_pull_request(github: GitHubEmulator) -> None:
    """GitHub's reason is passed on."""
    forge = forge_of(github)
    forge.put_branch(BRANCH, github.repository(NAME).store.head("main") or "")
    with pytest.raises(DependencyError, match="No commits between main and"):
        forge.open_pull("t", "", BRANCH, "main")


def test_forks_do_not_count_as_ours(github: GitHubEmulator) -> None:
    """A pull request from a fork may carry any branch name: it is not found as one of ours."""
    forge = forge_of(github)
    propose(github)
    propose(github, "promote/nexo-fe-prod-1")
    github.repository(NAME).pulls[1].fork = "evil/nexo-gitops"
    github.repository(NAME).pulls[2].fork = "deleted"
    assert forge.find_open_pulls("promote/") == []


def test_labels_are_made_when_missing(github: GitHubEmulator) -> None:
    """A label that the repository doesn't have is created; one it has keeps its colour."""
    number = propose(github).number
    forge = forge_of(github)
    forge.add_labels(number, ["production-deploy", "a/b c", "production-deploy"])
    github.repository(NAME).labels["a/b c"].color = "ffffff"
    forge.add_labels(number, ["a/b c"])
    forge.add_labels(number, [])
    assert forge.pull(number).labels == ("production-deploy", "a/b c")
    assert github.repository(NAME).labels["a/b c"].color == "ffffff"


def test_comments(github: GitHubEmulator) -> None:
    """A comment is added, twice when it is said twice."""
    number = propose(github).number
    forge_of(github).comment(number, "superseded")
    forge_of(github).comment(number, "superseded")
    assert [one.body for one in github.repository(NAME).pulls[1].comments] == ["superseded"] * 2


# -- people --------------------------------------------------------------------------------------


def test_everyone_who_can_be_asked_is_asked(github: GitHubEmulator) -> None:
    """The author, a stranger, an unknown user and an unknown team are reported; the rest are asked."""
    propose(github)
    users = ["ana", "promoter[bot]", "stranger", "nobody", "ana"]
    asked = forge_of(github).request_reviewers(1, users, [Team("nexo-org", "sre"), "nexo-org/none"])
    assert asked.asked == ("ana", "nexo-org/sre")
    assert [who for who, _ in asked.refused] == ["promoter[bot]", "stranger", "nobody", "nexo-org/none"]
    assert "author" in dict(asked.refused)["promoter[bot]"]
    pull = github.repository(NAME).pulls[1]
    assert (pull.users_asked, pull.teams_asked) == (["ana"], ["sre"])
    assert forge_of(github).pull(1).requested == ("ana", "nexo-org/sre")
    assert forge_of(github).find_open_pulls()[0].requested == ("ana", "nexo-org/sre")


def test_asking_costs_one_call_when_nobody_is_refused(github: GitHubEmulator) -> None:
    """All are asked together; nobody to ask is no call."""
    propose(github)
    forge = forge_of(github)
    github.exchanges.clear()
    assert forge.request_reviewers(1, ["ana", "ben"], ["sre"]).refused == ()
    assert forge.request_reviewers(1, []).asked == ()
    assert [one.template.rpartition("/")[2] for one in github.exchanges] == [
        "{repo}",
        "requested_reviewers",
    ]


def test_a_token_that_may_not_read_teams_says_so(github: GitHubEmulator) -> None:
    """The job's own token can't ask a team, and the reason names the permission."""
    github.add_user("weak[bot]", "weak-token", bot=True, lacks=("members",))
    propose(github)
    forge = forge_of(github, "weak-token")
    asked = forge.request_reviewers(1, ["ana"], ["sre"])
    assert asked.asked == ("ana",)
    assert "`members: read`" in dict(asked.refused)["nexo-org/sre"]
    assert forge.team_members("nexo-org", "sre") is None


def test_team_members(github: GitHubEmulator) -> None:
    """Active members, those of nested teams included; an unknown team can't be read."""
    forge = forge_of(github)
    assert forge.team_members("nexo-org", "sre") == {"ana", "ben", "boss"}
    assert forge.team_members("nexo-org", "none") is None


@pytest.mark.parametrize(
    ("user", "role"), [("ana", "write"), ("boss", "maintain"), ("stranger", "none"), ("nobody", "none")]
)
def test_permissions(github: GitHubEmulator, user: str, role: str) -> None:
    """The role of a person in the repository; nobody unknown has one."""
    assert forge_of(github).permission(user) == role


def test_a_permission_that_cannot_be_read_is_none(github: GitHubEmulator) -> None:
    """Not being told is not the same as having no permission."""
    github.fail("GET", "/permission$", 403)
    assert forge_of(github).permission("ana") is None


def test_reviews_are_all_there_with_who_may_write(github: GitHubEmulator, act: Callable[..., int]) -> None:
    """Every review in order, with the commit it was given for and whether its author may write."""
    head = propose(github).head_sha
    for who, event in (("ana", "COMMENT"), ("reader", "APPROVE"), ("ana", "APPROVE"), ("boss", "APPROVE")):
        assert act(who, event) == 200
    found = forge_of(github).reviews(1)
    assert [(one.login, one.state, one.can_write) for one in found] == [
        ("ana", "COMMENTED", True),
        ("reader", "APPROVED", False),
        ("ana", "APPROVED", True),
        ("boss", "APPROVED", True),
    ]
    assert {one.commit for one in found} == {head}
    assert not any(one.is_bot for one in found)
    assert all(one.submitted_at and one.submitted_at.tzinfo for one in found)


def test_reviews_come_in_pages(github: GitHubEmulator, act: Callable[..., int]) -> None:
    """More reviews than a page holds are all read, and each person's role is asked for once."""
    propose(github)
    for _ in range(103):
        act("ana", "COMMENT")
    github.exchanges.clear()
    assert len(forge_of(github).reviews(1)) == 103
    asked = [one.template.rpartition("/")[2] for one in github.exchanges]
    assert (asked.count("reviews"), asked.count("permission")) == (2, 1)


@pytest.mark.parametrize(("token", "login"), [("ana-token", "ana"), ("bot-token", None)])
def test_whom_the_token_speaks_for(github: GitHubEmulator, token: str, login: str | None) -> None:
    """A person's token knows its account; an app's can't tell."""
    user = forge_of(github, token).user()
    assert (user.login if user else None) == login


# -- files, merging, branches --------------------------------------------------------------------


def test_changed_files_name_both_ends_of_a_rename(github: GitHubEmulator) -> None:
    """A file that was moved away from its owners is still theirs."""
    github.commit(NAME, {"old name.yaml": None, "new.yaml": "a\nb\nc\nd\n", VALUES: "2\n"}, branch=BRANCH)
    forge = forge_of(github)
    forge.open_pull("t", "", BRANCH, "main")
    assert sorted(forge.changed_files(1)) == [VALUES, "new.yaml", "old name.yaml"]


def test_a_pull_request_too_large_to_list_is_refused(
    github: GitHubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub lists so many files and no more; of the rest nothing could be said."""
    monkeypatch.setattr("promote_actions.adapters.github_pulls.FILES_LIMIT", 30)
    github.commit(NAME, {f"f/{number}": "x" for number in range(30)}, branch=BRANCH)
    forge = forge_of(github)
    forge.open_pull("t", "", BRANCH, "main")
    with pytest.raises(InputError, match="30 files or more"):
        forge.changed_files(1)


def test_merging_takes_the_expected_head(github: GitHubEmulator, act: Callable[..., int]) -> None:
    """A head that moved is a conflict, a rule's no is a refusal, and then it is merged."""
    github.protect(NAME, "main", Protection(required_approvals=1))
    pull, forge = propose(github), forge_of(github)
    with pytest.raises(Refused, match="At least 1 approving review is required"):
        forge.merge(1, pull.head_sha)
    act("ana", "APPROVE")
    newer = github.commit(NAME, {VALUES: "3\n"}, branch=BRANCH)
    with pytest.raises(Conflict, match="no longer at"):
        forge.merge(1, pull.head_sha)
    made = forge.merge(1, newer, "squash")
    merged = forge.pull(1)
    assert (merged.merged, merged.merge_sha, merged.merged_by) == (True, made, "promoter[bot]")
    assert merged.merged_at is not None
    assert forge.merge(1, newer) == made


def test_a_merge_is_tried_again_when_the_base_has_just_moved(github: GitHubEmulator) -> None:
    """GitHub's own race between two merges is no refusal."""
    pull, forge = propose(github), forge_of(github)
    store = github.repository(NAME).store
    move, raced = store.move_ref, []

    def once(name: str, new: str, old: str) -> bool:
        if name == "refs/heads/main" and not raced:
            raced.append(name)
            return False
        return move(name, new, old)

    store.move_ref = once  # type: ignore[method-assign]
    assert forge.merge(1, pull.head_sha) == store.head("main")
    assert raced


def test_branches_of_ours_only(github: GitHubEmulator) -> None:
    """Only promotion branches are moved and deleted; deleting twice is fine."""
    forge, store = forge_of(github), github.repository(NAME).store
    head = store.head("main") or ""
    other = github.commit(NAME, {"x": "y"}, branch="feature/x")
    forge.put_branch(BRANCH, head)
    forge.put_branch(BRANCH, other)
    assert store.head(BRANCH) == other
    with pytest.raises(Conflict, match="exists already"):
        forge.put_branch("feature/x", head)
    forge.put_branch("feature/x", other)
    with pytest.raises(InputError, match="not a branch for promotions"):
        forge.delete_branch("feature/x")
    forge.delete_branch(BRANCH)
    forge.delete_branch(BRANCH)
    assert store.head(BRANCH) is None
    assert store.head("feature/x") == other


def test_deleting_the_branch_closes_its_pull_request(github: GitHubEmulator) -> None:
    """As on GitHub: superseding closes, comments and deletes in any order."""
    propose(github)
    forge_of(github).delete_branch(BRANCH)
    assert forge_of(github).pull(1).state == "closed"


# -- commits -------------------------------------------------------------------------------------


def test_statuses_by_context_the_newest(github: GitHubEmulator) -> None:
    """One status a context, the last one said; long descriptions are cut to what GitHub takes."""
    sha = propose(github).head_sha
    forge = forge_of(github)
    forge.set_status(sha, "promotion/soak", "pending", "d" * 200)
    forge.set_status(sha, "promotion/soak", "success", "soaked", "https://ci.example/1")
    forge.set_status(sha, "promotion/policy", "failure", url="javascript:alert(1)")
    found = forge.statuses(sha)
    assert {name: one.state for name, one in found.items()} == {
        "promotion/soak": "success",
        "promotion/policy": "failure",
    }
    assert (found["promotion/soak"].description, found["promotion/soak"].url) == (
        "soaked",
        "https://ci.example/1",
    )
    assert found["promotion/policy"].url == ""
    assert {len(one.description or "") for one in github.repository(NAME).statuses} == {140, 6, 0}
    assert forge.statuses(github.repository(NAME).store.head("main") or "") == {}


def test_check_runs(github: GitHubEmulator) -> None:
    """The newest run of each name, with its conclusion once it has one."""
    sha = github.repository(NAME).store.head("main") or ""
    url = f"{github.url}/repos/{NAME}/check-runs"
    for name, conclusion in (("test", "failure"), ("test", "success"), ("lint", None)):
        body = {"name": name, "head_sha": sha, **({"conclusion": conclusion} if conclusion else {})}
        requests.post(url, json=body, headers={"Authorization": "Bearer ana-token"}, timeout=5)
    found = {(run.name, run.status, run.conclusion) for run in forge_of(github).check_runs(sha)}
    assert found == {("test", "completed", "success"), ("lint", "queued", "")}


def test_comparing_another_repository(github: GitHubEmulator) -> None:
    """The commits between two versions of a service, oldest first; None where nothing can be said."""
    service = "nexo-org/nexo-be"
    github.add_repository(service)
    store = github.repository(service).store
    commits = (
        f"commit refs/heads/main\ncommitter a <a@b> {1_700_000_000 + n} +0000\ndata <<.\nfix: {n}\n.\n"
        for n in range(104)
    )
    store.git.check("fast-import", "--quiet", stdin="\n".join(commits).encode())
    store.git.check("tag", "2026.02.1", "main~103")
    store.git.check("tag", "2026.02.2", "main")
    found = forge_of(github).compare("2026.02.1", "2026.02.2", service)
    assert found is not None
    assert (found.status, found.ahead, found.behind, found.total) == ("ahead", 103, 0, 103)
    assert [commit.subject for commit in found.commits][::102] == ["fix: 1", "fix: 103"]
    assert forge_of(github).compare("2026.02.1", "none", service) is None
    assert forge_of(github).compare("a", "b", "nexo-org/none") is None


def test_events_are_sent_to_other_repositories(github: GitHubEmulator) -> None:
    """repository_dispatch starts workflows elsewhere, also with a job's own token."""
    github.add_repository("nexo-org/nexo-be")
    forge_of(github).dispatch("promoted", {"service": "nexo-be"}, "nexo-org/nexo-be")
    [event] = github.repository("nexo-org/nexo-be").dispatches
    assert (event.event_type, event.payload, event.sender) == (
        "promoted",
        {"service": "nexo-be"},
        "promoter[bot]",
    )


def test_a_missing_permission_is_named(github: GitHubEmulator) -> None:
    """Each act that a token may not do says which permission to grant."""
    lacking = ("pull_requests:write", "statuses:write")
    github.add_user("weak[bot]", "weak-token", bot=True, lacks=lacking)
    sha = propose(github).head_sha
    forge = forge_of(github, "weak-token")
    with pytest.raises(InputError, match=r"may not comment on #1 in .*`pull_requests: write`"):
        forge.comment(1, "x")
    with pytest.raises(InputError, match=r"may not set the status promotion/soak.*`statuses: write`"):
        forge.set_status(sha, "promotion/soak", "success")
    with pytest.raises(InputError, match="found nothing to read pull request #99"):
        forge.pull(99)
