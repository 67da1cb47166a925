"""What the matrix asks besides the GitOps repository: a service's tags, an application's health."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.config.model import Service
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.matrix.collect import Health
from promote_actions.matrix.distance import Releases
from promote_actions.versions.calver import version_of_tag
from promote_actions.versions.drift import Contains, Release

Warn = Callable[[str], None]

AT_ONCE = 8
"""Questions to Argo CD at the same time."""

WARNINGS = 3
"""Failures to tell a health that are named."""

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


def healths(names: Iterable[str], ask_argocd: Callable[[str], Health], warn: Warn) -> Mapping[str, Health]:
    """The health of each application, asked :data:`AT_ONCE` at a time.

    One that can't be told is ``Unknown``; ``warn`` hears of the first few, and how many there were.
    """

    def ask(name: str) -> Health | PromoteError:
        try:
            return ask_argocd(name)
        except PromoteError as error:
            return error

    wanted = list(dict.fromkeys(names))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(zip(wanted, pool.map(ask, wanted), strict=True))
    failed = {name: answer for name, answer in answers.items() if isinstance(answer, PromoteError)}
    for name, error in list(failed.items())[:WARNINGS]:
        warn(f"{name}: Argo CD did not tell its health: {error}")
    if len(failed) > WARNINGS:
        warn(f"Argo CD did not tell the health of {len(failed) - WARNINGS} more applications")
    return {
        name: Health("Unknown") if isinstance(answer, PromoteError) else answer
        for name, answer in answers.items()
    }
