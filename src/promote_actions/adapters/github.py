"""A GitOps repository on GitHub, through its API: no clone, and few requests in a repository of any size.

Reading a promotion takes the repository, the branch, and one query for all files. Landing takes a tree, a
commit and the move of the branch. GitHub moves a branch without force only along its own history, so a
commit made on the head that was read lands on that head or not at all. (A branch that is turned *back*
between the reading and the landing is moved forward again: REST knows no expected head.)

The commit has no author given, so that it is the token's account, and GitHub signs it for an app's or a
job's token. Endpoints: "Git database" and "Commits" of GitHub's REST reference.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from promote_actions.adapters.forge import OUR_BRANCHES, Forge
from promote_actions.adapters.github_api import GitHubApi
from promote_actions.adapters.github_errors import Answer, archived, explain, is_protected
from promote_actions.adapters.github_forge import GitHubForge
from promote_actions.adapters.github_names import file_path, is_sha, ref_name, repository_path
from promote_actions.adapters.github_parse import commit_of
from promote_actions.adapters.github_snapshot import GitHubSnapshot
from promote_actions.adapters.gitops import Commit, FileChange, Snapshot
from promote_actions.errors import Conflict, DependencyError, InputError

T = TypeVar("T")

MANY_TAGS = 10
"""Annotated tags that are looked up one by one; more are found in the list of all tags."""


@dataclass(frozen=True)
class Facts:
    """What the repository says of itself."""

    name: str
    default_branch: str
    archived: bool


class GitHubRepository:
    """The repository ``owner/name`` on the GitHub that ``GITHUB_API_URL`` in ``env`` names.

    ``api`` may be given to share a connection, and in tests. :attr:`calls` counts the requests made.
    """

    def __init__(
        self, name: str, token: str, env: Mapping[str, str], *, api: GitHubApi | None = None
    ) -> None:
        repository_path(name)
        self._name = name
        self.api = api or GitHubApi(token, env)

    def __repr__(self) -> str:
        return f"GitHubRepository({self._name!r})"

    @property
    def name(self) -> str:
        return self._name

    @property
    def web_url(self) -> str:
        return f"{self.api.web_url}/{self._name}"

    @property
    def calls(self) -> int:
        """Requests made so far."""
        return self.api.calls

    @cached_property
    def forge(self) -> Forge:
        """Pull requests, reviews and statuses of this repository."""
        return GitHubForge(self.api, lambda: self.facts.name)

    # -- reading -----------------------------------------------------------------------------

    @cached_property
    def facts(self) -> Facts:
        """The repository's own answer, asked for once; a renamed repository is followed."""
        answer = self.api.ask("GET", repository_path(self._name), doing="read it", repository=self._name)
        facts = answer.read(
            lambda data: Facts(str(data["full_name"]), str(data["default_branch"]), bool(data["archived"]))
        )
        repository_path(facts.name)
        self._name = facts.name
        return facts

    def snapshot(self, branch: str = "") -> GitHubSnapshot:
        branch = branch or self.facts.default_branch
        path = self._path(f"branches/{ref_name(branch)}")
        answer = self._get(path, f"read branch {branch}", accept=(404,))
        if answer.status == 404 and branch.startswith("refs/heads/"):
            return self.snapshot(branch.removeprefix("refs/heads/"))
        if answer.status == 404:
            default = self.facts.default_branch
            hint = (
                "push a first commit" if branch == default else f"pass --branch; the default is '{default}'"
            )
            raise InputError(f"{self._name} has no branch '{branch[:100]}'", hint=hint)
        name, commit, tree = answer.read(_branch)
        if name != branch:
            raise InputError(
                f"branch '{branch[:100]}' of {self._name} is now '{name[:100]}'", hint="pass --branch"
            )
        return GitHubSnapshot(self.api, self._name, commit, branch, tree)

    def history(self, path: str, at: str = "", limit: int = 100) -> Sequence[Commit]:
        query = {"sha": at or self.facts.default_branch, **({"path": path} if path else {})}
        return list(self._pages("commits", commit_of, "read its history", query=query, limit=limit))

    def read_at(self, commit: str, path: str) -> bytes | None:
        if not is_sha(commit):
            raise InputError(f"'{commit[:60]}' is not a commit's full SHA")
        return GitHubSnapshot(self.api, self.facts.name, commit, "", "").read(path)

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        if older == newer:
            return True
        path = self._path(f"compare/{ref_name(older)}...{ref_name(newer)}")
        answer = self._get(path, "compare commits", accept=(404, 422), query={"per_page": 1})
        if "no common ancestor" in answer.message.lower():
            return False
        return answer.read(lambda data: data["status"]) in ("ahead", "identical") if answer.ok else None

    def tags(self, prefix: str = "") -> Mapping[str, str]:
        start = ref_name(prefix + "x").removesuffix("x")
        doing = "read its tags"
        found = list(self._pages(f"git/matching-refs/tags/{start}", _tag, doing, paged=False))
        annotated = {name: sha for name, sha, kind in found if kind == "tag"}
        if len(annotated) > MANY_TAGS:
            peeled = dict(self._pages("tags", lambda row: (row["name"], row["commit"]["sha"]), doing))
        else:
            peeled = {name: self._peel(sha) for name, sha in annotated.items()}
        tags = {name: peeled.get(name, "") if kind == "tag" else sha for name, sha, kind in found}
        return {name: sha for name, sha in tags.items() if sha}

    def _peel(self, sha: str, depth: int = 5) -> str:
        answer = self._get(self._path(f"git/tags/{sha}"), "read a tag")
        kind, target = answer.read(lambda data: (data["object"]["type"], str(data["object"]["sha"])))
        if kind == "tag" and depth:
            return self._peel(target, depth - 1)
        return target if kind == "commit" else ""

    # -- writing -----------------------------------------------------------------------------

    def land(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        made = self._commit(base, changes, message)
        doing = f"write to {base.branch}"
        path = self._path(f"git/refs/heads/{ref_name(base.branch)}")
        body = {"sha": made, "force": False}
        try:
            answer = self.api.ask(
                "PATCH", path, body=body, accept=(403, 404, 409, 422), doing=doing, repository=self._name
            )
        except DependencyError:
            if self._landed(base, made, doing, repeated=True):
                return made
            raise
        if answer.ok and answer.read(_target) == made:
            return made
        if self._landed(base, made, doing, repeated=answer.repeated or answer.ok):
            return made
        # The branch is where it was, so it is not a race: the answer says why it may not move.
        if answer.status in (409, 422) and not is_protected(answer):
            said = answer.message or answer.status
            raise DependencyError(f"GitHub refused to {doing} of {self._name}: {said}", hint="run again")
        raise explain(answer, doing, self._name)

    def _landed(self, base: Snapshot, made: str, doing: str, repeated: bool) -> bool:
        """Whether the branch contains ``made``; raises :class:`Conflict` when it has moved elsewhere.

        Only a ``repeated`` request can have landed, and have had others land on top of it.
        """
        path = self._path(f"git/ref/heads/{ref_name(base.branch)}")
        answer = self._get(path, doing, accept=(404,))
        if answer.status == 404:
            raise InputError(f"{self._name} has no branch '{base.branch}' any more", hint="pass --branch")
        head = answer.read(_target)
        if head == base.commit:
            return False
        if head == made or (repeated and self.is_ancestor(made, head)):
            return True
        raise Conflict(f"{base.branch} of {self._name} moved while we planned")

    def land_on_branch(
        self, base: Snapshot, changes: Sequence[FileChange], message: str, branch: str
    ) -> str:
        """Commit ``changes`` on ``base`` and make ``branch`` point there: see ``ForgeRepository``."""
        ref_name(branch)
        if branch in (base.branch, self.facts.default_branch) or not branch.startswith(OUR_BRANCHES):
            raise InputError(
                f"'{branch[:100]}' is not a branch for promotions", hint="begin it with promote/"
            )
        made = self._commit(base, changes, message)
        self.forge.put_branch(branch, made)
        return made

    def _commit(self, base: Snapshot, changes: Sequence[FileChange], message: str) -> str:
        """A commit on ``base`` with ``changes`` that nothing points at yet; made twice, it does no harm."""
        snapshot = self._own(base)
        if self.facts.archived:
            raise archived(self._name)
        for change in changes:
            if file_path(change.path) is None:
                raise InputError(f"'{change.path[:200]}' is not a path inside a repository")
        fresh = [change.path for change in changes if change.create]
        taken = next(iter(snapshot.read_many(fresh)), None)
        if taken is not None:
            raise Conflict(f"{taken} exists already")
        entries = [self._entry(snapshot, change) for change in changes]
        tree = self._post("git/trees", {"base_tree": snapshot.tree, "tree": entries})
        body = {"message": message, "tree": tree, "parents": [snapshot.commit]}
        return self._post("git/commits", body)

    def _own(self, base: Snapshot) -> GitHubSnapshot:
        if isinstance(base, GitHubSnapshot) and base.api is self.api:
            return base
        raise TypeError("land() takes a snapshot of the same repository")

    def _entry(self, snapshot: GitHubSnapshot, change: FileChange) -> dict[str, object]:
        mode = "100644" if change.create else snapshot.mode(change.path) or "100644"
        entry: dict[str, object] = {"path": change.path, "mode": mode, "type": "blob"}
        text = _plain_text(change.content)
        if text is not None:
            return entry | {"content": text}
        encoded = base64.b64encode(change.content).decode()
        return entry | {"sha": self._post("git/blobs", {"content": encoded, "encoding": "base64"})}

    # -- requests ----------------------------------------------------------------------------

    def _path(self, rest: str) -> str:
        return f"{repository_path(self.facts.name)}/{rest}"

    def _get(
        self, path: str, doing: str, accept: tuple[int, ...] = (), query: Mapping[str, object] | None = None
    ) -> Answer:
        return self.api.ask("GET", path, query=query, accept=accept, doing=doing, repository=self._name)

    def _pages(self, rest: str, extract: Callable[[Any], T], doing: str, **more: Any) -> Iterator[T]:
        return self.api.pages(self._path(rest), extract, doing=doing, repository=self._name, **more)

    def _post(self, rest: str, body: object) -> str:
        answer = self.api.ask(
            "POST", self._path(rest), body=body, doing="write commits", repository=self._name
        )
        return answer.read(_sha)


def _branch(data: Any) -> tuple[str, str, str]:
    commit = data["commit"]
    return str(data["name"]), _sha(commit), _sha(commit["commit"]["tree"])


def _target(data: Any) -> str:
    return _sha(data["object"])


def _tag(data: Any) -> tuple[str, str, str]:
    return data["ref"].removeprefix("refs/tags/"), _target(data), str(data["object"]["type"])


def _sha(data: Any) -> str:
    sha = data["sha"]
    if not isinstance(sha, str) or not is_sha(sha):
        raise ValueError
    return sha


def _plain_text(content: bytes) -> str | None:
    """``content`` as text that JSON surely carries to the byte, or None."""
    if b"\0" in content or content.startswith(b"\xef\xbb\xbf"):
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
