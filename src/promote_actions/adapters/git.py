"""A GitOps repository reached through git itself: bare, a checkout, or a URL. No clone of its history.

- A bare repository, or a checkout without a remote, is written in place: a compare-and-swap of the
  branch. In a checkout of that branch the changed files follow.
- A checkout with a remote: the remote is the truth. It is fetched, the commit is made on its head and
  pushed; the checkout is fast-forwarded when that touches nothing of the user's.
- A URL: one commit is fetched into a temporary repository, without file contents until they are read.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from weakref import finalize

from promote_actions.adapters import git_objects
from promote_actions.adapters.git_process import Git, without_credentials
from promote_actions.adapters.git_worktree import follow, heal, refuse_unsaved
from promote_actions.adapters.gitops import Commit, FileChange, Snapshot
from promote_actions.errors import Conflict, DependencyError, InputError

_URL = re.compile(r"(?:https?|ssh|git|file)://|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:")
_BASE_REF = "refs/promote-actions/base"


def is_url(where: str) -> bool:
    """Whether ``where`` is a URL: ``https://``, ``ssh://``, ``file://``, ``git@host:path``."""
    return bool(_URL.match(where))


@dataclass(frozen=True)
class LocalRepository:
    """A repository on this machine that is itself the truth: bare, or a checkout without a remote."""

    path: str
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def name(self) -> str:
        return self.path

    @property
    def web_url(self) -> str:
        return ""

    @cached_property
    def git(self) -> Git:
        return Git(self.path)

    def snapshot(self, branch: str = "") -> Snapshot:
        branch = branch or current_branch(self.git)
        heal(self.git, branch)
        commit = branch_head(self.git, f"refs/heads/{branch}", branch)
        return git_objects.GitSnapshot(self.git, commit, branch)

    def land(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        paths = [change.path for change in changes]
        refuse_unsaved(self.git, base.branch, paths)
        made = git_objects.make_commit(self.git, base.commit, changes, message, self.env)
        ref = f"refs/heads/{base.branch}"
        done = self.git.run("update-ref", "-m", "promote-actions", ref, made, base.commit)
        if done.status:
            now = git_objects.head_of(self.git, ref)
            if now != base.commit or "lock" in done.stderr:
                raise Conflict(f"{base.branch} of {self.name} moved while we planned")
            raise self.git.failure(["update-ref"], done.stderr)
        follow(self.git, base.branch, base.commit, made, paths)
        return made

    def history(self, path: str, at: str = "", limit: int = 100) -> Sequence[Commit]:
        return git_objects.read_history(self.git, at or current_branch(self.git), path, limit)

    def read_at(self, commit: str, path: str) -> bytes | None:
        return git_objects.read_blobs(self.git, commit, [path]).get(path)

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        return git_objects.contains(self.git, older, newer)

    def tags(self, prefix: str = "") -> Mapping[str, str]:
        return git_objects.local_tags(self.git, prefix)


@dataclass(frozen=True)
class RemoteRepository:
    """A repository at ``url``, worked on in ``workshop``: a checkout of it, or a temporary bare one."""

    url: str
    token: str = field(default="", repr=False)
    checkout: str = ""
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def name(self) -> str:
        return without_credentials(self.url)

    @property
    def web_url(self) -> str:
        match = re.fullmatch(r"https://(?:[^/@]+@)?([^/]+/[^/]+/[^/]+?)(?:\.git)?/?", self.url)
        return f"https://{match[1]}" if match else ""

    @cached_property
    def git(self) -> Git:
        if self.checkout:
            return Git(self.checkout, self.url, self.token)
        folder = tempfile.TemporaryDirectory(prefix="promote-actions-")
        git = Git(folder.name, self.url, self.token)
        finalize(git, folder.cleanup)
        git.check("init", "--quiet", "--bare", ".")
        git.check("config", "remote.origin.url", self.url)
        git.check("config", "remote.origin.promisor", "true")
        git.check("config", "remote.origin.partialclonefilter", "blob:none")
        return git

    def snapshot(self, branch: str = "") -> Snapshot:
        branch = branch or self._default_branch()
        shallow = [] if self.checkout else ["--depth=1", "--filter=blob:none"]
        ref = f"+refs/heads/{branch}:{_BASE_REF}"
        done = self.git.run("fetch", "--quiet", "--no-tags", *shallow, "--", self._remote, ref)
        if done.status:
            if "couldn't find remote ref" in done.stderr:
                raise _no_branch(branch, self.name)
            raise self.git.failure(["fetch"], done.stderr)
        return git_objects.GitSnapshot(self.git, git_objects.head_of(self.git, _BASE_REF), branch)

    def land(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        made = git_objects.make_commit(self.git, base.commit, changes, message, self.env)
        ref = f"refs/heads/{base.branch}"
        done = self.git.run("push", "--porcelain", "--no-verify", "--", self._remote, f"{made}:{ref}")
        if done.status:
            self._explain(base, made, ref, done.stderr + done.text)
        if self.checkout:
            paths = [change.path for change in changes]
            follow(self.git, base.branch, base.commit, made, paths)
        return made

    def _explain(self, base: Snapshot, made: str, ref: str, said: str) -> None:
        """Return when the push did land after all; raise what its failure means otherwise."""
        now = self._remote_head(ref)
        if now == made:
            return
        if now != base.commit:
            raise Conflict(f"{base.branch} of {self.name} moved while we planned")
        if "cannot lock ref" in said or "failed to update ref" in said:
            raise Conflict(f"{base.branch} of {self.name} is being written by another")
        reason = re.search(r"\[remote rejected\][^(]*\(([^)]*)\)", said)
        if reason:
            raise InputError(
                f"{self.name} refuses the push to {base.branch}: {reason[1][:200]}",
                hint="promote by pull request, or let this token's account bypass the protection",
            )
        raise self.git.failure(["push"], said)

    def _remote_head(self, ref: str) -> str:
        listed = self.git.check("ls-remote", "--", self._remote, ref).decode().split()
        return listed[0] if listed else ""

    def history(self, path: str, at: str = "", limit: int = 100) -> Sequence[Commit]:
        at = at if re.fullmatch(r"[0-9a-f]{40}", at) else self.snapshot(at).commit
        self._deepen()
        return git_objects.read_history(self.git, at, path, limit)

    def read_at(self, commit: str, path: str) -> bytes | None:
        self._deepen()
        return git_objects.read_blobs(self.git, commit, [path]).get(path)

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        self._deepen()
        return git_objects.contains(self.git, older, newer)

    def tags(self, prefix: str = "") -> Mapping[str, str]:
        return git_objects.remote_tags(self.git, self._remote, prefix)

    def _deepen(self) -> None:
        """Fetch the history's commits and trees (not contents) once they are needed."""
        if self.git.line("rev-parse", "--is-shallow-repository") == "true":
            filtered = [] if self.checkout else ["--filter=blob:none"]
            self.git.check("fetch", "--quiet", "--no-tags", "--unshallow", *filtered, "--", self._remote)

    @property
    def _remote(self) -> str:
        return self.url if self.checkout else "origin"

    def _default_branch(self) -> str:
        listed = self.git.check("ls-remote", "--symref", "--", self._remote, "HEAD").decode(
            errors="replace"
        )
        match = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", listed, re.MULTILINE)
        if not match:
            raise InputError(f"{self.name} has no default branch", hint="pass --branch")
        return match[1]


def current_branch(git: Git) -> str:
    """The branch that HEAD names; raises :class:`InputError` when it names none."""
    done = git.run("symbolic-ref", "--quiet", "--short", "HEAD")
    if done.status:
        raise InputError(f"{git.display} is on no branch", hint="pass --branch")
    return done.text.strip()


def branch_head(git: Git, ref: str, branch: str) -> str:
    """The commit at the head of ``branch``; an unknown one is the caller's mistake."""
    try:
        return git_objects.head_of(git, ref)
    except DependencyError:
        raise _no_branch(branch, git.display) from None


def _no_branch(branch: str, name: str) -> InputError:
    return InputError(f"{name} has no branch '{branch[:100]}'", hint="pass an existing one with --branch")


def open_path(path: str, token: str, env: Mapping[str, str]) -> LocalRepository | RemoteRepository:
    """The repository in the folder ``path``; raises :class:`InputError` when there is none."""
    folder = os.path.abspath(os.path.expanduser(path))
    git = Git(folder)
    if not os.path.isdir(folder) or git.run("rev-parse", "--git-dir").status:
        raise InputError(
            f"'{path[:200]}' is not a git repository",
            hint="give owner/name, a URL, or the path of a checkout or a bare repository",
        )
    if git.line("rev-parse", "--is-bare-repository") == "true":
        return LocalRepository(folder, env)
    remote = git.run("remote", "get-url", "--push", "origin")
    if remote.status:
        return LocalRepository(folder, env)
    return RemoteRepository(remote.text.strip(), token, folder, env)
