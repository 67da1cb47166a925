"""What a broken network and a busy GitHub do to a promotion: it is done once, or nothing has changed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from promote_actions.adapters.forge import PullRequest
from promote_actions.adapters.github import GitHubRepository
from promote_actions.adapters.github_api import GitHubApi, Patience
from promote_actions.adapters.gitops import FileChange
from promote_actions.errors import Conflict, DependencyError, Refused
from promote_actions.rehearsal.github import GitHubEmulator, Protection
from tests.adapters.scripted_server import Reply, serving

NAME = "nexo-org/nexo-gitops"
REPO = f"/repos/{NAME}"
TOKEN = "bot-secret-token"
VALUES = "helm/nexo-be/values-qa.yaml"
FAULTS = [
    ("500", False),
    ("502", False),
    ("502", True),
    ("rate", False),
    ("abuse", False),
    ("reset", False),
    ("reset", True),
    ("timeout", False),
    ("timeout", True),
    ("truncated", True),
]
"""Kinds of fault, and whether the request is carried out all the same and only its answer lost."""

BINARY = b"\xff\x00binary"

CALLS = {
    "repository": ("GET", f"{REPO}$"),
    "branch": ("GET", f"{REPO}/branches/main$"),
    "files": ("POST", "/graphql$"),
    "blob": ("POST", f"{REPO}/git/blobs$"),
    "tree": ("POST", f"{REPO}/git/trees$"),
    "commit": ("POST", f"{REPO}/git/commits$"),
    "move": ("PATCH", f"{REPO}/git/refs/heads/main$"),
    "anything": ("*", ""),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubEmulator]:
    """A GitHub with one repository; when it doesn't answer, the connection breaks after a while."""
    with GitHubEmulator(tmp_path_factory.mktemp("github"), hang=0.05) as server:
        for login in ("ana", "ben"):
            server.add_user(login)
        server.add_user("promoter[bot]", TOKEN, bot=True)
        server.add_team("nexo-org", "sre", ["ana"])
        server.add_repository(NAME)
        server.commit(NAME, {VALUES: "1\n"})
        git(server, "tag", "start")
        yield server


@pytest.fixture
def github(server: GitHubEmulator) -> GitHubEmulator:
    """The same GitHub as on the first day: making a new one for every fault would take the time."""
    server.faults.clear()
    server.observers.clear()
    server.hang = 0.05
    server.add_repository(NAME)
    for ref in git(server, "for-each-ref", "--format=%(refname)", "refs/heads").split():
        git(server, "update-ref", *(["-d", ref] if ref != "refs/heads/main" else [ref, "start"]))
    return server


@pytest.fixture(autouse=True)
def _no_defects(server: GitHubEmulator) -> Iterator[None]:
    yield
    assert server.crashes == []


def connect(github: GitHubEmulator, sleep: Callable[[float], None] = lambda _: None) -> GitHubRepository:
    env = {"GITHUB_API_URL": github.url}
    patience = Patience(timeout=1, tries=3, pause=0, rate_limit=90)
    return GitHubRepository(NAME, TOKEN, env, api=GitHubApi(TOKEN, env, patience=patience, sleep=sleep))


def git(github: GitHubEmulator, *arguments: str) -> str:
    command = ["git", "-C", str(github.repository(NAME).store.path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def promote(repository: GitHubRepository) -> str:
    """Everything that a direct promotion asks of GitHub; a file that is no text takes a request more."""
    snapshot = repository.snapshot()
    assert snapshot.read(VALUES) == b"1\n"
    changes = [FileChange(VALUES, b"2\n"), FileChange("audit/1.json", BINARY, create=True)]
    return repository.land(snapshot, changes, "promote")


@pytest.mark.parametrize(("kind", "applied"), FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_a_fault_that_passes_is_not_noticed(
    github: GitHubEmulator, call: str, kind: str, applied: bool
) -> None:
    """Each call of a promotion spoiled once, in every way: the promotion is done, and done once."""
    base = git(github, "rev-parse", "main")
    fault = github.fail(*CALLS[call], kind, applied=applied)
    made = promote(connect(github))
    assert fault.hits == 1
    assert git(github, "rev-list", f"{base}..main").split() == [made]
    assert git(github, "show", "main:" + VALUES) == "2"


@pytest.mark.parametrize(("kind", "applied"), FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_a_fault_that_stays_is_done_once_or_not_at_all(
    github: GitHubEmulator, call: str, kind: str, applied: bool
) -> None:
    """Each call spoiled for ever: one line, exit status 3 and nothing changed, or the promotion is done."""
    base = git(github, "rev-parse", "main")
    fault = github.fail(*CALLS[call], kind, applied=applied, times=-1)
    try:
        made = promote(connect(github))
    except DependencyError as error:
        assert error.exit_status == 3
        assert "\n" not in str(error)
        assert TOKEN not in str(error)
        assert git(github, "rev-parse", "main") == base
    else:
        assert call == "files" or (call == "move" and fault.applied)
        assert git(github, "rev-list", f"{base}..main").split() == [made]


@pytest.mark.parametrize(
    "body", ["[]", "{}", "null", '"text"', '{"sha": 7}', '{"object": null, "commit": []}']
)
@pytest.mark.parametrize("call", [call for call in CALLS if call != "anything"])
def test_nonsense_is_no_success(github: GitHubEmulator, call: str, body: str) -> None:
    """An answer of 200 that is not GitHub's: the dependency failed, and nothing is taken for done."""
    base = git(github, "rev-parse", "main")
    method, path = CALLS[call]
    github.fail(method, path, 200, body=body, times=-1, applied=call == "move")
    repository = connect(github)
    try:
        made = promote(repository)
    except DependencyError as error:
        assert "\n" not in str(error)
        if call != "move":
            assert git(github, "rev-parse", "main") == base
    else:
        assert call == "files"
        assert git(github, "rev-parse", "main") == made


def test_another_on_top_of_a_lost_answer(github: GitHubEmulator) -> None:
    """Our move was made, its answer lost, and another landed on it: that is a success, not a conflict."""
    repository = connect(github)
    snapshot = repository.snapshot()
    github.fail("PATCH", "/git/refs/", "reset", applied=True)
    github.subscribe(
        lambda seen: seen.method == "PATCH" and seen.status == 200 and github.commit(NAME, {"other": "x"})
    )
    made = repository.land(snapshot, [FileChange(VALUES, b"2\n")], "promote")
    assert git(github, "rev-parse", "main^") == made


def test_a_conflict_after_a_lost_answer_is_a_conflict(github: GitHubEmulator) -> None:
    """Our move was not made, and another's was: nothing of ours is there."""
    repository = connect(github)
    snapshot = repository.snapshot()
    github.fail("PATCH", "/git/refs/", "reset")
    theirs = github.commit(NAME, {VALUES: "theirs"})
    with pytest.raises(Conflict):
        repository.land(snapshot, [FileChange(VALUES, b"2\n")], "promote")
    assert git(github, "rev-parse", "main") == theirs


def test_a_silent_server_is_given_up(github: GitHubEmulator) -> None:
    """Every request has a deadline of its own."""
    github.hang = 30
    github.fail("GET", "", "timeout", times=-1)
    env = {"GITHUB_API_URL": github.url}
    api = GitHubApi(TOKEN, env, patience=Patience(timeout=1, tries=1))
    with pytest.raises(DependencyError, match="no answer in time"):
        GitHubRepository(NAME, TOKEN, env, api=api).snapshot()


def test_waits_are_githubs_and_bounded(github: GitHubEmulator) -> None:
    """`Retry-After` is obeyed; a limit that lasts longer than we wait ends with the time it is over."""
    waits: list[float] = []
    github.fail("GET", "/branches/", "abuse", retry_after=17)
    connect(github, waits.append).snapshot()
    assert waits == [17.0]
    github.fail("GET", "/branches/", "abuse", retry_after=300)
    with pytest.raises(DependencyError, match=r"used up until \d\d:\d\d:\d\d UTC"):
        connect(github, waits.append).snapshot()
    assert waits == [17.0]


def test_pauses_grow_and_differ() -> None:
    """Tries are further and further apart, and not in step with others'."""
    waits: list[float] = []
    api = GitHubApi("", {"GITHUB_API_URL": "http://127.0.0.1:9"}, sleep=waits.append)
    with pytest.raises(DependencyError, match="in 5 tries"):
        api.ask("GET", "/user")
    assert len(waits) == 4
    for wait, middle in zip(waits, (0.5, 1, 2, 4), strict=True):
        assert middle * 0.5 <= wait <= middle * 1.5


# -- pull requests -------------------------------------------------------------------------------

BRANCH = "promote/nexo-be-prod-2"


def proposed(github: GitHubEmulator, repository: GitHubRepository) -> PullRequest:
    github.commit(NAME, {VALUES: "2\n"}, branch=BRANCH)
    return repository.forge.open_pull("t", "b", BRANCH, "main")


def open_pull(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    github.commit(NAME, {VALUES: "3\n"}, branch="promote/other")
    made = repository.forge.open_pull("t", "b", "promote/other", "main")
    return made.number == 2 and len(github.repository(NAME).pulls) == 2


def update(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    return repository.forge.update_pull(pull.number, title="new").title == "new"


def close(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    return repository.forge.close_pull(pull.number).state == "closed"


def comment(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    repository.forge.comment(pull.number, "hello")
    return [one.body for one in github.repository(NAME).pulls[1].comments] == ["hello"]


def label(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    repository.forge.add_labels(pull.number, ["production-deploy"])
    return github.repository(NAME).pulls[1].labels == ["production-deploy"]


def ask(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    return repository.forge.request_reviewers(1, ["ana"], ["sre"]).asked == ("ana", "nexo-org/sre")


def merge(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    return repository.forge.merge(pull.number, pull.head_sha) == git(github, "rev-parse", "main")


def status(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    repository.forge.set_status(pull.head_sha, "promotion/soak", "success")
    return repository.forge.statuses(pull.head_sha)["promotion/soak"].state == "success"


def branch(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    repository.forge.put_branch("promote/new", pull.head_sha)
    return git(github, "rev-parse", "promote/new") == pull.head_sha


def rewrite(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    base = git(github, "rev-parse", "main")
    repository.forge.put_branch(BRANCH, base)
    return git(github, "rev-parse", BRANCH) == base


def delete(github: GitHubEmulator, repository: GitHubRepository, pull: PullRequest) -> bool:
    repository.forge.delete_branch(BRANCH)
    return git(github, "branch", "--list", BRANCH) == ""


ACTS = {
    "open": ("POST", "/pulls$", open_pull),
    "update": ("PATCH", "/pulls/1$", update),
    "close": ("PATCH", "/pulls/1$", close),
    "comment": ("POST", "/comments$", comment),
    "new label": ("POST", f"{REPO}/labels$", label),
    "label": ("POST", "/issues/1/labels$", label),
    "ask": ("POST", "/requested_reviewers$", ask),
    "merge": ("PUT", "/merge$", merge),
    "status": ("POST", "/statuses/", status),
    "branch": ("POST", "/git/refs$", branch),
    "rewrite": ("PATCH", "/git/refs/", rewrite),
    "delete": ("DELETE", "/git/refs/", delete),
}


@pytest.mark.parametrize(("kind", "applied"), [("abuse", False), ("502", False), ("reset", True)])
@pytest.mark.parametrize("act", ACTS)
def test_acts_on_pull_requests_are_done_once(
    github: GitHubEmulator, act: str, kind: str, applied: bool
) -> None:
    """One fault is not noticed, and nothing is done twice: no second comment, no second pull request."""
    method, path, do = ACTS[act]
    repository = connect(github)
    pull = proposed(github, repository)
    fault = github.fail(method, path, kind, applied=applied)
    assert do(github, repository, pull)
    assert fault.hits == 1


@pytest.mark.parametrize("act", ["open", "comment", "merge"])
def test_acts_whose_answers_are_always_lost_are_done_once(github: GitHubEmulator, act: str) -> None:
    """What can't be repeated is looked up after every lost answer, so it is not done a second time."""
    method, path, do = ACTS[act]
    repository = connect(github)
    pull = proposed(github, repository)
    github.fail(method, path, "reset", times=-1, applied=True)
    assert do(github, repository, pull)


@pytest.mark.parametrize("act", ["open", "update", "close", "merge"])
@pytest.mark.parametrize("body", ["[]", "{}", "null"])
def test_nonsense_about_a_pull_request_is_no_success(github: GitHubEmulator, act: str, body: str) -> None:
    """What is needed from an answer must be in it."""
    method, path, do = ACTS[act]
    repository = connect(github)
    pull = proposed(github, repository)
    github.fail(method, path, 200, body=body)
    with pytest.raises(DependencyError, match="does not describe"):
        do(github, repository, pull)


@pytest.mark.parametrize("act", ACTS)
def test_acts_that_never_get_through_exit_with_3(github: GitHubEmulator, act: str) -> None:
    """A call that fails for ever is a dependency's failure, not a success."""
    method, path, do = ACTS[act]
    repository = connect(github)
    pull = proposed(github, repository)
    github.fail(method, path, "502", times=-1)
    with pytest.raises(DependencyError) as caught:
        do(github, repository, pull)
    assert caught.value.exit_status == 3


def test_a_merge_that_is_refused_is_not_tried_for_ever(github: GitHubEmulator) -> None:
    """The rules' no is a no, also after a fault."""
    repository = connect(github)
    pull = proposed(github, repository)
    github.protect(NAME, "main", Protection(required_approvals=1))
    github.fail("PUT", "/merge$", "reset")
    with pytest.raises(Refused, match="approving review is required"):
        repository.forge.merge(pull.number, pull.head_sha)


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_page_in_place_of_the_api_is_told(status: int) -> None:
    """A wrong GITHUB_API_URL and a proxy answer with pages: the message names both."""
    with serving(lambda _: Reply(status, b"\n<!DOCTYPE html><p>sign in</p>")) as server:
        api = GitHubApi(TOKEN, {"GITHUB_API_URL": server.url}, patience=Patience(timeout=1, tries=1))
        with pytest.raises(DependencyError, match=f"{status} with a page.*GITHUB_API_URL"):
            api.ask("GET", "/repos/nexo-org/nexo-gitops")
