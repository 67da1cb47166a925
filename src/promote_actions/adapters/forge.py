"""What promotions need of a forge beyond git: pull requests, reviews, statuses, teams, events. Pure.

``adapters.github_pulls`` implements it with GitHub's API. Every method raises ``InputError`` (with what
to grant or fix) when the forge says that we may not, and ``DependencyError`` when it can't be reached; a
method that changes something has then changed nothing, or may simply be called again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from promote_actions.adapters.gitops import Commit, FileChange, GitOpsRepository, Snapshot
from promote_actions.owners.reviewers import Team
from promote_actions.owners.reviews import Review

__all__ = [
    "OUR_BRANCHES",
    "Artifact",
    "CheckRun",
    "CommitStatus",
    "Comparison",
    "Forge",
    "ForgeRepository",
    "Identity",
    "PullRequest",
    "Requested",
    "Review",
    "Team",
    "WorkflowRun",
]

OUR_BRANCHES = ("promote/", "rollback/")
"""How the branches begin that we may replace and delete; no other branch is ever rewritten."""

StatusState = Literal["error", "failure", "pending", "success"]
MergeMethod = Literal["merge", "squash", "rebase"]


@dataclass(frozen=True)
class PullRequest:
    """A pull request. ``state`` is ``open`` or ``closed``; a merged one is closed and ``merged``.

    ``merge_sha`` is the commit that merging made (empty unless merged), ``merged_by`` a login or empty.
    Times are aware. ``body`` is never None. ``requested`` are those whose review is still asked for:
    logins, and teams as ``organization/slug``.
    """

    number: int
    url: str
    title: str
    body: str
    head_branch: str
    head_sha: str
    base_branch: str
    state: str
    merged: bool
    merged_at: datetime | None
    merge_sha: str
    author: str
    draft: bool = False
    labels: tuple[str, ...] = ()
    merged_by: str = ""
    author_id: int = 0
    created_at: datetime | None = None
    requested: tuple[str, ...] = ()


@dataclass(frozen=True)
class Requested:
    """Who was asked for a review, and who could not be (name and why).

    Users are logins, teams ``organization/slug``.
    """

    asked: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CommitStatus:
    """The newest status of one context on a commit."""

    context: str
    state: str
    description: str = ""
    url: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class CheckRun:
    """A check run: ``status`` queued, in_progress or completed; ``conclusion`` empty until completed."""

    name: str
    status: str
    conclusion: str = ""
    url: str = ""


@dataclass(frozen=True)
class WorkflowRun:
    """A run of a workflow: ``workflow`` is its name and ``path`` its file.

    ``status`` and ``conclusion`` are as a check run's. ``source`` is the repository whose commit it ran
    for, ``owner/name``: another one's for a pull request from a fork.
    """

    id: int
    workflow: str
    path: str
    status: str
    conclusion: str = ""
    url: str = ""
    source: str = ""


@dataclass(frozen=True)
class Artifact:
    """What a run left behind. ``size`` is the archive's in bytes, ``digest`` its ``sha256:…`` or empty."""

    id: int
    name: str
    size: int = 0
    expired: bool = False
    digest: str = ""


@dataclass(frozen=True)
class Comparison:
    """What lies between two commits. ``status``: identical, ahead, behind or diverged (of the head).

    ``commits`` are those of the head that the base lacks, oldest first; ``total`` may be larger than their
    number, because there is a limit to what is fetched.
    """

    status: str
    ahead: int
    behind: int
    commits: tuple[Commit, ...]
    total: int
    url: str = ""


@dataclass(frozen=True)
class Identity:
    """The account that the token speaks for."""

    login: str
    id: int
    is_bot: bool = False


class Forge(Protocol):
    """One repository on a forge."""

    def user(self) -> Identity | None:
        """Whom the token speaks for; None when it can't tell (an app's or a job's token)."""

    def open_pull(self, title: str, body: str, head: str, base: str, draft: bool = False) -> PullRequest:
        """Open a pull request from branch ``head`` into ``base``; one that is open is returned as it is."""

    def find_open_pulls(self, head_prefix: str = "") -> Sequence[PullRequest]:
        """The open pull requests whose branch begins with ``head_prefix``, oldest first."""

    def pull(self, number: int) -> PullRequest:
        """The pull request ``number``."""

    def update_pull(self, number: int, *, title: str | None = None, body: str | None = None) -> PullRequest:
        """Change title or body; None leaves them."""

    def close_pull(self, number: int) -> PullRequest:
        """Close without merging. One that is closed or merged stays so."""

    def comment(self, number: int, body: str) -> None:
        """Add a comment."""

    def add_labels(self, number: int, labels: Iterable[str]) -> None:
        """Add labels, making those that the repository doesn't have."""

    def request_reviewers(
        self, number: int, users: Iterable[str], teams: Iterable[Team | str] = ()
    ) -> Requested:
        """Ask for reviews. One who can't be asked is reported, and the rest are asked all the same."""

    def reviews(self, number: int) -> Sequence[Review]:
        """Every review there was, in order, each with whether its author may write now."""

    def changed_files(self, number: int) -> Sequence[str]:
        """The paths that the pull request changes, a renamed file's old path included."""

    def merge(self, number: int, expected_head: str, method: MergeMethod = "squash") -> str:
        """Merge if the head is still ``expected_head``; returns the SHA that the base moved to.

        Raises ``Conflict`` when the head moved, and ``Refused`` when the rules say no.
        """

    def team_members(self, organization: str, slug: str) -> frozenset[str] | None:
        """The logins of a team's active members, nested teams included; None when it can't be read."""

    def permission(self, user: str) -> str | None:
        """admin, maintain, write, triage, read or none; None when it can't be read."""

    def set_status(
        self, sha: str, context: str, state: StatusState, description: str = "", url: str = ""
    ) -> None:
        """Publish a commit status. A description that is too long is cut."""

    def statuses(self, sha: str) -> Mapping[str, CommitStatus]:
        """The newest status of each context on ``sha``."""

    def check_runs(self, sha: str) -> Sequence[CheckRun]:
        """The newest check run of each name on ``sha``."""

    def workflow_runs(self, sha: str) -> Sequence[WorkflowRun]:
        """The runs of workflows for the commit ``sha`` (its full name), the newest first."""

    def artifacts(self, run: int) -> Sequence[Artifact]:
        """The artifacts of a run; a re-run may have left several of one name."""

    def artifact_archive(self, artifact: int, limit: int) -> bytes | None:
        """The ZIP archive of an artifact; None when it has expired.

        Raises ``DependencyError`` for one of more than ``limit`` bytes.
        """

    def put_branch(self, branch: str, sha: str) -> None:
        """Make ``branch`` point at ``sha``: create it, or move it if it is one of :data:`OUR_BRANCHES`."""

    def delete_branch(self, branch: str) -> None:
        """Delete one of :data:`OUR_BRANCHES`; one that is gone is fine."""

    def compare(self, base: str, head: str, repository: str = "") -> Comparison | None:
        """What ``head`` has and ``base`` lacks, here or in another repository; None if unknown."""

    def dispatch(self, event_type: str, payload: Mapping[str, object], repository: str = "") -> None:
        """Send a repository_dispatch event, here or to another repository. A lost answer sends it again."""


@runtime_checkable
class ForgeRepository(GitOpsRepository, Protocol):
    """A GitOps repository on a forge."""

    @property
    def forge(self) -> Forge:
        """The forge side of this repository."""

    def land_on_branch(
        self, base: Snapshot, changes: Sequence[FileChange], message: str, branch: str
    ) -> str:
        """Commit ``changes`` on ``base`` and make ``branch`` point there, for a pull request.

        The branch is created, or replaced when it is one of :data:`OUR_BRANCHES`. Returns the commit's SHA.
        """
