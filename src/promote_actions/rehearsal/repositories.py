"""The git repositories of a rehearsal: making them, copying a user's, and finding the services in one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from promote_actions.adapters.git_commits import identity, make_commit
from promote_actions.adapters.git_objects import GitSnapshot
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.gitops import FileChange
from promote_actions.config.model import Config

BRANCH = "main"


def head(bare: Path) -> GitSnapshot:
    """The repository at ``bare`` as it is now."""
    git = Git(str(bare))
    return GitSnapshot(git, git.line("rev-parse", f"refs/heads/{BRANCH}"), BRANCH)


def release(path: Path, versions: Iterable[str]) -> None:
    """A commit with its tag for each of ``versions``, in that order, as their builds would have made."""
    stream = []
    for count, version in enumerate(versions):
        stream += [
            f"commit refs/heads/{BRANCH}",
            "committer dora-dev <dora-dev@localhost> now",
            "data 7",
            "feat: x",
        ]
        stream += [f"from refs/heads/{BRANCH}^0"] if not count else []
        stream += ["", f"reset refs/tags/{version}", f"from refs/heads/{BRANCH}", ""]
    Git(str(path)).check("fast-import", "--quiet", "--date-format=now", stdin="\n".join(stream).encode())


def identity_of(login: str) -> Mapping[str, str]:
    """The environment of a commit made by ``login``."""
    return {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": login}


def create(path: Path, files: Mapping[str, bytes], message: str) -> None:
    path.mkdir(parents=True)
    git = Git(str(path))
    git.check("init", "--quiet", "--bare", f"--initial-branch={BRANCH}")
    tree = git.check("mktree", stdin=b"").decode().strip()
    who = identity(git, identity_of("dora-dev"))
    root = git.check("commit-tree", tree, "-m", "Begin", env=who).decode().strip()
    changes = [FileChange(name, content) for name, content in files.items()]
    made = make_commit(git, root, changes, message + "\n", identity_of("dora-dev"))
    git.check("update-ref", f"refs/heads/{BRANCH}", made)


def copy(where: str, bare: Path) -> None:
    """A bare copy of the user's repository with one branch, its default one, called main here."""
    parent = Git(".", where)
    parent.check("clone", "--quiet", "--bare", "--no-hardlinks", "--single-branch", "--", where, str(bare))
    git = Git(str(bare))
    git.check("remote", "remove", "origin")
    head = git.line("rev-parse", "HEAD")
    git.check("update-ref", f"refs/heads/{BRANCH}", head)
    git.check("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")


def complete_services(config: Config, files: Iterable[str]) -> list[str]:
    """The services that have a values file in every environment, in order of name."""
    present = set(files)
    pattern = re.escape(config.values.path)
    pattern = pattern.replace(re.escape("{service}"), "(?P<service>[^/]+?)", 1)
    pattern = pattern.replace(re.escape("{service}"), "(?P=service)")
    pattern = pattern.replace(re.escape("{suffix}"), "[^/]+?").replace(re.escape("{environment}"), "[^/]+?")
    names = set(config.services)
    if "{service}" in config.values.path:
        names |= {found["service"] for path in present if (found := re.fullmatch(pattern, path))}
    return [
        name
        for name in sorted(names)
        if all(
            any(
                config.values.file(name, suffix, environment.name) in present
                for suffix in environment.suffixes
            )
            for environment in config.environments
        )
    ]
