"""One application of the emulator: what is deployed, what git asks for, and how it gets there.

Time is handed in (:meth:`App.tick`), so the order of events is what Argo CD's two loops make of it: git
is looked at on a poll or a refresh; an operation runs for a while; its end and the health that follows
it are seen at different times; for a while both versions run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Deploy = Callable[[str, str, str], None]
Health = Callable[[str, str], tuple[str, str]]


@dataclass(frozen=True)
class Definition:
    """An application: its name, what it deploys, and where git says which version.

    ``image`` is a name without tag, ``values_path`` a file of the repository with the version at
    ``tag_path``. ``chart`` makes it multi-source: a chart of that version, and the repository.
    """

    name: str
    service: str
    environment: str
    values_path: str
    image: str
    tag_path: str = "image.tag"
    branch: str = "main"
    auto_sync: bool = True
    chart: str = ""
    rollout: bool = False


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds: looking at git by itself, an operation, the time until health is
    looked at after it, and until the old version is gone."""

    poll: float = 0.5
    operation: float = 0.15
    reconcile: float = 0.1
    rollout: float = 0.3


@dataclass(frozen=True)
class Desired:
    """What git asks for at one commit; ``version`` is empty and ``error`` set when it can't be read."""

    revision: str
    version: str = ""
    error: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of the history."""

    id: int
    revision: str
    version: str
    started: datetime
    deployed: datetime
    automated: bool


@dataclass
class Operation:
    """The last or current operation."""

    revision: str
    version: str
    started: datetime
    automated: bool
    phase: str = "Running"
    message: str = "waiting for completion of sync"
    finished: datetime | None = None


@dataclass
class Override:
    """What a test makes the application say, whatever is true."""

    health: str = ""
    message: str = ""
    sync: str = ""
    phase: str = ""
    conditions: list[tuple[str, str]] = field(default_factory=list)
    images: list[str] | None = None


@dataclass
class App:
    """One application's state. ``managed``: something else puts its policy back whenever it is changed."""

    definition: Definition
    pace: Pace
    deploy: Deploy
    probe: Health
    auto_sync: bool = True
    automated: dict[str, object] = field(default_factory=lambda: {"prune": True, "selfHeal": True})
    annotations: dict[str, str] = field(default_factory=dict)
    managed: bool = False
    desired: Desired = Desired("")
    running: str = ""
    running_revision: str = ""
    leaving: str = ""
    operation: Operation | None = None
    history: list[Entry] = field(default_factory=list)
    health: str = "Missing"
    health_message: str = ""
    health_since: datetime | None = None
    reconciled_at: datetime | None = None
    look_again_at: datetime | None = None
    rolled_out_at: datetime | None = None
    failed_revision: str = ""
    fail_with: str = ""
    override: Override = field(default_factory=Override)
    events: list[tuple[datetime, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.auto_sync = self.definition.auto_sync

    @property
    def busy(self) -> bool:
        return self.operation is not None and self.operation.finished is None

    @property
    def sync(self) -> str:
        """Synced when what runs is what git asks for; Unknown when git can't be read."""
        if self.override.sync:
            return self.override.sync
        if self.desired.error or not self.desired.revision:
            return "Unknown"
        return "Synced" if self.running == self.desired.version else "OutOfSync"

    @property
    def images(self) -> list[str]:
        if self.override.images is not None:
            return self.override.images
        versions = [version for version in (self.running, self.leaving) if version]
        return [f"{self.definition.image}:{version}" for version in dict.fromkeys(versions)]

    # -- events ------------------------------------------------------------------------------

    def compare(self, desired: Desired, now: datetime) -> None:
        """Git was looked at. Start a sync when that is wanted and was not tried for this commit."""
        self.desired = desired
        if not self.busy:
            self._look(now)
        tried = desired.revision == self.failed_revision
        if self.sync == "OutOfSync" and self.auto_sync and not self.busy and not tried:
            self.begin(desired.revision, desired.version, now, automated=True)

    def begin(self, revision: str, version: str, now: datetime, automated: bool = False) -> None:
        """Start an operation."""
        self.operation = Operation(revision, version, now, automated)
        self.events.append((now, "OperationStarted", f"Initiated sync to '{revision}'"))

    def tick(self, now: datetime) -> None:
        """Let everything happen that is due at ``now``."""
        operation = self.operation
        if operation is not None and operation.finished is None and self._is_over(operation.started, now):
            self._end(operation, now)
        if self.rolled_out_at is not None and now >= self.rolled_out_at:
            self.leaving, self.rolled_out_at = "", None
            self._look(now)
        if self.look_again_at is not None and now >= self.look_again_at:
            self.look_again_at = None
            self._look(now)
        elif self.look_again_at is None and not self.busy:
            self._notice_health(now)

    def _is_over(self, started: datetime, now: datetime) -> bool:
        return now >= started + timedelta(seconds=self.pace.operation)

    def _end(self, operation: Operation, now: datetime) -> None:
        operation.finished = now
        if self.fail_with:
            operation.phase, operation.message = "Failed", self.fail_with
            self.failed_revision = operation.revision
            self.look_again_at = now + timedelta(seconds=self.pace.reconcile)
            self.events.append((now, "OperationCompleted", f"Sync operation failed: {self.fail_with}"))
            return
        operation.phase, operation.message = "Succeeded", "successfully synced (all tasks run)"
        self.failed_revision = ""
        if operation.version != self.running:
            self.leaving, self.running = self.running, operation.version
            self.rolled_out_at = now + timedelta(seconds=self.pace.rollout)
            self.deploy(self.definition.service, self.definition.environment, operation.version)
        self.running_revision = operation.revision
        number = self.history[-1].id + 1 if self.history else 0
        entry = Entry(
            number, operation.revision, operation.version, operation.started, now, operation.automated
        )
        self.history = [*self.history, entry][-10:]
        self.look_again_at = now + timedelta(seconds=self.pace.reconcile)
        self.events.append((now, "OperationCompleted", f"Sync operation to {operation.revision} succeeded"))

    def _look(self, now: datetime) -> None:
        self.reconciled_at = now
        self._notice_health(now)

    def _notice_health(self, now: datetime) -> None:
        status, message = self.probe(self.definition.service, self.definition.environment)
        if status == "Healthy" and self.rolled_out_at is not None:
            status, message = "Progressing", "Waiting for rollout to finish"
        status, message = self.override.health or status, self.override.message or message
        if status != self.health:
            self.events.append(
                (now, "ResourceUpdated", f"Updated health status: {self.health} -> {status}")
            )
            self.health, self.health_since = status, now
        self.health_message = message
