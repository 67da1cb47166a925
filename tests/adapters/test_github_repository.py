"""A GitOps repository through GitHub's API: read to the byte, landed by compare-and-swap."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.adapters.forge import ForgeRepository
from promote_actions.adapters.github import GitHubRepository
from promote_actions.adapters.github_api import GitHubApi, Patience
from promote_actions.adapters.github_names import file_path, ref_name, repository_path
from promote_actions.adapters.gitops import FileChange
from promote_actions.errors import Conflict, DependencyError, InputError, PromoteError
from promote_actions.rehearsal.github import GitHubEmulator, Protection

NAME = "nexo-org/nexo-gitops"
VALUES = "helm/nexo-be/values-qa.yaml"
FILES: dict[str, bytes] = {
    VALUES: b"image:\r\n  tag: '2026.02.17'   # kept\r\n",
    "helm/nexo-be/values-prod.yaml": b"image: {tag: 2026.01.45}",
    "latin-1.txt": "ação".encode("latin-1"),
    "bom.txt": b"\xef\xbb\xbfx\n",
    "binary.bin": bytes(range(256)),
    "empty": b"",
    "big.txt": b"0123456789abcde\n" * 70_000,
    "strange/a b#c?d%41&e=f+g.yaml": b"1\n",
    "strange/ação \U0001f600\n.yaml": "é\n".encode(),
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubEmulator]:
    """A GitHub with one repository, and a bot that may write to it."""
    with GitHubEmulator(tmp_path) as github:
        github.add_user("ana")
        github.add_user("promoter[bot]", "bot-secret-token", bot=True)
        github.add_repository(NAME)
        github.commit(NAME, FILES)
        yield github
        assert github.crashes == []


def connect(github: GitHubEmulator, token: str = "bot-secret-token", name: str = NAME) -> GitHubRepository:
    """The repository as ``token`` reaches it, without waiting between tries."""
    env = {"GITHUB_API_URL": github.url}
    api = GitHubApi(token, env, patience=Patience(timeout=5, tries=3, pause=0), sleep=lambda _: None)
    return GitHubRepository(name, token, env, api=api)


def git(github: GitHubEmulator, *arguments: str) -> str:
    """What git says of the bare repository."""
    command = ["git", "-C", str(github.repository(NAME).store.path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def change(content: bytes = b"image:\n  tag: '2026.02.18'\n", path: str = VALUES) -> list[FileChange]:
    return [FileChange(path, content)]


# -- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("graphql", [True, False])
def test_files_are_read_to_the_byte(github: GitHubEmulator, graphql: bool) -> None:
    """Every file is what git has, whether many are asked for at once or GraphQL is not to be had."""
    if not graphql:
        github.fail("POST", "/graphql", 404, times=-1)
    snapshot = connect(github).snapshot()
    assert snapshot.read_many([*FILES, "helm", "none", "../x", "/helm", ".git/config", ""]) == FILES
    assert snapshot.read("none") is None
    assert (snapshot.commit, snapshot.branch) == (git(github, "rev-parse", "main"), "main")


def test_one_query_reads_many_files_and_asks_once(github: GitHubEmulator) -> None:
    """Many files are one request; what was read is not asked for again."""
    repository = connect(github)
    snapshot = repository.snapshot()
    before = repository.calls
    paths = [VALUES, "helm/nexo-be/values-prod.yaml", "none", "empty"]
    assert set(snapshot.read_many(paths)) == set(paths) - {"none"}
    snapshot.read(VALUES)
    assert repository.calls == before + 1


@pytest.mark.parametrize("limit", [100_000, 1])
def test_listing(github: GitHubEmulator, limit: int) -> None:
    """Folders are listed whole, also where GitHub cuts a recursive tree."""
    github.commit(NAME, {"one/only/file": "x"})
    github.repository(NAME).tree_limit = limit if limit > 1 else len(FILES) + 2
    snapshot = connect(github).snapshot()
    assert list(snapshot.files()) == sorted([*FILES, "one/only/file"])
    assert list(snapshot.files("helm/")) == [f"helm/nexo-be/values-{name}.yaml" for name in ("prod", "qa")]
    assert list(snapshot.files("helm/none")) == list(snapshot.files(VALUES)) == []


def test_symbolic_links_and_modules_are_not_files_to_edit(github: GitHubEmulator) -> None:
    """A link reads as its target's name and is never replaced; a submodule is no file."""
    store = github.repository(NAME).store
    link, head = store.write_blob(b"values-qa.yaml"), git(github, "rev-parse", "main")
    tree = store.write_tree(head, [("120000", link, "helm/nexo-be/link"), ("160000", head, "module")])
    person = github.add_user("x").person(github.world.now())
    store.move_ref("refs/heads/main", store.write_commit(tree or "", [head], "m", person, person), head)
    repository = connect(github)
    snapshot = repository.snapshot()
    assert snapshot.read("helm/nexo-be/link") == b"values-qa.yaml"
    assert snapshot.read("module") is None
    assert "module" not in snapshot.files()
    with pytest.raises(InputError, match="not a regular file"):
        repository.land(snapshot, change(path="helm/nexo-be/link"), "m")


def test_every_reading_is_of_one_commit(github: GitHubEmulator) -> None:
    """A push in the middle of reading changes nothing of what a snapshot says."""
    snapshot = connect(github).snapshot()
    github.commit(NAME, {VALUES: "newer", "new": "x"})
    assert snapshot.read(VALUES) == FILES[VALUES]
    assert snapshot.read("new") is None
    assert "new" not in snapshot.files()


def test_history_ancestors_and_old_contents(github: GitHubEmulator) -> None:
    """History by path over pages, contents at an old commit, and who descends from whom."""
    first = git(github, "rev-parse", "main")
    made = [github.commit(NAME, {VALUES: f"{n}\n"}, f"promote {n}\n\nbody", login="ana") for n in range(4)]
    other = github.commit(NAME, {"other": "x"}, branch="side")
    repository = connect(github)
    commits = repository.history(VALUES)
    assert [commit.sha for commit in commits] == [*reversed(made), first]
    assert (commits[0].subject, commits[0].author, commits[0].parents) == ("promote 3", "ana", (made[2],))
    assert commits[0].committed_at.tzinfo is not None
    assert [commit.sha for commit in repository.history(VALUES, made[1], limit=1)] == [made[1]]
    assert repository.read_at(first, VALUES) == FILES[VALUES]
    assert repository.read_at(made[0], VALUES) == b"0\n"
    ancestry = [repository.is_ancestor(a, b) for a, b in [(first, other), (other, first), (first, first)]]
    assert ancestry == [True, False, True]
    assert repository.is_ancestor("0" * 40, first) is None


@pytest.mark.parametrize("annotated", [2, 12])
def test_tags(github: GitHubEmulator, annotated: int) -> None:
    """Tags by prefix, each with its commit, however many of them are annotated."""
    head = git(github, "rev-parse", "main")
    git(github, "tag", "2026.02.1", head)
    git(github, "tag", "v9", head)
    for number in range(annotated):
        name = f"2026.02.{number + 2}"
        git(github, "-c", "user.name=a", "-c", "user.email=a@b", "tag", "-a", "-m", "x", name, head)
    repository = connect(github)
    assert repository.tags("2026.02.") == {f"2026.02.{n + 1}": head for n in range(annotated + 1)}
    assert set(repository.tags()) == {"v9", *repository.tags("2026")}
    assert repository.tags("none") == {}


# -- landing -------------------------------------------------------------------------------------


def test_landing_changes_those_bytes_and_nothing_else(github: GitHubEmulator) -> None:
    """One commit on the head that was read, byte for byte, with modes kept."""
    base = git(github, "rev-parse", "main")
    repository = connect(github)
    snapshot = repository.snapshot()
    new = {VALUES: b"a\r\n\xff", "bom.txt": b"\xef\xbb\xbfy", "audit/é.json": b"{}\n"}
    changes = [FileChange(path, content, path not in FILES) for path, content in new.items()]
    made = repository.land(snapshot, changes, "promote(nexo-be): qa → 2026.02.18\n\nbody")
    assert git(github, "rev-parse", "main", "main^").split() == [made, base]
    assert repository.snapshot().read_many([*FILES, *new]) == FILES | new
    assert git(github, "log", "-1", "--format=%B") == "promote(nexo-be): qa → 2026.02.18\n\nbody"
    assert set(git(github, "-c", "core.quotePath=false", "diff", "--name-only", base, made).split()) == set(
        new
    )


@pytest.mark.parametrize(
    ("content", "blobs"), [(b"\xef\xbb\xbfx", 1), (b"a\0b", 1), (b"\xff", 1), ("é\r\n".encode(), 0)]
)
def test_only_plain_text_travels_as_text(github: GitHubEmulator, content: bytes, blobs: int) -> None:
    """What JSON or a server might alter is sent in Base64."""
    repository = connect(github)
    repository.land(repository.snapshot(), change(content), "m")
    assert [one.template.endswith("/git/blobs") for one in github.exchanges].count(True) == blobs
    assert repository.snapshot().read(VALUES) == content


def test_executable_files_stay_executable(github: GitHubEmulator) -> None:
    """A file's mode is what it was, whether it was read before or not."""
    store, head = github.repository(NAME).store, git(github, "rev-parse", "main")
    tree = store.write_tree(head, [("100755", store.write_blob(b"x"), f"bin/{n}") for n in "ab"])
    person = github.world.users["ana"].person(github.world.now())
    store.move_ref("refs/heads/main", store.write_commit(tree or "", [head], "m", person, person), head)
    repository = connect(github)
    snapshot = repository.snapshot()
    snapshot.read("bin/a")
    repository.land(snapshot, [FileChange("bin/a", b"y"), FileChange("bin/b", b"y")], "m")
    assert git(github, "ls-tree", "main", "bin/").count("100755") == 2


def test_a_branch_that_moved_is_a_conflict(github: GitHubEmulator) -> None:
    """Somebody was faster: nothing is lost, nothing is forced."""
    repository = connect(github)
    snapshot = repository.snapshot()
    theirs = github.commit(NAME, {VALUES: "theirs"})
    with pytest.raises(Conflict, match="moved"):
        repository.land(snapshot, change(), "m")
    assert git(github, "rev-parse", "main") == theirs


def test_a_file_to_create_must_not_exist(github: GitHubEmulator) -> None:
    """An audit record never replaces another."""
    repository = connect(github)
    with pytest.raises(Conflict, match="exists already"):
        repository.land(repository.snapshot(), [FileChange(VALUES, b"x", create=True)], "m")


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".git/config", "a/.GIT/b", "", "a\0b"])
def test_paths_outside_of_a_repository_are_refused(github: GitHubEmulator, path: str) -> None:
    """A path that could mean something else never reaches an address."""
    repository = connect(github)
    with pytest.raises(InputError, match="not a path inside"):
        repository.land(repository.snapshot(), change(path=path), "m")


def test_twenty_at_once_all_land(github: GitHubEmulator) -> None:
    """Twenty services promoted at the same time: each lands, one after another, none lost."""

    def promote(number: int) -> str:
        repository = connect(github)
        changes = change(b"%d" % number, f"helm/s{number}/values-qa.yaml")
        for tries in range(200):
            snapshot = repository.snapshot()
            try:
                return repository.land(snapshot, changes, f"s{number}")
            except Conflict:
                time.sleep(random.uniform(0, 0.05 * min(tries + 1, 8)))
        raise AssertionError("never landed")

    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(promote, range(20)))
    assert sorted(git(github, "log", "--format=%H", "-20").split()) == sorted(made)
    landed = connect(github).snapshot().read_many([f"helm/s{n}/values-qa.yaml" for n in range(20)])
    assert sorted(landed.values()) == sorted(b"%d" % n for n in range(20))


def test_the_number_of_calls_does_not_grow(github: GitHubEmulator) -> None:
    """A promotion takes seven requests in a repository of one service or of a thousand."""

    def calls(service: str) -> int:
        repository = connect(github)
        snapshot = repository.snapshot()
        paths = [f"helm/{service}/values-{suffix}.yaml" for suffix in ("qa", "staging")]
        snapshot.read_many([*paths, "promotion.yaml", ".github/CODEOWNERS", "CODEOWNERS"])
        record = FileChange(f"audit/{service}.json", b"{}", create=True)
        repository.land(snapshot, [FileChange(paths[0], b"x"), record], "m")
        return repository.calls

    few = calls("nexo-be")
    more = {f"helm/s{n}/values-{suffix}.yaml": "x" for n in range(500) for suffix in ("qa", "staging")}
    github.commit(NAME, more)
    assert (few, calls("s77")) == (7, 7)


# -- branches for pull requests ------------------------------------------------------------------


def test_promotion_branches_are_made_and_replaced(github: GitHubEmulator) -> None:
    """A branch of ours is created, and made anew on the head that was read."""
    repository = connect(github)
    assert isinstance(repository, ForgeRepository)
    branch = "promote/nexo-be-prod-2026.02.18"
    first = repository.land_on_branch(repository.snapshot(), change(b"1"), "m", branch)
    assert git(github, "rev-parse", branch) == first
    github.commit(NAME, {"other": "x"})
    second = repository.land_on_branch(repository.snapshot(), change(b"2"), "m", branch)
    assert git(github, "rev-parse", branch, f"{branch}^") == f"{second}\n{git(github, 'rev-parse', 'main')}"


@pytest.mark.parametrize(
    "branch", ["main", "feature/x", "promote/../main", "promote/a..b", "promote/", "-f", ""]
)
def test_other_branches_are_never_replaced(github: GitHubEmulator, branch: str) -> None:
    """Only branches that are ours by name, and possible names at that."""
    repository = connect(github)
    before = git(github, "for-each-ref")
    with pytest.raises(InputError):
        repository.land_on_branch(repository.snapshot(), change(), "m", branch)
    assert git(github, "for-each-ref") == before


@pytest.mark.parametrize(
    "branch", ["release/2026.02", "feature/Foo_Bar#1", "ação", "a&b=c", "a%2Fb", "x'; DROP", "refs/heads/x"]
)
def test_strange_branch_names(github: GitHubEmulator, branch: str) -> None:
    """A branch may have any name that git allows."""
    branch = branch.replace(" ", "_")
    github.commit(NAME, {VALUES: "there"}, branch=branch)
    repository = connect(github)
    made = repository.land(repository.snapshot(branch), change(), "m")
    assert git(github, "rev-parse", f"refs/heads/{branch}") == made


def test_a_branch_may_be_named_by_its_ref(github: GitHubEmulator) -> None:
    """`github.ref` holds refs/heads/main; a branch that doesn't exist is told without it."""
    repository = connect(github)
    assert repository.snapshot("refs/heads/main").branch == "main"
    with pytest.raises(InputError, match="no branch 'nope'"):
        repository.snapshot("refs/heads/nope")


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab/.@{~^:?*[\\ -\x7f\n%#") | st.characters(codec="utf-8"), max_size=12))
def test_branch_names_are_gits(name: str) -> None:
    """A name that passes is one that git takes, and it is quoted so that it can't be another address."""
    try:
        quoted = ref_name(name)
    except InputError:
        return
    assert subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False).returncode == 0
    assert not {"?", "#", "%2F", " "} & set(quoted)
    assert ".." not in quoted.split("/")


@pytest.mark.parametrize(
    "name", ["x", "a/b/c", "a/..", "a/.", "../b", "a/b?c", "a/", "-/b", "https://x/y", "a/b\n"]
)
def test_repository_names(name: str) -> None:
    """What is not owner/name never reaches an address."""
    with pytest.raises(InputError, match="owner/name"):
        repository_path(name)
    assert repository_path("nexo-org/a.b_c-d") == "/repos/nexo-org/a.b_c-d"
    assert file_path("a b/é#") == "a%20b/%C3%A9%23"


# -- refusals ------------------------------------------------------------------------------------


def land(repository: GitHubRepository, branch: str = "") -> str:
    return repository.land(repository.snapshot(branch), change(), "m")


@pytest.mark.parametrize(
    ("case", "error", "words"),
    [
        ("protected", InputError, "forbid to write to main.*pull request"),
        ("status", InputError, "forbid to write to main.*promotion/soak"),
        ("no permission", InputError, "may not write.*`contents: write`"),
        ("classic", InputError, "may not write.*`contents: write`"),
        ("bad token", InputError, "refused the token"),
        ("archived", InputError, "archived.*unarchive"),
        ("stranger", InputError, "no repository nexo-org/nexo-gitops.*may not see"),
        ("renamed branch", InputError, "'main' of nexo-org/nexo-gitops is now 'trunk'"),
        ("no branch", InputError, "no branch 'main'.*default is 'trunk'"),
        ("no repository", InputError, "no repository nexo-org/nexo-gitops"),
        ("empty", InputError, "no branch 'main'.*first commit"),
        ("rate limit", DependencyError, "rate limit is used up until"),
        ("unreachable", DependencyError, "in 3 tries: the connection broke"),
    ],
)
def test_each_refusal_says_what_to_do(github: GitHubEmulator, case: str, error: type, words: str) -> None:
    """One line each, with what to grant or fix, without the token; and nothing has changed."""
    token = arrange(github, case)
    repository = connect(github, token)
    if case == "unreachable":
        github.stop()
    with pytest.raises(error, match=words) as caught:
        land(repository, "main" if "branch" in case else "")
    text = str(caught.value)
    assert isinstance(caught.value, PromoteError)
    assert "\n" not in text
    assert token not in text


def arrange(github: GitHubEmulator, case: str) -> str:
    """Set up ``case``; returns the token to use."""
    repository = github.repository(NAME)
    if case == "protected":
        github.protect(NAME, "main", Protection(required_approvals=2))
    elif case == "status":
        github.protect(NAME, "main", Protection(("promotion/soak",)))
    elif case in ("no permission", "classic", "stranger"):
        role = "none" if case == "stranger" else "read"
        github.add_user("weak", "weak-secret-token", role=role, classic=case == "classic")
        return "weak-secret-token"
    elif case == "archived":
        repository.archived = True
    elif "branch" in case:
        github.rename_branch(NAME, "main", "trunk")
        if case == "no branch":
            repository.renamed_branches.clear()
    elif case == "no repository":
        del github.world.repositories[NAME]
    elif case == "empty":
        git(github, "update-ref", "-d", "refs/heads/main")
    elif case == "rate limit":
        github.world.rate.remaining = 0
        github.world.rate.reset = github.world.clock().replace(year=2099)
    return "wrong-secret-token" if case == "bad token" else "bot-secret-token"


def test_a_renamed_repository_is_followed(github: GitHubEmulator) -> None:
    """The old name still works, also for what takes a query, and messages use the new one."""
    first = git(github, "rev-parse", "main")
    github.commit(NAME, {VALUES: "newer"})
    path = github.repository(NAME).store.path
    github.rename_repository(NAME, "nexo-org/deploys")
    repository = connect(github)
    assert repository.read_at(first, VALUES) == FILES[VALUES]
    made = land(repository)
    head = subprocess.run(
        ["git", "-C", str(path), "rev-parse", "main"], capture_output=True, text=True, check=True
    )
    assert head.stdout.strip() == made
    assert repository.name == "nexo-org/deploys"


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "https://user:secret@host/", "http://"])
def test_a_wrong_api_address_is_refused_without_being_shown(url: str) -> None:
    """The address may hold credentials, so it is not repeated."""
    with pytest.raises(InputError, match="GITHUB_API_URL") as caught:
        GitHubRepository(NAME, "t", {"GITHUB_API_URL": url})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("", "https://github.com/nexo-org/nexo-gitops"),
        ("https://ghe.example/api/v3", "https://ghe.example/nexo-org/nexo-gitops"),
    ],
)
def test_pages_of_github_and_of_an_enterprise_server(api: str, web: str) -> None:
    """Links for people, from the API's address."""
    assert GitHubRepository(NAME, "t", {"GITHUB_API_URL": api}).web_url == web


@pytest.mark.parametrize("value", ["soon", "-1", "1e9", "0x1"])
def test_nonsense_in_the_environment_is_refused(value: str) -> None:
    """A wrong length of time names its variable."""
    with pytest.raises(InputError, match="PROMOTE_ACTIONS_API_PAUSE"):
        GitHubRepository(NAME, "t", {"PROMOTE_ACTIONS_API_PAUSE": value})


def test_pygithub_is_imported_when_github_is_asked() -> None:
    """Importing and constructing the adapter costs nothing of PyGithub's third of a second."""
    code = (
        "import sys; from promote_actions.adapters.github import GitHubRepository;"
        "GitHubRepository('a/b', 't', {}); print({'github', 'requests'} & set(sys.modules))"
    )
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": source}
    )
    assert done.stdout.strip() == "set()"
