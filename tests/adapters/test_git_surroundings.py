"""Repositories as people have them: subfolders, worktrees, hooks, other remotes, a caller's environment."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from promote_actions.adapters.git import LocalRepository, RemoteRepository
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.gitops import FileChange
from promote_actions.adapters.repositories import open_repository
from promote_actions.errors import Conflict, InputError

_FILE = "helm/api/values-qa.yaml"
_ENV = {"GITHUB_ACTOR": "ana"}


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ana")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ana@example.com")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _checkout(folder: Path) -> Path:
    """A checkout of ``main`` with two files and no remote."""
    folder.mkdir()
    _git(folder, "init", "--quiet", "-b", "main")
    (folder / "helm/api").mkdir(parents=True)
    (folder / _FILE).write_text("tag: 1\n")
    (folder / "README").write_text("hello\n")
    _git(folder, "add", "-A")
    _git(folder, "commit", "--quiet", "-m", "Begin")
    return folder


def _bare(folder: Path) -> Path:
    work = _checkout(folder.with_suffix(".work"))
    _git(work, "clone", "--quiet", "--bare", str(work), str(folder))
    _git(folder, "remote", "remove", "origin")
    return folder


def _hook(bare: Path, name: str, script: str) -> None:
    path = bare / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _promote(where: Path | str, content: bytes = b"tag: 2\n") -> str:
    repository = open_repository(str(where), "", _ENV)
    return repository.land(repository.snapshot(), [FileChange(_FILE, content)], "Promote\n")


@pytest.mark.parametrize("inside", [".", "helm", "helm/api", ".git", ".git/refs"])
def test_files_of_a_checkout_follow_wherever_inside_it_was_named(tmp_path: Path, inside: str) -> None:
    """A promotion from a subfolder, or from .git, leaves a clean checkout with the new content."""
    checkout = _checkout(tmp_path / "gitops")
    made = _promote(checkout / inside)
    assert _git(checkout, "rev-parse", "HEAD") == made
    assert (checkout / _FILE).read_text() == "tag: 2\n"
    assert _git(checkout, "status", "--porcelain") == ""


@pytest.mark.parametrize("inside", [".", "helm/api", ".git"])
def test_unsaved_changes_stop_a_promotion_from_a_subfolder(tmp_path: Path, inside: str) -> None:
    """What the user has changed in the file to be edited is seen from every folder."""
    checkout = _checkout(tmp_path / "gitops")
    (checkout / _FILE).write_text("tag: mine\n")
    with pytest.raises(InputError, match="not committed"):
        _promote(checkout / inside)
    assert (checkout / _FILE).read_text() == "tag: mine\n"


def test_a_subfolder_shows_the_files_of_the_whole_repository(tmp_path: Path) -> None:
    """Paths begin at the root of the repository, not at the folder that was named."""
    checkout = _checkout(tmp_path / "gitops")
    snapshot = open_repository(str(checkout / "helm"), "", _ENV).snapshot()
    assert snapshot.files() == ["README", _FILE]
    assert snapshot.files("helm") == [_FILE]


@pytest.mark.parametrize("bare", [False, True])
def test_a_linked_worktree_on_the_branch_follows(tmp_path: Path, bare: bool) -> None:
    """The branch may be checked out in another worktree: its files must not look like a revert."""
    main = _bare(tmp_path / "gitops") if bare else _checkout(tmp_path / "gitops")
    other = tmp_path / "other"
    if bare:
        _git(main, "worktree", "add", "--quiet", str(other), "main")
        _promote(main)
        holder = other
    else:
        _git(main, "worktree", "add", "--quiet", str(other), "-b", "work")
        repository = open_repository(str(other), "", _ENV)
        repository.land(repository.snapshot("main"), [FileChange(_FILE, b"tag: 2\n")], "Promote\n")
        holder = main
    assert (holder / _FILE).read_text() == "tag: 2\n"
    assert _git(holder, "status", "--porcelain") == ""


def test_a_worktree_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    """git still lists a worktree whose folder was deleted."""
    bare = _bare(tmp_path / "gitops")
    _git(bare, "worktree", "add", "--quiet", str(tmp_path / "other"), "main")
    (tmp_path / "other").rename(tmp_path / "moved")
    assert _promote(bare) == _git(bare, "rev-parse", "main")


def test_a_bare_repository_marked_as_none_is_written(tmp_path: Path) -> None:
    """`core.bare=false` in a bare repository makes git speak of a work tree that isn't there."""
    bare = _bare(tmp_path / "gitops")
    _git(bare, "config", "core.bare", "false")
    assert _promote(bare) == _git(bare, "rev-parse", "main")


def test_server_hooks_of_a_bare_repository_run(tmp_path: Path) -> None:
    """A path to a bare repository is no way around its pre-receive and post-receive hooks."""
    bare = _bare(tmp_path / "gitops")
    _hook(bare, "post-receive", 'cat > "$GIT_DIR/told"')
    made = _promote(bare)
    assert made in (bare / "told").read_text()
    _hook(bare, "pre-receive", "echo 'only signed commits' >&2\nexit 1")
    with pytest.raises(InputError, match=r"pre-receive hook declined; only signed commits"):
        _promote(bare, b"tag: 3\n")
    assert _git(bare, "rev-parse", "main") == made


def test_the_only_remote_is_the_truth_whatever_its_name(tmp_path: Path) -> None:
    """A promotion from a checkout whose remote is called upstream is pushed there."""
    bare = _bare(tmp_path / "gitops")
    _git(tmp_path, "clone", "--quiet", "-o", "upstream", str(bare), "checkout")
    assert _promote(tmp_path / "checkout") == _git(bare, "rev-parse", "main")


def test_of_several_remotes_without_origin_none_is_guessed(tmp_path: Path) -> None:
    """A promotion must not end in the checkout because its remote could not be told."""
    bare = _bare(tmp_path / "gitops")
    _git(tmp_path, "clone", "--quiet", "-o", "upstream", str(bare), "checkout")
    _git(tmp_path / "checkout", "remote", "add", "fork", str(tmp_path / "fork"))
    with pytest.raises(InputError, match="several remotes"):
        _promote(tmp_path / "checkout")


def test_many_promotions_from_one_checkout_at_once(tmp_path: Path) -> None:
    """Threads that promote from one checkout only ever meet conflicts, and leave no refs of ours in it."""
    bare = _bare(tmp_path / "gitops")
    _git(tmp_path, "clone", "--quiet", str(bare), "checkout")

    def promote(number: int) -> None:
        repository = open_repository(str(tmp_path / "checkout"), "", _ENV)
        change = FileChange(f"helm/s{number}/values-qa.yaml", b"tag: 2\n")
        while True:
            with suppress(Conflict):
                repository.land(repository.snapshot(), [change], f"Promote s{number}\n")
                return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(promote, range(6)))
    assert _git(bare, "rev-list", "--count", "main") == "7"
    assert "promote-actions" not in _git(tmp_path / "checkout", "for-each-ref")


def test_a_tag_called_like_the_branch_is_not_taken_for_it(tmp_path: Path) -> None:
    """git shortens a branch to heads/main where a tag main exists."""
    bare = _bare(tmp_path / "gitops")
    old = _git(bare, "rev-parse", "main")
    _git(bare, "tag", "main")
    made = _promote(bare)
    assert _git(bare, "rev-parse", "refs/heads/main") == made
    assert _git(bare, "rev-parse", "refs/tags/main") == old


def test_a_hidden_ref_that_ends_like_the_branch_is_not_its_head(tmp_path: Path) -> None:
    """`git ls-remote` matches the ends of names: refs/heads/a/refs/heads/main sorts first."""
    bare = _bare(tmp_path / "gitops")
    first = _git(bare, "rev-parse", "main")
    _git(tmp_path, "clone", "--quiet", str(bare), "checkout")
    _promote(bare)
    _git(bare, "update-ref", "refs/heads/a/refs/heads/main", first)
    made = _promote(tmp_path / "checkout", b"tag: 3\n")
    assert _git(bare, "rev-parse", "refs/heads/main") == made


@pytest.mark.parametrize("kind", ["path", "url"])
@pytest.mark.parametrize("branch", ["a b", "*", "main^{}", "../x", "main:refs/heads/x", "ma\nin", "x.lock"])
def test_what_no_branch_can_be_called_is_bad_input(tmp_path: Path, kind: str, branch: str) -> None:
    """Such a name never reaches a refspec, and the error is one line."""
    bare = _bare(tmp_path / "gitops")
    repository = open_repository(str(bare) if kind == "path" else f"file://{bare}", "", _ENV)
    with pytest.raises(InputError, match="can't be the name of a branch") as raised:
        repository.snapshot(branch)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("kind", ["path", "url"])
def test_a_branch_may_be_written_as_a_ref(tmp_path: Path, kind: str) -> None:
    """`github.ref` holds refs/heads/main."""
    bare = _bare(tmp_path / "gitops")
    repository = open_repository(str(bare) if kind == "path" else f"file://{bare}", "", _ENV)
    assert repository.snapshot("refs/heads/main").branch == "main"


@pytest.mark.parametrize(
    "variable",
    [
        *("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE"),
        *("GIT_OBJECT_DIRECTORY", "GIT_LITERAL_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_SHALLOW_FILE"),
    ],
)
def test_a_callers_pointers_to_another_repository_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A promotion started by a git hook or alias works on the repository that it was given."""
    bare = _bare(tmp_path / "gitops")
    old = _git(bare, "rev-parse", "main")
    monkeypatch.setenv(variable, "1" if variable.endswith("PATHSPECS") else str(tmp_path / "elsewhere"))
    made = _promote(f"file://{bare}")
    assert open_repository(str(bare), "", _ENV).snapshot().files() == ["README", _FILE]
    monkeypatch.delenv(variable)
    assert _git(bare, "rev-parse", "main") == made != old


def test_settings_in_the_callers_environment_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_CONFIG_COUNT is how jobs pass safe.directory, insteadOf and certificates; ours follow."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "nexo.answer")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "42")
    git = Git(".", "https://git.example.com/a/b.git", "s3cret-token")
    assert git.line("config", "nexo.answer") == "42"
    assert git.line("config", "core.quotePath") == "false"
    headers = git.check("config", "--get-all", "http.https://git.example.com/.extraHeader")
    assert headers.startswith(b"\nAuthorization: Basic ")


@pytest.mark.parametrize("count", ["", "many", "-1"])
def test_a_count_of_settings_that_is_none_is_started_anew(
    monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    """git itself dies of such a count; nothing of it can be kept."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", count)
    assert Git(".").line("config", "core.quotePath") == "false"


def test_a_repository_of_another_user_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a checkout in a container often does: the message holds the command that helps."""
    bare = _bare(tmp_path / "gitops")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(InputError, match=re.escape(f"safe.directory {bare}` allows it")):
        open_repository(str(bare), "", _ENV)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(bare))
    assert isinstance(open_repository(str(bare), "", _ENV), LocalRepository)


def test_a_path_that_is_a_file_or_missing_is_no_repository(tmp_path: Path) -> None:
    """Each says so, and nothing is run there."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(InputError, match="no such folder"):
            open_repository(str(path), "", _ENV)


def test_a_checkout_of_a_remote_is_named_by_its_root(tmp_path: Path) -> None:
    """From a subfolder the pushed commit still brings the whole checkout forward."""
    bare = _bare(tmp_path / "gitops")
    _git(tmp_path, "clone", "--quiet", str(bare), "checkout")
    repository = open_repository(str(tmp_path / "checkout/helm"), "", dict(os.environ))
    assert isinstance(repository, RemoteRepository)
    repository.land(repository.snapshot(), [FileChange(_FILE, b"tag: 2\n")], "Promote\n")
    assert (tmp_path / "checkout" / _FILE).read_text() == "tag: 2\n"
    assert _git(tmp_path / "checkout", "status", "--porcelain") == ""
