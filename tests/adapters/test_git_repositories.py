"""Git repositories of every kind: read at one commit, landed on that commit or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from promote_actions.adapters.gitops import FileChange, GitOpsRepository
from promote_actions.adapters.repositories import is_github_slug, open_repository
from promote_actions.errors import Conflict, InputError
from tests.support.gitops import git, make_bare, standard_files

FILE = "helm/app/values-qa.yaml"
MESSAGE = "promote(app): qa → 1\n\nPromotion-Service: app\n"


def opened(where: Path | str) -> GitOpsRepository:
    return open_repository(str(where), "", dict(os.environ))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, standard_files(["app"]))


@pytest.fixture(params=["bare", "file URL", "checkout", "checkout without a remote"])
def where(request: pytest.FixtureRequest, bare: Path, tmp_path: Path) -> str:
    """Each kind of repository, with the same commit in it."""
    if request.param == "bare":
        return str(bare)
    if request.param == "file URL":
        return bare.as_uri()
    git(tmp_path, "clone", "-q", str(bare), "checkout")
    if request.param == "checkout without a remote":
        git(tmp_path / "checkout", "remote", "remove", "origin")
    return str(tmp_path / "checkout")


def test_reading(where: str) -> None:
    """Files are read from one commit, missing ones are None, folders are listed."""
    snapshot = opened(where).snapshot()
    assert snapshot.branch == "main"
    assert b"2026.02.15" in (snapshot.read(FILE) or b"")
    assert snapshot.read("nope") is None
    assert snapshot.read("helm") is None
    assert list(snapshot.read_many([FILE, "nope"])) == [FILE]
    assert len(snapshot.files("helm/app")) == 4
    assert snapshot.files("helm/ap") == []


def test_landing_changes_only_what_it_says(where: str) -> None:
    """The new commit has one parent, the given message, and nothing but the given changes."""
    repository = opened(where)
    base = repository.snapshot()
    made = repository.land(
        base, [FileChange(FILE, b"new\n"), FileChange("a/b.json", b"{}", create=True)], MESSAGE
    )
    after = repository.snapshot()
    assert after.commit == made
    assert after.read(FILE) == b"new\n"
    assert set(after.files()) == {*base.files(), "a/b.json"}
    newest = repository.history(FILE)[0]
    assert (newest.sha, newest.parents, newest.message) == (made, (base.commit,), MESSAGE.strip())
    assert repository.read_at(base.commit, FILE) == base.read(FILE)
    assert repository.is_ancestor(base.commit, made) is True
    assert repository.is_ancestor(made, base.commit) is False
    assert repository.is_ancestor("0" * 40, made) is None


def test_a_moved_branch_is_a_conflict(where: str) -> None:
    """A commit made on an old head never lands, and the newer one stays."""
    repository = opened(where)
    base = repository.snapshot()
    first = repository.land(base, [FileChange(FILE, b"first\n")], MESSAGE)
    with pytest.raises(Conflict):
        repository.land(base, [FileChange(FILE, b"second\n")], MESSAGE)
    assert opened(where).snapshot().commit == first


def test_an_existing_file_is_not_created_again(where: str) -> None:
    """``create`` refuses to replace, so that no audit record is overwritten."""
    repository = opened(where)
    with pytest.raises(Conflict):
        repository.land(repository.snapshot(), [FileChange(FILE, b"x", create=True)], MESSAGE)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", ".git/config", "a//b", "a\nb"])
def test_a_path_outside_is_refused(bare: Path, path: str) -> None:
    """No commit can name a file outside of the repository."""
    repository = opened(bare)
    with pytest.raises(InputError):
        repository.land(repository.snapshot(), [FileChange(path, b"x")], MESSAGE)


def test_the_mode_of_a_file_stays(tmp_path: Path) -> None:
    """A file that may be executed still may."""
    bare = make_bare(tmp_path, {"run.sh": "x"})
    work = tmp_path / "gitops.git-work"
    git(work, "update-index", "--chmod=+x", "run.sh")
    git(work, "commit", "-qm", "mode")
    git(work, "push", "-q", str(bare), "main")
    repository = opened(bare)
    repository.land(repository.snapshot(), [FileChange("run.sh", b"y")], MESSAGE)
    assert git(bare, "ls-tree", "main", "run.sh").startswith("100755")


def test_a_checkout_follows(bare: Path, tmp_path: Path) -> None:
    """After a promotion the checkout's files are the new ones, and git has nothing to complain of."""
    git(tmp_path, "clone", "-q", str(bare), "checkout")
    checkout = tmp_path / "checkout"
    repository = opened(checkout)
    made = repository.land(repository.snapshot(), [FileChange(FILE, b"new\n")], MESSAGE)
    assert git(bare, "rev-parse", "main") == made
    assert (checkout / FILE).read_bytes() == b"new\n"
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "rev-parse", "HEAD") == made


def test_a_checkout_behind_its_remote_lands_on_the_remote(bare: Path, tmp_path: Path) -> None:
    """The remote's head is what is read and written, however old the checkout is."""
    git(tmp_path, "clone", "-q", str(bare), "checkout")
    other = opened(bare)
    first = other.land(other.snapshot(), [FileChange("other.txt", b"x")], MESSAGE)
    repository = opened(tmp_path / "checkout")
    made = repository.land(repository.snapshot(), [FileChange(FILE, b"new\n")], MESSAGE)
    assert git(bare, "rev-parse", f"{made}^") == first
    assert git(tmp_path / "checkout", "status", "--porcelain") == ""


def test_the_user_s_own_changes_are_left_alone(bare: Path, tmp_path: Path) -> None:
    """A promotion lands on the remote and does not touch a dirty checkout."""
    git(tmp_path, "clone", "-q", str(bare), "checkout")
    mine = tmp_path / "checkout" / FILE
    mine.write_text("mine")
    repository = opened(tmp_path / "checkout")
    made = repository.land(repository.snapshot(), [FileChange(FILE, b"new\n")], MESSAGE)
    assert mine.read_text() == "mine"
    assert git(bare, "rev-parse", "main") == made


def test_unsaved_changes_stop_a_checkout_without_a_remote(bare: Path, tmp_path: Path) -> None:
    """Where the checkout itself is written, a changed file is an error that names it."""
    git(tmp_path, "clone", "-q", str(bare), "checkout")
    git(tmp_path / "checkout", "remote", "remove", "origin")
    (tmp_path / "checkout" / FILE).write_text("mine")
    repository = opened(tmp_path / "checkout")
    with pytest.raises(InputError, match=FILE):
        repository.land(repository.snapshot(), [FileChange(FILE, b"new\n")], MESSAGE)


def test_a_declined_push_is_not_a_conflict(bare: Path) -> None:
    """A protected branch is the caller's to fix, not a race to run again."""
    hook = bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    repository = opened(bare.as_uri())
    with pytest.raises(InputError, match="pre-receive hook declined"):
        repository.land(repository.snapshot(), [FileChange(FILE, b"new\n")], MESSAGE)


def test_tags(where: str, bare: Path) -> None:
    """Tags are listed by prefix with the commits they point at, annotated ones too."""
    for folder in {str(bare), where.removeprefix("file://")}:
        git(folder, "tag", "2026.02.1", "main")
        git(folder, "tag", "-a", "-m", "x", "2026.02.2", "main")
        git(folder, "tag", "v1", "main")
    repository = opened(where)
    head = repository.snapshot().commit
    assert repository.tags("2026.02.") == {"2026.02.1": head, "2026.02.2": head}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("", "no GitOps repository was given"),
        ("--upload-pack=x", "no GitOps repository was given"),
        ("ext::sh -c x", "remote helper"),
        ("/nope/nope", "is not a git repository"),
        ("file:///nope/nope", "failed"),
    ],
)
def test_what_is_no_repository(where: str, words: str) -> None:
    """A wrong place is one line that says so, and nothing is ever run for it."""
    from promote_actions.errors import PromoteError

    with pytest.raises(PromoteError, match=words):
        opened(where).snapshot()


def test_an_unknown_branch(where: str) -> None:
    """A branch that doesn't exist is named."""
    with pytest.raises(InputError, match="has no branch 'nope'"):
        opened(where).snapshot("nope")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("nexo-org/nexo-gitops", True),
        ("./a/b", False),
        ("/a/b", False),
        ("a/b/c", False),
        ("a", False),
        ("a/..", False),
    ],
)
def test_what_is_written_like_github(where: str, expected: bool) -> None:
    """``owner/name`` is GitHub; a folder is written with a dot or a slash in front."""
    assert is_github_slug(where) is expected
