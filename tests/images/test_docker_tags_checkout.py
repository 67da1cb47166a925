"""`context: git`: the ref and the commit of a real checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from promote_actions.errors import InputError
from promote_actions.images.surroundings import choose_ref
from tests.images.builds import environment, result_of


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=A", "-c", "user.email=a@example.com", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout on `main` with one commit of 2026-02-01T10:00:00Z, and the working folder in it."""
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-02-01T10:00:00Z")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "one")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def outputs(env: dict[str, str]) -> dict[str, object]:
    return dict(result_of(env)[0].outputs)


def bare(**inputs: str) -> dict[str, str]:
    """A terminal: no variable of a runner, but inputs."""
    return {f"INPUT_{key.upper()}": value for key, value in inputs.items()} | {"INPUT_DRY_RUN": "true"}


def test_a_terminal_uses_the_checkout(checkout: Path) -> None:
    """Without a runner's variables the branch and the commit are git's."""
    sha = git(checkout, "rev-parse", "HEAD")
    found = outputs(bare(version="2026.02.1", default_branch="main"))
    assert str(found["tag-names"]).split("\n") == [
        *("2026.02.1", f"2026.02.1-{sha[:7]}", "develop", "latest", f"sha-{sha[:7]}")
    ]


def test_git_overrides_the_event(checkout: Path) -> None:
    """`context: git` takes ref and commit from the checkout, and the rest from the event."""
    git(checkout, "checkout", "-q", "-b", "feature/x")
    sha = git(checkout, "rev-parse", "HEAD")
    found = outputs(environment("push main", context="git", tags="type=ref,event=branch\ntype=sha"))
    assert found["tag-names"] == f"feature-x\nsha-{sha[:7]}"
    assert "org.opencontainers.image.title=nexo-be" in str(found["labels"])


def test_the_merge_commit_that_is_checked_out_stays(checkout: Path) -> None:
    """With `context: git` the commit is the checkout's, on a pull request as well."""
    sha = git(checkout, "rev-parse", "HEAD")
    found = outputs(environment("pull request", context="git", tags="type=sha"))
    assert found["tag-names"] == f"sha-{sha[:7]}"


@pytest.mark.parametrize(
    ("refs", "expected"),
    [
        (("refs/tags/v1.2.3",), "v1.2.3\nlatest"),
        (("refs/remotes/pull/17/merge",), "pr-17"),
        (("refs/remotes/origin/dev",), "dev"),
        (("refs/remotes/origin/main", "refs/remotes/origin/a"), "main"),
    ],
)
def test_a_detached_head_is_what_points_at_it(checkout: Path, refs: tuple[str, ...], expected: str) -> None:
    """A tag, a pull request, a branch: whatever says most."""
    git(checkout, "checkout", "-q", "--detach")
    git(checkout, "branch", "-q", "-D", "main")
    for ref in refs:
        git(checkout, "update-ref", ref, "HEAD")
    assert outputs(bare(context="git", default_branch="main"))["tag-names"] == expected


def test_a_detached_head_without_a_ref_still_has_a_commit(checkout: Path) -> None:
    """`HEAD` alone: the commit makes its tags, and nothing fails."""
    git(checkout, "checkout", "-q", "--detach")
    git(checkout, "branch", "-q", "-D", "main")
    sha = git(checkout, "rev-parse", "HEAD")
    found = outputs(bare(context="git", version="2026.02.1"))
    assert str(found["tag-names"]).split("\n") == ["2026.02.1", f"2026.02.1-{sha[:7]}", f"sha-{sha[:7]}"]


def test_a_detached_head_on_the_events_commit_has_the_events_ref(checkout: Path) -> None:
    """`actions/checkout` with a SHA detaches HEAD; the event still knows the branch."""
    git(checkout, "checkout", "-q", "--detach")
    env = environment("push main", context="git")
    env["GITHUB_SHA"] = git(checkout, "rev-parse", "HEAD")
    env["GITHUB_REF"] = "refs/heads/release"
    assert outputs(env)["tag-names"] == "release"


def test_the_remotes_head_is_the_default_branch(checkout: Path) -> None:
    """Without a payload, the remote's HEAD says what the default branch is."""
    git(checkout, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(checkout, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    assert outputs(bare(tags="type=edge"))["tag-names"] == "edge"


def test_the_commits_date_is_gits(checkout: Path) -> None:
    """A commit that the event doesn't tell the date of is looked up in the checkout."""
    tags = "{{commit_date 'YYYYMMDD-HHmm' tz='Asia/Tokyo'}}"
    assert outputs(bare(tags=tags))["tag-names"] == "20260201-1900"


def test_a_commit_that_is_not_there_falls_back_to_now(checkout: Path) -> None:
    """As documented: without the commit's date it is the moment of the build."""
    env = environment("release", tags="{{commit_date 'YYYYMMDD'}}")
    assert outputs(env)["tag-names"] == "20200110"


def test_outside_a_repository_git_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`context: git` in a folder that is no checkout says so; the workflow's context needs none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(InputError, match="needs a checkout"):
        result_of(bare(context="git"))
    assert outputs(bare(version="2026.02.1"))["tag-names"] == "2026.02.1"


def test_without_git_the_workflow_is_enough(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No git on the runner: the event says everything, and a missing date is now."""
    monkeypatch.setenv("PATH", "/nonexistent")
    assert outputs(environment("release", tags="{{commit_date 'YYYY'}}"))["tag-names"] == "2020"
    with pytest.raises(InputError, match="needs a checkout"):
        result_of(bare(context="git"))


@pytest.mark.parametrize(
    ("refs", "expected"),
    [
        ([], ""),
        (["refs/heads/b", "refs/heads/a"], "refs/heads/a"),
        (["refs/heads/a", "refs/remotes/origin/main"], "refs/heads/main"),
        (["refs/remotes/origin/HEAD"], ""),
        (["refs/remotes/origin/feature/x"], "refs/heads/feature/x"),
        (["refs/pull/3/head", "refs/heads/a"], "refs/pull/3/head"),
        (["refs/tags/v1", "refs/tags/v2", "refs/heads/main"], "refs/tags/v2"),
        (["refs/stash", "refs/notes/x"], ""),
    ],
)
def test_the_choice_among_refs(refs: list[str], expected: str) -> None:
    """Tags before pull requests before the default branch before other branches."""
    assert choose_ref(refs, "main") == expected
