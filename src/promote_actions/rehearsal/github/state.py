"""What the emulator remembers: people, teams, repositories, pull requests, reviews, statuses."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from promote_actions.rehearsal.github.objects import Person
from promote_actions.rehearsal.github.storage import Storage
from promote_actions.rehearsal.github.store import Store

LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
"""GitHub's repository roles, weakest first."""


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class User:
    """An account. ``role`` holds in every repository that ``roles`` doesn't name.

    ``lacks`` names token permissions that this account's token was not given (``contents``,
    ``pull_requests``, ``statuses``, ``checks``, ``members``, …). ``classic`` tokens get 404 where
    others get 403, as GitHub's do.
    """

    id: int
    login: str
    token: str
    bot: bool = False
    role: str = "write"
    roles: dict[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    classic: bool = False

    def person(self, now: datetime) -> Person:
        return Person(self.login, f"{self.id}+{self.login}@users.noreply.github.com", now)


@dataclass
class Team:
    """A team of an organisation. ``pending`` members were invited and have not accepted."""

    id: int
    org: str
    slug: str
    members: set[str]
    parent: str | None = None
    pending: set[str] = field(default_factory=set)
    role: str = "write"


@dataclass(frozen=True)
class Protection:
    """The rules of a branch. ``bypass`` names logins that the rules do not bind.

    ``pull_request`` None means: only by pull request exactly when approvals or code owners are asked.
    """

    required_statuses: tuple[str, ...] = ()
    required_approvals: int = 0
    code_owners: bool = False
    dismiss_stale: bool = False
    pull_request: bool | None = None
    bypass: frozenset[str] = frozenset()

    @property
    def needs_pull_request(self) -> bool:
        return self.pull_request if self.pull_request is not None else self.reviews

    @property
    def reviews(self) -> bool:
        return self.required_approvals > 0 or self.code_owners


@dataclass
class Review:
    id: int
    user: User
    state: str
    body: str
    commit: str
    submitted_at: datetime


@dataclass
class Comment:
    id: int
    user: User
    body: str
    created_at: datetime


@dataclass
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass
class Status:
    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: User
    created_at: datetime


@dataclass
class CheckRun:
    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    details_url: str
    started_at: datetime
    creator: User
    output: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Artifact:
    """What a run left behind: ``data`` is its archive."""

    id: int
    name: str
    data: bytes
    created_at: datetime
    expired: bool = False


@dataclass
class WorkflowRun:
    """A run of the workflow in the file ``path``. ``fork`` names the repository that it came from."""

    id: int
    number: int
    workflow: str
    path: str
    sha: str
    branch: str
    event: str
    status: str
    conclusion: str | None
    actor: User
    created_at: datetime
    attempt: int = 1
    fork: str = ""
    artifacts: list[Artifact] = field(default_factory=list)


@dataclass
class Pull:
    """A pull request. While it is open ``head_sha`` follows the branch; then it stays.

    ``fork`` names the repository that it pretends to come from (``deleted``: one that is gone).
    """

    id: int
    number: int
    title: str
    body: str | None
    head: str
    base: str
    head_sha: str
    base_sha: str
    user: User
    created_at: datetime
    updated_at: datetime
    draft: bool = False
    fork: str = ""
    state: str = "open"
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    labels: list[str] = field(default_factory=list)
    users_asked: list[str] = field(default_factory=list)
    teams_asked: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass(frozen=True)
class Dispatch:
    """A repository_dispatch event as it was sent."""

    event_type: str
    payload: Mapping[str, object]
    sender: str
    at: datetime


@dataclass
class Repository:
    """A repository and everything that hangs on it."""

    id: int
    name: str
    store: Store
    default_branch: str
    created_at: datetime
    private: bool = True
    archived: bool = False
    auto_request_owners: bool = False
    tree_limit: int = 100_000
    protections: dict[str, Protection] = field(default_factory=dict)
    renamed_branches: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    check_runs: list[CheckRun] = field(default_factory=list)
    runs: list[WorkflowRun] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)

    @property
    def owner(self) -> str:
        return self.name.partition("/")[0]

    @property
    def short_name(self) -> str:
        return self.name.partition("/")[2]

    def open_pulls(self) -> list[Pull]:
        return [pull for pull in self.pulls.values() if pull.state == "open"]


@dataclass
class RateLimit:
    """The primary rate limit; set ``remaining`` to 0 to exhaust it."""

    limit: int = 5000
    remaining: int = 5000
    reset: datetime = field(default_factory=utc_now)


@dataclass
class World:
    """Everything; ``lock`` is held while a request is answered."""

    clock: Callable[[], datetime] = utc_now
    users: dict[str, User] = field(default_factory=dict)
    teams: dict[tuple[str, str], Team] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    rate: RateLimit = field(default_factory=RateLimit)
    storage: Storage = field(default_factory=Storage)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1001))

    def new_id(self) -> int:
        return next(self._ids)

    def now(self) -> datetime:
        return self.clock().replace(microsecond=0)

    def user(self, login: str) -> User | None:
        return self.users.get(login.lower())

    def user_of_token(self, token: str) -> User | None:
        return next((user for user in self.users.values() if token and user.token == token), None)

    def team(self, org: str, slug: str) -> Team | None:
        return self.teams.get((org.lower(), slug.lower()))

    def repository(self, name: str) -> Repository | None:
        return self.repositories.get(name.lower())

    def role(self, user: User, repository: Repository) -> str:
        """The role of ``user`` in ``repository``; in a public one everybody reads."""
        role = user.roles.get(repository.name.lower(), user.role)
        return "read" if role == "none" and not repository.private else role

    def may(self, user: User, repository: Repository, level: str) -> bool:
        return LEVELS.index(self.role(user, repository)) >= LEVELS.index(level)

    def members(self, team: Team) -> set[str]:
        """The active members' logins, those of child teams included."""
        found = set(team.members)
        for child in self.teams.values():
            if child.parent == team.slug and child.org == team.org:
                found |= self.members(child)
        return found
