"""The emulator itself: what tests and the rehearsal set up, start and look at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType

from promote_actions.adapters.git_process import Git
from promote_actions.rehearsal.github import (
    actions,
    contents,
    git_data,
    graphql,
    issues,
    people,
    pulls,
    repos,
    reviews,
    statuses,
)
from promote_actions.rehearsal.github.faults import Fault
from promote_actions.rehearsal.github.routing import Router
from promote_actions.rehearsal.github.server import Exchange, Server
from promote_actions.rehearsal.github.state import (
    LEVELS,
    Artifact,
    Protection,
    Repository,
    Team,
    User,
    WorkflowRun,
    World,
    utc_now,
)
from promote_actions.rehearsal.github.store import NOBODY, Store

_ROOMS = (actions, contents, git_data, graphql, issues, people, pulls, repos, reviews, statuses)
ROUTES = tuple(route for room in _ROOMS for route in room.ROUTES)


class GitHubEmulator:
    """A GitHub on loopback, with repositories under ``root``. Use it as a context manager.

    ``hang`` is how long (seconds) a ``timeout`` fault keeps a client waiting. ``clock`` gives the time that
    answers and commits carry. ``exchanges`` holds every request with its answer, in order; ``crashes``
    holds defects of the emulator itself, which clients see as 500.
    """

    def __init__(
        self, root: str | Path, *, clock: Callable[[], datetime] = utc_now, hang: float = 30.0
    ) -> None:
        self.root = Path(root)
        self.world = World(clock=clock)
        self.router = Router(ROUTES)
        self.hang = hang
        self.faults: list[Fault] = []
        self.exchanges: list[Exchange] = []
        self.crashes: list[Exception] = []
        self.observers: list[Callable[[Exchange], None]] = []
        self._faults_lock = threading.Lock()
        self._server: Server | None = None

    # -- running -----------------------------------------------------------------------------

    def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 and return the base URL, for ``GITHUB_API_URL``."""
        self._server = Server(self, port)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self.url

    def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close_all()
            self._server = None
        self.world.storage.stop()

    def __enter__(self) -> GitHubEmulator:
        if self._server is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL of the API, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("the emulator is not running: call start()")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # -- the world ---------------------------------------------------------------------------

    def add_user(
        self,
        login: str,
        token: str = "",
        *,
        bot: bool = False,
        write: bool = True,
        role: str = "",
        lacks: Iterable[str] = (),
        classic: bool = False,
    ) -> User:
        """Add an account; ``role`` (none, read, triage, write, maintain, admin) beats ``write``.

        ``lacks``: token permissions that are missing, such as ``contents``, ``pull_requests:write`` or
        ``members``. ``token`` defaults to ``<login>-token``. A bot's ``GET /user`` is refused.
        """
        with self.world.lock:
            level = role or ("write" if write else "read")
            if level not in LEVELS:
                raise ValueError(f"role is one of {LEVELS}")
            user = User(self.world.new_id(), login, token or f"{login}-token", bot, level)
            user.lacks, user.classic = frozenset(lacks), classic
            self.world.users[login.lower()] = user
            return user

    def set_role(self, login: str, repository: str, role: str) -> None:
        """Give ``login`` another role in one repository."""
        with self.world.lock:
            self.world.users[login.lower()].roles[repository.lower()] = role

    def add_team(
        self,
        org: str,
        slug: str,
        members: Iterable[str],
        parent: str | None = None,
        *,
        pending: Iterable[str] = (),
        role: str = "write",
    ) -> Team:
        """Add a team of logins; ``role`` is what it has in the organisation's repositories."""
        with self.world.lock:
            team = Team(self.world.new_id(), org, slug, set(members), parent, set(pending), role)
            self.world.teams[org.lower(), slug.lower()] = team
            return team

    def add_repository(
        self,
        name: str,
        path: str | Path | None = None,
        default_branch: str = "main",
        *,
        private: bool = True,
    ) -> Repository:
        """Serve the bare repository at ``path``; one is made (under ``root`` by default) if missing."""
        with self.world.lock:
            folder = Path(path) if path is not None else self.root / f"{name}.git"
            if not (folder / "HEAD").exists():
                folder.mkdir(parents=True, exist_ok=True)
                Git(directory=str(folder)).check(
                    "init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}"
                )
            now = self.world.now()
            made = Repository(self.world.new_id(), name, Store(folder), default_branch, now, private)
            self.world.repositories[name.lower()] = made
            return made

    def commit(
        self,
        name: str,
        files: Mapping[str, bytes | str | None],
        message: str = "Change files",
        *,
        branch: str = "",
        login: str = "",
    ) -> str:
        """Commit ``files`` (None removes one) on ``branch``, as if pushed by ``login``; returns the SHA.

        The branch is made when there is none: from the default branch's head, or with a first commit.
        """
        with self.world.lock:
            repository = self.repository(name)
            store, branch = repository.store, branch or repository.default_branch
            head = store.head(branch)
            parent = head or store.head(repository.default_branch)
            entries = []
            for path, content in files.items():
                data = content.encode() if isinstance(content, str) else content
                sha = NOBODY if data is None else store.write_blob(data)
                entries.append(("0" if data is None else "100644", sha, path))
            tree = store.write_tree(parent or "", entries)
            if tree is None:
                raise ValueError(f"git does not accept these files: {list(files)}")
            user = self.world.user(login) or User(1, login or "somebody", "")
            person = user.person(self.world.now())
            made = store.write_commit(tree, [parent] if parent else [], message, person, person)
            if not store.move_ref(f"refs/heads/{branch}", made, head or NOBODY):
                raise RuntimeError(f"branch {branch} moved meanwhile")
            return made

    def add_run(
        self,
        name: str,
        sha: str,
        path: str,
        artifacts: Mapping[str, bytes | Mapping[str, bytes]] | None = None,
        *,
        workflow: str = "",
        conclusion: str | None = "success",
        event: str = "push",
        fork: str = "",
    ) -> WorkflowRun:
        """A run of the workflow file ``path`` on the commit ``sha``; conclusion None: it is under way.

        An artifact is its files by path, or the bytes that stand in its archive's place.
        """
        with self.world.lock:
            repository, now = self.repository(name), self.world.now()
            actor = self.world.user("github-actions[bot]") or User(1, "github-actions[bot]", "", bot=True)
            number = sum(run.path == path for run in repository.runs) + 1
            status = "completed" if conclusion else "in_progress"
            branch = repository.default_branch
            run = WorkflowRun(
                self.world.new_id(), number, workflow or path, path, sha, branch, event, status, conclusion,
                actor, now, fork=fork,
            )  # fmt: skip
            for title, content in (artifacts or {}).items():
                data = content if isinstance(content, bytes) else actions.pack(content)
                run.artifacts.append(Artifact(self.world.new_id(), title, data, now))
            repository.runs.append(run)
            return run

    def repository(self, name: str) -> Repository:
        """The repository's state: ``pulls``, ``labels``, ``statuses``, ``dispatches``, ``store`` (git)."""
        return self.world.repositories[name.lower()]

    def protect(self, name: str, branch: str, rules: Protection) -> None:
        """Set the rules of a branch."""
        with self.world.lock:
            self.repository(name).protections[branch] = rules

    def rename_repository(self, old: str, new: str) -> None:
        """Rename a repository; the old name answers with redirects (301, or 307 for writes)."""
        with self.world.lock:
            moved = self.world.repositories.pop(old.lower())
            moved.name = new
            self.world.repositories[new.lower()] = moved
            self.world.moved[old.lower()] = new.lower()

    def rename_branch(self, name: str, old: str, new: str) -> None:
        """Rename a branch (the default one too); its old name answers `GET …/branches/` with 301."""
        with self.world.lock:
            repository = self.repository(name)
            Git(directory=str(repository.store.path)).check("branch", "-M", old, new)
            repository.renamed_branches[old] = new
            if repository.default_branch == old:
                repository.default_branch = new

    # -- faults and observation --------------------------------------------------------------

    def fail(
        self,
        method: str,
        path: str,
        kind: str | int,
        *,
        times: int = 1,
        after: int = 0,
        applied: bool = False,
        retry_after: int = 1,
        body: str | None = None,
    ) -> Fault:
        """Add a :class:`~promote_actions.rehearsal.github.faults.Fault` and return it."""
        fault = Fault(method, path, str(kind), times, after, applied, retry_after, body)
        with self._faults_lock:
            self.faults.append(fault)
        return fault

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The first fault that spoils this request."""
        with self._faults_lock:
            return next((fault for fault in self.faults if fault.strikes(method, path)), None)

    def subscribe(self, observer: Callable[[Exchange], None]) -> None:
        """Call ``observer`` with every exchange, in the thread that answers it."""
        self.observers.append(observer)

    def observe(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        for observer in self.observers:
            observer(exchange)
