"""What the matrix asks besides the GitOps repository: a service's tags, an application's health."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.config.model import Environment, Service
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.matrix.collect import Health
from promote_actions.matrix.distance import Releases
from promote_actions.versions.calver import version_of_tag
from promote_actions.versions.drift import Contains, Release

Warn = Callable[[str], None]

LOOK_UPS = 300
"""Questions about ancestry at most in one run: each may be a call to an API."""


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

    left = [LOOK_UPS]

    def limited(repository: GitOpsRepository) -> Contains:
        def contains(older: str, newer: str) -> bool | None:
            left[0] -= 1
            return repository.is_ancestor(older, newer) if left[0] >= 0 else None

        return contains

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
        named = [(found, tag) for tag in tags if (found := version_of_tag(tag, prefix))]
        if not named:
            return None
        return Releases(
            tuple(Release(version, tags[tag]) for version, tag in named),
            f"the tags of {repository.name}",
            tags={str(version): tag for version, tag in named},
            url=repository.web_url,
            contains=limited(repository),
        )

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
