"""Commits, tree entries and differences as git prints them, parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

_STATUSES = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<seconds>-?\d+) [+-]\d{4}")


@dataclass(frozen=True)
class Person:
    """Who made a commit, and when."""

    name: str
    email: str
    date: datetime


@dataclass(frozen=True)
class CommitObject:
    """A commit as git stores it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class Entry:
    """One line of a tree; ``size`` is None for what is not a file."""

    mode: str
    type: str
    sha: str
    path: str
    size: int | None = None


@dataclass(frozen=True)
class FileDiff:
    """What happened to one file between two commits."""

    status: str
    path: str
    previous: str
    sha: str
    additions: int
    deletions: int


def parse_person(text: str) -> Person:
    """``Name <email> seconds zone`` of a commit or tag."""
    found = _PERSON.match(text)
    if found is None:
        return Person("unknown", "", datetime.fromtimestamp(0, timezone.utc))
    return Person(
        found["name"], found["email"], datetime.fromtimestamp(int(found["seconds"]), timezone.utc)
    )


def parse_commit(sha: str, text: str) -> CommitObject:
    """A commit object's text."""
    head, _, message = text.partition("\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.splitlines():
        key, _, value = line.partition(" ")
        fields.setdefault(key, []).append(value)
    return CommitObject(
        sha,
        fields["tree"][0],
        tuple(fields.get("parent", ())),
        parse_person(fields["author"][0]),
        parse_person(fields["committer"][0]),
        message.rstrip("\n"),
    )


def parse_diff(words: list[str]) -> list[FileDiff]:
    """What ``git diff-tree -z --raw --numstat`` printed, cut at NUL."""
    found: dict[str, tuple[str, str, str]] = {}
    counted: dict[str, tuple[int, int]] = {}
    queue = [word for word in words if word]
    while queue:
        head = queue.pop(0)
        if head.startswith(":"):
            _, _, before, after, letter = head.split()
            previous = queue.pop(0) if letter[0] in "RC" else ""
            sha = before if letter == "D" else after
            found[queue.pop(0)] = (_STATUSES.get(letter[0], "changed"), previous, sha)
            continue
        added, removed, path = head.split("\t", 2)
        if not path:
            queue.pop(0)
            path = queue.pop(0)
        counted[path] = (int(added) if added != "-" else 0, int(removed) if removed != "-" else 0)
    return [
        FileDiff(status, path, previous, sha, *counted.get(path, (0, 0)))
        for path, (status, previous, sha) in found.items()
    ]
