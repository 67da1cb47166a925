"""Records of promotions that were made before there was an audit log, from plain git history. Pure.

A team that adopts the log has its past at once: ``Promotion-*`` trailers, the strategy's subjects
``promote(service): environment → version``, and reverts of them. Such a record says that it was made
later (``imported_from``) and from which commit, so that verification can hold it against that commit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from promote_actions.adapters.gitops import Commit, Snapshot
from promote_actions.audit.log import Ledger, Sealed
from promote_actions.audit.record import Record, format_time
from promote_actions.config.model import Config
from promote_actions.errors import InputError
from promote_actions.matrix.timeline import author, promotions_of, pull_request_of

SOURCE = "git-history"

_REVERT = re.compile(r'Revert "(.+)"')


def adopt(snapshot: Snapshot, config: Config, commits: Iterable[Commit], web_url: str) -> list[Sealed]:
    """The records that ``commits`` tell of, linked, for every service and environment without a chain.

    A pair that has a chain already is left alone, so that asking twice adds nothing.
    """
    ledger = Ledger(snapshot, config)
    mine: dict[tuple[str, str], bool] = {}
    promoted: dict[tuple[str, str], list[Record]] = {}
    sealed = []
    for commit in sorted(commits, key=lambda each: each.committed_at):
        for record in _records(commit, config, web_url, promoted):
            pair = (record.service, record.to_environment)
            if pair not in mine:
                mine[pair] = ledger.head(record.service, config.environment(record.to_environment)) is None
            if mine[pair]:
                made = ledger.add(record, commit.sha[:12], "1")
                promoted.setdefault(pair, []).append(made.record)
                sealed.append(made)
    return sealed


def _records(
    commit: Commit, config: Config, web_url: str, promoted: dict[tuple[str, str], list[Record]]
) -> Iterator[Record]:
    reverted = _REVERT.fullmatch(commit.subject)
    for service, named, version in promotions_of(reverted[1] if reverted else commit.message):
        try:
            environment = config.environment(named)
        except InputError:
            continue
        past = promoted.get((service, environment.name), [])
        source = config.source_of(environment)
        record = Record(
            event="promotion",
            service=service,
            version=version,
            from_environment=source.name if source else "",
            to_environment=environment.name,
            timestamp=format_time(commit.committed_at),
            initiator=author(commit, config.identity),
            pr_url=pull_request_of(commit, web_url),
            outcome="success",
            git_commit=commit.sha,
            previous_version=past[-1].version if past else "",
            imported_from=SOURCE,
        )
        if reverted:
            yield from _reverted(record, past)
        elif commit.subject.startswith("rollback("):
            yield _as_rollback(record, past[-1] if past else None)
        elif not past or past[-1].version != version:
            yield record


def _reverted(record: Record, past: list[Record]) -> Iterator[Record]:
    """A revert brings back what ran before the promotion that it reverts, if that is the last one."""
    if len(past) > 1 and past[-1].version == record.version:
        yield _as_rollback(replace(record, version=past[-2].version), past[-1])


def _as_rollback(record: Record, undone: Record | None) -> Record:
    return replace(
        record,
        event="rollback",
        rollback=True,
        from_environment="",
        rollback_of=undone.record_id if undone else "",
    )
