"""What a promotion is made of: the request, the facts it meets, and the plan that follows. Pure data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from promote_actions.config.model import Config, Environment, Freeze, Service
from promote_actions.errors import InputError
from promote_actions.promotion.values import Edited

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

OVERRIDABLE = (
    "approvals", "downgrade", "freeze", "lock", "order", "provenance", "quarantine", "soak", "stop"
)  # fmt: skip
"""The rules that a person may override, with a reason that the audit record keeps."""


@dataclass(frozen=True)
class Caller:
    """Who asks, and in which workflow run (empty outside one)."""

    actor: str = ""
    run_url: str = ""
    run_id: str = ""
    attempt: str = ""


@dataclass(frozen=True)
class Request:
    """What the caller asks for. ``version`` is empty when the source environment decides it.

    ``mode`` is ``auto``, ``direct`` or ``pull-request``; ``override`` names rules of
    :data:`OVERRIDABLE`. ``now`` is an aware datetime, the one reading of the clock. ``kind`` is how
    messages call it: ``promote``, ``auto-promote`` or ``rollback``.
    """

    services: tuple[str, ...]
    to: str
    now: datetime
    source: str = ""
    version: str = ""
    mode: str = "auto"
    reason: str = ""
    override: frozenset[str] = frozenset()
    validation: Mapping[str, str] = field(default_factory=dict)
    changelog: str = ""
    caller: Caller = Caller()
    kind: str = "promote"


@dataclass(frozen=True)
class Live:
    """What one environment's values file says: its path, its bytes and the version in it."""

    environment: str
    file: str
    content: bytes
    version: str
    digest: str = ""


@dataclass(frozen=True)
class Hold:
    """A version that may not be promoted: it was rolled back. ``file`` is what holds it."""

    file: str
    reason: str


@dataclass(frozen=True)
class ServiceFacts:
    """What the repository says of one service, all of it at one commit.

    ``source`` is None for the first environment. ``digest`` is what the registry says of the version,
    ``recorded_digest`` what was recorded when the version came into the source environment, and ``since``
    when that was (None: unknown). ``provenance`` is why the image is not attested as the environment
    requires it (empty: nothing is wrong with it).
    """

    service: Service
    target: Live
    source: Live | None = None
    hold: Hold | None = None
    digest: str = ""
    recorded_digest: str = ""
    since: datetime | None = None
    provenance: str = ""

    @property
    def pins_differ(self) -> bool:
        """Whether source and target pin different images for what may be the same version."""
        pinned = self.source.digest if self.source else ""
        return bool(pinned and self.target.digest and pinned != self.target.digest)

    def settled(self, version: str) -> bool:
        """Whether the target has ``version`` already, and the same image by it."""
        return self.target.version == version and not self.pins_differ


@dataclass(frozen=True)
class Facts:
    """Everything a plan depends on, read at ``commit`` of ``branch``.

    ``teams`` are the members of teams that may override (``org/team``, all in lower case), where they
    could be read. ``stop`` is the reason in the stop-the-line file (None: there is no such file),
    ``frozen`` the freeze window that is open now and when it ends.
    """

    commit: str
    branch: str
    config: Config
    environment: Environment
    services: tuple[ServiceFacts, ...]
    source: Environment | None = None
    stop: str | None = None
    teams: Mapping[str, frozenset[str]] = field(default_factory=dict)
    frozen: tuple[Freeze, datetime] | None = None


@dataclass(frozen=True)
class Move:
    """One service's change: the version it goes to, and the file as it shall be."""

    service: Service
    version: str
    previous: str
    file: str
    before: bytes
    content: bytes
    edits: tuple[Edited, ...]
    digest: str = ""


@dataclass(frozen=True)
class Plan:
    """What will be done: nothing (no ``moves``), a direct commit, or a pull request.

    ``settled`` are the services that are there already. ``overridden`` are the rules that the request
    set aside and that would have said no. ``rollback_of`` is the audit record that a rollback undoes.
    """

    environment: Environment
    source: Environment | None
    mode: str
    moves: tuple[Move, ...]
    settled: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    rollback: bool = False
    rollback_of: str = ""

    @property
    def changed(self) -> bool:
        return bool(self.moves)


def check_service(name: str) -> str:
    """``name`` if it can be a service's: it becomes part of paths, branches and Argo CD names."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(
            f"'{name[:60]}' is not a service name", hint="use letters, digits, dots, dashes, underscores"
        )
    return name


def check_version(version: str) -> str:
    """``version`` if it can be an image tag and part of a branch name; raises :class:`InputError`."""
    unusable = ".." in version or version.endswith((".", ".lock"))
    if unusable or not _VERSION.fullmatch(version):
        raise InputError(
            f"'{version[:60]}' is not a version",
            hint="use letters, digits, dots, dashes and underscores, 128 at most, as image tags have them",
        )
    return version
