"""Version tags of a repository that only git itself reaches: ``ls-remote``, and a push without force.

The server creates a tag only if there is none of that name. What a failed push means is never read from
its words, because two simultaneous pushes are rejected in several ways: the caller looks again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from promote_actions.adapters.git_process import Git, without_credentials
from promote_actions.adapters.turns import turn
from promote_actions.errors import DependencyError, InputError, PromoteError, one_line

TRIES = 3
"""How often a reading is tried."""


@dataclass(frozen=True)
class RemoteTags:
    """Tags of the repository that git calls ``remote`` (a URL, or the name of a remote of ``git``).

    ``git`` runs in a repository that may hold the commits to be tagged; a commit that it doesn't hold
    is fetched by itself into a temporary one.
    """

    git: Git
    remote: str

    def tags(self, prefixes: Sequence[str]) -> Mapping[str, str]:
        patterns = [f"refs/tags/{prefix}*" for prefix in prefixes]
        listed = _patiently(self.git, "ls-remote", "--tags", "--", self.remote, *patterns)
        tags: dict[str, str] = {}
        for line in listed.decode(errors="surrogateescape").splitlines():
            sha, _, ref = line.partition("\t")
            # The peeled value of an annotated tag comes after the tag's own.
            name = ref.removeprefix("refs/tags/").removesuffix("^{}")
            if name.startswith(tuple(prefixes)):
                tags[name] = sha
        return tags

    def turn(self) -> AbstractContextManager[None]:
        return turn(key=self.git.url or self.git.directory)

    def create(self, names: Sequence[str], commit: str) -> PromoteError | None:
        if not self.git.run("cat-file", "-e", f"{commit}^{{commit}}").status:
            return self._push(self.git, names, commit)
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="promote-actions-") as folder:
            git = Git(folder, self.git.url, self.git.token)
            git.check("init", "--quiet", "--bare", ".")
            try:
                _patiently(git, "fetch", "--quiet", "--no-tags", "--depth=1", "--", self.remote, commit)
            except DependencyError as error:
                hint = f"run in a checkout that holds commit {commit[:12]}"
                raise DependencyError(error.message, hint=hint) from None
            return self._push(git, names, commit)

    def _push(self, git: Git, names: Sequence[str], commit: str) -> PromoteError | None:
        """Push the tags. In a shallow clone git first asks what the server has: else it sends it all."""
        shallow = git.line("rev-parse", "--is-shallow-repository") == "true"
        done = git.run(
            *("-c", f"push.negotiate={'true' if shallow else 'false'}", "push", "--porcelain"),
            *("--no-verify", "--no-follow-tags", "--recurse-submodules=no"),
            *(["--atomic"] if len(names) > 1 else []),
            *("--", self.remote, *(f"{commit}:refs/tags/{name}" for name in names)),
        )
        return self._declined(done.text, done.stderr, names[-1]) if done.status else None

    def _declined(self, report: str, stderr: str, name: str) -> PromoteError:
        reasons = [line.split("\t")[-1] for line in report.splitlines() if line.startswith("!")]
        if not reasons:
            return self.git.failure(["push"], stderr)
        said = [line for line in stderr.splitlines() if line.startswith("remote: ")]
        return refusal(self.git, name, " ".join([reasons[0], *said]))


def refusal(git: Git, name: str, words: str) -> InputError:
    """The error for a server that refuses the tag ``name`` with these ``words``, if it was no race."""
    words = one_line(words).replace(git.token or "\0", "***")
    return InputError(
        f"{git.display} refuses tag {name}: {without_credentials(words)[:300]}",
        hint="allow this account to create version tags there (protected tags, hooks, write access)",
    )


def _patiently(git: Git, *arguments: str) -> bytes:
    """The output of a git command that only reads, tried again when the network or the server fails it."""
    for attempt in range(1, TRIES):
        try:
            return git.check(*arguments)
        except DependencyError:
            time.sleep(attempt * 0.3)
    return git.check(*arguments)
