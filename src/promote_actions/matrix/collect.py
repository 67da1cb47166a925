"""Collecting the matrix: one snapshot of the GitOps repository, its history, tags, health and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
from promote_actions.audit.log import last_paths, last_records
from promote_actions.audit.record import Record
from promote_actions.config.model import Config, Environment, Service
from promote_actions.errors import PromoteError
from promote_actions.matrix.distance import Releases, drift, gap
from promote_actions.matrix.files import cells_of, folder_of
from promote_actions.matrix.histories import Bulk, Now, Pair, histories
from promote_actions.matrix.model import Cell, Change, Matrix, Row
from promote_actions.matrix.reading import read_agreed
from promote_actions.matrix.timeline import with_record
from promote_actions.versions.calver import CalVer
from promote_actions.versions.drift import Release


@dataclass(frozen=True)
class Health:
    """What Argo CD says of an application; ``url`` is its page."""

    health: str = ""
    sync: str = ""
    url: str = ""


@dataclass(frozen=True)
class Questions:
    """What is asked, and whom. ``releases`` gives a service's released versions, or None when nobody
    knows them; ``health`` an application's health; ``bulk`` the past of all files in one pass.
    ``history`` is how many changes a cell keeps.
    """

    now: datetime
    services: Sequence[str] = ()
    history: int = 10
    bulk: Bulk | None = None
    releases: Callable[[Service], Releases | None] = lambda _: None
    health: Callable[[Service, Environment], Health] = lambda _service, _environment: Health()


@dataclass(frozen=True)
class Facts:
    """Everything that was read, by service and environment: files, versions, why there is none, the past.

    ``complete`` is whether the histories reach back to their beginnings.
    """

    files: Mapping[Pair, str]
    versions: Mapping[Pair, str]
    problems: Mapping[Pair, str]
    histories: Mapping[Pair, Sequence[Change]]
    records: Mapping[Pair, Record]
    complete: bool


def collect(repository: GitOpsRepository, snapshot: Snapshot, config: Config, asked: Questions) -> Matrix:
    """The matrix of the repository at ``snapshot``. Raises :class:`InputError` for what makes it wrong.

    A values file that can't be read is a cell with a problem: one service must not hide the others.
    """
    services, files = cells_of(config, snapshot.files(folder_of(config)), asked.services)
    facts = _read(repository, snapshot, config, files, asked.bulk)
    return Matrix(
        repository=repository.name,
        web_url=repository.web_url,
        branch=snapshot.branch,
        commit=snapshot.commit,
        generated_at=asked.now,
        environments=tuple(environment.name for environment in config.environments),
        rows=tuple(_row(config, config.service(service), facts, asked) for service in services),
        warn=config.drift_warn,
        fail=config.drift_fail,
    )


def _read(
    repository: GitOpsRepository,
    snapshot: Snapshot,
    config: Config,
    files: Mapping[Pair, str],
    bulk: Bulk | None,
) -> Facts:
    def read(data: bytes, path: str, service: str) -> str:
        images = tuple(name for name in (config.service(service).image, service) if name)
        return read_agreed(data, config.values.of(service).image_tag, path, images)

    versions, problems = {}, {}
    if bulk is not None:
        bulk.prefetch([*files.values(), *last_paths(snapshot, config, files)])
    contents = snapshot.read_many(files.values())
    for pair, path in files.items():
        try:
            versions[pair] = read(contents[path], path, pair[0])
        except PromoteError as error:
            problems[pair] = str(error)
    now = Now(files, versions, read)
    told, complete = histories(repository, snapshot, config, now, bulk)
    records = last_records(snapshot, config, files)
    return Facts(files, versions, problems, told, records, complete)


def _row(config: Config, service: Service, facts: Facts, asked: Questions) -> Row:
    first, last = config.environments[0], config.environments[-1]
    reference = facts.versions.get((service.name, first.name), "")
    releases = _releases(service, config, facts, asked)
    cells = tuple(
        replace(cell, gap=gap(cell.version, reference, releases, asked.now))
        for cell in (_cell(service, environment, facts, asked) for environment in config.environments)
    )
    measured = drift(last.name, first.name, cells[-1].gap, config.drift_warn, config.drift_fail)
    return Row(service.name, cells, measured, releases.url, releases.tags, releases.source)


def _releases(service: Service, config: Config, facts: Facts, asked: Questions) -> Releases:
    """The released versions: by tags, else every version that a values file has named, for it was there."""
    seen: dict[str, datetime | None] = {}
    for environment in config.environments:
        for change in facts.histories.get((service.name, environment.name), ()):
            times = [at for at in (seen.get(change.version), change.at) if at is not None]
            seen[change.version] = min(times) if times else None
    tagged = asked.releases(service)
    if tagged is not None:
        released = tuple(
            replace(each, at=each.at or seen.get(str(each.version))) for each in tagged.released
        )
        return replace(tagged, released=released)
    named = ((version, CalVer.try_parse(version), at) for version, at in seen.items())
    released = tuple(Release(version, text, at) for text, version, at in named if version)
    return Releases(released, "the history of the values files", facts.complete)


def _cell(service: Service, environment: Environment, facts: Facts, asked: Questions) -> Cell:
    pair = (service.name, environment.name)
    version = facts.versions.get(pair, "")
    cell = Cell(environment.name, version, facts.files.get(pair, ""))
    if not version:
        return replace(cell, problem=facts.problems.get(pair, "not deployed"))
    history = with_record(facts.histories.get(pair, ()), facts.records.get(pair))
    health = asked.health(service, environment)
    return replace(
        cell,
        history=history[: asked.history],
        health=health.health,
        sync=health.sync,
        health_url=health.url,
    )
