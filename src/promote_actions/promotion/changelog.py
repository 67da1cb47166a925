"""What changed in a service between two versions, from its commits, grouped as people read it. Pure.

Subjects are read as Conventional Commits 1.0 has them; the strategy's "Fix: …" is the same. Merge commits
say nothing of their own. Everything in a subject is a stranger's text (:mod:`.text`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from promote_actions.adapters.gitops import Commit
from promote_actions.promotion.text import link, markdown, plain

ENTRIES = 60
"""Entries that one promotion shows; the least telling ones are left out first."""

_GROUPS = (
    ("Breaking changes", ("!",)),
    ("Features", ("feat", "feature")),
    ("Fixes", ("fix", "bugfix", "hotfix", "security")),
    ("Performance", ("perf", "performance")),
    ("Reverts", ("revert",)),
    ("Refactoring", ("refactor",)),
    ("Documentation", ("docs", "doc")),
    ("Tests", ("test", "tests")),
    ("Build and CI", ("build", "ci", "deps")),
    ("Maintenance", ("chore", "style")),
    ("Other", ("",)),
)
_ORDER = {kind: number for number, (_, kinds) in enumerate(_GROUPS) for kind in kinds}
_SUBJECT = re.compile(
    r"(?P<kind>[A-Za-z]{1,20})(?:\((?P<scope>[^()]{1,60})\))?(?P<breaking>!)?:\s+(?P<text>\S.*)"
)
_PULL = re.compile(r"\s*\(#(?P<number>\d{1,9})\)\s*$")
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE:", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One commit: ``kind`` is a conventional type, ``!`` for a breaking change, or empty for any other.

    ``pull`` is the number of the service's pull request (0: unknown).
    """

    kind: str
    text: str
    sha: str
    scope: str = ""
    pull: int = 0


@dataclass(frozen=True)
class Changelog:
    """What ``service`` gained from ``previous`` to ``version``.

    ``more`` counts commits that are not among ``entries``, ``lost`` those that the new version lacks and
    the old one had. ``url`` is the comparison's page. ``note`` says why nothing is known.
    """

    service: str
    previous: str
    version: str
    entries: tuple[Entry, ...] = ()
    more: int = 0
    lost: int = 0
    url: str = ""
    note: str = ""


def entries_of(commits: Iterable[Commit]) -> tuple[Entry, ...]:
    """The commits that say something, breaking changes first, then by kind, the newest of a kind first."""
    found = [entry_of(commit) for commit in commits if len(commit.parents) < 2]
    newest_first = found[::-1]
    return tuple(sorted(newest_first, key=lambda entry: _ORDER[entry.kind]))


def entry_of(commit: Commit) -> Entry:
    """One commit, read as a conventional one where it is."""
    subject = commit.subject.strip()[:500]
    pull = _PULL.search(subject)
    number = int(pull["number"]) if pull else 0
    text = subject[: pull.start()] if pull else subject
    if text.startswith('Revert "'):
        return Entry("revert", text.removeprefix("Revert ").strip('"'), commit.sha, pull=number)
    found = _SUBJECT.fullmatch(text)
    kind = found["kind"].lower() if found else ""
    if found is None or kind not in _ORDER:
        return Entry("!" if _is_breaking(commit) else "", text, commit.sha, pull=number)
    breaking = bool(found["breaking"]) or _is_breaking(commit)
    return Entry("!" if breaking else kind, found["text"], commit.sha, found["scope"] or "", number)


def _is_breaking(commit: Commit) -> bool:
    return bool(_BREAKING.search(commit.message[:20_000]))


def shortened(changelogs: Sequence[Changelog], limit: int = ENTRIES) -> tuple[Changelog, ...]:
    """``changelogs`` with at most ``limit`` entries together, each with its fair share."""
    share = max(2, limit // max(len(changelogs), 1))
    return tuple(
        replace(each, entries=each.entries[:share], more=each.more + max(len(each.entries) - share, 0))
        for each in changelogs
    )


def as_text(changelogs: Sequence[Changelog]) -> list[str]:
    """The lines of a commit message."""
    return _render(changelogs, _text_entry, lambda note: plain(note, 300))


def as_markdown(changelogs: Sequence[Changelog]) -> list[str]:
    """The lines of a pull request's body, with links to the service's commits and pull requests."""
    return _render(changelogs, _markdown_entry, lambda note: f"_{markdown(note, 300)}_", links=True)


def _render(
    changelogs: Sequence[Changelog],
    entry: Callable[[Entry, str], str],
    note: Callable[[str], str],
    links: bool = False,
) -> list[str]:
    lines: list[str] = []
    several = len(changelogs) > 1
    for each in changelogs:
        if several:
            lines.append(f"### {each.service} {each.previous or 'nothing'} → {each.version}")
        if each.note or not (each.entries or each.more or each.lost):
            lines.append(f"- {each.service}: {each.previous or 'nothing'} → {each.version}")
            lines += [f"- {note(each.note)}"] if each.note else ["- no commits between the two"]
            continue
        lines += _grouped(each, entry, "####" if several else "###")
        lines += [f"- … and {each.more} more commits"] if each.more else []
        lines += [f"- without {each.lost} commits that the old version has"] if each.lost else []
        page = link(each.url) if links else ""
        lines += [f"- [everything from {each.previous} to {each.version}]({page})"] if page else []
    return lines


def _grouped(changelog: Changelog, entry: Callable[[Entry, str], str], heading: str) -> list[str]:
    lines = []
    for title, kinds in _GROUPS:
        inside = [each for each in changelog.entries if each.kind in kinds]
        if inside:
            lines += [f"{heading} {title}", *(entry(each, changelog.url) for each in inside)]
    return lines


def _text_entry(entry: Entry, _url: str) -> str:
    scope = f"{plain(entry.scope, 60)}: " if entry.scope else ""
    where = f"PR {entry.pull}, {entry.sha[:7]}" if entry.pull else entry.sha[:7]
    return f"- {scope}{plain(entry.text)} ({where})"


def _markdown_entry(entry: Entry, url: str) -> str:
    scope = f"**{markdown(entry.scope, 60)}:** " if entry.scope else ""
    pages = [f"`{entry.sha[:7]}`"]
    home = link(url.partition("/compare/")[0]) if "/compare/" in url else ""
    if home:
        pages = [f"[`{entry.sha[:7]}`]({home}/commit/{entry.sha})"]
        pages = [f"[PR {entry.pull}]({home}/pull/{entry.pull})", *pages] if entry.pull else pages
    elif entry.pull:
        pages = [f"PR {entry.pull}", *pages]
    return f"- {scope}{markdown(entry.text)} ({', '.join(pages)})"
