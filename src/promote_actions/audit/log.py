"""Putting a record into the GitOps repository: find the chain's head, link, name, hand back the file.

The caller lands the file in the same commit as the promotion, on the very snapshot that was read here,
so two writers can never extend the same head: the second one's landing conflicts, and it asks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from promote_actions.adapters.gitops import FileChange, Snapshot
from promote_actions.audit.chain import Head, append, head_of
from promote_actions.audit.names import Names, file_name
from promote_actions.audit.record import Record, from_json, parse_time, to_json
from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError

BY_MONTH = ".by-month"
"""A file of this name in the folder puts new records into folders by year and month.

With one folder of n files, git reads all of its names for each commit: a walk over the history costs
n times n. Old records stay where they are; every reader looks at any depth.
"""


@dataclass(frozen=True)
class Sealed:
    """A record linked into its chain, and the file that holds it. ``head`` is the one before it."""

    record: Record
    change: FileChange
    head: Head | None = None


def read_head(
    snapshot: Snapshot, folder: str, service: str, environment: Environment, names: Names | None = None
) -> Head | None:
    """The last record of the chain of ``service`` in ``environment``, or None when there is no chain.

    Reads the files of the newest day that has one, and no others. Raises :class:`InputError` that
    names the file when a record can't be read.
    """
    record = last_record(snapshot, folder, service, environment, names)
    return None if record is None else head_of(record[1], record[0])


def last_record(
    snapshot: Snapshot, folder: str, service: str, environment: Environment, names: Names | None = None
) -> tuple[str, Record] | None:
    """Path and record of the head of a chain, as :func:`read_head`."""
    names = names or Names(snapshot.files(folder))
    for _, paths in names.newest_first(service, _aliases(environment)):
        found = [(path, from_json(data, path)) for path, data in snapshot.read_many(paths).items()]
        chained = [
            (path, record)
            for path, record in found
            if record.chained and (record.service, record.to_environment) == (service, environment.name)
        ]
        if chained:
            return max(chained, key=lambda each: each[1].sequence)
    return None


def last_paths(
    snapshot: Snapshot, config: Config, pairs: Iterable[tuple[str, str]]
) -> Mapping[str, Sequence[tuple[str, str]]]:
    """The files of each pair's newest day in the log, with the pairs that each may be about."""
    names = Names(snapshot.files(config.audit_folder))
    places: dict[str, list[tuple[str, str]]] = {}
    for service, environment in pairs if names.taken else ():
        days = names.newest_first(service, _aliases(config.environment(environment)))
        for path in days[0][1] if days else ():
            places.setdefault(path, []).append((service, environment))
    return places


def last_records(
    snapshot: Snapshot, config: Config, pairs: Iterable[tuple[str, str]]
) -> Mapping[tuple[str, str], Record]:
    """The newest record of each pair of service and environment that has one, in a single reading.

    Records that can't be read are left out: this is for showing, :func:`read_head` is for writing.
    """
    places = last_paths(snapshot, config, pairs)
    newest: dict[tuple[str, str], Record] = {}
    for path, data in snapshot.read_many(places).items():
        try:
            record = from_json(data, path)
        except InputError:
            continue
        pair = (record.service, config.environment(record.to_environment).name)
        if pair in places[path] and (pair not in newest or newest[pair].sequence < record.sequence):
            newest[pair] = record
    return newest


def _aliases(environment: Environment) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*environment.suffixes, environment.name)))


def entry(snapshot: Snapshot, config: Config, record: Record, run_id: str, attempt: str) -> FileChange:
    """The new file that records ``record`` on top of ``snapshot``; see :func:`seal`."""
    return seal(snapshot, config, [record], run_id, attempt)[0].change


def seal(
    snapshot: Snapshot, config: Config, records: Iterable[Record], run_id: str, attempt: str
) -> Sequence[Sealed]:
    """``records`` linked into their chains, each with its new file, for one commit on ``snapshot``.

    ``records`` carry no chain fields; several of one chain are linked in the order given.
    ``run_id`` and ``attempt`` are the workflow run's (empty outside Actions): they tell a day's later
    records apart.
    """
    ledger = Ledger(snapshot, config)
    return [ledger.add(record, run_id, attempt) for record in records]


class Ledger:
    """The audit log at one snapshot, and the records that are about to be added to it."""

    def __init__(self, snapshot: Snapshot, config: Config) -> None:
        self._snapshot = snapshot
        self._config = config
        paths = snapshot.files(config.audit_folder)
        self._names = Names(paths)
        self._by_month = f"{config.audit_folder.strip('/')}/{BY_MONTH}" in paths
        self._heads: dict[tuple[str, str], Head | None] = {}

    def head(self, service: str, environment: Environment) -> Head | None:
        """The head of a chain, with what was added to it here."""
        pair = (service, environment.name)
        if pair not in self._heads:
            folder = self._config.audit_folder
            self._heads[pair] = read_head(self._snapshot, folder, service, environment, self._names)
        return self._heads[pair]

    def add(self, record: Record, run_id: str, attempt: str) -> Sealed:
        """``record`` as the next one of its chain, with its new file; raises :class:`InputError`."""
        environment = self._config.environment(record.to_environment)
        record = replace(record, to_environment=environment.name)
        head = self.head(record.service, environment)
        name = _claim_name(record, head, self._names, environment.file_suffix, f"{run_id}/{attempt}")
        linked = append(head, replace(record, record_id=name.removesuffix(".json")))
        change = FileChange(f"{self._folder(name)}/{name}", to_json(linked), create=True)
        from_json(change.content, change.path)
        self._heads[record.service, environment.name] = head_of(linked, change.path)
        return Sealed(linked, change, head)

    def _folder(self, name: str) -> str:
        folder = self._config.audit_folder.strip("/")
        return f"{folder}/{name[:4]}/{name[5:7]}" if self._by_month else folder


def _claim_name(record: Record, head: Head | None, names: Names, alias: str, run: str) -> str:
    if parse_time(record.timestamp) is None:
        raise InputError(
            f"'{record.timestamp[:40]}' is not a time", hint="give one such as 2026-02-01T10:30:00Z"
        )
    run_id, _, attempt = run.rpartition("/")
    not_before = head.date if head else ""
    name = file_name(record, names.taken, alias, run_id, attempt, not_before=not_before)
    names.taken.add(name)
    return name
