"""A GitOps repository at a URL, worked on in a checkout of it or in a temporary partial clone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from weakref import finalize

from promote_actions.adapters import git_objects
from promote_actions.adapters.git_branches import branch_head, checked_branch, no_branch
from promote_actions.adapters.git_commits import make_commit
from promote_actions.adapters.git_partial import PartialSnapshot, clone
from promote_actions.adapters.git_process import Git, without_credentials
from promote_actions.adapters.git_reader import ObjectReader
from promote_actions.adapters.git_worktree import follow
from promote_actions.adapters.gitops import Commit, FileChange, Snapshot
from promote_actions.errors import Conflict, DependencyError, InputError, one_line

_BASE_REF = "refs/promote-actions/base"


@dataclass(frozen=True)
class RemoteRepository:
    """A repository at ``url``, worked on in ``checkout``, a folder that has one, or in a partial clone."""

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
        import tempfile

        folder = tempfile.TemporaryDirectory(prefix="promote-actions-")
        # Nobody else uses it, and it is gone at the end: its objects may stay packed as they are made.
        git = Git(folder.name, self.url, self.token, settings=(("fastimport.unpackLimit", "0"),))
        finalize(git, folder.cleanup)
        return git

    @cached_property
    def _here(self) -> set[str]:
        """Contents that were fetched into the partial clone."""
        return set()

    @cached_property
    def _defaults(self) -> list[str]:
        """The default branch, once it is known."""
        return []

    @property
    def _cloned(self) -> bool:
        return bool(self.checkout) or os.path.exists(os.path.join(self.git.directory, "HEAD"))

    def snapshot(self, branch: str = "") -> Snapshot:
        wanted = checked_branch(self.git, branch)
        if self.checkout:
            wanted = wanted or self._default_branch()
            return git_objects.GitSnapshot(self.git, self._fetched_head(f"refs/heads/{wanted}"), wanted)
        if self._cloned:
            wanted = wanted or self._default_branch()
            ref = self._fetched_again(wanted)
        else:
            cloned = clone(self.git, wanted)
            if not cloned:
                raise no_branch(wanted, self.name) if wanted else self._no_default_branch()
            self._defaults.extend([] if wanted else [cloned])
            wanted, ref = cloned, f"refs/heads/{cloned}"
        reader = ObjectReader(self.git)
        commit = branch_head(reader, ref, wanted, self.name)
        return PartialSnapshot(self.git, commit, wanted, reader, self._here)

    def _fetched_again(self, branch: str) -> str:
        how = ("--quiet", "--no-tags", "--depth=1", "--filter=blob:none")
        done = self.git.run("fetch", *how, "--", "origin", f"+refs/heads/{branch}:{_BASE_REF}")
        if done.status:
            if "couldn't find remote ref" in done.stderr:
                raise no_branch(branch, self.name)
            raise self.git.failure(["fetch"], done.stderr)
        return _BASE_REF

    def _fetched_head(self, ref: str) -> str:
        """The remote's head of ``ref``, its objects in the checkout; no ref is written there.

        Others may promote from the same checkout at the same time, and the user's own fetches know
        nothing of refs that we leave.
        """
        for _ in range(3):
            head = self._remote_head(ref)
            if not head:
                raise no_branch(ref.removeprefix("refs/heads/"), self.name)
            if not self.git.run("cat-file", "-e", f"{head}^{{commit}}").status:
                return head
            quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no")
            self.git.check("fetch", *quiet, "--", self.url, ref)
        raise DependencyError(f"{ref} of {self.name} changes while it is fetched", hint="run again")

    def land(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        made = make_commit(self.git, base, changes, message, self.env)
        ref = f"refs/heads/{base.branch}"
        done = self.git.run("push", "--porcelain", "--no-verify", "--", self.url, f"{made}:{ref}")
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
        listed = self.git.check("ls-remote", "--", self.url, ref).decode(errors="replace")
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
        return git_objects.remote_tags(self.git, self.url, prefix)

    def _deepen(self) -> None:
        """Fetch the history's commits and trees (not contents) once they are needed."""
        if not self._cloned:
            self.snapshot()
        if self.git.line("rev-parse", "--is-shallow-repository") == "true":
            filtered = [] if self.checkout else ["--filter=blob:none"]
            remote = self.url if self.checkout else "origin"
            self.git.check("fetch", "--quiet", "--no-tags", "--unshallow", *filtered, "--", remote)

    def _default_branch(self) -> str:
        if self._defaults:
            return self._defaults[0]
        listed = self.git.check("ls-remote", "--symref", "--", self.url, "HEAD").decode(errors="replace")
        match = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", listed, re.MULTILINE)
        if not match:
            raise self._no_default_branch()
        return match[1]

    def _no_default_branch(self) -> InputError:
        return InputError(f"{self.name} has no default branch", hint="pass --branch")
