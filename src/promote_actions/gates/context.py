"""What a gate's checks are about, and what they measure with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError

if TYPE_CHECKING:
    from promote_actions.adapters.forge import ForgeRepository
    from promote_actions.adapters.gitops import GitOpsRepository
    from promote_actions.gates import argocd, file, http, logs, prometheus
    from promote_actions.gates.argocd_judge import Expected
    from promote_actions.gates.versions_in_git import VersionsInGit


class Instruments(Protocol):
    """What checks measure with (``adapters.instruments.Instruments``); empty texts were not given."""

    @property
    def argocd_server(self) -> str:
        """Argo CD's address."""

    @property
    def base_url(self) -> str:
        """The service's address."""

    @property
    def prometheus_url(self) -> str:
        """Prometheus' address."""

    @property
    def argocd(self) -> argocd.Applications:
        """The Argo CD server."""

    @property
    def loki_url(self) -> str:
        """Loki's address."""

    def logs(self, url: str, tenant: str = "") -> logs.LogStore:
        """The log store at ``url``."""

    def source(self, repository: str) -> ForgeRepository:
        """A repository on the forge, by ``owner/name``."""

    def file(self, path: str) -> file.File | None:
        """A file of this machine, or None."""

    def prober(self, timeout: float | None = None) -> http.Ask:
        """A function that asks an application."""

    def prometheus(self, url: str, user: str = "", tenant: str = "") -> prometheus.Queries:
        """The Prometheus at ``url``."""


@dataclass(frozen=True)
class Context:
    """What the checks are about. ``target`` is where the version goes next (None: nowhere), ``number``
    a pull request or 0, ``revision`` the promotion's commit or empty."""

    config: Config
    instruments: Instruments
    service: str
    environment: Environment
    target: Environment | None
    version: str
    repository: GitOpsRepository | None = None
    branch: str = ""
    revision: str = ""
    digest: str = ""
    number: int = 0
    stability: float = 10.0

    @property
    def names(self) -> Mapping[str, str]:
        """What the placeholders in queries and addresses stand for."""
        return {"service": self.service, "environment": self.environment.name, "version": self.version}

    @cached_property
    def git(self) -> VersionsInGit | None:
        """What the repository says of the service's versions; None without one."""
        if self.repository is None:
            return None
        from promote_actions.gates.versions_in_git import VersionsInGit

        place = self.environment.name
        return VersionsInGit(self.repository, self.config, self.service, place, self.branch)

    def with_version(self, version: str) -> Context:
        """The same with ``version``. What was read from git stays known: it may have taken requests."""
        made = replace(self, version=version)
        vars(made)["git"] = self.git
        return made

    @property
    def source_environment(self) -> str:
        """The environment that versions come from into this one, or an empty string."""
        found = self.config.source_of(self.environment)
        return found.name if found else ""

    def expected(self, check: str) -> tuple[str, Expected]:
        """The application's name, and what must run in it."""
        from promote_actions.gates.argocd_judge import Expected

        service = self.config.service(self.need("service", self.service, check))
        expected = Expected(
            version=self.need("version", self.version, check),
            service=service.name,
            image=service.image,
            digest=self.digest,
            revision=self.revision,
            old_gone=self.environment.strategy != "blue-green",
            stability=self.stability,
        )
        return service.application(self.environment.name), expected

    def need(self, what: str, value: str, check: str) -> str:
        """``value``, or an :class:`InputError` that says which check needs it."""
        if not value:
            raise InputError(f"the check '{check}' needs a {what}", hint=f"give --{what}")
        return value
