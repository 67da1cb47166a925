"""Pull requests: opening, showing, changing, listing, what they change, and merging."""

from __future__ import annotations

from typing import Any

from promote_actions.rehearsal.github import merging
from promote_actions.rehearsal.github.repos import file_json
from promote_actions.rehearsal.github.represent import (
    commit_json,
    node_id,
    repository_json,
    stamp,
    team_json,
    user_json,
)
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, invalid, not_found
from promote_actions.rehearsal.github.state import Label, Pull, Team, User

_PULLS = "/repos/{owner}/{repo}/pulls"
_PULL = _PULLS + "/{pull_number}"


def find_pull(call: Call) -> Pull:
    """The pull request that the request names, up to date with its branch."""
    number = call.params.get("pull_number") or call.params.get("issue_number", "")
    pull = call.repo.pulls.get(int(number)) if number.isdigit() else None
    if pull is None:
        raise not_found()
    refresh(call, pull)
    return pull


def refresh(call: Call, pull: Pull) -> None:
    """Follow the head branch of an open pull request, wherever it was pushed from."""
    if pull.state != "open":
        return
    store, rules = call.repo.store, call.repo.protections.get(pull.base)
    head, base = store.head(pull.head), store.head(pull.base)
    if head is None:
        pull.state, pull.closed_at = "closed", call.world.now()
        return
    if base is not None:
        pull.base_sha = base
    if head != pull.head_sha:
        pull.head_sha, pull.updated_at = head, call.world.now()
        for review in pull.reviews:
            if rules and rules.dismiss_stale and review.state == "APPROVED":
                review.state = "DISMISSED"


def label_json(call: Call, label: Label) -> dict[str, Any]:
    return {
        "id": label.id,
        "node_id": node_id("Label", label.id),
        "url": call.url("labels", label.name),
        "name": label.name,
        "description": label.description,
        "color": label.color,
        "default": False,
    }


def pull_json(call: Call, pull: Pull, full: bool = False) -> dict[str, Any]:
    """A pull request; ``full`` as the routes for a single one show it."""
    url, issue = call.url("pulls", pull.number), call.url("issues", pull.number)
    web, statuses = call.web("pull", pull.number), call.url("statuses", pull.head_sha)
    addresses = {
        "html": web,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": call.url("pulls/comments") + "{/number}",
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    found = {
        "url": url,
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        **{f"{name}_url": address for name, address in addresses.items()},
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user_json(call, pull.user),
        "body": pull.body,
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp(pull.closed_at),
        "merged_at": stamp(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [
            user_json(call, call.world.users[name.lower()]) for name in pull.users_asked
        ],
        "requested_teams": [team_json(call, team) for team in _teams_asked(call, pull)],
        "labels": [label_json(call, call.repo.labels[name.lower()]) for name in pull.labels],
        "milestone": None,
        "draft": pull.draft,
        "head": _head(call, pull),
        "base": _side(call, pull.base, pull.base_sha),
        "_links": {name: {"href": address} for name, address in {"self": url, **addresses}.items()},
        "author_association": "MEMBER",
        "auto_merge": None,
        "active_lock_reason": None,
    }
    return found | (_details(call, pull) if full else {})


def _asked(call: Call, pull: Pull) -> list[User]:
    return [call.world.users[login.lower()] for login in pull.users_asked]


def _teams_asked(call: Call, pull: Pull) -> list[Team]:
    return [call.world.teams[call.repo.owner.lower(), slug.lower()] for slug in pull.teams_asked]


def _side(call: Call, branch: str, sha: str) -> dict[str, Any]:
    repository = repository_json(call, call.repo)
    owner = repository["owner"]
    return {
        "label": f"{call.repo.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": owner,
        "repo": repository,
    }


def _head(call: Call, pull: Pull) -> dict[str, Any]:
    head = _side(call, pull.head, pull.head_sha)
    if pull.fork == "deleted":
        return head | {"repo": None}
    return head | ({"repo": head["repo"] | {"full_name": pull.fork}} if pull.fork else {})


def _details(call: Call, pull: Pull) -> dict[str, Any]:
    files = merging.changed_files(call.repo, pull)
    mergeable, state = merging.mergeable(call, pull)
    return {
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": state,
        "merged_by": user_json(call, pull.merged_by) if pull.merged_by else None,
        "comments": len(pull.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(merging.commits(call.repo, pull)),
        "additions": sum(file.additions for file in files),
        "deletions": sum(file.deletions for file in files),
        "changed_files": len(files),
    }


def open_pull(call: Call) -> Reply:
    head, base = call.field("head", required=True), call.field("base", required=True)
    title = call.field("title", required=True)
    head = head.removeprefix(f"{call.repo.owner}:")
    store = call.repo.store
    head_sha, base_sha = store.head(head), store.head(base)
    if head_sha is None:
        raise invalid("PullRequest", "head")
    if base_sha is None:
        raise invalid("PullRequest", "base")
    if any(pull.head == head and pull.base == base for pull in call.repo.open_pulls()):
        said = f"A pull request already exists for {call.repo.owner}:{head}."
        raise invalid("PullRequest", "head", message=said)
    if not store.counts(base_sha, head_sha)[1]:
        raise invalid("PullRequest", "head", message=f"No commits between {base} and {head}")
    new, number, now = call.world.new_id(), len(call.repo.pulls) + 1, call.world.now()
    body = call.field("body")
    pull = Pull(new, number, title, body, head, base, head_sha, base_sha, call.user, now, now)
    pull.draft = call.field("draft", bool, False)
    call.repo.pulls[number] = pull
    merging.request_owners(call, pull)
    return Reply(pull_json(call, pull, full=True), 201, headers={"Location": call.url("pulls", number)})


def get_pull(call: Call) -> Reply:
    return Reply(pull_json(call, find_pull(call), full=True))


def list_pulls(call: Call) -> Reply:
    wanted = call.query.get("state", "open")
    head = call.query.get("head", "").removeprefix(f"{call.repo.owner}:")
    rows = []
    for pull in call.repo.pulls.values():
        refresh(call, pull)
        if wanted not in ("all", pull.state) or (head and pull.head != head):
            continue
        if call.query.get("base", pull.base) == pull.base:
            rows.append(pull)
    by_update = call.query.get("sort") == "updated"
    down = call.query.get("direction", "asc" if "sort" in call.query else "desc") == "desc"
    rows.sort(
        key=lambda pull: (pull.updated_at if by_update else pull.created_at, pull.number), reverse=down
    )
    return Reply([pull_json(call, pull) for pull in rows], paged=True)


def update_pull(call: Call) -> Reply:
    pull = find_pull(call)
    state = call.field("state")
    if state not in (None, "open", "closed"):
        raise invalid("PullRequest", "state")
    if state == "open" and pull.state == "closed":
        if pull.merged_at or call.repo.store.head(pull.head) is None:
            raise invalid("PullRequest", "state", message="state cannot be changed.")
        pull.state, pull.closed_at = "open", None
    if state == "closed" and pull.state == "open":
        pull.state, pull.closed_at = "closed", call.world.now()
    if call.field("base") and call.repo.store.head(call.field("base")) is None:
        raise invalid("PullRequest", "base")
    pull.title = call.field("title", default=pull.title)
    pull.body = call.field("body", default=pull.body)
    pull.base = call.field("base", default=pull.base)
    pull.updated_at = call.world.now()
    return Reply(pull_json(call, pull, full=True))


def list_files(call: Call) -> Reply:
    pull = find_pull(call)
    rows = merging.changed_files(call.repo, pull)[:3000]
    return Reply([file_json(call, file, pull.head_sha) for file in rows], paged=True)


def list_commits(call: Call) -> Reply:
    shas = merging.commits(call.repo, find_pull(call))[:250]
    return Reply([commit_json(call, commit) for commit in call.repo.store.commits(shas)], paged=True)


def merge_pull(call: Call) -> Reply:
    pull = find_pull(call)
    if call.field("sha", default=pull.head_sha) != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    sha = merging.merge(call, pull)
    return Reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


_READ, _WRITE = "pull_requests:read", "pull_requests:write"

ROUTES = (
    Route("GET", _PULLS, list_pulls, _READ),
    Route("POST", _PULLS, open_pull, _WRITE),
    Route("GET", _PULL, get_pull, _READ),
    Route("PATCH", _PULL, update_pull, _WRITE, "write"),
    Route("GET", _PULL + "/files", list_files, _READ),
    Route("GET", _PULL + "/commits", list_commits, _READ),
    Route("PUT", _PULL + "/merge", merge_pull, "contents:write", "write"),
)
