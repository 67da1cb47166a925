"""A GitOps repository reached through git itself: bare, a checkout, or a URL. No clone of its history.

- A bare repository, or a checkout without a remote, is written in place: a compare-and-swap of the
  branch. In a checkout of that branch the changed files follow.
- A checkout with a remote (``origin``, or the only one): the remote is the truth. It is fetched, the commit
  is made on its head and pushed; the checkout is fast-forwarded when that touches nothing of the user's.
- A URL, or a bare repository with server hooks, which only a push runs: one commit is fetched into a
  temporary repository, without file contents until they are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from promote_actions.adapters import git_objects
from promote_actions.adapters.git_branches import branch_head, checked_branch, current_branch
from promote_actions.adapters.git_commits import make_commit
from promote_actions.adapters.git_process import SERVER_HOOKS, Git
from promote_actions.adapters.git_reader import ObjectReader
from promote_actions.adapters.git_remote import RemoteRepository
from promote_actions.adapters.git_worktree import follow, heal, refuse_unsaved
from promote_actions.adapters.gitops import Commit, FileChange, Snapshot
from promote_actions.errors import Conflict, InputError

__all__ = ["LocalRepository", "RemoteRepository", "current_branch", "is_url", "open_path"]

_URL = re.compile(r"(?:https?|ssh|git|file)://|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:")


def is_url(where: str) -> bool:
    """Whether ``where`` is a URL: ``https://``, ``ssh://``, ``file://``, ``git@host:path``."""
    return bool(_URL.match(where))


@dataclass(frozen=True)
class LocalRepository:
    """A repository on this machine that is itself the truth: bare, or a checkout without a remote."""

    path: str
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    checkouts: bool = True
    """Whether there may be a work tree whose files have to follow."""

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
        branch = checked_branch(self.git, branch) or current_branch(self.git)
        if self.checkouts:
            heal(self.git, branch)
        reader = ObjectReader(self.git)
        commit = branch_head(reader, f"refs/heads/{branch}", branch, self.name)
        return git_objects.GitSnapshot(self.git, commit, branch, reader)

    def land(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        paths = [change.path for change in changes]
        if self.checkouts:
            refuse_unsaved(self.git, base.branch, paths)
        made = make_commit(self.git, base, changes, message, self.env)
        ref = f"refs/heads/{base.branch}"
        done = self.git.run("update-ref", "-m", "promote-actions", ref, made, base.commit)
        if done.status:
            now = git_objects.head_of(self.git, ref)
            if now != base.commit or "lock" in done.stderr:
                raise Conflict(f"{base.branch} of {self.name} moved while we planned")
            raise self.git.failure(["update-ref"], done.stderr)
        if self.checkouts:
            follow(self.git, base.branch, base.commit, made, paths)
        return made

    def history(self, path: str, at: str = "", limit: int = 100) -> Sequence[Commit]:
        return git_objects.read_history(self.git, at or current_branch(self.git), path, limit)

    def read_at(self, commit: str, path: str) -> bytes | None:
        return git_objects.read_blob(self.git, commit, path)

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        return git_objects.contains(self.git, older, newer)

    def tags(self, prefix: str = "") -> Mapping[str, str]:
        return git_objects.local_tags(self.git, prefix)


def open_path(path: str, token: str, env: Mapping[str, str]) -> LocalRepository | RemoteRepository:
    """The repository in the folder ``path``; raises :class:`InputError` when there is none."""
    folder = os.path.abspath(os.path.expanduser(path))
    git = Git(folder)
    if not os.path.isdir(folder):
        raise _no_repository(path, "no such folder")
    asked = ("--is-bare-repository", "--is-inside-work-tree")
    places = ("--git-path", "hooks", "--git-path", "worktrees")
    done = git.run("rev-parse", *asked, "--path-format=absolute", *places)
    if done.status:
        raise _no_repository(path, git.failure(["rev-parse"], done.stderr).message)
    answers = done.text.removesuffix("\n").split("\n")
    if len(answers) != 4:
        raise _no_repository(path, "there is a line break in its path")
    bare, inside, hooks, worktrees = answers
    if bare == "true":
        if any(os.access(os.path.join(hooks, name), os.X_OK) for name in SERVER_HOOKS):
            return RemoteRepository(folder, token, env=env)
        return LocalRepository(folder, env, checkouts=os.path.isdir(worktrees))
    if inside == "true":
        folder = git.line("rev-parse", "--show-toplevel")
        git = Git(folder)
    remote = _remote_of(git)
    if not remote:
        return LocalRepository(folder, env)
    return RemoteRepository(git.line("remote", "get-url", "--push", "--", remote), token, folder, env)


def _no_repository(path: str, reason: str) -> InputError:
    return InputError(
        f"'{path[:200]}' is not a git repository that can be used: {reason}",
        hint="give owner/name, a URL, or the path of a checkout or a bare repository",
    )


def _remote_of(git: Git) -> str:
    """``origin``, or the only remote; empty when there is none."""
    remotes = git.check("remote").decode(errors="surrogateescape").split()
    if "origin" in remotes or len(remotes) < 2:
        return "origin" if "origin" in remotes else "".join(remotes)
    raise InputError(
        f"{git.display} has several remotes and none is called origin",
        hint="pass the URL of the one that is the GitOps repository with --gitops",
    )
