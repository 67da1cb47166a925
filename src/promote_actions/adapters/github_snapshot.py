"""A GitHub repository at one commit, read through the API without a clone.

Many files are read by one GraphQL query (`Commit.file`); where that can't be had, one by one through REST.
Either way the bytes are held against git's own name for them, so a cut or transcoded answer is never taken
for the file. A listing walks from the root to the folder, and asks for that folder's whole tree at once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from promote_actions.adapters.github_api import GitHubApi
from promote_actions.adapters.github_names import file_path, repository_path
from promote_actions.errors import DependencyError, InputError

BATCH = 50
"""Files that one GraphQL query asks for."""


@dataclass(frozen=True)
class File:
    """A file of the commit; ``mode`` is git's in octal digits, empty while it isn't known."""

    content: bytes
    mode: str = ""


@dataclass(frozen=True)
class GitHubSnapshot:
    """The repository ``name`` at ``commit``, whose root folder is the tree ``tree``."""

    api: GitHubApi = field(repr=False)
    name: str
    commit: str
    branch: str
    tree: str
    _files: dict[str, File | None] = field(default_factory=dict, repr=False)
    _trees: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    _listed: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def read(self, path: str) -> bytes | None:
        """The bytes of the file at ``path``, or None when there is no such file."""
        return self.read_many([path]).get(path)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of those of ``paths`` that exist."""
        wanted = [path for path in dict.fromkeys(paths) if file_path(path) is not None]
        self._fetch([path for path in wanted if path not in self._files])
        found = {path: self._files[path] for path in wanted}
        return {path: file.content for path, file in found.items() if file is not None}

    def files(self, folder: str = "") -> Sequence[str]:
        """The paths of all files under ``folder``, sorted."""
        folder = folder.strip("/")
        if folder not in self._listed:
            sha = self._folder(folder)
            self._listed[folder] = tuple(sorted(self._walk(sha, folder))) if sha else ()
        return self._listed[folder]

    def mode(self, path: str) -> str:
        """The mode of the file at ``path``; empty when there is none. Raises for links and folders."""
        known = self._files.get(path)
        if known is not None and known.mode:
            return _regular(path, known.mode)
        if path in self._files and known is None:
            return ""
        folder, _, name = path.rpartition("/")
        sha = self._folder(folder)
        entries = self._entries(sha) if sha else []
        return next((_regular(path, entry["mode"]) for entry in entries if entry["path"] == name), "")

    # -- contents ----------------------------------------------------------------------------

    def _fetch(self, paths: Sequence[str]) -> None:
        for start in range(0, len(paths), BATCH):
            batch = paths[start : start + BATCH]
            found = self._query(batch)
            for path in batch:
                self._files[path] = found[path] if path in found else self._single(path)

    def _query(self, paths: Sequence[str]) -> dict[str, File | None]:
        """What one GraphQL query tells of ``paths``, without those that it leaves uncertain."""
        owner, _, name = self.name.partition("/")
        given = {f"p{index}": path for index, path in enumerate(paths)}
        variables = {"owner": owner, "name": name, "commit": self.commit, **given}
        data = self.api.graphql(files_query(len(paths)), variables)
        repository = (data or {}).get("repository")
        commit = repository.get("object") if isinstance(repository, dict) else None
        if not isinstance(commit, dict):
            return {}
        found: dict[str, File | None] = {}
        for index, path in enumerate(paths):
            entry = commit.get(f"f{index}", ...)
            file = _file_of(entry)
            if entry is None or file is not None:
                found[path] = file
        return found

    def _single(self, path: str) -> File | None:
        where = f"{repository_path(self.name)}/contents/{file_path(path)}"
        doing = f"read {path}"
        asked: dict[str, Any] = {"doing": doing, "repository": self.name}
        answer = self.api.ask("GET", where, query={"ref": self.commit}, accept=(404,), **asked)
        entry = answer.data
        if answer.status == 404 or isinstance(entry, list):
            return None
        name = answer.read(lambda data: str(data["sha"]))
        content = _decoded(entry)
        if content is not None and blob_name(content) == name:
            return File(content)
        where = f"{repository_path(self.name)}/git/blobs/{quote(name, safe='')}"
        blob = self.api.ask("GET", where, accept=(404,), **asked)
        content = _decoded(blob.data) if blob.ok and isinstance(blob.data, dict) else None
        if entry.get("type") == "submodule":
            return None
        if content is None or blob_name(content) != name:
            raise DependencyError(
                f"GitHub's copy of {path} in {self.name} is not what its name says", hint="run again"
            )
        return File(content)

    # -- folders -----------------------------------------------------------------------------

    def _folder(self, folder: str) -> str:
        """The tree of ``folder``, or an empty string when there is none."""
        sha = self.tree
        for part in filter(None, folder.split("/")):
            entries = self._entries(sha)
            sha = next((e["sha"] for e in entries if e["path"] == part and e["type"] == "tree"), "")
            if not sha:
                return ""
        return sha

    def _entries(self, sha: str) -> list[dict[str, Any]]:
        if sha not in self._trees:
            tree = self._tree(sha)
            if tree.get("truncated"):
                raise DependencyError(f"a folder of {self.name} has more entries than GitHub lists")
            self._trees[sha] = tree["tree"]
        return self._trees[sha]

    def _walk(self, sha: str, folder: str) -> Iterator[str]:
        prefix = f"{folder}/" if folder else ""
        tree = self._tree(sha, recursive=1)
        if not tree.get("truncated"):
            yield from (prefix + entry["path"] for entry in tree["tree"] if entry["type"] == "blob")
            return
        for entry in self._entries(sha):
            if entry["type"] == "tree":
                yield from self._walk(entry["sha"], prefix + entry["path"])
            elif entry["type"] == "blob":
                yield prefix + entry["path"]

    def _tree(self, sha: str, **query: object) -> dict[str, Any]:
        where = f"{repository_path(self.name)}/git/trees/{sha}"
        answer = self.api.ask("GET", where, query=query, doing="list its files", repository=self.name)
        return answer.read(_tree_of)


def _tree_of(data: Any) -> dict[str, Any]:
    fields = ("path", "mode", "type", "sha")
    entries = [{name: str(entry[name]) for name in fields} for entry in data["tree"]]
    return {"tree": entries, "truncated": bool(data.get("truncated"))}


def files_query(count: int) -> str:
    """The GraphQL query for ``count`` files of one commit: variables owner, name, commit, p0, p1, …"""
    names = "".join(f", $p{index}: String!" for index in range(count))
    fields = "mode type oid object { ... on Blob { text } }"
    files = "\n".join(f"      f{index}: file(path: $p{index}) {{ {fields} }}" for index in range(count))
    return (
        f"query Files($owner: String!, $name: String!, $commit: GitObjectID!{names}) {{\n"
        "  repository(owner: $owner, name: $name) {\n"
        f"    object(oid: $commit) {{ ... on Commit {{\n{files}\n    }} }}\n"
        "  }\n}"
    )


def _file_of(entry: Any) -> File | None:
    """The file that an answer holds, if its text is the file's bytes: GitHub cuts and replaces."""
    blob = entry.get("object") if isinstance(entry, dict) else None
    if not isinstance(blob, dict) or not isinstance(blob.get("text"), str):
        return None
    content, mode = blob["text"].encode(errors="surrogatepass"), entry.get("mode")
    if blob_name(content) != entry.get("oid") or not isinstance(mode, int):
        return None
    return File(content, f"{mode:o}")


def blob_name(content: bytes) -> str:
    """git's name for a file with this content: the SHA-1 of its header and its bytes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _decoded(entry: Mapping[str, Any]) -> bytes | None:
    try:
        return base64.b64decode(entry["content"]) if entry.get("encoding") == "base64" else None
    except (binascii.Error, KeyError, TypeError, ValueError):
        return None


def _regular(path: str, mode: str) -> str:
    if mode not in ("100644", "100755"):
        raise InputError(f"{path} is not a regular file", hint="promotions edit regular files only")
    return mode
