"""A GitOps repository in memory: what the audit log and the matrix need of one, and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from promote_actions.adapters.gitops import Commit, FileChange
from promote_actions.errors import Conflict


@dataclass
class MemorySnapshot:
    """One state of the files; remembers which paths were read."""

    tree: dict[str, bytes]
    commit: str
    branch: str = "main"
    reads: list[str] = field(default_factory=list)

    def read(self, path: str) -> bytes | None:
        self.reads.append(path)
        return self.tree.get(path)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(paths)
        self.reads += wanted
        return {path: self.tree[path] for path in wanted if path in self.tree}

    def files(self, folder: str = "") -> Sequence[str]:
        prefix = f"{folder.strip('/')}/" if folder else ""
        return sorted(path for path in self.tree if path.startswith(prefix))


@dataclass
class MemoryRepository:
    """A linear history of file trees. ``rivals`` land first, one before each landing, to make conflicts."""

    trees: list[dict[str, bytes]] = field(default_factory=lambda: [{}])
    commits: list[Commit] = field(default_factory=list)
    known_tags: dict[str, str] = field(default_factory=dict)
    rivals: list[Sequence[FileChange]] = field(default_factory=list)
    name: str = "nexo-org/nexo-gitops"
    web_url: str = "https://github.com/nexo-org/nexo-gitops"

    def snapshot(self, branch: str = "") -> MemorySnapshot:
        return MemorySnapshot(dict(self.trees[-1]), self._sha(len(self.trees) - 1), branch or "main")

    def land(self, base: MemorySnapshot, changes: Sequence[FileChange], message: str) -> str:
        if self.rivals:
            self.write(self.rivals.pop(0), "rival")
        if base.commit != self._sha(len(self.trees) - 1):
            raise Conflict("the branch has moved")
        if any(change.create and change.path in self.trees[-1] for change in changes):
            raise Conflict("a file that was to be created exists")
        return self.write(changes, message)

    def write(self, changes: Sequence[FileChange], message: str, when: datetime | None = None) -> str:
        """Commit without asking, as somebody else would."""
        tree = {**self.trees[-1], **{change.path: change.content for change in changes}}
        self.trees.append(tree)
        sha = self._sha(len(self.trees) - 1)
        moment = when or datetime(2026, 2, 1, 10, 30, tzinfo=timezone.utc)
        parents = (self._sha(len(self.trees) - 2),)
        self.commits.insert(0, Commit(sha, message, "Alice", "alice@nexo.com", moment, parents))
        return sha

    def history(self, path: str, at: str = "", limit: int = 100) -> Sequence[Commit]:
        touched = [commit for commit in self.commits if self._touches(commit, path)]
        return touched[:limit]

    def read_at(self, commit: str, path: str) -> bytes | None:
        return self.trees[int(commit, 16)].get(path)

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        return int(older, 16) <= int(newer, 16)

    def tags(self, prefix: str = "") -> Mapping[str, str]:
        return {name: sha for name, sha in self.known_tags.items() if name.startswith(prefix)}

    def _touches(self, commit: Commit, path: str) -> bool:
        index = int(commit.sha, 16)
        before, after = self.trees[index - 1], self.trees[index]
        changed = {name for name in after if before.get(name) != after[name]}
        return any(name == path or name.startswith(f"{path.rstrip('/')}/") for name in changed)

    @staticmethod
    def _sha(index: int) -> str:
        return f"{index:040x}"
