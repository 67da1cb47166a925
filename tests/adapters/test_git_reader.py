"""Reading through one git process, and commits made by one more: hostile names, races, deaths."""

from __future__ import annotations

import gc
import os
import signal
import threading
from pathlib import Path

import pytest

from promote_actions.adapters import git_reader
from promote_actions.adapters.git_commits import make_commit, signatures
from promote_actions.adapters.git_objects import GitSnapshot
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.git_reader import FEW, ObjectReader
from promote_actions.adapters.git_remote import RemoteRepository
from promote_actions.adapters.gitops import FileChange
from promote_actions.errors import Conflict, DependencyError, InputError
from tests.support.gitops import git, make_bare

ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat", "GITHUB_ACTOR_ID": "583231"}
BIG = os.urandom(300_000)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No test changes what its branch has."""
    files = {"a.txt": "a", "with space/b c.txt": "b", "big.bin": BIG, "empty": "", "x/y/z": "deep"}
    many = {f"many/{n:05}.yaml": f"n: {n}\n" for n in range(300)}
    made = make_bare(tmp_path_factory.mktemp("bare"), {**files, **many})
    git(made, "config", "uploadpack.allowFilter", "true")
    return made


def snapshot(bare: Path) -> GitSnapshot:
    run = Git(str(bare))
    return GitSnapshot(run, run.line("rev-parse", "main"), "main")


def test_what_there_is_and_what_there_is_not(bare: Path) -> None:
    """Files come whole, whatever their names and sizes; folders and unknown names don't."""
    paths = ["a.txt", "no such", "with space/b c.txt", "big.bin", "many", "empty", "x/y/z", "a b missing"]
    found = snapshot(bare).read_many(paths)
    assert found == {
        "a.txt": b"a", "with space/b c.txt": b"b", "big.bin": BIG, "empty": b"", "x/y/z": b"deep"
    }  # fmt: skip


def test_thousands_at_once(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More questions than a pipe holds don't block either side, in a conversation or by themselves."""
    paths = [f"main:many/{n:05}.yaml" for n in range(300)] * 20
    asked = [*paths, "main:big.bin", "main:none"] * 2
    for few in (FEW, len(asked)):
        monkeypatch.setattr(git_reader, "FEW", few)
        found = snapshot(bare).reader.read(asked)
        assert [each.data for each in found[:3] if each] == [b"n: 0\n", b"n: 1\n", b"n: 2\n"]
        assert len(found) == 12_004
        assert found[-1] is None


def test_one_process_for_all_readings(bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However often a snapshot is asked, git starts once; and it ends with the snapshot."""
    trace = tmp_path / "trace"
    taken = snapshot(bare)
    monkeypatch.setenv("GIT_TRACE2", str(trace))
    for path in ("a.txt", "x/y/z", "empty"):
        taken.read(path)
    taken.files("many")
    assert trace.read_text().count(" start ") == 1
    child = taken.reader._process._child  # type: ignore[union-attr]
    del taken
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_dead_process_is_replaced(bare: Path) -> None:
    """When the process was killed meanwhile, the next reading works all the same."""
    taken = snapshot(bare)
    assert taken.read("a.txt") == b"a"
    os.kill(taken.reader._process._child, signal.SIGKILL)  # type: ignore[union-attr]
    assert taken.read("x/y/z") == b"deep"
    assert taken.read("a.txt") == b"a"


def test_a_repository_that_is_gone(tmp_path: Path) -> None:
    """The failure says what git says."""
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DependencyError, match="not a git repository"):
        ObjectReader(Git(str(tmp_path / "nothing"))).read(["HEAD"])


def test_threads_share_a_reader(bare: Path) -> None:
    """Answers never get to another thread."""
    taken, wrong = snapshot(bare), []

    def read(number: int) -> None:
        for turn in range(30):
            name = (number * 31 + turn) % 300
            if taken.read(f"many/{name:05}.yaml") != f"n: {name}\n".encode():
                wrong.append(name)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_files_of_a_folder(bare: Path) -> None:
    """All files at any depth, of a flat folder, of a deep one and of none."""
    taken = snapshot(bare)
    assert len(taken.files("many")) == 300
    assert taken.files("x/") == ["x/y/z"]
    assert taken.files("nothing") == taken.files("a.txt/none") == []
    assert len(taken.files()) == 305


def test_entries_of_paths(bare: Path) -> None:
    """Modes and ids of files and folders, without reading any file; a file has nothing inside."""
    taken = snapshot(bare)
    found = taken.reader.entries(
        taken.commit, ["a.txt", "x", "x/y/z", "a.txt/in", "none", "many/00007.yaml"]
    )
    assert {path: entry.mode for path, entry in found.items()} == {
        "a.txt": "100644", "x": "40000", "x/y/z": "100644", "many/00007.yaml": "100644"
    }  # fmt: skip
    assert found["x/y/z"].sha == git(bare, "rev-parse", "main:x/y/z")


@pytest.mark.parametrize(
    "path", ['"quoted".yaml', "new folder/ü\\n.yaml", "a\ttab", "ends with space ", "\udcff.bin", "x/y/z"]
)
def test_a_commit_under_any_name(bare: Path, path: str) -> None:
    """Exactly the file asked for is there, byte for byte, and nothing else has changed."""
    base = snapshot(bare)
    content = b"\x00\r\n\xff no newline"
    made = make_commit(base.git, base, [FileChange(path, content)], "Subject\n\nBody: x\n", ACTIONS)
    assert GitSnapshot(base.git, made, "main").read(path) == content
    assert len(git(bare, "diff-tree", "-r", "--name-only", base.commit, made).splitlines()) == 1
    assert git(bare, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert git(bare, "cat-file", "commit", made).endswith("Subject\n\nBody: x")
    assert not list(bare.glob("fast_import_crash*"))


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (FileChange("a.txt/in.txt", b""), InputError, "a.txt is not a folder"),
        (FileChange("many", b""), InputError, "many is not a regular file"),
        (FileChange("a.txt", b"", create=True), Conflict, "a.txt exists already"),
        (FileChange("many", b"", create=True), Conflict, "many exists already"),
        (FileChange(".GIT/config", b""), InputError, "not a path inside"),
        (FileChange("x/\0", b""), InputError, "not a path inside"),
    ],
)
def test_what_no_commit_is_made_of(
    bare: Path, change: FileChange, kind: type[Exception], words: str
) -> None:
    """A file is not turned into a folder, nor the other way round, and git's folder is never written."""
    base = snapshot(bare)
    with pytest.raises(kind, match=words):
        make_commit(base.git, base, [change], "x", ACTIONS)


def test_a_failed_import_leaves_nothing(bare: Path) -> None:
    """git's words are the message, and its report of the crash is not left in the repository."""
    with pytest.raises(DependencyError, match="fast-import"):
        make_commit(Git(str(bare)), "0" * 39 + "1", [], "x", ACTIONS)
    assert not list(bare.glob("fast_import_crash*"))


def test_who_signs(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a workflow the person and the bot; elsewhere git's user; without one, the account."""
    run = Git(str(bare))
    hostile = {**ACTIONS, "GITHUB_ACTOR": "evil> <x\n"}
    author, committer = signatures(run, ACTIONS)
    assert author.startswith("octocat <583231+octocat@users.noreply.github.com> ")
    assert committer.startswith("github-actions[bot] <41898282+github-actions[bot]@")
    assert signatures(run, hostile)[0].startswith("evil x <583231+evil x@")
    assert signatures(run, {"USER": "ana"})[0].startswith("ana <promote-actions@localhost> ")
    run.check("config", "user.email", "ana@nexo.com")
    run.check("config", "user.name", "Ana")
    assert signatures(run, {})[0].startswith("Ana <ana@nexo.com> ")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2026-02-01T10:00:00+01:00")
    assert signatures(run, ACTIONS)[0].endswith("> 1769936400 +0100")


def connections(trace: Path) -> int:
    """How often git has asked the other repository for objects."""
    return trace.read_text().count(" start git-upload-pack ")


def test_contents_of_a_url_come_together(
    bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A URL is read in one connection for its folders and one for all contents that are asked."""
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2", str(trace))
    taken = RemoteRepository(bare.as_uri()).snapshot()
    assert connections(trace) == 1
    paths = [f"many/{n:05}.yaml" for n in range(300)]
    assert len(taken.read_many([*paths, "none"])) == 300
    assert connections(trace) == 2
    assert taken.read("many/00009.yaml") == b"n: 9\n"
    assert len(taken.files("many")) == 300
    assert connections(trace) == 2


def test_a_url_is_asked_for_its_default_branch_once(
    bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A promotion that is planned again fetches the branch, and no more."""
    repository = RemoteRepository(bare.as_uri())
    repository.snapshot()
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2", str(trace))
    assert repository.snapshot().branch == "main"
    assert connections(trace) == 1


def test_a_server_that_knows_no_partial_clones(bare: Path, tmp_path: Path) -> None:
    """Everything came with the clone, then; it is read all the same."""
    whole = tmp_path / "whole.git"
    git(tmp_path, "clone", "-q", "--bare", str(bare), str(whole))
    git(whole, "config", "uploadpack.allowFilter", "false")
    git(whole, "config", "protocol.version", "0")
    assert RemoteRepository(whole.as_uri()).snapshot().read("x/y/z") == b"deep"


def test_a_tag_is_no_branch(bare: Path, tmp_path: Path) -> None:
    """A name that git would clone as a tag is refused as a branch."""
    tagged = tmp_path / "tagged.git"
    git(tmp_path, "clone", "-q", "--bare", str(bare), str(tagged))
    git(tagged, "tag", "v1", "main")
    for name in ("v1", "none"):
        with pytest.raises(InputError, match=f"has no branch '{name}'"):
            RemoteRepository(tagged.as_uri()).snapshot(name)
