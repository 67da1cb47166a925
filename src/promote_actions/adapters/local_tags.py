"""Version tags of a repository on this machine, at a cost that old tags don't add to.

``git for-each-ref`` reads every loose tag's file before it filters, and ``git ls-remote`` lists every
tag: 50,000 tags make either take a third of a second. Names alone are a directory listing and a search
in ``packed-refs``; what they point at is asked of git for the names that match. A repository with
another kind of store (reftable) is asked with ``for-each-ref``, whose cost doesn't grow there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from promote_actions.adapters.git_process import Git
from promote_actions.errors import DependencyError, PromoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager


@dataclass(frozen=True)
class LocalTags:
    """Tags of the repository that ``git`` runs in; ``common_dir`` is its own folder (``.git``)."""

    git: Git
    common_dir: str

    def tags(self, prefixes: Sequence[str]) -> Mapping[str, str]:
        return read_tags(self.git, self.common_dir, prefixes)

    def turn(self) -> AbstractContextManager[None]:
        from promote_actions.adapters.turns import turn

        return turn(folder=self.common_dir)

    def create(self, names: Sequence[str], commit: str) -> PromoteError | None:
        orders = "".join(f"create refs/tags/{name} {commit}\n" for name in names)
        done = self.git.run("update-ref", "--stdin", stdin=orders.encode())
        if not done.status:
            return None
        said = done.stderr.strip().partition("\n")[0].removeprefix("fatal: ")[:300]
        return DependencyError(
            f"git can't create tag {names[-1]} in {self.git.display}: {said}",
            hint="check that this account may write there",
        )


def read_tags(git: Git, common_dir: str, prefixes: Sequence[str]) -> dict[str, str]:
    """Tags of the repository ``git`` whose name begins with one of ``prefixes``: name to commit.

    ``common_dir`` is the repository's own folder (``git rev-parse --git-common-dir``). A name that
    points at no commit, or is a folder of tags, has an empty SHA: it can't be taken.
    """
    if os.path.isdir(os.path.join(common_dir, "reftable")):
        return _listed_by_git(git, prefixes)
    names = sorted(set(_names(common_dir, tuple(prefixes))))
    if not names:
        return {}
    asked = "".join(f"refs/tags/{name}^{{commit}}\n" for name in names)
    answers = git.check("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=os.fsencode(asked))
    found = (answer.split(b" ") for answer in answers.splitlines())
    commits = (words[0].decode() if words[-1] == b"commit" else "" for words in found)
    return dict(zip(names, commits, strict=True))


def _names(common_dir: str, prefixes: tuple[str, ...]) -> Iterator[str]:
    # Loose before packed: git packs a tag first and removes its file after, so none is missed.
    for folder in {prefix.rpartition("/")[0] for prefix in prefixes}:
        path = os.path.join(common_dir, "refs", "tags", *folder.split("/"))
        scope = f"{folder}/" if folder else ""
        stems = tuple(prefix[len(scope) :] for prefix in prefixes if prefix.rpartition("/")[0] == folder)
        with suppress(FileNotFoundError, NotADirectoryError):
            for entry in os.listdir(path):
                if entry.startswith(stems) and not entry.endswith(".lock"):
                    yield scope + entry
    with suppress(FileNotFoundError), open(os.path.join(common_dir, "packed-refs"), "rb") as file:
        content = file.read()
        for prefix in prefixes:
            yield from _packed(content, b" refs/tags/" + os.fsencode(prefix))


def _packed(content: bytes, needle: bytes) -> Iterator[str]:
    at = content.find(needle)
    while at >= 0:
        end = content.find(b"\n", at)
        yield os.fsdecode(content[at + len(b" refs/tags/") : end])
        at = content.find(needle, end)


def _listed_by_git(git: Git, prefixes: Sequence[str]) -> dict[str, str]:
    form = "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname:lstrip=2)"
    listed = git.check("for-each-ref", form, *(f"refs/tags/{prefix}*" for prefix in prefixes))
    tags = {}
    for line in listed.decode(errors="surrogateescape").splitlines():
        kind, sha, peeled_kind, peeled, name = line.split(" ", 4)
        commit = sha if kind == "commit" else peeled
        tags[name] = commit if "commit" in (kind, peeled_kind) else ""
    return tags
