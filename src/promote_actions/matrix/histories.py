"""Histories of all cells, by the way that costs least for the repository at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from promote_actions.adapters.gitops import Commit, GitOpsRepository, Snapshot
from promote_actions.config.model import Config
from promote_actions.errors import PromoteError
from promote_actions.matrix.files import folder_of, pathspecs
from promote_actions.matrix.model import Change
from promote_actions.matrix.timeline import from_messages, timeline

Pair = tuple[str, str]
Reader = Callable[[bytes, str, str], str]
"""Bytes, path and service to the version in a values file; raises PromoteError when there is none."""

CHANGES = 60_000
"""Contents of values files that are read at most in one run; with many files each has fewer."""

COMMITS = 100_000
"""Commits that are walked at most."""

MESSAGES = 300
"""Commit messages that are asked of an API, a hundred a call."""

LOOK_UPS = 40
"""Cells for which an API is asked one by one when no message told their history."""


@dataclass(frozen=True)
class Now:
    """The present of the cells: their values files, what these say, and how to read one."""

    files: Mapping[Pair, str]
    versions: Mapping[Pair, str]
    read: Reader


class Bulk(Protocol):
    """A way to read the past of all files at once (``adapters.git_history``)."""

    def touches(
        self, paths: Iterable[str], scope: Sequence[str], per_path: int, commits: int
    ) -> Mapping[str, Sequence[tuple[Commit, str]]]:
        """For each path the commits that changed it, newest first, with its content's id after each."""

    def prefetch(self, paths: Iterable[str]) -> None:
        """Make the contents of ``paths`` ready to be read, if they have to be fetched."""

    def contents(self, blobs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Id and bytes of each content."""


def histories(
    repository: GitOpsRepository, snapshot: Snapshot, config: Config, now: Now, bulk: Bulk | None
) -> tuple[Mapping[Pair, Sequence[Change]], bool]:
    """The history of each pair of service and environment, newest first, and whether all is told.

    With ``bulk`` it is one pass over the history; without, it is what commit messages tell, and a
    bounded number of look-ups.
    """
    if bulk is not None:
        return _in_one_pass(bulk, config, now, repository.web_url)
    return _by_messages(repository, snapshot, config, now), False


def _in_one_pass(
    bulk: Bulk, config: Config, now: Now, web_url: str
) -> tuple[Mapping[Pair, Sequence[Change]], bool]:
    if not now.files:
        return {}, True
    pairs: dict[str, list[Pair]] = {}
    for pair, path in now.files.items():
        pairs.setdefault(path, []).append(pair)
    cap = max(12, min(1000, CHANGES // len(pairs)))
    touched = bulk.touches(pairs, pathspecs(config), cap, COMMITS)
    places: dict[str, set[str]] = {}
    for path, each in touched.items():
        for _, blob in each:
            places.setdefault(blob, set()).add(path)
    found: dict[tuple[str, str], str] = {}
    for blob, data in bulk.contents(places):
        for path in places[blob]:
            for service in {pair[0] for pair in pairs[path]}:
                found[blob, service] = _quietly(now.read, data, path, service)
    told = {}
    for path, each in touched.items():
        for pair in pairs[path]:
            versions = [(commit, found.get((blob, pair[0]), "")) for commit, blob in each]
            told[pair] = timeline(versions, web_url, config.identity, len(each) < cap)
    return told, all(len(each) < cap for each in touched.values())


def _quietly(read: Reader, data: bytes, path: str, service: str) -> str:
    """An old content that can't be read is a gap in the history, no reason to show nothing."""
    try:
        return read(data, path, service)
    except PromoteError:
        return ""


def _by_messages(
    repository: GitOpsRepository, snapshot: Snapshot, config: Config, now: Now
) -> Mapping[Pair, Sequence[Change]]:
    commits = repository.history(folder_of(config), at=snapshot.commit, limit=MESSAGES)
    told = dict(from_messages(commits, config, repository.web_url))
    untold = [pair for pair, version in now.versions.items() if not _tells(told.get(pair), version)]
    for pair in untold[:LOOK_UPS]:
        version = now.versions[pair]
        own = repository.history(now.files[pair], at=snapshot.commit, limit=30)
        alone = from_messages(own, config, repository.web_url).get(pair, ())
        if not _tells(alone, version):
            newest = timeline([(each, version) for each in own[:1]], repository.web_url, config.identity)
            alone = (*newest, *alone)
        told[pair] = alone
    return told


def _tells(history: Sequence[Change] | None, version: str) -> bool:
    return bool(history) and history is not None and history[0].version == version
