"""From commits to the history of a cell: which versions it ran, since when, brought by whom. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from promote_actions.adapters.gitops import Commit
from promote_actions.audit.record import Record
from promote_actions.config.model import Config
from promote_actions.errors import InputError
from promote_actions.matrix.model import Change
from promote_actions.promotion.messages import SUBJECT, read_trailers

_PULL_REQUEST = re.compile(r"Merge pull request #(\d{1,9})\b|\(#(\d{1,9})\)$")


def timeline(
    versions: Iterable[tuple[Commit, str]], web_url: str, identity: str, complete: bool = True
) -> tuple[Change, ...]:
    """The changes that ``versions`` (commit and version after it, newest first) add up to.

    Commits that left the version as it was belong to the one that brought it. Without ``complete``
    (the list was cut) the oldest change may have begun earlier, so its time is not known.
    """
    found: list[Change] = []
    for commit, version in versions:
        change = _change(commit, version, web_url, identity)
        if found and found[-1].version == version:
            found[-1] = change
        else:
            found.append(change)
    if found and not complete:
        found[-1] = Change(found[-1].version)
    return tuple(change for change in found if change.version)


def _change(commit: Commit, version: str, web_url: str, identity: str) -> Change:
    return Change(
        version=version,
        at=commit.committed_at,
        who=author(commit, identity),
        commit=commit.sha,
        subject=commit.subject,
        pr_url=pull_request_of(commit, web_url),
        rollback=commit.subject.startswith(("rollback(", "Revert ")),
    )


def pull_request_of(commit: Commit, web_url: str) -> str:
    """The page of the pull request that a commit's subject names (``(#12)``), or an empty string."""
    number = _PULL_REQUEST.search(commit.subject)
    return f"{web_url}/pull/{number[1] or number[2]}" if number and web_url else ""


def author(commit: Commit, identity: str) -> str:
    """Who made ``commit``: the address when the configuration asks for it, else login or name."""
    local, _, host = commit.author_email.partition("@")
    if host == "users.noreply.github.com":
        return local.rpartition("+")[2]
    return commit.author_email if identity == "email" and commit.author_email else commit.author


def from_messages(
    commits: Iterable[Commit], config: Config, web_url: str
) -> Mapping[tuple[str, str], Sequence[Change]]:
    """Histories by service and environment as commit messages tell them, with no file read.

    Understands ``Promotion-*`` trailers and the subjects ``promote(service): environment → version``.
    """
    told: dict[tuple[str, str], list[tuple[Commit, str]]] = {}
    for commit in commits:
        for service, environment, version in promotions_of(commit.message):
            try:
                name = config.environment(environment).name
            except InputError:
                continue
            told.setdefault((service, name), []).append((commit, version))
    return {pair: timeline(versions, web_url, config.identity) for pair, versions in told.items()}


def promotions_of(message: str) -> list[tuple[str, str, str]]:
    """Service, environment and version of each promotion that a commit message names."""
    trailers = [
        (group.get("service", ""), group.get("to", ""), group.get("version", ""))
        for group in read_trailers(message)
    ]
    if trailers:
        return [each for each in trailers if all(each)]
    subject = SUBJECT.match(message.partition("\n")[0])
    if subject is None:
        return []
    services = [name.strip() for name in subject["service"].split(",")]
    return [(name, subject["environment"], subject["version"]) for name in services]


def with_record(history: Sequence[Change], record: Record | None) -> tuple[Change, ...]:
    """``history`` with what the audit log knows of its newest change, when it is of that version."""
    if not history or record is None or record.version != history[0].version:
        return tuple(history)
    newest = replace(
        history[0],
        who=record.initiator or history[0].who,
        approvers=record.approvers,
        pr_url=record.pr_url or history[0].pr_url,
        rollback=record.rollback,
    )
    return (newest, *history[1:])
