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
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from weakref import finalize

from promote_actions.adapters import git_objects
from promote_actions.adapters.git_commits import make_commit
from promote_actions.adapters.git_process import SERVER_HOOKS, Git, without_credentials
from promote_actions.adapters.git_worktree import follow, heal, refuse_unsaved
from promote_actions.adapters.gitops import Commit, FileChange, Snapshot
from promote_actions.errors import Conflict, DependencyError, InputError, one_line

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
        branch = checked_branch(self.git, branch) or current_branch(self.git)
        heal(self.git, branch)
        commit = branch_head(self.git, f"refs/heads/{branch}", branch)
        return git_objects.GitSnapshot(self.git, commit, branch)

    def land(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        paths = [change.path for change in changes]
        refuse_unsaved(self.git, base.branch, paths)
        made = make_commit(self.git, base, changes, message, self.env)
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
        return git_objects.read_blob(self.git, commit, path)

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
        branch = checked_branch(self.git, branch) or self._default_branch()
        ref = f"refs/heads/{branch}"
        if self.checkout:
            return git_objects.GitSnapshot(self.git, self._fetched_head(ref), branch)
        how = ("--quiet", "--no-tags", "--depth=1", "--filter=blob:none")
        done = self.git.run("fetch", *how, "--", "origin", f"+{ref}:{_BASE_REF}")
        if done.status:
            if "couldn't find remote ref" in done.stderr:
                raise _no_branch(branch, self.name)
            raise self.git.failure(["fetch"], done.stderr)
        return git_objects.GitSnapshot(self.git, git_objects.head_of(self.git, _BASE_REF), branch)

    def _fetched_head(self, ref: str) -> str:
        """The remote's head of ``ref``, its objects in the checkout; no ref is written there.

        Others may promote from the same checkout at the same time, and the user's own fetches know
        nothing of refs that we leave.
        """
        for _ in range(3):
            head = self._remote_head(ref)
            if not head:
                raise _no_branch(ref.removeprefix("refs/heads/"), self.name)
            if not self.git.run("cat-file", "-e", f"{head}^{{commit}}").status:
                return head
            quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no")
            self.git.check("fetch", *quiet, "--", self._remote, ref)
        raise DependencyError(f"{ref} of {self.name} changes while it is fetched", hint="run again")

    def land(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        made = make_commit(self.git, base, changes, message, self.env)
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
            words = re.findall(r"^remote: (.*\S)", said, re.MULTILINE)
            raise InputError(
                f"{self.name} refuses the push to {base.branch}: "
                + one_line("; ".join([reason[1], *words]).replace(self.token or "\0", "***"))[:300],
                hint="promote by pull request, or let this token's account bypass the protection",
            )
        raise self.git.failure(["push"], said)

    def _remote_head(self, ref: str) -> str:
        listed = self.git.check("ls-remote", "--", self._remote, ref).decode(errors="replace")
        heads = {name: head for head, _, name in (line.partition("\t") for line in listed.splitlines())}
        return heads.get(ref, "")

    def history(self, path: str, at: str = "", limit: int = 100) -> Sequence[Commit]:
        at = at if re.fullmatch(r"[0-9a-f]{40}", at) else self.snapshot(at).commit
        self._deepen()
        return git_objects.read_history(self.git, at, path, limit)

    def read_at(self, commit: str, path: str) -> bytes | None:
        self._deepen()
        return git_objects.read_blob(self.git, commit, path)

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
    done = git.run("symbolic-ref", "--quiet", "HEAD")
    if done.status:
        raise InputError(f"{git.display} is on no branch", hint="pass --branch")
    return done.text.strip().removeprefix("refs/heads/")


def checked_branch(git: Git, branch: str) -> str:
    """``branch`` without ``refs/heads/``; raises :class:`InputError` for what no branch can be called."""
    branch = branch.removeprefix("refs/heads/")
    if branch and git.run("check-ref-format", f"refs/heads/{branch}").status:
        raise InputError(f"'{one_line(branch)[:100]}' can't be the name of a branch", hint="check --branch")
    return branch


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
    if not os.path.isdir(folder):
        raise _no_repository(path, "no such folder")
    asked = ("--is-bare-repository", "--is-inside-work-tree")
    done = git.run("rev-parse", *asked, "--path-format=absolute", "--git-path", "hooks")
    if done.status:
        raise _no_repository(path, git.failure(["rev-parse"], done.stderr).message)
    bare, inside, hooks = done.text.split("\n", 2)
    if bare == "true":
        if any(os.access(os.path.join(hooks.rstrip("\n"), name), os.X_OK) for name in SERVER_HOOKS):
            return RemoteRepository(folder, token, env=env)
        return LocalRepository(folder, env)
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
