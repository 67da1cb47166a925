"""Tags in real git repositories: bare, checkouts, remotes, hooks, and what must not be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from promote_actions.adapters.git_process import Git
from promote_actions.adapters.git_refs import open_tags, web_url
from promote_actions.adapters.local_tags import LocalTags, read_tags
from promote_actions.adapters.remote_tags import RemoteTags
from promote_actions.errors import InputError
from tests.versions.tagged import FEBRUARY, bare, calver, commits, git, tag, tags


def clone(source: Path, folder: Path, *options: str) -> Path:
    git(source.parent, "clone", "--quiet", *options, str(source), str(folder))
    return folder


def test_a_bare_repository_holds_its_own_tags(tmp_path: Path) -> None:
    """The first build is 1, the next commit gets 2, and the tags are in the repository."""
    repo, (one, two) = bare(tmp_path / "r", 2)
    assert calver("--repo", repo, "--sha", one, *FEBRUARY).version == "2026.02.1"
    assert calver("--repo", repo, "--sha", two, *FEBRUARY).version == "2026.02.2"
    assert tags(repo) == {"2026.02.1": one, "2026.02.2": two}


@pytest.mark.parametrize("form", ["path", "file", "home"])
def test_a_repository_on_this_machine_has_several_names(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path, a file URL and a path from home reach the same repository."""
    monkeypatch.setenv("HOME", str(tmp_path))
    repo, (one,) = bare(tmp_path / "r")
    where = {"path": str(repo), "file": f"file://{repo}", "home": "~/r"}[form]
    assert calver("--repo", where, *FEBRUARY).outputs["tag"] == "2026.02.1"
    assert tags(repo) == {"2026.02.1": one}


def test_a_checkout_without_a_remote_holds_its_own_tags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run in a folder inside of a checkout, with no repository named, the tags are made there, for HEAD."""
    repo = clone(bare(tmp_path / "r", 3)[0], tmp_path / "w")
    git(repo, "remote", "remove", "origin")
    (repo / "deep").mkdir()
    monkeypatch.chdir(repo / "deep")
    head = git(repo, "rev-parse", "HEAD")
    assert calver(*FEBRUARY).outputs["short-sha"] == head[:7]
    assert tags(repo) == {"2026.02.1": head}


@pytest.mark.parametrize("depth", ["--depth=1", "--no-tags"])
@pytest.mark.parametrize("form", ["path", "file", "relative"])
def test_a_checkout_reserves_at_its_remote(tmp_path: Path, depth: str, form: str) -> None:
    """With a remote, tags are made where everybody sees them, from a shallow checkout as well."""
    origin, shas = bare(tmp_path / "r", 3)
    git(tmp_path, "clone", "--quiet", depth, f"file://{origin}", str(tmp_path / "w"))
    url = {"path": str(origin), "file": f"file://{origin}", "relative": "../r"}[form]
    git(tmp_path / "w", "remote", "set-url", "origin", url)
    tag(origin, ["2026.02.7"], shas[0])
    made = calver("--repo", tmp_path / "w", *FEBRUARY).outputs
    assert (made["version"], made["previous-version"]) == ("2026.02.8", "2026.02.7")
    assert tags(origin)["2026.02.8"] == shas[2]
    assert "2026.02.8" not in tags(tmp_path / "w")


def test_a_commit_that_was_not_pushed_goes_with_its_tag(tmp_path: Path) -> None:
    """The remote doesn't have the commit yet: it is pushed with the tag, and the branch isn't."""
    origin, _ = bare(tmp_path / "r")
    repo = clone(origin, tmp_path / "w")
    git(repo, "commit", "--quiet", "--allow-empty", "-m", "new")
    head = git(repo, "rev-parse", "HEAD")
    assert calver("--repo", repo, *FEBRUARY).version == "2026.02.1"
    assert tags(origin) == {"2026.02.1": head}
    assert git(origin, "rev-parse", "main") != head


def test_the_only_remote_is_used_and_several_are_not_guessed(tmp_path: Path) -> None:
    """One remote is the remote whatever its name; among several, none called origin, we don't choose."""
    origin, _ = bare(tmp_path / "r")
    repo = clone(origin, tmp_path / "w", "--origin=upstream")
    assert calver("--repo", repo, *FEBRUARY).version == "2026.02.1"
    assert "2026.02.1" in tags(origin)
    git(repo, "remote", "add", "fork", str(tmp_path / "elsewhere"))
    assert "several remotes" in calver("--repo", repo, *FEBRUARY).complaint


def test_annotated_tags_of_others_count_as_their_commit(tmp_path: Path) -> None:
    """A release made by hand with an annotated tag is recalled for its commit, loose and packed."""
    repo, (one, two) = bare(tmp_path / "r", 2)
    git(repo, "tag", "-a", "-m", "by hand", "2026.02.4", one)
    git(repo, "tag", "-a", "-m", "a tag of a tag", "2026.02.5", "2026.02.4")
    for _ in ("loose", "packed"):
        made = calver("--repo", repo, "--sha", one, *FEBRUARY).outputs
        assert (made["version"], made["reused"]) == ("2026.02.4", True)
        git(repo, "pack-refs", "--all")
    assert calver("--repo", repo, "--sha", two, *FEBRUARY).outputs["previous-version"] == "2026.02.5"


@pytest.mark.parametrize("state", ["loose", "packed", "mixed"])
def test_reading_agrees_with_git(tmp_path: Path, state: str) -> None:
    """Names found by listing and searching are those that git lists, with the same commits."""
    repo, (one, two) = bare(tmp_path / "r", 2)
    names = [
        f"{prefix}2026.0{month}.{n}" for prefix in ("", "nexo-be/") for month in (1, 2) for n in (1, 2, 10)
    ]
    tag(repo, names[::2], one)
    if state != "loose":
        git(repo, "pack-refs", "--all")
    tag(repo, names[1::2], two)
    git(repo, "tag", "-a", "-m", "x", "2026.02.77", one)
    if state == "packed":
        git(repo, "pack-refs", "--all")
    store = LocalTags(Git(str(repo)), str(repo))
    remote = RemoteTags(Git(str(repo)), str(repo))
    for prefixes in (["2026.02."], ["2026.02.", "2026.01."], ["nexo-be/2026.01."], ["2027.01."]):
        expected = {name: sha for name, sha in tags(repo).items() if name.startswith(tuple(prefixes))}
        assert store.tags(prefixes) == expected
        assert remote.tags(prefixes) == expected
        (repo / "reftable").mkdir()
        assert read_tags(Git(str(repo)), str(repo), prefixes) == expected
        (repo / "reftable").rmdir()


def test_a_name_that_cannot_be_taken_is_passed_over(tmp_path: Path) -> None:
    """A tag of a file, and a folder of tags where a tag would be, count as taken by nobody."""
    repo, (one,) = bare(tmp_path / "r")
    git(repo, "tag", "2026.02.3", git(repo, "rev-parse", "main:f0"))
    tag(repo, ["2026.02.4/inner"], one)
    made = calver("--repo", repo, *FEBRUARY).outputs
    assert (made["version"], made["reused"]) == ("2026.02.5", False)


def test_a_worktree_has_the_tags_of_its_repository(tmp_path: Path) -> None:
    """A second work tree shares the tags of the first."""
    repo = clone(bare(tmp_path / "r", 2)[0], tmp_path / "w")
    git(repo, "remote", "remove", "origin")
    git(repo, "worktree", "add", "--quiet", "--detach", str(tmp_path / "second"), "HEAD~1")
    assert calver("--repo", repo, *FEBRUARY).version == "2026.02.1"
    assert calver("--repo", tmp_path / "second", *FEBRUARY).version == "2026.02.2"


HOOK = "#!/bin/sh\ncat >/dev/null\necho 'tags are made by the release team' >&2\nexit 1\n"


def hook(repo: Path, name: str, text: str) -> None:
    path = repo / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_a_server_that_declines_is_believed_and_quoted(tmp_path: Path) -> None:
    """A pre-receive hook that says no ends the run with its words, and is not tried for ever."""
    repo, _ = bare(tmp_path / "r")
    hook(repo, "pre-receive", HOOK.replace("exit 1", f"echo x >>{tmp_path}/calls; exit 1"))
    ran = calver("--repo", repo, *FEBRUARY)
    assert ran.status == 2
    assert "tags are made by the release team" in ran.complaint
    assert "pre-receive hook declined" in ran.complaint
    assert tags(repo) == {}
    assert len((tmp_path / "calls").read_text().split()) <= 6


def test_server_hooks_run_for_a_local_path(tmp_path: Path) -> None:
    """A repository with hooks is pushed to, so that its post-receive hook sees the tag."""
    repo, (one,) = bare(tmp_path / "r")
    hook(repo, "post-receive", f"#!/bin/sh\ncat >>{tmp_path}/seen\n")
    assert calver("--repo", repo, *FEBRUARY).version == "2026.02.1"
    assert (tmp_path / "seen").read_text().split() == ["0" * 40, one, "refs/tags/2026.02.1"]


def test_a_hook_of_the_callers_checkout_does_not_run(tmp_path: Path) -> None:
    """A pre-push hook is for people's pushes; reserving a version isn't one."""
    origin, _ = bare(tmp_path / "r")
    hook(origin, "post-update", "#!/bin/sh\n")
    repo = clone(origin, tmp_path / "w")
    hook(repo / ".git", "pre-push", HOOK)
    git(repo, "commit", "--quiet", "--allow-empty", "-m", "new")
    assert calver("--repo", repo, *FEBRUARY).version == "2026.02.1"


def test_hidden_tags_end_in_an_error(tmp_path: Path) -> None:
    """Tags that exist and can't be seen are refused again and again; we stop and say so."""
    repo, (one, two) = bare(tmp_path / "r", 2)
    tag(repo, ["2026.02.1"], one)
    git(repo, "config", "transfer.hideRefs", "refs/tags")
    hook(repo, "post-update", "#!/bin/sh\n")
    ran = calver("--repo", repo, "--sha", two, *FEBRUARY)
    assert ran.status == 2
    assert "refuses tag 2026.02.1" in ran.complaint


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A lock that somebody left behind is reported with git's words, not waited for."""
    repo, _ = bare(tmp_path / "r")
    (repo / "refs/tags/2026.02.1.lock").touch()
    ran = calver("--repo", repo, *FEBRUARY)
    assert ran.status == 3
    assert "2026.02.1.lock" in ran.complaint


@pytest.mark.parametrize("names", [["2026.02.1"], ["2026.02.1", "2026.02.1-fix"]])
@pytest.mark.parametrize("kind", ["local", "remote"])
def test_creation_is_all_or_nothing(tmp_path: Path, kind: str, names: list[str]) -> None:
    """When one of the tags exists, none is created or moved, and the failure is returned."""
    repo, (one, two) = bare(tmp_path / "r", 2)
    local = LocalTags(Git(str(repo)), str(repo))
    store = local if kind == "local" else RemoteTags(Git(str(repo)), str(repo))
    tag(repo, names[-1:], one)
    assert store.create(names, two) is not None
    assert tags(repo) == {names[-1]: one}
    assert store.create(["2026.02.2", "2026.02.2-fix"], two) is None
    assert set(tags(repo)) == {names[-1], "2026.02.2", "2026.02.2-fix"}


@pytest.mark.parametrize(
    "where",
    [
        "ext::sh -c 'touch pwned'",
        "fd::17",
        "http::https://example.com/x",
        "-oProxyCommand=touch pwned",
        "--upload-pack=touch pwned",
        "ssh://-oProxyCommand=touch%20pwned/x",
        "ssh://user@-oProxyCommand=x/y",
        "https:///x",
        "git@host:-oProxyCommand=x",
        "git://example.com/x.git",
        "ftp://example.com/x.git",
        "data://x",
        "file://elsewhere/x.git",
        "a\nb",
        "/nowhere/at/all",
        "https://user:secret-password@example.com/x.git",
        "owner/name/more",
        "..",
    ],
)
def test_what_is_no_repository_is_refused(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands, options, unknown protocols and passwords never reach git; one line says what to give."""
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    ran = calver("--repo", where, "--sha", "a" * 40, *FEBRUARY)
    assert ran.status in (2, 3)
    assert ran.complaint.startswith("error: ")
    assert "secret-password" not in ran.complaint
    assert not list(tmp_path.rglob("pwned"))


def test_a_remote_that_is_a_command_is_refused(tmp_path: Path) -> None:
    """A checkout's configuration can't make us run a program either."""
    repo = clone(bare(tmp_path / "r")[0], tmp_path / "w")
    git(repo, "remote", "set-url", "origin", f"ext::sh -c 'touch {tmp_path}/pwned'")
    assert "is a command" in calver("--repo", repo, *FEBRUARY).complaint
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "sha",
    ["--upload-pack=x", "-n", "main", "abc", "zzzzzzz", "a" * 41, "HEAD~1", "a" * 7 + "\n" + "b" * 7, "@"],
)
def test_what_is_no_sha_is_refused(tmp_path: Path, sha: str) -> None:
    """Only hexadecimal digits or HEAD name a commit."""
    repo, _ = bare(tmp_path / "r")
    ran = calver("--repo", repo, f"--sha={sha}", *FEBRUARY)
    assert (ran.status, "is not a commit's SHA" in ran.complaint) == (2, True)


def test_a_commit_of_another_repository_is_named(tmp_path: Path) -> None:
    """A SHA that isn't there is an error that says which repository was asked."""
    repo, (one,) = bare(tmp_path / "r")
    other, _ = bare(tmp_path / "empty", 0)
    assert f"commit {one} is not in {other}" in calver("--repo", other, "--sha", one, *FEBRUARY).complaint
    assert "has no commit yet" in calver("--repo", other, *FEBRUARY).complaint
    assert calver("--repo", repo, "--sha", one[:9].upper(), *FEBRUARY).outputs["short-sha"] == one[:7]


def test_the_runners_sha_is_the_commit(tmp_path: Path) -> None:
    """GITHUB_SHA is the commit when none is given, and --sha wins over it."""
    repo, (one, two, three) = bare(tmp_path / "r", 3)
    env = {"GITHUB_SHA": one}
    assert calver("--repo", repo, *FEBRUARY, env=env).outputs["short-sha"] == one[:7]
    assert calver("--repo", repo, "--sha", two, *FEBRUARY, env=env).outputs["short-sha"] == two[:7]
    assert calver("--repo", repo, "--sha", "HEAD", *FEBRUARY, env=env).outputs["short-sha"] == three[:7]


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://github.com/nexo-org/nexo-be.git", "https://github.com/nexo-org/nexo-be"),
        ("https://x:y@github.com/nexo-org/nexo-be", "https://github.com/nexo-org/nexo-be"),
        ("git@github.com:nexo-org/nexo-be.git", "https://github.com/nexo-org/nexo-be"),
        ("http://127.0.0.1:8000/x.git", ""),
        ("/srv/git/x.git", ""),
        ("ssh://git@host/x.git", ""),
    ],
)
def test_the_page_of_a_repository(url: str, page: str) -> None:
    """Only an https or git@ URL has a page that can be linked to, and no credentials are in it."""
    assert web_url(url) == page


def test_opening_raises_in_words(tmp_path: Path) -> None:
    """The adapter itself refuses what isn't a repository."""
    with pytest.raises(InputError, match="is not a git repository"):
        open_tags(str(tmp_path), "")
    assert commits(bare(tmp_path / "r", 1)[0], 1)
