"""Reading commits, files, histories and tags with git's plumbing, without a work tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property

from promote_actions.adapters.git_process import Git
from promote_actions.adapters.git_reader import FEW, SUBMODULE, TREE, ObjectReader, entries_of
from promote_actions.adapters.gitops import Commit
from promote_actions.errors import DependencyError

_RECORD = "%x1e%H%x1f%P%x1f%an%x1f%ae%x1f%ct%x1f%B"


@dataclass(frozen=True)
class GitSnapshot:
    """One commit of a repository whose objects ``git`` can reach; ``shared`` is a reader that there is."""

    git: Git
    commit: str
    branch: str
    shared: ObjectReader | None = field(default=None, repr=False, compare=False)

    @cached_property
    def reader(self) -> ObjectReader:
        return self.shared or ObjectReader(self.git)

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = [path for path in dict.fromkeys(paths) if path and "\n" not in path]
        names = {path: f"{self.commit}:{path}" for path in wanted}
        if len(wanted) > FEW:
            # git looks a path up by reading its folder from the beginning, each time.
            entries = self.reader.entries(self.commit, wanted)
            names = {path: each.sha for path, each in entries.items() if each.mode not in (TREE, SUBMODULE)}
        found = self.reader.read(list(names.values()))
        return {
            path: each.data for path, each in zip(names, found, strict=True) if each and each.kind == "blob"
        }

    def files(self, folder: str = "") -> Sequence[str]:
        folder = folder.strip("/")
        (tree,) = self.reader.read([f"{self.commit}:{folder}"]) if "\n" not in folder else [None]
        inside = entries_of(tree) if tree else {}
        if all(entry.mode != TREE for entry in inside.values()):
            return sorted(f"{folder}/{name}" if folder else name for name in inside)
        scope = [folder + "/"] if folder else []
        listed = self.git.check(
            "--literal-pathspecs", "ls-tree", "-r", "-z", "--name-only", self.commit, "--", *scope
        )
        return sorted(name.decode(errors="surrogateescape") for name in listed.split(b"\0") if name)


def read_blob(git: Git, commit: str, path: str) -> bytes | None:
    """The bytes of the file at ``path`` in ``commit``, or None when there is none."""
    return GitSnapshot(git, commit, "").read(path)


def read_history(git: Git, at: str, path: str, limit: int) -> list[Commit]:
    """The newest ``limit`` commits reachable from ``at`` that touched ``path``, newest first."""
    scope = ["--", path] if path else []
    log = git.check("--literal-pathspecs", "log", f"--max-count={limit}", f"--format={_RECORD}", at, *scope)
    text = log.decode(errors="replace")
    return [_commit(record) for record in text.split("\x1e")[1:]]


def _commit(record: str) -> Commit:
    sha, parents, author, email, seconds, message = record.split("\x1f", 5)
    return Commit(
        sha=sha,
        message=message.strip("\n"),
        author=author,
        author_email=email,
        committed_at=datetime.fromtimestamp(int(seconds), timezone.utc),
        parents=tuple(parents.split()),
    )


def contains(git: Git, older: str, newer: str) -> bool | None:
    """Whether ``newer`` has ``older`` in its history; None when one of them is unknown here."""
    done = git.run("merge-base", "--is-ancestor", older, newer)
    return {0: True, 1: False}.get(done.status)


def local_tags(git: Git, prefix: str) -> dict[str, str]:
    """Tags of the repository itself, by name, with the commits that they point at."""
    pattern = f"refs/tags/{prefix}*"
    listed = git.check("for-each-ref", "--format=%(objectname) %(*objectname) %(refname:lstrip=2)", pattern)
    tags = {}
    for line in listed.decode(errors="surrogateescape").splitlines():
        sha, peeled, name = line.split(" ", 2)
        tags[name] = peeled or sha
    return tags


def remote_tags(git: Git, url: str, prefix: str) -> dict[str, str]:
    """Tags of the repository at ``url``, annotated ones peeled, without fetching anything."""
    listed = git.check("ls-remote", "--tags", "--", url, f"refs/tags/{prefix}*")
    tags: dict[str, str] = {}
    for line in listed.decode(errors="surrogateescape").splitlines():
        sha, _, ref = line.partition("\t")
        name = ref.removeprefix("refs/tags/")
        if name.endswith("^{}"):
            tags[name.removesuffix("^{}")] = sha
        else:
            tags.setdefault(name, sha)
    return tags


def head_of(git: Git, ref: str) -> str:
    """The commit that ``ref`` points at; raises :class:`DependencyError` when it has none."""
    done = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if done.status:
        raise DependencyError(f"{git.display} has no {ref.removeprefix('refs/heads/')}")
    return done.text.strip()
