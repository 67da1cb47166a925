"""The history of thousands of files in one pass of git, and of their contents in one more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property

from promote_actions.adapters.git_objects import GitSnapshot
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.gitops import Commit, GitOpsRepository, Snapshot

DEADLINE = 600.0
"""Seconds that the pass over the whole history may take."""

BATCH = 4000
"""Objects asked of git at a time: what bounds the memory that contents take."""

_FORMAT = "%x00%H%x00%P%x00%an%x00%ae%x00%ct%x00%B%x00"
_OBJECT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class GitHistory:
    """The history of a snapshot that git itself can read."""

    snapshot: GitSnapshot
    _fetched: set[str] = field(default_factory=set, repr=False)

    def touches(
        self, paths: Iterable[str], scope: Sequence[str], per_path: int, commits: int
    ) -> Mapping[str, Sequence[tuple[Commit, str]]]:
        """For each of ``paths`` the newest ``per_path`` commits that changed it, newest first.

        With each commit comes the id of the file's content after it, empty when it removed the file.
        One pass over at most ``commits`` commits of the branch itself: a merge counts as one change,
        made when it was merged. ``scope`` are git pathspecs that hold all paths.
        """
        out = self.snapshot.git.check(
            "log",
            "-z",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--diff-merges=first-parent",
            "--first-parent",
            f"--max-count={commits}",
            f"--format={_FORMAT}",
            self.snapshot.commit,
            "--",
            *scope,
            deadline=DEADLINE,
        )
        found: dict[str, list[tuple[Commit, str]]] = {path: [] for path in paths}
        for commit, blob, path in _entries(out):
            kept = found.get(path)
            if kept is not None and len(kept) < per_path:
                kept.append((commit, blob))
        return found

    def prefetch(self, paths: Iterable[str]) -> None:
        """In a clone without contents, fetch those of ``paths`` together, before they are read."""
        wanted = set(paths)
        if not wanted or not self._without_contents:
            return
        listed = self.snapshot.git.check("ls-tree", "-r", "-z", self.snapshot.commit)
        entries = (entry.partition(b"\t") for entry in listed.split(b"\0"))
        self._fetch(
            head.split(b" ")[2].decode()
            for head, _, path in entries
            if path.decode(errors="surrogateescape") in wanted
        )

    def contents(self, blobs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Id and bytes of each of ``blobs`` that there is, a batch at a time."""
        wanted = list(dict.fromkeys(blob for blob in blobs if blob))
        if self._without_contents:
            self._fetch(wanted)
        return _contents(self.snapshot.git, wanted)

    @cached_property
    def _without_contents(self) -> bool:
        return self.snapshot.git.run("config", "--get", "remote.origin.promisor").text.strip() == "true"

    def _fetch(self, blobs: Iterable[str]) -> None:
        """Fetch contents in one request; git itself would fetch each when it is read."""
        wanted = [blob for blob in blobs if blob not in self._fetched]
        self._fetched.update(wanted)
        if wanted:
            self.snapshot.git.check(
                "-c",
                "fetch.negotiationAlgorithm=noop",
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--filter=blob:none",
                "--stdin",
                "origin",
                stdin="".join(f"{blob}\n" for blob in wanted).encode(),
                deadline=DEADLINE,
            )


def history_of(repository: GitOpsRepository, snapshot: Snapshot) -> GitHistory | None:
    """The history of ``snapshot`` in one pass, or None when it is not git that reads the repository."""
    if not isinstance(snapshot, GitSnapshot):
        return None
    repository.history("", at=snapshot.commit, limit=1)
    return GitHistory(snapshot)


def _entries(out: bytes) -> Iterator[tuple[Commit, str, str]]:
    tokens = iter(out.split(b"\0"))
    commit: Commit | None = None
    for token in tokens:
        word = token.lstrip(b"\n")
        if word.startswith(b":") and commit is not None:
            blob = word.split(b" ")[3].decode()
            path = next(tokens).decode(errors="surrogateescape")
            yield commit, "" if set(blob) == {"0"} else blob, path
        elif _OBJECT.fullmatch(word):
            rest = [next(tokens).decode(errors="replace") for _ in range(5)]
            commit = Commit(
                sha=word.decode(),
                parents=tuple(rest[0].split()),
                author=rest[1],
                author_email=rest[2],
                committed_at=datetime.fromtimestamp(int(rest[3]), timezone.utc),
                message=rest[4].strip("\n"),
            )


def _contents(git: Git, wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(wanted), BATCH):
        asked = wanted[start : start + BATCH]
        answer = git.check("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in asked).encode())
        position = 0
        for blob in asked:
            end = answer.index(b"\n", position)
            header = answer[position:end].split(b" ")
            position = end + 1
            if header[-1] == b"missing":
                continue
            size = int(header[-1])
            yield blob, answer[position : position + size]
            position += size + 1
