"""GitHub's JSON as our values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from promote_actions.adapters.forge import (
    Artifact,
    CheckRun,
    CommitStatus,
    Comparison,
    PullRequest,
    WorkflowRun,
)
from promote_actions.adapters.gitops import Commit
from promote_actions.owners.reviews import Review


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
        requested=_requested(row),
    )


def _requested(row: Mapping[str, Any]) -> tuple[str, ...]:
    organization = ((row["base"].get("repo") or {}).get("owner") or {}).get("login") or ""
    users = [user["login"] for user in row.get("requested_reviewers") or () if user]
    teams = [f"{organization}/{team['slug']}" for team in row.get("requested_teams") or () if team]
    return (*users, *teams)


def review_of(row: Mapping[str, Any]) -> Review:
    """A review of a list; whether its author may write is not known from there."""
    user = row.get("user") or {"id": 0, "login": "ghost"}
    return Review(
        user_id=user["id"],
        login=user["login"],
        is_bot=user.get("type") == "Bot",
        state=row["state"],
        commit=row.get("commit_id") or "",
        submitted_at=moment(row.get("submitted_at")),
        can_write=None,
    )


def status_of(row: Mapping[str, Any]) -> CommitStatus:
    """A commit status, of the combined status or of a list."""
    return CommitStatus(
        row["context"],
        row["state"],
        row.get("description") or "",
        row.get("target_url") or "",
        moment(row.get("created_at")),
    )


def check_run_of(row: Mapping[str, Any]) -> CheckRun:
    """A check run of a list."""
    return CheckRun(row["name"], row["status"], row.get("conclusion") or "", row.get("html_url") or "")


def workflow_run_of(row: Mapping[str, Any]) -> WorkflowRun:
    """A run of a list. Its path may name a ref: ``.github/workflows/e2e.yml@main``."""
    return WorkflowRun(
        id=int(row["id"]),
        workflow=row.get("name") or "",
        path=str(row["path"]).partition("@")[0],
        status=row["status"] or "",
        conclusion=row["conclusion"] or "",
        url=row["html_url"],
        source=(row.get("head_repository") or {}).get("full_name") or "",
    )


def artifact_of(row: Mapping[str, Any]) -> Artifact:
    """An artifact of a list."""
    return Artifact(
        int(row["id"]),
        row["name"],
        int(row["size_in_bytes"]),
        bool(row["expired"]),
        row.get("digest") or "",
    )


def comparison_of(data: Mapping[str, Any]) -> Comparison:
    """One page of a comparison."""
    return Comparison(
        status=data["status"],
        ahead=data["ahead_by"],
        behind=data["behind_by"],
        commits=tuple(commit_of(row) for row in data["commits"]),
        total=data["total_commits"],
        url=data.get("html_url") or "",
    )
