"""What a file was called before the commit that brought it under its present name.

git finds a rename by comparing contents (``git diff-tree -M``); GitHub does the same and says so in a
commit's list of files (``previous_filename``, "Get a commit" of its REST reference).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from promote_actions.adapters.git import LocalRepository, RemoteRepository
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.gitops import GitOpsRepository

if TYPE_CHECKING:
    from promote_actions.adapters.github import GitHubRepository

Renames = Callable[[str, str], str]
"""Commit and path to the path before that commit; empty when the commit renamed nothing to it."""


def never(commit: str, path: str) -> str:
    """Of a repository that can't tell."""
    del commit, path
    return ""


def renames_of(repository: GitOpsRepository) -> Renames:
    """The way to ask ``repository``; a change is compared with the commit's first parent."""
    if isinstance(repository, LocalRepository | RemoteRepository):
        return lambda commit, path: _by_git(repository.git, commit, path)
    from promote_actions.adapters.github import GitHubRepository

    if isinstance(repository, GitHubRepository):
        return lambda commit, path: _by_github(repository, commit, path)
    return never


def _by_git(git: Git, commit: str, path: str) -> str:
    done = git.run(
        "diff-tree", "-r", "-M", "-z", "--diff-filter=R", "--name-status", f"{commit}^1", commit, "--"
    )
    if done.status:  # the first commit of all has no parent
        return ""
    parts = done.text.split("\0")
    return next((old for old, new in zip(parts[1::3], parts[2::3], strict=False) if new == path), "")


def _by_github(repository: GitHubRepository, commit: str, path: str) -> str:
    from promote_actions.adapters.github_names import ref_name, repository_path

    answer = repository.api.ask(
        "GET",
        f"{repository_path(repository.facts.name)}/commits/{ref_name(commit)}",
        doing="read a commit",
        repository=repository.name,
        accept=(404, 422),
    )
    files = answer.data.get("files") if answer.ok and isinstance(answer.data, dict) else None
    for file in files or ():
        if file.get("filename") == path and file.get("status") == "renamed":
            return str(file.get("previous_filename") or "")
    return ""
