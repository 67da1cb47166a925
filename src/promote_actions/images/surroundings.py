"""What a build can only learn by looking: the event's file, the git checkout, the clock.

Git is asked through ``ask``, which the command passes in; no question leaves this machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from promote_actions.errors import InputError, one_line
from promote_actions.images.context import Build, text_at

Ask = Callable[..., "str | None"]
"""Runs git with the arguments given and returns what it says, stripped; None when it fails."""

_COMMITTED = ("show", "--no-patch", "--no-show-signature", "--format=%ct")

EVENT_LIMIT = 32 * 1024 * 1024
"""Bytes of an event's file at most; GitHub's payloads end at 25 MB."""


def read_event(path: str) -> Mapping[str, Any]:
    """The payload in the file ``path`` (``GITHUB_EVENT_PATH``); empty when ``path`` is.

    Raises :class:`InputError` when the file can't be read or holds no JSON object.
    """
    if not path:
        return {}
    import json

    try:
        with open(path, "rb") as file:
            data = file.read(EVENT_LIMIT + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "the path is none"
        raise _bad_event(path, f"cannot be read: {why}") from None
    if len(data) > EVENT_LIMIT:
        raise _bad_event(path, f"has more than {EVENT_LIMIT // 1024 // 1024} MiB")
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _bad_event(path, f"is no JSON: {one_line(str(error)[:100])}") from None
    if not isinstance(payload, dict):
        raise _bad_event(path, f"holds no JSON object but {_type_name(payload)}")
    return payload


def _type_name(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _bad_event(path: str, why: str) -> InputError:
    return InputError(
        f"the event's file {one_line(path[:200])} {why}",
        hint="GITHUB_EVENT_PATH must name the JSON object that the runner wrote, or be unset",
    )


def moment(text: str) -> float:
    """Seconds since 1970 that ``text`` says: a number of seconds or an ISO 8601 date; empty is now.

    A date without a zone is in UTC.
    """
    if not text:
        return time.time()
    if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 20:
        return float(text)
    seconds = parse_date(text)
    if seconds is None:
        raise InputError(
            f"the date '{one_line(text[:60])}' is not understood",
            hint="give seconds since 1970 (as SOURCE_DATE_EPOCH) or ISO 8601: 2026-02-01T10:30:00Z",
        )
    return seconds


def parse_date(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 date, in UTC when it names no zone; None when it is none."""
    from datetime import datetime, timezone

    try:
        found = datetime.fromisoformat(text.removesuffix("Z") + ("+00:00" if text.endswith("Z") else ""))
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


def commit_date(build: Build, ask: Ask) -> float | None:
    """When the commit of ``build`` was committed: from the event, else from git, else None."""
    commits = build.payload.get("commits")
    found = [*(commits if isinstance(commits, list) else []), build.payload.get("head_commit")]
    for commit in found:
        if isinstance(commit, Mapping) and build.sha and text_at(commit, "id") == build.sha:
            return parse_date(text_at(commit, "timestamp"))
    seconds = ask(*_COMMITTED, build.sha, "--") if build.sha else None
    return float(seconds) if seconds and seconds.isascii() and seconds.isdigit() else None


def with_git(build: Build, ask: Ask) -> Build:
    """``build`` with the ref and the commit of the checkout in the working folder.

    On a detached HEAD the ref is, of what points at the commit: the ref that the event names, a tag, a
    pull request, a branch (the default branch first); or none, and then only rules that need none
    make tags. Raises :class:`InputError` outside a repository.
    """
    sha = ask("rev-parse", "--verify", "HEAD")
    if not sha:
        raise InputError(
            "context: git needs a checkout with a commit, and this folder is none",
            hint="check out the repository first, or use --context workflow",
        )
    remote = ask("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD") or ""
    default = build.default_branch or remote.removeprefix("refs/remotes/origin/")
    ref = ask("symbolic-ref", "--quiet", "HEAD")
    if not ref and build.sha == sha:
        ref = build.ref
    if not ref:
        names = ask("for-each-ref", "--points-at", "HEAD", "--format=%(refname)") or ""
        ref = choose_ref(names.split(), default)
    return build._replace(ref=ref, sha=sha, default_branch=default)


def in_checkout(ask: Ask) -> bool:
    """Whether the working folder is a git checkout that has a commit."""
    return bool(ask("rev-parse", "--verify", "HEAD"))


def choose_ref(names: list[str], default: str) -> str:
    """The ref that says most of a detached HEAD, of the full ref names that point at it."""
    tags = sorted(name for name in names if name.startswith("refs/tags/"))
    pulls = [name.removeprefix("refs/remotes/") for name in names if "/pull/" in name]
    pulls = [name if name.startswith("refs/") else f"refs/{name}" for name in pulls]
    branches = [_branch_ref(name) for name in names]
    known = [branch for branch in branches if branch]
    preferred = [branch for branch in known if branch == f"refs/heads/{default}"]
    for found in (tags[-1:], pulls[:1], preferred, sorted(known)):
        if found:
            return found[0]
    return ""


def _branch_ref(name: str) -> str:
    """``refs/heads/x`` for a branch or a remote's branch; empty for anything else."""
    if name.startswith("refs/heads/"):
        return name
    remote, _, branch = name.removeprefix("refs/remotes/").partition("/")
    if not name.startswith("refs/remotes/") or not branch or branch == "HEAD" or remote == "pull":
        return ""
    return f"refs/heads/{branch}"
