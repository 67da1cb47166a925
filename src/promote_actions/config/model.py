"""What ``promotion.yaml`` says, as frozen dataclasses. The defaults are the strategy's promotion matrix.

Pure: reading the file is :mod:`promote_actions.config.load`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from promote_actions.errors import InputError, Location

FILE_NAME = "promotion.yaml"


@dataclass(frozen=True)
class Service:
    """One deployable: its source repository, its image, and its Argo CD application.

    ``repository`` is ``owner/name``, ``image`` a name without tag (empty: unknown). ``argocd_app`` may
    hold ``{service}`` and ``{environment}``.
    """

    name: str
    repository: str = ""
    image: str = ""
    argocd_app: str = "{service}-{environment}"

    def application(self, environment: str) -> str:
        """The name of the Argo CD application of this service in ``environment``."""
        return self.argocd_app.format(service=self.name, environment=environment)


@dataclass(frozen=True)
class Values:
    """Where versions stand: ``path`` holds ``{service}`` and ``{suffix}`` (or ``{environment}``).

    ``image_tag`` and ``image_digest`` are paths inside the file (see ``promotion.values``), and may hold
    ``{service}`` where several services share a file; :meth:`of` puts it in.
    """

    path: str = "helm/{service}/values-{suffix}.yaml"
    image_tag: tuple[str, ...] = ("image.tag",)
    image_digest: tuple[str, ...] = ()

    def of(self, service: str) -> Values:
        """The same for one service: ``{service}`` in the paths inside the file is its name."""
        if not any("{service}" in path for path in (*self.image_tag, *self.image_digest)):
            return self
        key = service if re.fullmatch(r"[A-Za-z0-9_-]+", service) else f'"{service}"'
        return replace(
            self,
            image_tag=tuple(path.replace("{service}", key) for path in self.image_tag),
            image_digest=tuple(path.replace("{service}", key) for path in self.image_digest),
        )

    def file(self, service: str, suffix: str, environment: str = "") -> str:
        """The path of the values file of ``service`` for the file suffix ``suffix``."""
        return self.path.format(service=service, suffix=suffix, environment=environment or suffix)


@dataclass(frozen=True)
class Freeze:
    """A window in which nothing may be promoted: a cron expression for its start, in ``timezone``.

    ``duration`` is in seconds. ``override`` names who may promote all the same.
    """

    cron: str
    duration: float
    timezone: str = "UTC"
    reason: str = ""
    override: tuple[str, ...] = ()


@dataclass(frozen=True)
class GatePlaces:
    """Where a gate stands in the file: ``whole``, and each of its keys and values by the key."""

    whole: Location
    keys: Mapping[str, Location] = field(default_factory=dict)
    values: Mapping[str, Location] = field(default_factory=dict)


@dataclass(frozen=True)
class Environment:
    """One environment. Times are seconds, rates per cent.

    ``trigger`` is ``auto``, ``manual`` or ``pull-request``; ``source`` is the environment a version
    comes from (empty: the one before it; the first has none). ``gates`` are what its *source* must
    pass before a promotion into it, as the health gate reads them (``gates.config``), and ``gate_places``
    where each of them stands. ``lock`` is the reason for which it is closed (empty: it is not), until
    ``lock_until`` (None: until it is taken away); ``lock_override`` names who may promote all the same.
    ``provenance`` is ``required`` when an image must be attested by its own repository, else ``off``.
    """

    name: str
    trigger: str = "auto"
    approvals: int = 0
    strategy: str = "rolling"
    rollback: str = "auto"
    target_time: float = 600.0
    success_rate: float = 99.0
    rollback_rate: float | None = None
    suffix: str = ""
    aliases: tuple[str, ...] = ()
    soak: float = 0.0
    labels: tuple[str, ...] = ()
    source: str = ""
    gates: tuple[Mapping[str, Any], ...] = ()
    freeze: tuple[Freeze, ...] = ()
    lock: str = ""
    each_team: bool = False
    lock_until: datetime | None = None
    lock_override: tuple[str, ...] = ()
    provenance: str = "off"
    gate_places: tuple[GatePlaces, ...] = field(default=(), compare=False, repr=False)

    @property
    def file_suffix(self) -> str:
        """The suffix of its values files: ``prod`` for production, else the environment's name."""
        return self.suffix or self.name

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffix and then its fall-backs, in the order in which files are looked for."""
        return tuple(dict.fromkeys((self.file_suffix, *self.aliases)))

    @property
    def names(self) -> frozenset[str]:
        """Every word that people use for it: name, suffix, aliases."""
        return frozenset({self.name, self.file_suffix, *self.aliases})


STRATEGY_ENVIRONMENTS = (
    Environment("develop", target_time=600.0, success_rate=99.0),
    Environment("qa", target_time=900.0, success_rate=98.0),
    Environment(
        "staging",
        trigger="manual",
        approvals=1,
        strategy="blue-green",
        rollback="manual",
        target_time=1800.0,
        success_rate=98.0,
    ),
    Environment(
        "production",
        trigger="pull-request",
        approvals=2,
        strategy="blue-green",
        rollback="pull-request",
        target_time=3600.0,
        success_rate=99.9,
        rollback_rate=5.0,
        suffix="prod",
        aliases=("production",),
        soak=1800.0,
        labels=("production-deploy",),
    ),
)
"""The strategy's sections "Matriz de Promoção" and "SLOs de Promoção"."""


@dataclass(frozen=True)
class Config:
    """The whole configuration. ``source`` is where it was read from, for messages."""

    services: Mapping[str, Service] = field(default_factory=dict)
    values: Values = Values()
    environments: tuple[Environment, ...] = STRATEGY_ENVIRONMENTS
    drift_warn: int | None = 20
    drift_fail: int | None = None
    slack: bool = True
    audit_folder: str = "audit-logs"
    identity: str = "login"
    source: str = "the defaults"

    def service(self, name: str) -> Service:
        """The service called ``name``; one that the configuration doesn't mention has the defaults."""
        return self.services.get(name, Service(name))

    def environment(self, name: str) -> Environment:
        """The environment that ``name`` (its name, suffix or alias) means; raises InputError."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        for environment in self.environments:
            if name in environment.names:
                return environment
        known = ", ".join(environment.name for environment in self.environments)
        raise InputError(f"there is no environment '{name[:60]}'", hint=f"use one of {known}")

    def source_of(self, environment: Environment) -> Environment | None:
        """The environment from which versions come into ``environment``; None for the first."""
        if environment.source:
            return self.environment(environment.source)
        names = [each.name for each in self.environments]
        index = names.index(environment.name)
        return self.environments[index - 1] if index else None
