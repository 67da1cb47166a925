"""The emulator enforces what GitHub enforces, on real git repositories."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from github import Auth, InputGitTreeElement
from github import Github as PyGithub

from promote_actions.rehearsal.github import Fault, GitHubEmulator, Protection

NAME = "nexo-org/gitops"
REPO = f"/repos/{NAME}"
Ask = Callable[..., requests.Response]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubEmulator]:
    """A GitHub with one repository, four people, a bot and two nested teams."""
    with GitHubEmulator(tmp_path, hang=5) as github:
        for login in ("ana", "ben", "cid"):
            github.add_user(login)
        github.add_user("reader", write=False)
        github.add_user("stranger", role="none")
        github.add_user("promoter[bot]", "bot-token", bot=True, lacks=("members", "statuses:write"))
        github.add_user("classic", write=False, classic=True)
        github.add_team("nexo-org", "sre", ["ana"])
        github.add_team("nexo-org", "sre-night", ["ben"], parent="sre", pending=["cid"])
        github.add_repository(NAME)
        github.commit(NAME, {"helm/a/values-qa.yaml": "a: 1\n", "CODEOWNERS": "* @nexo-org/sre\n"})
        yield github
        assert github.crashes == []


@pytest.fixture
def ask(github: GitHubEmulator) -> Iterator[Ask]:
    """A request as a person (default ana), by HTTP."""
    with requests.Session() as session:

        def send(method: str, path: str, user: str = "ana", headers: Any = None, **body: Any) -> Any:
            token = {"Authorization": f"Bearer {user}-token", **(headers or {})}
            return session.request(method, github.url + path, json=body or None, headers=token, timeout=5)

        yield send


def commit(ask: Ask, github: GitHubEmulator, text: str, parent: str) -> str:
    """A commit made through the API that no ref points at."""
    entry = {"path": "helm/a/values-qa.yaml", "mode": "100644", "type": "blob", "content": text}
    tree = ask("POST", f"{REPO}/git/trees", base_tree=parent, tree=[entry]).json()["sha"]
    made = ask("POST", f"{REPO}/git/commits", message="change", tree=tree, parents=[parent])
    return str(made.json()["sha"])


def propose(ask: Ask, github: GitHubEmulator, branch: str = "promote/a", text: str = "a: 2\n") -> str:
    """A branch and an open pull request for it, by the bot; returns the head."""
    head = github.commit(NAME, {"helm/a/values-qa.yaml": text}, branch=branch)
    made = ask("POST", f"{REPO}/pulls", "bot", title="t", head=branch, base="main")
    assert made.status_code == 201, made.text
    return head


def head_of(github: GitHubEmulator, branch: str = "main") -> str:
    return github.repository(NAME).store.head(branch) or ""


def test_git_clients_and_the_api_see_the_same_repository(github: GitHubEmulator, ask: Ask) -> None:
    """A commit made by API is git's; a push by git shows in the API."""
    base = head_of(github)
    made = commit(ask, github, "a: 2\n", base)
    assert ask("PATCH", f"{REPO}/git/refs/heads/main", sha=made).status_code == 200
    bare = str(github.repository(NAME).store.path)
    shown = subprocess.run(
        ["git", "-C", bare, "show", "main:helm/a/values-qa.yaml"], capture_output=True, check=True
    )
    assert shown.stdout == b"a: 2\n"
    subprocess.run(["git", "-C", bare, "branch", "pushed", base], check=True)
    assert ask("GET", f"{REPO}/branches/pushed").json()["commit"]["sha"] == base


@pytest.mark.parametrize(
    ("user", "status"),
    [("unknown", 401), ("stranger", 404), ("reader", 403), ("classic", 404), ("ana", 201)],
)
def test_who_may_write(github: GitHubEmulator, ask: Ask, user: str, status: int) -> None:
    """Bad tokens, strangers and readers are refused as GitHub refuses them."""
    answer = ask("POST", f"{REPO}/git/refs", user, ref="refs/heads/x", sha=head_of(github))
    assert answer.status_code == status
    if status == 403:
        assert answer.headers["X-Accepted-GitHub-Permissions"] == "contents=write"


def test_a_missing_token_permission_is_a_403(github: GitHubEmulator, ask: Ask) -> None:
    """A bot's token without a permission is refused by name."""
    answer = ask("POST", f"{REPO}/statuses/{head_of(github)}", "bot", state="success")
    assert answer.status_code == 403
    assert answer.json()["message"] == "Resource not accessible by integration"
    assert ask("GET", "/orgs/nexo-org/teams/sre/members", "bot").status_code == 403


def test_refs(github: GitHubEmulator, ask: Ask) -> None:
    """Existing refs, impossible names, unknown objects and moves that are no fast-forward are 422."""
    base = head_of(github)
    one, two = commit(ask, github, "one", base), commit(ask, github, "two", base)
    assert ask("PATCH", f"{REPO}/git/refs/heads/main", sha=one).status_code == 200
    refused = [
        ask("PATCH", f"{REPO}/git/refs/heads/main", sha=two),
        ask("PATCH", f"{REPO}/git/refs/heads/none", sha=two),
        ask("PATCH", f"{REPO}/git/refs/heads/main", sha="0" * 40),
        ask("POST", f"{REPO}/git/refs", ref="refs/heads/main", sha=one),
        ask("POST", f"{REPO}/git/refs", ref="refs/heads/a..b", sha=one),
        ask("POST", f"{REPO}/git/refs", ref="main", sha=one),
        ask("DELETE", f"{REPO}/git/refs/heads/none"),
    ]
    assert [answer.status_code for answer in refused] == [422] * 7
    assert refused[0].json()["message"] == "Update is not a fast forward"
    assert head_of(github) == one
    assert ask("PATCH", f"{REPO}/git/refs/heads/main", sha=two, force=True).status_code == 200


@pytest.mark.parametrize(
    "entry",
    [
        {"path": ".git/config", "mode": "100644", "type": "blob", "content": "x"},
        {"path": "/etc/passwd", "mode": "100644", "type": "blob", "content": "x"},
        {"path": "a//b", "mode": "100644", "type": "blob", "content": "x"},
        {"path": "a", "mode": "100644", "type": "tree", "content": "x"},
        {"path": "a", "mode": "100644", "type": "blob", "sha": "0" * 40},
    ],
)
def test_trees_that_git_would_not_take(github: GitHubEmulator, ask: Ask, entry: dict[str, str]) -> None:
    """A malformed path, a wrong type or an unknown object makes no tree."""
    answer = ask("POST", f"{REPO}/git/trees", base_tree=head_of(github), tree=[entry])
    assert answer.status_code == 422


def test_protected_branch(github: GitHubEmulator, ask: Ask) -> None:
    """A branch with rules moves by pull request only, except for those who bypass them."""
    made = commit(ask, github, "a: 2\n", head_of(github))
    github.protect(NAME, "main", Protection(required_approvals=1, bypass=frozenset({"ben"})))
    refused = ask("PATCH", f"{REPO}/git/refs/heads/main", sha=made)
    assert refused.status_code == 422
    assert "must be made through a pull request" in refused.json()["message"]
    assert ask("PATCH", f"{REPO}/git/refs/heads/main", "ben", sha=made).status_code == 200


def test_pull_requests_that_cannot_be_opened(github: GitHubEmulator, ask: Ask) -> None:
    """One for a branch that has one, that is not there or that changes nothing is refused."""
    propose(ask, github)
    ask("POST", f"{REPO}/git/refs", ref="refs/heads/same", sha=head_of(github))
    for head, word in (
        ("promote/a", "already exists"),
        ("none", "Validation Failed"),
        ("same", "No commits"),
    ):
        answer = ask("POST", f"{REPO}/pulls", title="t", head=head, base="main")
        assert answer.status_code == 422
        assert word in answer.text


def test_merging_takes_what_the_rules_ask(github: GitHubEmulator, ask: Ask) -> None:
    """Statuses, approvals by writers, code owners and the expected head, each by its own refusal."""
    rules = Protection(("promotion/soak",), required_approvals=2, code_owners=True)
    github.protect(NAME, "main", rules)
    head = propose(ask, github)

    def merge(sha: str = head) -> tuple[int, str]:
        answer = ask("PUT", f"{REPO}/pulls/1/merge", sha=sha, merge_method="squash")
        return answer.status_code, answer.json().get("message", "")

    for reviewer in ("reader", "cid"):
        ask("POST", f"{REPO}/pulls/1/reviews", reviewer, event="APPROVE")
    status, message = merge()
    assert status == 405
    for part in ("promotion/soak", "At least 2 approving reviews", "code owner"):
        assert part in message
    ask("POST", f"{REPO}/statuses/{head}", state="success", context="promotion/soak")
    ask("POST", f"{REPO}/pulls/1/reviews", "ben", event="APPROVE")
    assert merge("0" * 40)[0] == 409
    assert merge()[0] == 200
    assert github.repository(NAME).store.commit(head_of(github)).tree
    shown = ask("GET", f"{REPO}/pulls/1").json()
    assert (shown["merged"], shown["merged_by"]["login"], shown["state"]) == (True, "ana", "closed")
    assert merge()[0] == 405


def test_a_change_request_blocks_and_a_dismissal_frees(github: GitHubEmulator, ask: Ask) -> None:
    """The last word of a reviewer counts, and it can be dismissed."""
    github.protect(NAME, "main", Protection(required_approvals=1))
    propose(ask, github)
    ask("POST", f"{REPO}/pulls/1/reviews", "ana", event="APPROVE")
    no = ask("POST", f"{REPO}/pulls/1/reviews", "ben", event="REQUEST_CHANGES", body="no").json()["id"]
    assert ask("PUT", f"{REPO}/pulls/1/merge").status_code == 405
    ask("PUT", f"{REPO}/pulls/1/reviews/{no}/dismissals", message="away")
    assert ask("PUT", f"{REPO}/pulls/1/merge").status_code == 200


def test_bots_do_not_count_as_approvers(github: GitHubEmulator, ask: Ask) -> None:
    """Another bot may approve, and its approval satisfies no rule."""
    github.add_user("checker[bot]", "checker-token", bot=True)
    github.protect(NAME, "main", Protection(required_approvals=1))
    propose(ask, github)
    assert ask("POST", f"{REPO}/pulls/1/reviews", "checker", event="APPROVE").status_code == 200
    assert ask("PUT", f"{REPO}/pulls/1/merge").status_code == 405


@pytest.mark.parametrize(("stale", "state"), [(False, "APPROVED"), (True, "DISMISSED")])
def test_a_push_moves_the_head_and_may_dismiss(
    github: GitHubEmulator, ask: Ask, stale: bool, state: str
) -> None:
    """An approval keeps the commit it was given for; stale ones are dismissed where the rules say so."""
    github.protect(NAME, "main", Protection(required_approvals=1, dismiss_stale=stale))
    first = propose(ask, github)
    ask("POST", f"{REPO}/pulls/1/reviews", event="APPROVE")
    second = github.commit(NAME, {"helm/a/values-qa.yaml": "a: 3\n"}, branch="promote/a")
    assert ask("GET", f"{REPO}/pulls/1").json()["head"]["sha"] == second
    [review] = ask("GET", f"{REPO}/pulls/1/reviews").json()
    assert (review["state"], review["commit_id"]) == (state, first)


def test_conflicting_pull_requests_do_not_merge(github: GitHubEmulator, ask: Ask) -> None:
    """Two changes of one line conflict; changes of two files are merged by git's rules."""
    propose(ask, github, "promote/a", "a: 2\n")
    propose(ask, github, "promote/b", "a: 3\n")
    assert ask("PUT", f"{REPO}/pulls/1/merge", merge_method="rebase").status_code == 200
    assert ask("GET", f"{REPO}/pulls/2").json()["mergeable_state"] == "dirty"
    assert ask("PUT", f"{REPO}/pulls/2/merge").status_code == 405


def test_nobody_approves_their_own(github: GitHubEmulator, ask: Ask) -> None:
    """The author's approval is refused, and so is the job's own bot's."""
    github.add_user("github-actions[bot]", "actions-token", bot=True)
    propose(ask, github)
    own = ask("POST", f"{REPO}/pulls/1/reviews", "bot", event="APPROVE")
    assert own.status_code == 422
    assert "Can not approve your own pull request" in own.text
    assert ask("POST", f"{REPO}/pulls/1/reviews", "actions", event="APPROVE").status_code == 422


@pytest.mark.parametrize(
    ("asked", "by", "words"),
    [
        ({"reviewers": ["ana", "promoter[bot]"]}, "ana", "pull request author"),
        ({"reviewers": ["ana", "stranger"]}, "ana", "only be requested from collaborators"),
        ({"reviewers": ["ana"], "team_reviewers": ["none"]}, "ana", "only be requested from collaborators"),
        ({"team_reviewers": ["sre"]}, "bot", "Could not resolve to a node"),
    ],
)
def test_one_refused_reviewer_refuses_all(
    github: GitHubEmulator, ask: Ask, asked: dict[str, list[str]], by: str, words: str
) -> None:
    """A name that can't be asked fails the whole request, and nobody is asked."""
    propose(ask, github)
    answer = ask("POST", f"{REPO}/pulls/1/requested_reviewers", by, **asked)
    assert answer.status_code == 422
    assert words in answer.text
    assert ask("GET", f"{REPO}/pulls/1/requested_reviewers").json()["users"] == []


def test_code_owners_are_asked_where_the_repository_does_so(github: GitHubEmulator, ask: Ask) -> None:
    """With the switch on, the base branch's CODEOWNERS are asked; a review takes its author off."""
    github.repository(NAME).auto_request_owners = True
    propose(ask, github)
    shown = ask("GET", f"{REPO}/pulls/1").json()
    assert [team["slug"] for team in shown["requested_teams"]] == ["sre"]


def test_teams_hold_their_children_and_no_invited(github: GitHubEmulator, ask: Ask) -> None:
    """Members of nested teams are members; an invitation is pending."""
    listed = ask("GET", "/orgs/nexo-org/teams/sre/members").json()
    assert [user["login"] for user in listed] == ["ana", "ben"]
    found = ask("GET", "/orgs/nexo-org/teams/sre-night/memberships/cid").json()
    assert found["state"] == "pending"
    assert ask("GET", "/orgs/nexo-org/teams/sre/memberships/reader").status_code == 404


def test_pages_link_to_each_other(github: GitHubEmulator, ask: Ask) -> None:
    """Lists come in pages with GitHub's Link header, and the pages make up the list."""
    for number in range(5):
        ask("POST", f"{REPO}/labels", name=f"label {number}")
    seen, path = [], f"{REPO}/labels?per_page=2"
    while path:
        answer = ask("GET", path)
        seen += [label["name"] for label in answer.json()]
        path = answer.links.get("next", {}).get("url", "").removeprefix(github.url)
    assert seen == [f"label {number}" for number in range(5)]
    assert 'rel="last"' in ask("GET", f"{REPO}/labels?per_page=2").headers["Link"]


def test_unchanged_answers_are_304_and_free(github: GitHubEmulator, ask: Ask) -> None:
    """A conditional request for what has not changed has no body and costs no rate limit."""
    first = ask("GET", f"{REPO}/branches/main")
    again = ask("GET", f"{REPO}/branches/main", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]


def test_rate_limit(github: GitHubEmulator, ask: Ask) -> None:
    """A used-up limit is a 403 that says until when."""
    github.world.rate.remaining = 0
    github.world.rate.reset = datetime(2030, 1, 1, tzinfo=timezone.utc)
    answer = ask("GET", REPO)
    assert answer.status_code == 403
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert int(answer.headers["X-RateLimit-Reset"]) == 1893456000


def test_renamed_repositories_and_branches_redirect(github: GitHubEmulator, ask: Ask) -> None:
    """The old names answer with redirects; writes are redirected so that they keep their method."""
    github.rename_branch(NAME, "main", "trunk")
    assert ask("GET", f"{REPO}/branches/main").json()["name"] == "trunk"
    github.rename_repository(NAME, "nexo-org/deploys")
    assert ask("GET", f"{REPO}/branches/trunk").json()["name"] == "trunk"
    moved = requests.post(
        f"{github.url}{REPO}/labels", json={"name": "x"}, headers={"Authorization": "token ana-token"},
        timeout=5, allow_redirects=False,
    )  # fmt: skip
    assert moved.status_code == 307


def test_archived_repositories_are_read_only(github: GitHubEmulator, ask: Ask) -> None:
    """Reading goes on, writing is a 403."""
    github.repository(NAME).archived = True
    assert ask("GET", f"{REPO}/branches/main").status_code == 200
    refused = ask("POST", f"{REPO}/labels", name="x")
    assert (refused.status_code, "archived" in refused.text) == (403, True)


def test_faults_spoil_what_they_match(github: GitHubEmulator, ask: Ask) -> None:
    """Each kind of fault, and whether the request was carried out."""
    github.fail("POST", "/labels", 502, applied=True)
    assert ask("POST", f"{REPO}/labels", name="kept").status_code == 502
    assert "kept" in github.repository(NAME).labels
    github.fail("POST", "/labels", "reset")
    with pytest.raises(requests.ConnectionError):
        ask("POST", f"{REPO}/labels", name="lost")
    assert "lost" not in github.repository(NAME).labels
    github.fail("GET", "/labels", "truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask("GET", f"{REPO}/labels")
    github.fail("GET", "/labels", "abuse", retry_after=7, after=1)
    assert ask("GET", f"{REPO}/labels").status_code == 200
    assert ask("GET", f"{REPO}/labels").headers["Retry-After"] == "7"
    github.fail("*", "/labels", "rate", times=-1)
    assert [ask("GET", f"{REPO}/labels").status_code for _ in range(2)] == [403, 403]
    with pytest.raises(ValueError, match="unknown kind"):
        Fault("GET", "/", "nonsense")


def test_the_clock_is_the_rehearsals(tmp_path: Path) -> None:
    """Time can be moved, so that a soak need not be waited for."""
    now = [datetime(2026, 2, 28, 12, tzinfo=timezone.utc)]
    with GitHubEmulator(tmp_path, clock=lambda: now[0]) as github:
        github.add_user("ana")
        github.add_repository(NAME)
        sha = github.commit(NAME, {"a": "1"})
        now[0] += timedelta(hours=2)
        headers = {"Authorization": "Bearer ana-token"}
        url = f"{github.url}{REPO}/statuses/{sha}"
        made = requests.post(url, json={"state": "pending"}, headers=headers, timeout=5).json()
        assert made["created_at"] == "2026-02-28T14:00:00Z"


def test_repository_dispatch_is_kept(github: GitHubEmulator, ask: Ask) -> None:
    """An event is stored with its payload; GitHub's limits hold."""
    payload = {"service": "nexo-be"}
    path = f"{REPO}/dispatches"
    assert ask("POST", path, event_type="promoted", client_payload=payload).status_code == 204
    assert github.repository(NAME).dispatches[0].payload == payload
    assert ask("POST", path, event_type="x" * 101).status_code == 422
    assert (
        ask("POST", path, event_type="x", client_payload=dict.fromkeys("abcdefghijk", 1)).status_code == 422
    )


def test_another_client_works_with_it(github: GitHubEmulator) -> None:
    """PyGithub's own objects follow the addresses in the answers, through a whole pull request."""
    client = PyGithub(
        auth=Auth.Token("bot-token"),
        base_url=github.url,
        seconds_between_requests=0,
        seconds_between_writes=0,
        retry=None,
    )
    repository = client.get_repo(NAME)
    base = repository.get_branch(repository.default_branch).commit
    file = repository.get_contents("helm/a/values-qa.yaml", ref=base.sha)
    assert not isinstance(file, list)
    assert file.decoded_content == b"a: 1\n"
    ref = repository.create_git_ref("refs/heads/promote/a", base.sha)
    blob = repository.create_git_blob("a: 2\n", "utf-8")
    element = InputGitTreeElement("helm/a/values-qa.yaml", "100644", "blob", sha=blob.sha)
    tree = repository.create_git_tree([element], base.commit.tree)
    made = repository.create_git_commit("promote", tree, [base.commit])
    ref.edit(made.sha)
    pull = repository.create_pull(base="main", head="promote/a", title="t", body="b")
    pull.add_to_labels("production-deploy")
    pull.create_issue_comment("hello")
    pull.create_review_request(reviewers=["ana"])
    assert [user.login for user in pull.get_review_requests()[0]] == ["ana"]
    assert [one.filename for one in pull.get_files()] == ["helm/a/values-qa.yaml"]
    assert [one.body for one in pull.get_issue_comments()] == ["hello"]
    assert repository.get_pull(1).mergeable
    assert pull.merge(merge_method="squash", sha=made.sha).merged
    assert repository.compare(base.sha, "main").ahead_by == 1
    ref.delete()
    assert [branch.name for branch in repository.get_branches()] == ["main"]
    client.close()
