"""Reading commits and making new ones with git's plumbing, without a work tree."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from promote_actions.adapters.git_process import Git
from promote_actions.adapters.gitops import Commit, FileChange
from promote_actions.errors import Conflict, DependencyError, InputError

BOT_NAME = "github-actions[bot]"
BOT_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"
"""The account that GitHub itself shows for commits made in a workflow."""

_RECORD = "%x1e%H%x1f%P%x1f%an%x1f%ae%x1f%ct%x1f%B"


@dataclass(frozen=True)
class GitSnapshot:
    """One commit of a repository whose objects ``git`` can reach."""

    git: Git
    commit: str
    branch: str

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = [path for path in dict.fromkeys(paths) if path and "\n" not in path]
        return read_blobs(self.git, self.commit, wanted)

    def files(self, folder: str = "") -> Sequence[str]:
        scope = [folder.rstrip("/") + "/"] if folder.strip("/") else []
        listed = self.git.check(
            "--literal-pathspecs", "ls-tree", "-r", "-z", "--name-only", self.commit, "--", *scope
        )
        return sorted(name.decode(errors="surrogateescape") for name in listed.split(b"\0") if name)


def read_blobs(git: Git, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
    """The bytes of those of ``paths`` that are files at ``commit``, from one git process."""
    if not paths:
        return {}
    asked = "".join(f"{commit}:{path}\n" for path in paths).encode(errors="surrogateescape")
    answer = git.check("cat-file", "--batch", stdin=asked)
    found: dict[str, bytes] = {}
    position = 0
    for path in paths:
        end = answer.index(b"\n", position)
        header = answer[position:end].split(b" ")
        position = end + 1
        if header[-1] == b"missing" or len(header) < 3:
            continue
        size = int(header[-1])
        if header[-2] == b"blob":
            found[path] = answer[position : position + size]
        position += size + 1
    return found


def make_commit(
    git: Git, base: str, changes: Sequence[FileChange], message: str, env: Mapping[str, str]
) -> str:
    """A commit with parent ``base`` in which ``changes`` are made; nothing points at it yet.

    File modes stay as they are. Raises :class:`Conflict` when a ``create`` path exists at ``base``.
    """
    for change in changes:
        _check_path(change.path)
    modes = _modes(git, base, [change.path for change in changes])
    lines = []
    for change in changes:
        if change.create and change.path in modes:
            raise Conflict(f"{change.path} exists already")
        blob = git.check("hash-object", "-w", "--stdin", stdin=change.content).decode().strip()
        lines.append(f"{modes.get(change.path, '100644')} {blob}\t{change.path}\n")
    with tempfile.TemporaryDirectory(prefix="promote-actions-") as folder:
        index = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
        git.check("read-tree", base, env=index)
        entries = "".join(lines).encode(errors="surrogateescape")
        git.check("update-index", "--add", "--index-info", stdin=entries, env=index)
        tree = git.check("write-tree", "--missing-ok", env=index).decode().strip()
    made = git.check(
        "commit-tree", tree, "-p", base, "-F", "-", stdin=message.encode(), env=identity(git, env)
    )
    return made.decode().strip()


def _check_path(path: str) -> None:
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..", ".git") for part in parts) or "\n" in path:
        raise InputError(f"'{path[:200]}' is not a path inside a repository")


def _modes(git: Git, commit: str, paths: Sequence[str]) -> dict[str, str]:
    listed = git.check("--literal-pathspecs", "ls-tree", "-r", "-z", commit, "--", *paths)
    modes = {}
    for entry in listed.split(b"\0"):
        head, tab, name = entry.partition(b"\t")
        if not tab:
            continue
        mode, path = head.split(b" ")[0].decode(), name.decode(errors="surrogateescape")
        if mode not in ("100644", "100755"):
            raise InputError(f"{path} is not a regular file", hint="promotions edit regular files only")
        modes[path] = mode
    return modes


def identity(git: Git, env: Mapping[str, str]) -> dict[str, str]:
    """Author and committer for a commit: in a workflow the person who started it and the bot."""
    actor = env.get("GITHUB_ACTOR", "")
    if env.get("GITHUB_ACTIONS") == "true" and actor:
        account = env.get("GITHUB_ACTOR_ID", "")
        email = f"{account}+{actor}" if account else actor
        person = (actor, f"{email}@users.noreply.github.com")
        return _as_variables(person, (BOT_NAME, BOT_EMAIL), env)
    if git.run("var", "GIT_COMMITTER_IDENT").status == 0 and git.run("config", "user.email").status == 0:
        return {}
    own = (env.get("USER") or "promote-actions", "promote-actions@localhost")
    return _as_variables(own, own, env)


def _as_variables(
    author: tuple[str, str], committer: tuple[str, str], env: Mapping[str, str]
) -> dict[str, str]:
    chosen = {
        "GIT_AUTHOR_NAME": author[0],
        "GIT_AUTHOR_EMAIL": author[1],
        "GIT_COMMITTER_NAME": committer[0],
        "GIT_COMMITTER_EMAIL": committer[1],
    }
    return {name: env.get(name) or value for name, value in chosen.items()}


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
