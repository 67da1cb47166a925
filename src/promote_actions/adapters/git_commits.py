"""Making commits without a work tree: one ``git fast-import``, whatever the repository holds.

It reads the folders on the way to the changed files and nothing else, where an index would list every
file of the repository.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence

from promote_actions.adapters.git_objects import GitSnapshot
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.git_reader import TREE, ObjectReader
from promote_actions.adapters.gitops import FileChange, Snapshot
from promote_actions.errors import Conflict, InputError

BOT_NAME = "github-actions[bot]"
BOT_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"
"""The account that GitHub itself shows for commits made in a workflow."""

_ROLES = ("AUTHOR", "COMMITTER")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f<>]")


def make_commit(
    git: Git, base: Snapshot | str, changes: Sequence[FileChange], message: str, env: Mapping[str, str]
) -> str:
    """A commit with parent ``base`` in which ``changes`` are made; nothing points at it yet.

    File modes stay as they are. Raises :class:`Conflict` when a ``create`` path exists at ``base``.
    """
    for change in changes:
        _check_path(change.path)
    reader = base.reader if isinstance(base, GitSnapshot) else ObjectReader(git)
    base = base if isinstance(base, str) else base.commit
    modes = _modes(reader, base, changes)
    author, committer = signatures(git, env)
    text = message.replace("\0", "").rstrip("\n").encode(errors="surrogateescape") + b"\n"
    ref = f"refs/promote-actions/{os.urandom(8).hex()}"
    parts = [
        f"commit {ref}\nmark :1\nauthor {author}\ncommitter {committer}\n".encode(errors="surrogateescape"),
        b"data %d\n%s\nfrom %s\n" % (len(text), text, base.encode()),
    ]
    for change in changes:
        head = f"M {modes.get(change.path, '100644')} inline {_quoted(change.path)}\n"
        parts += [os.fsencode(head), b"data %d\n%s\n" % (len(change.content), change.content)]
    # The name that a commit must have here is taken back before it is ever written.
    parts.append(f"\nget-mark :1\nreset {ref}\nfrom {'0' * len(base)}\n\ndone\n".encode())
    done = git.run("fast-import", "--quiet", "--done", "--date-format=raw", stdin=b"".join(parts))
    if done.status:
        _remove_report(git, done.stderr)
        raise git.failure(["fast-import"], done.stderr)
    return done.text.strip()


def _check_path(path: str) -> None:
    parts = path.lower().split("/")
    inside = not path.startswith("/") and "\n" not in path and "\0" not in path
    if not inside or any(part in ("", ".", "..", ".git", "git~1") for part in parts):
        raise InputError(f"'{path[:200]}' is not a path inside a repository")


def _modes(reader: ObjectReader, commit: str, changes: Sequence[FileChange]) -> dict[str, str]:
    """The modes of those files that there are; raises for what can't be changed as asked."""
    paths = [change.path for change in changes]
    above = {
        "/".join(parts[:count]) for parts in (p.split("/") for p in paths) for count in range(1, len(parts))
    }
    found = reader.entries(commit, [*paths, *above])
    for folder in sorted(above & found.keys()):
        if found[folder].mode != TREE:
            raise InputError(
                f"{folder} is not a folder", hint="promotions edit files of the repository only"
            )
    for change in changes:
        if change.path not in found:
            continue
        if change.create:
            raise Conflict(f"{change.path} exists already")
        if found[change.path].mode not in ("100644", "100755"):
            raise InputError(
                f"{change.path} is not a regular file", hint="promotions edit regular files only"
            )
    return {path: found[path].mode for path in paths if path in found}


def _quoted(path: str) -> str:
    if not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _remove_report(git: Git, said: str) -> None:
    """git leaves a report of a failed import in the repository; its words say the same."""
    report = re.search(r"crash report to (\S*fast_import_crash_\d+)", said)
    if report and os.path.isfile(os.path.join(git.directory, report[1])):
        os.remove(os.path.join(git.directory, report[1]))


def signatures(git: Git, env: Mapping[str, str]) -> tuple[str, str]:
    """Author and committer of a commit, each ``Name <email> SECONDS ZONE``.

    In a workflow they are the person who started it and the bot, else whom git's configuration names.
    """
    chosen, told = _identity(git, env)
    if not chosen:
        return told["GIT_AUTHOR_IDENT"], told["GIT_COMMITTER_IDENT"]
    author, committer = (_signature(git, role, chosen) for role in _ROLES)
    return author, committer


def identity(git: Git, env: Mapping[str, str]) -> dict[str, str]:
    """The variables with which git signs as :func:`signatures`; none where its configuration does."""
    return _identity(git, env)[0]


def _identity(git: Git, env: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    actor = env.get("GITHUB_ACTOR", "")
    if env.get("GITHUB_ACTIONS") == "true" and actor:
        account = env.get("GITHUB_ACTOR_ID", "")
        email = f"{account}+{actor}" if account else actor
        person = (actor, f"{email}@users.noreply.github.com")
        return _as_variables(person, (BOT_NAME, BOT_EMAIL), env), {}
    told = _told_by_git(git)
    if told.get("user.email") and not told.get("GIT_COMMITTER_IDENT", " <").startswith((" <", "<")):
        return {}, told
    own = (env.get("USER") or "promote-actions", "promote-actions@localhost")
    return _as_variables(own, own, env), {}


def _told_by_git(git: Git) -> dict[str, str]:
    """git's settings, and the identities that it makes of them, which come last."""
    lines = git.run("var", "-l").text.splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _as_variables(
    author: tuple[str, str], committer: tuple[str, str], env: Mapping[str, str]
) -> dict[str, str]:
    chosen = {
        "GIT_AUTHOR_NAME": author[0],
        "GIT_AUTHOR_EMAIL": author[1],
        "GIT_COMMITTER_NAME": committer[0],
        "GIT_COMMITTER_EMAIL": committer[1],
    }
    return {name: env.get(name) or value for name, value in chosen.items()}


def _signature(git: Git, role: str, chosen: Mapping[str, str]) -> str:
    if os.environ.get(f"GIT_{role}_DATE"):
        return git.check("var", f"GIT_{role}_IDENT", env=chosen).decode(errors="surrogateescape").strip()
    name, email = (
        _NOT_IN_NAMES.sub("", chosen[f"GIT_{role}_{part}"]).strip() for part in ("NAME", "EMAIL")
    )
    return f"{name} <{email}> {int(time.time())} +0000"
