"""From a check as it was asked for to one that can be run: its settings, and what it measures with.

A kind of check is imported when one of it is asked for: a gate waits for nothing that it doesn't use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module

from promote_actions.errors import InputError
from promote_actions.gates.config import asked_in
from promote_actions.gates.context import Context
from promote_actions.gates.model import Check, CheckSpec
from promote_actions.gates.options import Options


def build(spec: CheckSpec, context: Context) -> Check:
    """The check that ``spec`` asks for; raises :class:`InputError` for options or addresses that lack."""
    options = Options(spec.name, spec.options, (*OPTIONS[spec.kind], "check"))
    with asked_in(spec.source, spec.places):
        return KINDS[spec.kind].make(spec, options, context)


def _argocd(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.gates import argocd

    name, expected = context.expected(spec.name)
    settings = argocd.parse(options, (name,), expected)
    client = context.instruments.argocd
    lines = [client.page(name) for name in settings.apps]
    lines.append(f"runs {settings.expected.version}, stable for {settings.expected.stability:g} s")
    lines.append(
        "git is asked which version a commit names" if context.git else "git is not asked: no --gitops"
    )
    check = argocd.ApplicationCheck(settings, client, context.git)
    return Check(spec, check.measure, proves_rollout=True, explain=tuple(lines))


def _http(spec: CheckSpec, options: Options, context: Context) -> Check:
    import time

    from promote_actions.gates import http

    settings = http.parse(options, context.instruments.base_url, context.names)
    ask = context.instruments.prober(options.seconds("request-timeout", 0.0) or None)
    check = http.SmokeCheck(settings, ask, time.sleep)
    lines = tuple(f"{request.method} {request.url}" for request in settings.requests)
    bound = f"<= {settings.max_latency:g} s" if settings.max_latency else ""
    return Check(spec, check.measure, after_rollout=True, threshold=bound, explain=lines)


def _prometheus(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.gates import http, prometheus

    url = context.instruments.prometheus_url or options.text("url")
    if not url:
        hint = "give prometheus-url, or its option 'url'"
        raise InputError(f"check '{spec.name}' has no server", hint=hint)
    if not options.text("query"):
        context.need("service", context.service, spec.name)
    settings = prometheus.parse(options, context.names, context.source_environment)
    address = http.place(url, context.names)
    source = context.instruments.prometheus(address, options.text("user"), options.text("tenant"))
    check = prometheus.MetricCheck(settings, source)
    lines = [f"{settings.query} {settings.threshold}", f"window at most {settings.window:g} s"]
    if settings.traffic:
        lines.append(f"at least {settings.min_requests:g} requests by {settings.traffic}")
    return Check(
        spec, check.measure, after_rollout=True, threshold=str(settings.threshold), explain=tuple(lines)
    )


def _soak(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.gates import soak
    from promote_actions.gates.soak_sources import from_argocd, from_git

    required = soak.parse(options, context.target.soak if context.target else 0.0)
    if required <= 0:
        hint = "give its option 'duration', or `soak` of the target environment in promotion.yaml"
        raise InputError(f"check '{spec.name}' has no duration, so it measures nothing", hint=hint)
    version = context.need("version", context.version, spec.name)
    if context.instruments.argocd_server:
        name, expected = context.expected(spec.name)
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
    from promote_actions.adapters.forge import ForgeRepository
    from promote_actions.gates import approvals
    from promote_actions.owners.approvals import ApprovalPolicy

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


def _policy(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.adapters.forge import ForgeRepository
    from promote_actions.gates import guard_policy

    repository = context.repository
    if not isinstance(repository, ForgeRepository):
        hint = "give gitops as owner/name on GitHub"
        raise InputError(f"check '{spec.name}' needs a repository with pull requests", hint=hint)
    settings = guard_policy.parse(options, context.number)
    check = guard_policy.PolicyCheck(settings, repository, context.config)
    line = f"pull request {settings.number} of {repository.name} changes promoted versions alone, as it may"
    return Check(spec, check.measure, explain=(line,))


def _logs(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.gates import http, logs

    url = context.instruments.loki_url or options.text("url")
    if not url:
        hint = "give loki-url, or its option 'url'"
        raise InputError(f"check '{spec.name}' has no server", hint=hint)
    settings = logs.parse(options, context.names)
    store = context.instruments.logs(http.place(url, context.names), options.text("tenant"))
    lines = (f"lines of {{{settings.selector}}} like {settings.pattern}", f"at most {settings.most:g}")
    check = logs.LogCheck(settings, store)
    return Check(spec, check.measure, after_rollout=True, threshold=f"<= {settings.most:g}", explain=lines)


def _github(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.gates import github

    name = options.text("repository") or context.config.service(context.service).repository
    if not name:
        hint = "give its option 'repository', or services.<name>.repository in promotion.yaml"
        raise InputError(f"check '{spec.name}' has no repository", hint=hint)
    if not options.given("commit"):
        context.need("version", context.version, spec.name)
    if options.given("artifact"):
        return _artifact(spec, options, context, name)
    settings = github.parse(options, context.version, context.service)
    check = github.GitHubCheck(settings, lambda: context.instruments.source(name))
    lines = (f"{', '.join(settings.names)} succeeded in {name} on {settings.released}",)
    return Check(spec, check.measure, explain=lines)


def _artifact(spec: CheckSpec, options: Options, context: Context, name: str) -> Check:
    from promote_actions.gates import artifact

    settings = artifact.parse(options, context.version, context.service)
    check = artifact.ArtifactCheck(settings, lambda: context.instruments.source(name))
    files = f"{settings.file or 'the file'} in artifact {settings.artifact} holds"
    lines = (f"{files}, of {settings.what} in {name} on {settings.released}",)
    return Check(spec, check.measure, explain=lines)


def _file(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.gates import file

    settings = file.parse(options)
    check = file.FileCheck(settings, context.instruments.file)
    return Check(spec, check.measure, explain=(settings.path,))


def _load(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.gates import file

    settings = file.parse_load(options)
    check = file.FileCheck(settings, context.instruments.file)
    return Check(spec, check.measure, explain=(settings.path,))


def _canary(spec: CheckSpec, options: Options, context: Context) -> Check:
    from promote_actions.gates import canary

    name, expected = context.expected(spec.name)
    settings = canary.parse(options, name, expected)
    check = canary.CanaryCheck(settings, context.instruments.argocd)
    lines = (f"Rollouts of {settings.app}", f"a paused one {settings.paused}s")
    return Check(spec, check.measure, explain=lines)


@dataclass(frozen=True)
class Kind:
    """A kind of check: how one is made, and the module of this room where ``name`` lists its options."""

    make: Callable[[CheckSpec, Options, Context], Check]
    module: str
    name: str = "KNOWN"


KINDS: Mapping[str, Kind] = {
    "argocd": Kind(_argocd, "argocd"),
    "http": Kind(_http, "http"),
    "prometheus": Kind(_prometheus, "prometheus"),
    "soak": Kind(_soak, "soak"),
    "approvals": Kind(_approvals, "approvals"),
    "policy": Kind(_policy, "guard_policy"),
    "logs": Kind(_logs, "logs"),
    "github": Kind(_github, "github"),
    "file": Kind(_file, "file"),
    "load": Kind(_load, "file", "KNOWN_LOAD"),
    "canary": Kind(_canary, "canary"),
}
"""Every kind of check."""


class _OptionsByKind(Mapping[str, tuple[str, ...]]):
    """The options of each kind, read from its module when they are asked for."""

    def __getitem__(self, kind: str) -> tuple[str, ...]:
        found = KINDS[kind]
        known: tuple[str, ...] = getattr(import_module(f"{__package__}.{found.module}"), found.name)
        return known

    def __contains__(self, kind: object) -> bool:
        return kind in KINDS

    def __iter__(self) -> Iterator[str]:
        return iter(KINDS)

    def __len__(self) -> int:
        return len(KINDS)


OPTIONS: Mapping[str, tuple[str, ...]] = _OptionsByKind()
"""The options of every kind of check."""
