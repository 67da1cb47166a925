"""What the matrix asks besides the GitOps repository: a service's tags, an application's health."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.config.model import Environment, Service
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.matrix.collect import Health
from promote_actions.matrix.distance import Releases
from promote_actions.versions.calver import version_of_tag

Warn = Callable[[str], None]


def service_repositories(given: Sequence[str]) -> Mapping[str, str]:
    """Where each service's tags are, from lines ``service=where``; raises :class:`InputError`."""
    found = {}
    for line in given:
        service, equals, where = line.partition("=")
        if not equals or not service.strip() or not where.strip():
            raise InputError(f"input 'service-repo' is '{line[:80]}'", hint="write nexo-be=owner/name")
        found[service.strip()] = where.strip()
    return found


def releases_by_tags(
    given: Mapping[str, str], prefix: str, open_repository: Callable[[str], GitOpsRepository], warn: Warn
) -> Callable[[Service], Releases | None]:
    """A question for the released versions of a service, answered by the tags of its repository.

    A repository that was ``given`` must answer; one that the configuration names may fail, with a
    warning, for the values files' history can stand in.
    """

    def ask(service: Service) -> Releases | None:
        where = given.get(service.name, service.repository)
        if not where:
            return None
        try:
            repository = open_repository(where)
            tags = repository.tags(prefix)
        except (InputError, DependencyError) as error:
            if service.name in given:
                raise
            warn(f"{service.name}: its tags can't be read, so drift is counted in the history: {error}")
            return None
        named = {str(found): tag for tag in tags if (found := version_of_tag(tag, prefix))}
        source = f"the tags of {repository.name}"
        return Releases(dict.fromkeys(named), source, True, named, repository.web_url) if named else None

    return ask


def health_by_application(ask_argocd: Callable[[str], Health], warn: Warn) -> Callable[..., Health]:
    """A question for the health of a service in an environment; a failure is a warning and unknown."""

    def ask(service: Service, environment: Environment) -> Health:
        name = service.application(environment.name)
        try:
            return ask_argocd(name)
        except PromoteError as error:
            warn(f"{name}: Argo CD did not tell its health: {error}")
            return Health("Unknown")

    return ask
