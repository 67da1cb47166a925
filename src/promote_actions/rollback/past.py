"""Reading what an environment ran before: from the values file's history and the audit records."""

from __future__ import annotations

from collections.abc import Sequence

from promote_actions.adapters.gitops import Commit, GitOpsRepository, Snapshot
from promote_actions.audit.names import Names
from promote_actions.audit.record import Record, from_json
from promote_actions.config.model import Config, Environment, Service
from promote_actions.errors import InputError
from promote_actions.promotion.model import Live
from promote_actions.promotion.values import read_scalar
from promote_actions.rollback.choose import Past

DEPTH = 100
"""Commits of the values file that are looked at."""


def read_past(
    repository: GitOpsRepository, snapshot: Snapshot, config: Config, service: Service, live: Live
) -> tuple[Past, Sequence[Record]]:
    """The versions that ``live.file`` has named up to ``snapshot``, and the audit records of them."""
    environment = config.environment(live.environment)
    files = [config.values.file(service.name, suffix, environment.name) for suffix in environment.suffixes]
    commits = _history(repository, files, snapshot.commit)
    versions = [live.version]
    for commit in commits:
        version = _version_at(repository, commit.sha, config, service, files)
        if version and version != versions[-1]:
            versions.append(version)
    records = read_records(snapshot, config, service, environment)
    outcomes = {record.version: record.effective_outcome for record in records if not record.rollback}
    return Past(versions, outcomes, complete=len(commits) < DEPTH), records


def read_records(
    snapshot: Snapshot, config: Config, service: Service, environment: Environment
) -> Sequence[Record]:
    """The audit records of one service and environment, oldest first."""
    names = Names(snapshot.files(config.audit_folder))
    aliases = tuple(dict.fromkeys((*environment.suffixes, environment.name)))
    paths = [path for _, day in names.newest_first(service.name, aliases) for path in day]
    records = [from_json(data, path) for path, data in snapshot.read_many(paths).items()]
    own = [
        each for each in records if (each.service, each.to_environment) == (service.name, environment.name)
    ]
    return sorted(own, key=lambda record: (record.sequence, record.timestamp))


def _history(repository: GitOpsRepository, files: Sequence[str], at: str) -> Sequence[Commit]:
    """The commits that touched the values file under any of its names, newest first."""
    found = {
        commit.sha: commit
        for file in dict.fromkeys(files)
        for commit in repository.history(file, at, DEPTH)
    }
    if len(set(files)) == 1:
        return list(found.values())
    return sorted(found.values(), key=lambda commit: commit.committed_at, reverse=True)


def _version_at(
    repository: GitOpsRepository, commit: str, config: Config, service: Service, files: Sequence[str]
) -> str:
    images = tuple(name for name in (service.image, service.name) if name)
    for file in dict.fromkeys(files):
        content = repository.read_at(commit, file)
        if content is None:
            continue
        try:
            return read_scalar(content, config.values.image_tag[0], file, images)
        except InputError:
            return ""
    return ""
