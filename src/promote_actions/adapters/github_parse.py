"""GitHub's JSON as our values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from promote_actions.adapters.forge import PullRequest
from promote_actions.adapters.gitops import Commit


def commit_of(row: Mapping[str, Any]) -> Commit:
    """A commit as GitHub's commit lists show it."""
    inner = row["commit"]
    author, committer = inner.get("author") or {}, inner.get("committer") or {}
    return Commit(
        sha=row["sha"],
        message=inner.get("message") or "",
        author=author.get("name") or "",
        author_email=author.get("email") or "",
        committed_at=moment(committer.get("date")) or datetime.fromtimestamp(0, timezone.utc),
        parents=tuple(parent["sha"] for parent in row.get("parents") or ()),
    )


def moment(text: object) -> datetime | None:
    """An aware time from GitHub's ``2026-01-31T12:00:00Z``, or None."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def pull_of(row: Mapping[str, Any]) -> PullRequest:
    """A pull request from GitHub's JSON, of a list or of its own."""
    merged_at = moment(row.get("merged_at"))
    author = row.get("user") or {}
    return PullRequest(
        number=row["number"],
        url=row["html_url"],
        title=row["title"],
        body=row.get("body") or "",
        head_branch=row["head"]["ref"],
        head_sha=row["head"]["sha"],
        base_branch=row["base"]["ref"],
        state=row["state"],
        merged=merged_at is not None,
        merged_at=merged_at,
        merge_sha=(row.get("merge_commit_sha") or "") if merged_at else "",
        author=author.get("login") or "ghost",
        draft=bool(row.get("draft")),
        labels=tuple(label["name"] for label in row.get("labels") or ()),
        merged_by=(row.get("merged_by") or {}).get("login") or "",
        author_id=author.get("id") or 0,
        created_at=moment(row.get("created_at")),
    )
