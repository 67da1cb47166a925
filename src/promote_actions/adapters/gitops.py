"""The GitOps repository as the rest of the package sees it, whichever way it is reached.

Two implementations: ``adapters.git`` (any git repository, by path or URL) and ``adapters.github``
(GitHub's API, no clone). Both read everything from one commit and land on that very commit or not at
all (design, section 4, rule 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class FileChange:
    """One file as it shall be after a commit. ``create`` refuses to replace an existing file."""

    path: str
    content: bytes
    create: bool = False


@dataclass(frozen=True)
class Commit:
    """One commit of a history: subject and body, who, and when (aware datetimes)."""

    sha: str
    message: str
    author: str
    author_email: str
    committed_at: datetime
    parents: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


class Snapshot(Protocol):
    """The repository at one commit. Every reading of it is of that commit."""

    @property
    def commit(self) -> str:
        """The full SHA of the commit."""

    @property
    def branch(self) -> str:
        """The branch that pointed at the commit when it was read."""

    def read(self, path: str) -> bytes | None:
        """The bytes of the file at ``path``, or None when there is no such file."""

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of those of ``paths`` that exist, in as few round trips as there can be."""

    def files(self, folder: str = "") -> Sequence[str]:
        """The paths of all files under ``folder`` (at any depth), sorted; empty when there is none."""


class GitOpsRepository(Protocol):
    """A repository that promotions are read from and landed in.

    Every method raises ``DependencyError`` when the repository can't be reached, and ``InputError``
    (with what to grant or fix) when it says that we may not.
    """

    @property
    def name(self) -> str:
        """How messages call the repository: ``owner/name``, or its path or URL without credentials."""

    @property
    def web_url(self) -> str:
        """Address of the repository's page for links, or an empty string."""

    def snapshot(self, branch: str = "") -> Snapshot:
        """The head of ``branch`` (empty: the default branch)."""

    def land(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        """Commit ``changes`` on ``base`` and move its branch there if it still points at ``base``.

        Returns the new commit's SHA. Raises :class:`~promote_actions.errors.Conflict` when the
        branch has moved, or when a ``create`` path exists; nothing has changed then.
        """

    def history(self, path: str, at: str = "", limit: int = 100) -> Sequence[Commit]:
        """The newest commits that touched ``path``, from commit or branch ``at`` on, newest first."""

    def read_at(self, commit: str, path: str) -> bytes | None:
        """The bytes of ``path`` at ``commit`` (a full SHA)."""

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        """Whether ``newer`` contains ``older``; None when it can't be told (an unknown commit)."""

    def tags(self, prefix: str = "") -> Mapping[str, str]:
        """Tags whose name begins with ``prefix``: name to the SHA of the commit it points at."""
