"""Whom the matrix asks besides the GitOps repository: service repositories for tags, Argo CD for health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from promote_actions.config.model import Environment, Service
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.matrix.collect import Health, Questions
from promote_actions.matrix.distance import Releases
from promote_actions.versions.calver import version_of_tag

if TYPE_CHECKING:
    from promote_actions.matrix.command import MatrixInputs
    from promote_actions.runner import Runner


def questions(inputs: MatrixInputs, runner: Runner, now: datetime) -> Questions:
    """The questions that ``inputs`` ask."""
    return Questions(
        now=now,
        services=inputs.service,
        history=inputs.history or 10,
        releases=_released(inputs, runner),
        health=_healthy(inputs, runner),
    )


def service_repositories(given: tuple[str, ...]) -> Mapping[str, str]:
    """Where each service's tags are, from lines ``service=where``; raises :class:`InputError`."""
    found = {}
    for line in given:
        service, equals, where = line.partition("=")
        if not equals or not service.strip() or not where.strip():
            raise InputError(f"input 'service-repo' is '{line[:80]}'", hint="write nexo-be=owner/name")
        found[service.strip()] = where.strip()
    return found


def _released(inputs: MatrixInputs, runner: Runner) -> Callable[[Service], Releases | None]:
    given = service_repositories(inputs.service_repo)

    def ask(service: Service) -> Releases | None:
        where = given.get(service.name, service.repository)
        if not where:
            return None
        from promote_actions.adapters.repositories import open_repository

        try:
            repository = open_repository(where, inputs.token, runner.env)
            tags = repository.tags(inputs.tag_prefix)
        except (InputError, DependencyError) as error:
            if service.name in given:
                raise
            runner.warning(
                f"{service.name}: its tags can't be read, drift is counted in the history: {error}"
            )
            return None
        named = {str(found): tag for tag in tags if (found := version_of_tag(tag, inputs.tag_prefix))}
        source = f"the tags of {repository.name}"
        return Releases(dict.fromkeys(named), source, True, named, repository.web_url) if named else None

    return ask


def _healthy(inputs: MatrixInputs, runner: Runner) -> Callable[[Service, Environment], Health]:
    if not inputs.argocd_server:
        return lambda _service, _environment: Health()
    from promote_actions.adapters.argocd import ArgoCD

    server = ArgoCD(inputs.argocd_server, inputs.argocd_token)

    def ask(service: Service, environment: Environment) -> Health:
        name = service.application(environment.name)
        try:
            application = server.application(name)
        except PromoteError as error:
            runner.warning(f"{name}: Argo CD did not tell its health: {error}")
            return Health("Unknown")
        return Health(application.health, application.sync, server.page(name))

    return ask
