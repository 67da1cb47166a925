"""Reading the facts of a promotion from one snapshot of the GitOps repository."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from promote_actions.adapters.gitops import Snapshot
from promote_actions.config.freeze import frozen_until
from promote_actions.config.load import load_from
from promote_actions.config.model import Config, Environment, Service
from promote_actions.errors import InputError, Location
from promote_actions.promotion.model import Facts, Hold, Live, Request, ServiceFacts, check_service
from promote_actions.promotion.policy import STOP_FILE, hold_file
from promote_actions.promotion.values import read_scalar


def gather(request: Request, snapshot: Snapshot, config_path: str) -> Facts:
    """The facts that ``request`` meets at ``snapshot``: configuration, values, holds, freezes.

    Raises :class:`InputError` with file and line for whatever can't be read.
    """
    return facts_at(request, snapshot, load_from(snapshot, config_path))


def facts_at(request: Request, snapshot: Snapshot, config: Config) -> Facts:
    """:func:`gather` with a configuration that was read already."""
    environment = config.environment(request.to)
    source = config.environment(request.source) if request.source else config.source_of(environment)
    if source == environment:
        raise InputError(
            f"'{environment.name}' can't be promoted into itself", hint="change --from or --to"
        )
    services = [config.service(check_service(name)) for name in dict.fromkeys(request.services)]
    if not services:
        raise InputError("input 'service' is required and empty", hint="pass --service")
    environments = [each for each in (source, environment) if each is not None]
    files = read_values(snapshot, config, services, environments, [STOP_FILE])
    stop = files.get(STOP_FILE)
    facts = [_service_facts(files, config, service, environment, source) for service in services]
    return Facts(
        commit=snapshot.commit,
        branch=snapshot.branch,
        config=config,
        environment=environment,
        source=source,
        services=_with_holds(snapshot, request, facts),
        stop=None if stop is None else stop.decode(errors="replace"),
        frozen=frozen_until(environment, request.now),
    )


def read_values(
    snapshot: Snapshot,
    config: Config,
    services: Iterable[Service],
    environments: Iterable[Environment],
    more: Iterable[str] = (),
) -> Mapping[str, bytes]:
    """Every values file that could matter, and the files ``more``, in one reading."""
    environments = list(environments)
    paths = [
        config.values.file(service.name, suffix, environment.name)
        for service in services
        for environment in environments
        for suffix in environment.suffixes
    ]
    return snapshot.read_many([*paths, *more])


def _service_facts(
    files: Mapping[str, bytes],
    config: Config,
    service: Service,
    environment: Environment,
    source: Environment | None,
) -> ServiceFacts:
    come_from = None if source is None else live(files, config, service, source)
    return ServiceFacts(service, live(files, config, service, environment), come_from)


def live(files: Mapping[str, bytes], config: Config, service: Service, environment: Environment) -> Live:
    """What ``environment`` runs of ``service``, by its values file; raises :class:`InputError`."""
    file = values_file(files, config, service, environment)
    content = files[file]
    images = tuple(name for name in (service.image, service.name) if name)
    values = config.values.of(service.name)
    versions = {path: read_scalar(content, path, file, images) for path in values.image_tag}
    if len(set(versions.values())) > 1:
        said = ", ".join(f"{path} is {version}" for path, version in versions.items())
        raise InputError(f"the image tags differ: {said}", hint="make them equal", where=Location(file))
    digests = {read_scalar(content, path, file, images) for path in values.image_digest}
    digest = digests.pop() if len(digests) == 1 else ""
    return Live(environment.name, file, content, next(iter(versions.values())), digest)


def values_file(
    files: Mapping[str, bytes], config: Config, service: Service, environment: Environment
) -> str:
    """The one values file of ``service`` in ``environment`` among ``files``.

    The suffix and its aliases are names of the same file, so that finding both is an error.
    """
    candidates = [
        config.values.file(service.name, suffix, environment.name) for suffix in environment.suffixes
    ]
    found = [path for path in dict.fromkeys(candidates) if path in files]
    if len(found) > 1:
        raise InputError(
            f"{environment.name} of {service.name} has two values files: {' and '.join(found)}",
            hint="remove one of them",
        )
    if not found:
        looked = " or ".join(dict.fromkeys(candidates))
        raise InputError(
            f"there is no values file for {service.name} in {environment.name}: looked for {looked}",
            hint="add it, or set values.path in the configuration",
        )
    return found[0]


def _with_holds(
    snapshot: Snapshot, request: Request, services: Sequence[ServiceFacts]
) -> tuple[ServiceFacts, ...]:
    files = {
        each.service.name: hold_file(
            each.service.name, each.source.version if each.source else request.version
        )
        for each in services
    }
    found = snapshot.read_many(files.values())
    return tuple(
        replace(each, hold=Hold(file, _hold_reason(found[file]))) if file in found else each
        for each, file in ((each, files[each.service.name]) for each in services)
    )


def read_hold(snapshot: Snapshot, service: str, version: str) -> Hold | None:
    """What holds ``version`` of ``service``; None when nothing does."""
    file = hold_file(service, version)
    content = snapshot.read(file)
    return None if content is None else Hold(file, _hold_reason(content))


def _hold_reason(content: bytes) -> str:
    try:
        document = json.loads(content)
        return str(document.get("reason", "")) or "no reason given"
    except (ValueError, AttributeError):
        return "its file can't be read"
