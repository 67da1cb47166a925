"""From a check as it was asked for to one that can be run: its settings, and what it measures with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from promote_actions.adapters.forge import ForgeRepository
from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError
from promote_actions.gates import approvals, argocd, http, prometheus, soak
from promote_actions.gates.argocd_judge import Expected
from promote_actions.gates.model import Check, CheckSpec
from promote_actions.gates.options import Options
from promote_actions.gates.soak_sources import from_argocd, from_git
from promote_actions.gates.versions_in_git import VersionsInGit
from promote_actions.owners.approvals import ApprovalPolicy


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
        if self.repository is None:
            return None
        place = self.environment.name
        return VersionsInGit(self.repository, self.config, self.service, place, self.branch)

    def need(self, what: str, value: str, check: str) -> str:
        """``value``, or an :class:`InputError` that says which check needs it."""
        if not value:
            raise InputError(f"the check '{check}' needs a {what}", hint=f"give --{what}")
        return value


def build(spec: CheckSpec, context: Context) -> Check:
    """The check that ``spec`` asks for; raises :class:`InputError` for options or addresses that lack."""
    known, make = KINDS[spec.kind]
    return make(spec, Options(spec.name, spec.options, (*known, "check")), context)


def _argocd(spec: CheckSpec, options: Options, context: Context) -> Check:
    name, expected = _expected(spec, context)
    settings = argocd.parse(options, (name,), expected)
    client = context.instruments.argocd
    lines = [client.page(name) for name in settings.apps]
    lines.append(f"runs {settings.expected.version}, stable for {settings.expected.stability:g} s")
    lines.append(
        "git is asked which version a commit names" if context.git else "git is not asked: no --gitops"
    )
    check = argocd.ApplicationCheck(settings, client, context.git)
    return Check(spec, check.measure, proves_rollout=True, explain=tuple(lines))


def _expected(spec: CheckSpec, context: Context) -> tuple[str, Expected]:
    """The application's name, and what must run in it."""
    service = context.config.service(context.need("service", context.service, spec.name))
    expected = Expected(
        version=context.need("version", context.version, spec.name),
        service=service.name,
        image=service.image,
        digest=context.digest,
        revision=context.revision,
        old_gone=context.environment.strategy != "blue-green",
        stability=context.stability,
    )
    return service.application(context.environment.name), expected


def _http(spec: CheckSpec, options: Options, context: Context) -> Check:
    base = prometheus.fill(context.instruments.base_url, context.names)
    settings = http.parse(options, base, context.version)
    ask = context.instruments.prober(options.seconds("request-timeout", 0.0) or None)
    check = http.SmokeCheck(settings, ask, time.sleep)
    lines = tuple(f"{request.method} {request.url}" for request in settings.requests)
    bound = f"<= {settings.max_latency:g} s" if settings.max_latency else ""
    return Check(spec, check.measure, after_rollout=True, threshold=bound, explain=lines)


def _prometheus(spec: CheckSpec, options: Options, context: Context) -> Check:
    url = context.instruments.prometheus_url or options.text("url")
    if not url:
        hint = "give prometheus-url, or its option 'url'"
        raise InputError(f"check '{spec.name}' has no server", hint=hint)
    if not options.text("query"):
        context.need("service", context.service, spec.name)
    settings = prometheus.parse(options, context.names)
    address = prometheus.fill(url, context.names)
    source = context.instruments.prometheus(address, options.text("user"), options.text("tenant"))
    check = prometheus.MetricCheck(settings, source)
    lines = [f"{settings.query} {settings.threshold}", f"window at most {settings.window:g} s"]
    if settings.traffic:
        lines.append(f"at least {settings.min_requests:g} requests by {settings.traffic}")
    return Check(
        spec, check.measure, after_rollout=True, threshold=str(settings.threshold), explain=tuple(lines)
    )


def _soak(spec: CheckSpec, options: Options, context: Context) -> Check:
    required = soak.parse(options, context.target.soak if context.target else 0.0)
    if required <= 0:
        hint = "give its option 'duration', or `soak` of the target environment in promotion.yaml"
        raise InputError(f"check '{spec.name}' has no duration, so it measures nothing", hint=hint)
    version = context.need("version", context.version, spec.name)
    if context.instruments.argocd_server:
        name, expected = _expected(spec, context)
        server = context.instruments.argocd
        source, where = from_argocd(server, name, expected, context.git), server.page(name)
    elif context.git is not None:
        source, where = from_git(context.git, version), f"git history of {context.git.paths[0]}"
    else:
        raise InputError(f"check '{spec.name}' has no clock", hint="give argocd-server or gitops")
    check = soak.SoakCheck(required, source)
    lines = (f"{version} live and healthy for {soak.words(required)}", f"by {where}")
    return Check(spec, check.measure, threshold=soak.words(required), explain=lines)


def _approvals(spec: CheckSpec, options: Options, context: Context) -> Check:
    repository = context.repository
    if not isinstance(repository, ForgeRepository):
        hint = "give gitops as owner/name on GitHub"
        raise InputError(f"check '{spec.name}' needs a repository with pull requests", hint=hint)
    target = context.target
    policy = ApprovalPolicy(target.approvals if target else 0, target.each_team if target else False)
    settings = approvals.parse(options, context.number, policy)
    check = approvals.ApprovalsCheck(settings, repository, repository.forge)
    needed = settings.policy.needed
    lines = (f"pull request {settings.number} of {repository.name} has {needed} approvals by owners",)
    return Check(spec, check.measure, threshold=f">= {needed}", explain=lines)


_Make = Callable[[CheckSpec, Options, Context], Check]
KINDS: Mapping[str, tuple[tuple[str, ...], _Make]] = {
    "argocd": (argocd.KNOWN, _argocd),
    "http": (http.KNOWN, _http),
    "prometheus": (prometheus.KNOWN, _prometheus),
    "soak": (soak.KNOWN, _soak),
    "approvals": (approvals.KNOWN, _approvals),
}
"""Every kind of check: the options it has, and how it is made."""
