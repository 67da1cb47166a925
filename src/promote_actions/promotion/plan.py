"""From request and facts to a plan: which version, which edits, which way. Pure."""

from __future__ import annotations

import re

from promote_actions.errors import InputError, Location, Refused
from promote_actions.promotion import policy
from promote_actions.promotion.model import Facts, Move, Plan, Request, ServiceFacts, check_version
from promote_actions.promotion.values import Edit, edit


def plan(request: Request, facts: Facts, pull_requests: bool) -> Plan:
    """What ``request`` means for the repository as ``facts`` has it.

    ``pull_requests`` says whether the repository can have them. A service that already has its
    version is settled and obeys no rule; the rest moves together or not at all. Raises
    :class:`Refused` when a rule says no, :class:`InputError` when the request makes no sense.
    """
    wanted = [(service, version_for(request, facts, service)) for service in facts.services]
    moving = tuple(pair for pair in wanted if not pair[0].settled(pair[1]))
    settled = tuple(service.service.name for service, version in wanted if service.settled(version))
    if not moving:
        return Plan(facts.environment, facts.source, "none", (), settled)
    overridden = policy.apply(request, facts, moving)
    mode = choose_mode(request, facts, pull_requests)
    if mode == "direct":
        overridden = (*overridden, *_skipped(request, facts))
    moves = tuple(move(facts, service, version) for service, version in moving)
    for service, made in zip((service for service, _ in moving), moves, strict=True):
        _refuse_stale_pin(facts, service, made)
    return Plan(facts.environment, facts.source, mode, moves, settled, overridden)


def _skipped(request: Request, facts: Facts) -> tuple[str, ...]:
    """What a direct promotion goes without: approvals (``choose_mode`` has asked why), and a soak that
    no gate has proven."""
    environment = facts.environment
    approvals = ("approvals",) if environment.approvals else ()
    if not environment.soak or request.validation.get("soak", "").lower() in ("passed", "true"):
        return approvals
    if not (approvals or "soak" in request.override):
        raise Refused(
            f"{environment.name} asks for a soak of {environment.soak:g} s that no gate has proven",
            hint="pass health-gate's validation-results with its soak, or --override soak with a --reason",
        )
    return (*approvals, "soak")


def version_for(request: Request, facts: Facts, service: ServiceFacts) -> str:
    """The version of ``service`` that moves: what is live in the source, or for a build the one given."""
    name = service.service.name
    if service.source is None:
        if not request.version:
            raise InputError(
                f"nothing comes before {facts.environment.name}",
                hint="pass the built version with --version",
            )
        return _immutable(facts, check_version(request.version))
    live = service.source.version
    if not live:
        raise Refused(
            f"{name} has no version in {service.source.environment}",
            hint="promote it there first",
            where=Location(service.source.file),
        )
    if request.version and request.version != live:
        raise Refused(
            f"{service.source.environment} has {name} {live}, not {request.version[:128]}",
            hint=f"promote {live}, or bring {request.version[:128]} to {service.source.environment} first",
            where=Location(service.source.file),
        )
    return _immutable(facts, check_version(live))


def _immutable(facts: Facts, version: str) -> str:
    """``version`` unless it is a tag that moves: what is promoted must stay what it is."""
    moving = {"latest", *(name for each in facts.config.environments for name in each.names)}
    if version in moving or re.fullmatch(r"pr-\d+", version):
        raise InputError(
            f"'{version}' is a tag that moves", hint="promote the version itself, such as 2026.02.1"
        )
    return version


def choose_mode(request: Request, facts: Facts, pull_requests: bool) -> str:
    """``direct`` or ``pull-request``, by the environment's policy unless the request says."""
    environment = facts.environment
    by_pull_request = environment.approvals > 0 or environment.trigger == "pull-request"
    mode = request.mode
    if mode == "auto":
        mode = "pull-request" if by_pull_request else "direct"
    if mode == "pull-request" and not pull_requests:
        raise InputError(
            f"{environment.name} is promoted by pull request, which a plain git repository doesn't have",
            hint="give the GitHub repository as owner/name, or use --mode direct with a --reason",
        )
    if mode == "direct" and environment.approvals and not request.reason:
        raise Refused(
            f"{environment.name} needs {environment.approvals} approval(s), which a direct promotion skips",
            hint="promote by pull request, or say why with --reason; the audit record keeps it",
        )
    return mode


def move(facts: Facts, service: ServiceFacts, version: str) -> Move:
    """The edit of one service's values file; only the configured scalars change."""
    values = facts.config.values.of(service.service.name)
    pinned = service.source.digest if service.source else ""
    digest = service.digest or pinned or service.recorded_digest
    edits = [Edit(path, version) for path in values.image_tag]
    if digest:
        edits += [Edit(path, digest) for path in values.image_digest]
    images = image_names(service)
    content, done = edit(service.target.content, edits, service.target.file, images)
    return Move(
        service=service.service,
        version=version,
        previous=service.target.version,
        file=service.target.file,
        before=service.target.content,
        content=content,
        edits=done,
        digest=digest,
    )


def _refuse_stale_pin(facts: Facts, service: ServiceFacts, made: Move) -> None:
    """A pinned digest wins over the tag: left as it is, it would keep the old image running."""
    if facts.config.values.image_digest and service.target.digest and not made.digest:
        name = made.service.name
        path = facts.config.values.of(name).image_digest[0]
        raise InputError(
            f"{path} pins the old image, and the digest of {name} {made.version} is not known",
            hint=f"set services.{name}.image in the configuration, and leave --image-check on",
            where=Location(made.file),
        )


def image_names(service: ServiceFacts) -> tuple[str, ...]:
    """The names by which ``[]`` in a path finds the service's own image."""
    return tuple(name for name in (service.service.image, service.service.name) if name)
