"""A temporary partial clone: one commit of a repository with its folders, and contents as they are read.

git fetches a content that is not there by itself, one by one, each in a connection of its own; here all
that one reading needs come together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from promote_actions.adapters.git_objects import GitSnapshot
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.git_reader import SUBMODULE, TREE

FETCH_DEADLINE = 600.0
"""Seconds that fetching contents may take: a matrix reads thousands."""

_HOW = (
    *("--quiet", "--bare", "--no-local", "--template="),
    *("--depth=1", "--single-branch", "--no-tags", "--filter=blob:none"),
)
_NOT_GIVEN = ("not our ref", "unadvertised object", "does not allow request")


def clone(git: Git, branch: str = "") -> str:
    """Clone the head of ``branch`` (empty: the default one) of ``git``'s URL into its empty folder.

    Returns the branch, or an empty string when there is none. One connection, whatever it asks for.
    """
    named = ("--branch", branch) if branch else ()
    done = git.run("clone", *_HOW, *named, "--", git.url, ".")
    if done.status:
        if branch and f"Remote branch {branch} not found" in done.stderr:
            return ""
        raise git.failure(["clone"], done.stderr)
    head = git.run("symbolic-ref", "--quiet", "HEAD")
    return head.text.strip().removeprefix("refs/heads/")


@dataclass(frozen=True)
class PartialSnapshot(GitSnapshot):
    """One commit of a partial clone. ``here`` are the contents that were fetched already."""

    here: set[str] = field(default_factory=set, repr=False, compare=False)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = [path for path in dict.fromkeys(paths) if path and "\n" not in path]
        entries = self.reader.entries(self.commit, wanted).values()
        blobs = {entry.sha for entry in entries if entry.mode not in (TREE, SUBMODULE)}
        fetch_objects(self.git, sorted(blobs - self.here))
        self.here.update(blobs)
        return super().read_many(wanted)


def fetch_objects(git: Git, objects: Sequence[str]) -> None:
    """Fetch ``objects`` from ``origin`` in one connection.

    A server that gives nothing but heads is left to git, whose words are then the failure.
    """
    if not objects:
        return
    done = git.run(
        *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"),
        *("--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin", "origin"),
        stdin="".join(f"{each}\n" for each in objects).encode(),
        deadline=FETCH_DEADLINE,
    )
    if done.status and not any(words in done.stderr for words in _NOT_GIVEN):
        raise git.failure(["fetch"], done.stderr)
