"""Reading what an environment ran before: from the values file's history and the audit records.

The history is read as far as it is needed: through an API every commit is a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from promote_actions.adapters.gitops import Commit, GitOpsRepository, Snapshot
from promote_actions.audit.names import Names
from promote_actions.audit.record import Record, from_json
from promote_actions.config.model import Config, Environment, Service
from promote_actions.errors import InputError
from promote_actions.promotion.model import Live
from promote_actions.promotion.values import read_scalar
from promote_actions.rollback.choose import Past

DEPTHS = (12, 40, 120)
"""Commits of the values file that are looked at: first so many, then more, when no version was found."""

RECORDS = 200
"""Audit records that are read at most."""

NAMES = 5
"""Former names of the file that are followed."""


class Bulk(Protocol):
    """A way to read the past of a file at once (``adapters.git_history``)."""

    def touches(
        self, paths: Iterable[str], scope: Sequence[str], per_path: int, commits: int
    ) -> Mapping[str, Sequence[tuple[Commit, str]]]:
        """For each path the commits that changed it, newest first, with its content's id after each."""

    def contents(self, blobs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Id and bytes of each content."""


@dataclass(frozen=True)
class Sources:
    """Where the past is read: ``open_bulk`` when git itself is at hand, ``renamed`` for what a file was
    called before a commit (commit and path to a path, empty when it wasn't)."""

    repository: GitOpsRepository
    open_bulk: Callable[[], Bulk | None] = lambda: None
    renamed: Callable[[str, str], str] | None = None


@dataclass(frozen=True)
class Change:
    """One commit of the history: the file's name and bytes after it."""

    commit: Commit
    path: str
    content: bytes


@dataclass
class PastReader:
    """The past of one service in one environment up to ``snapshot``. ``records`` are its audit records."""

    sources: Sources
    snapshot: Snapshot
    config: Config
    service: Service
    live: Live
    records: Sequence[Record] = ()
    _read: dict[tuple[str, str], bytes | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        environment = self.config.environment(self.live.environment)
        self.records = read_records(self.snapshot, self.config, self.service, environment)

    @cached_property
    def bulk(self) -> Bulk | None:
        """The way to read all at once; opening it may fetch the history, so only who needs it does."""
        return self.sources.open_bulk()

    def read(self, depth: int) -> Past:
        """The versions that the newest ``depth`` commits of the file named, the live one first."""
        versions, digests = [self.live.version], {self.live.version: self.live.digest}
        changes = list(self._changes(depth))
        for change in changes:
            version, digest = self._named(change)
            if version and version != versions[-1]:
                versions.append(version)
            if version and digest:
                digests.setdefault(version, digest)
        for record in self.records:
            if record.image_digest and not digests.get(record.version):
                digests[record.version] = record.image_digest
        outcomes = {each.version: each.effective_outcome for each in self.records if not each.rollback}
        return Past(versions, outcomes, complete=len(changes) < depth, digests=digests)

    def _changes(self, depth: int) -> Iterator[Change]:
        """The newest ``depth`` changes, also those under former names, newest first."""
        environment = self.config.environment(self.live.environment)
        files: Sequence[str] = list(
            dict.fromkeys(
                self.config.values.file(self.service.name, suffix, environment.name)
                for suffix in environment.suffixes
            )
        )
        at, found, seen = self.snapshot.commit, 0, set(files)
        for _ in range(NAMES):
            changes = self._of_files(files, at, depth - found)
            yield from changes
            found += len(changes)
            if not changes or found >= depth or not changes[-1].commit.parents:
                return
            ask = self.sources.renamed
            former = ask(changes[-1].commit.sha, changes[-1].path) if ask else ""
            if not former or former in seen:
                return
            seen.add(former)
            files, at = [former], changes[-1].commit.parents[0]

    def _of_files(self, files: Sequence[str], at: str, depth: int) -> list[Change]:
        """Changes of any of ``files`` reachable from ``at``; several are names of one file, by time."""
        if self.bulk is not None and at == self.snapshot.commit:
            changes = self._in_one_pass(self.bulk, files, depth)
        else:
            changes = self._by_look_up(files, at, depth)
        if len(files) > 1:
            changes.sort(key=lambda change: change.commit.committed_at, reverse=True)
        return changes[:depth]

    def _in_one_pass(self, bulk: Bulk, files: Sequence[str], depth: int) -> list[Change]:
        scope = [f":(literal){path}" for path in files]
        touched = bulk.touches(files, scope, depth, depth * len(files))
        contents = dict(bulk.contents(blob for each in touched.values() for _, blob in each))
        return [
            Change(commit, path, contents[blob])
            for path in files
            for commit, blob in touched.get(path, ())
            if blob in contents
        ]

    def _by_look_up(self, files: Sequence[str], at: str, depth: int) -> list[Change]:
        changes = []
        for path in files:
            for commit in self.sources.repository.history(path, at, depth):
                content = self._content(commit.sha, path)
                if content is not None:
                    changes.append(Change(commit, path, content))
        return changes

    def _content(self, commit: str, path: str) -> bytes | None:
        if (commit, path) not in self._read:
            self._read[commit, path] = self.sources.repository.read_at(commit, path)
        return self._read[commit, path]

    def _named(self, change: Change) -> tuple[str, str]:
        """Version and digest in an old content; one that can't be read is a gap in the history."""
        images = tuple(name for name in (self.service.image, self.service.name) if name)
        values = self.config.values.of(self.service.name)
        try:
            version = read_scalar(change.content, values.image_tag[0], change.path, images)
        except InputError:
            return "", ""
        try:
            path = values.image_digest[0] if values.image_digest else ""
            digest = read_scalar(change.content, path, change.path, images) if path else ""
        except InputError:
            digest = ""
        return version, digest


def read_records(
    snapshot: Snapshot, config: Config, service: Service, environment: Environment
) -> Sequence[Record]:
    """The newest audit records of one service and environment, oldest of them first.

    One that can't be read is left out: it must not keep anybody from rolling back.
    """
    names = Names(snapshot.files(config.audit_folder))
    aliases = tuple(dict.fromkeys((*environment.suffixes, environment.name)))
    paths = [path for _, day in names.newest_first(service.name, aliases) for path in day]
    records = []
    for path, data in snapshot.read_many(paths[:RECORDS]).items():
        with suppress(InputError):
            records.append(from_json(data, path))
    own = [
        each for each in records if (each.service, each.to_environment) == (service.name, environment.name)
    ]
    return sorted(own, key=lambda record: (record.sequence, record.timestamp))
