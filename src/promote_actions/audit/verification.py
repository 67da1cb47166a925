"""The whole verification: chains, names, heads kept elsewhere, and git's own history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Protocol

from promote_actions.audit import past
from promote_actions.audit.names import date_of
from promote_actions.audit.record import Record, format_time, from_json
from promote_actions.audit.verify import Finding, Link, Pair, Verifier, edited_fields
from promote_actions.errors import InputError

SHOWN = 1000
"""Findings that are kept; all are counted."""

EXPLAINED = 50
"""Edited records whose original is looked up, to name the fields."""

_BATCH = 1000


class Past(Protocol):
    """A repository with its history at hand (``adapters.git_stream.Copy``)."""

    @property
    def commit(self) -> str:
        """The commit that is verified."""

    @property
    def shallow(self) -> bool:
        """Whether the history is cut."""

    def names(self, folder: str) -> Iterator[str]:
        """Paths of the files under ``folder``."""

    def files(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Paths and bytes of the files under ``folder``, in the order of ``names``."""

    def some(self, paths: list[str]) -> Iterator[tuple[str, bytes]]:
        """Paths and bytes of those of ``paths`` that there are."""

    def log(self, *arguments: str, since: str = "") -> Iterator[bytes]:
        """What ``git log -z`` says, between its NULs."""

    def first_content(self, path: str) -> bytes | None:
        """The bytes with which a file came into the history."""

    def contains(self, commit: str) -> bool:
        """Whether the history has ``commit``."""

    def commit_time(self, commit: str) -> int | None:
        """When ``commit`` was made (seconds since 1970), or None when there is no such commit."""


@dataclass
class Report:
    """What was verified. ``verdict`` is ``true``, ``false`` or ``cannot verify``; ``why`` says of what."""

    verdict: str = "true"
    why: str = ""
    findings: list[Finding] = field(default_factory=list)
    total: int = 0
    records: int = 0
    unchained: int = 0
    links: Mapping[Pair, Link] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it while there is room."""
        self.total += 1
        if len(self.findings) < SHOWN:
            self.findings.append(finding)


def verify(
    repository: Past,
    folder: str,
    heads: tuple[Mapping[Pair, Link], str] = ({}, ""),
    *,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Verify the records under ``folder``; ``heads`` are chain heads kept elsewhere and their commit.

    With a commit that was verified before, git's history is read from there on only, after making sure
    that it is still part of it.
    """
    report = Report()
    expected, since = heads
    verifier = Verifier(expected)
    for finding in verifier.read(_counted(_in_order(repository, folder), say)):
        report.add(_explained(repository, finding, report))
    for finding in verifier.finish():
        report.add(finding)
    report.records, report.unchained, report.links = verifier.records, verifier.unchained, verifier.links
    for finding in _history(repository, folder, since):
        report.add(finding)
    if report.total:
        report.verdict = "false"
    elif repository.shallow:
        report.verdict = "cannot verify"
        report.why = "the clone is shallow, so changes of the past can't be seen; fetch with fetch-depth: 0"
    return report


def _in_order(repository: Past, folder: str) -> Iterable[tuple[str, bytes]]:
    """Files in the order of their days: as git has them, unless folders mix the days."""
    last = ""
    for path in repository.names(folder):
        day = date_of(path)
        if day < last:
            ordered = sorted(repository.names(folder), key=lambda each: (date_of(each), each))
            return repository.some(ordered)
        last = day
    return repository.files(folder)


def _counted(files: Iterable[tuple[str, bytes]], say: Callable[[str], None]) -> Iterator[tuple[str, bytes]]:
    for count, each in enumerate(files, 1):
        if count % 20_000 == 0:
            say(f"{count} records read")
        yield each


def _explained(repository: Past, finding: Finding, report: Report) -> Finding:
    """An edited record's finding with the fields that differ from the record as it was added."""
    if finding.kind != "edited" or report.total >= EXPLAINED:
        return finding
    original = repository.first_content(finding.file)
    now = dict(repository.some([finding.file])).get(finding.file)
    names = edited_fields(original, now) if original and now else []
    if not names:
        return finding
    return replace(finding, field=names[0], message=f"it was added with another {', '.join(names[:8])}")


def _history(repository: Past, folder: str, since: str) -> Iterator[Finding]:
    if since and not repository.contains(since):
        yield Finding(
            folder, "rewritten", f"commit {since[:12]}, verified before, is not in the history any more"
        )
        since = ""
    found = past.findings(repository.log(*past.ARGUMENTS, "--", f"{folder}/", since=since))
    late: list[past.Late] = []
    for each in found:
        if isinstance(each, Finding):
            yield each
            continue
        late.append(each)
        if len(late) == _BATCH:
            yield from _judge_late(repository, late)
            late = []
    yield from _judge_late(repository, late)


def _judge_late(repository: Past, late: list[past.Late]) -> Iterator[Finding]:
    """Records that came days after their own: right only when made from the commit that they name."""
    by_file = {each.file: each for each in late}
    for path, data in repository.some(list(by_file)):
        each = by_file[path]
        try:
            record = from_json(data, path)
        except InputError:
            continue
        if not _imported_truly(repository, record):
            yield Finding(
                path,
                "back-dated",
                f"commit {each.commit[:12]} brought it {each.days} days after the day in its name",
                "timestamp",
            )


def _imported_truly(repository: Past, record: Record) -> bool:
    if record.imported_from != "git-history" or not re.fullmatch(r"[0-9a-f]{40,64}", record.git_commit):
        return False
    made = repository.commit_time(record.git_commit)
    return made is not None and format_time(datetime.fromtimestamp(made, timezone.utc)) == record.timestamp
