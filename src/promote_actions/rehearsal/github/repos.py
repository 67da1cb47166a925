"""Repositories, branches, tags, commits, comparisons and repository_dispatch."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from promote_actions.rehearsal.github.objects import FileDiff
from promote_actions.rehearsal.github.represent import (
    commit_json,
    node_id,
    owner_json,
    repository_json,
)
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, invalid, not_found
from promote_actions.rehearsal.github.state import Dispatch
from promote_actions.rehearsal.github.store import EMPTY_TREE

_REPO = "/repos/{owner}/{repo}"


def get_repository(call: Call) -> Reply:
    found = repository_json(call, call.repo, full=True)
    return Reply(found | {"organization": owner_json(call, call.repo)})


def get_branch(call: Call) -> Reply:
    name = call.params["branch"]
    sha = call.repo.store.head(name)
    if sha is None:
        renamed = call.repo.renamed_branches.get(name)
        if renamed:
            where = {"Location": call.url("branches", renamed)}
            raise ApiError(301, "Moved Permanently", headers=where)
        raise ApiError(404, "Branch not found")
    url = call.url("branches", name)
    rules = call.repo.protections.get(name)
    required = list(rules.required_statuses) if rules else []
    return Reply(
        {
            "name": name,
            "commit": commit_json(call, call.repo.store.commit(sha)),
            "_links": {"self": url, "html": call.web("tree", name)},
            "protected": rules is not None,
            "protection": {
                "enabled": rules is not None,
                "required_status_checks": {
                    "enforcement_level": "everyone" if required else "off",
                    "contexts": required,
                    "checks": [{"context": context, "app_id": None} for context in required],
                },
            },
            "protection_url": f"{url}/protection",
        }
    )


def list_branches(call: Call) -> Reply:
    rows = call.repo.store.refs("refs/heads/")
    found = []
    for ref, sha, _ in rows:
        name = ref.removeprefix("refs/heads/")
        commit = {"sha": sha, "url": call.url("commits", sha)}
        found.append({"name": name, "commit": commit, "protected": name in call.repo.protections})
    return Reply(found, paged=True)


def list_tags(call: Call) -> Reply:
    found = []
    for ref, _, _ in reversed(call.repo.store.refs("refs/tags/")):
        name = ref.removeprefix("refs/tags/")
        sha = call.repo.store.commit_of(f"tags/{name}")
        if sha is None:
            continue
        found.append(
            {
                "name": name,
                "commit": {"sha": sha, "url": call.url("commits", sha)},
                "zipball_url": call.url("zipball", ref),
                "tarball_url": call.url("tarball", ref),
                "node_id": node_id("Ref", ref),
            }
        )
    return Reply(found, paged=True)


def list_commits(call: Call) -> Reply:
    at = call.repo.store.commit_of(call.query.get("sha") or call.repo.default_branch)
    if at is None:
        if call.query.get("sha"):
            raise not_found()
        raise ApiError(409, "Git Repository is empty.")
    shas = call.repo.store.log(at, call.query.get("path", ""))
    commits = call.repo.store.commits(shas)
    since, until = (_moment(call.query.get(name, "")) for name in ("since", "until"))
    commits = [
        commit
        for commit in commits
        if (since is None or commit.committer.date >= since)
        and (until is None or commit.committer.date <= until)
    ]
    return Reply([commit_json(call, commit) for commit in commits], paged=True)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        raise ApiError(422, "Invalid request.\n\nThe date is not ISO 8601.") from None


def get_commit(call: Call) -> Reply:
    store = call.repo.store
    sha = store.commit_of(call.params["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.params['ref']}")
    commit = store.commit(sha)
    if "sha" in call.accept.partition("github.")[2].split("+")[0]:
        return Reply(status=200, raw=sha.encode())
    files = store.diff(commit.parents[0] if commit.parents else EMPTY_TREE, sha)
    additions, deletions = sum(f.additions for f in files), sum(f.deletions for f in files)
    stats = {"additions": additions, "deletions": deletions, "total": additions + deletions}
    shown = [file_json(call, file, sha) for file in files]
    return Reply(commit_json(call, commit) | {"stats": stats, "files": shown})


def file_json(call: Call, file: FileDiff, commit: str) -> dict[str, Any]:
    """A changed file, as comparisons, commits and pull requests list it."""
    found: dict[str, Any] = {
        "sha": file.sha,
        "filename": file.path,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": call.web("blob", commit, file.path),
        "raw_url": call.web("raw", commit, file.path),
        "contents_url": call.url("contents", file.path) + f"?ref={commit}",
    }
    return found | ({"previous_filename": file.previous} if file.previous else {})


def compare(call: Call) -> Reply:
    store = call.repo.store
    base_name, dots, head_name = call.params["basehead"].partition("...")
    base, head = store.commit_of(base_name), store.commit_of(head_name)
    if not dots or base is None or head is None:
        raise not_found()
    common = store.merge_base(base, head)
    if common is None:
        raise ApiError(404, f"No common ancestor between {base_name} and {head_name}.")
    behind, ahead = store.counts(base, head)
    status = {(False, False): "identical", (False, True): "ahead", (True, False): "behind"}.get(
        (bool(behind), bool(ahead)), "diverged"
    )
    shas = list(reversed(store.log(head, base=base)))
    page, per_page = page_of(call, 250)
    url = call.url("compare", f"{base_name}...{head_name}")
    web = call.web("compare", f"{base_name}...{head_name}")
    files = [file_json(call, file, head) for file in store.diff(common, head)] if page == 1 else []
    shown = shas[(page - 1) * per_page : page * per_page]
    return Reply(
        {
            "url": url,
            "html_url": web,
            "permalink_url": web,
            "diff_url": f"{web}.diff",
            "patch_url": f"{web}.patch",
            "base_commit": commit_json(call, store.commit(base)),
            "merge_base_commit": commit_json(call, store.commit(common)),
            "status": status,
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": len(shas),
            "commits": [commit_json(call, commit) for commit in store.commits(shown)],
            "files": files[:300],
        }
    )


def page_of(call: Call, default: int) -> tuple[int, int]:
    """``(page, per_page)`` of the query, as GitHub bounds them."""
    try:
        page, per_page = int(call.query.get("page", 1)), int(call.query.get("per_page", default))
    except ValueError:
        raise ApiError(400, "Bad Request") from None
    return max(page, 1), min(max(per_page, 1), max(default, 100))


def dispatch(call: Call) -> Reply:
    """repository_dispatch: at most 100 characters of type, 10 keys and 64 KB of payload."""
    kind = call.field("event_type", required=True)
    payload = call.field("client_payload", dict, {})
    if not 0 < len(kind) <= 100:
        raise invalid("RepositoryDispatch", "event_type")
    if len(payload) > 10:
        keys = "No more than 10 properties are allowed; {} were supplied."
        raise ApiError(422, "Invalid request.\n\n" + keys.format(len(payload)))
    if len(json.dumps(payload)) >= 65_536:
        raise ApiError(422, "Invalid request.\n\nclient_payload is too large.")
    event = Dispatch(kind, payload, call.user.login, call.world.now())
    call.repo.dispatches.append(event)
    return Reply(status=204)


ROUTES = (
    Route("GET", _REPO, get_repository, "metadata:read"),
    Route("GET", _REPO + "/branches/{branch}", get_branch, "contents:read"),
    Route("GET", _REPO + "/branches", list_branches, "contents:read"),
    Route("GET", _REPO + "/tags", list_tags, "contents:read"),
    Route("GET", _REPO + "/commits", list_commits, "contents:read"),
    Route("GET", _REPO + "/commits/{ref}", get_commit, "contents:read"),
    Route("GET", _REPO + "/compare/{basehead}", compare, "contents:read"),
    Route("POST", _REPO + "/dispatches", dispatch, "contents:write", "write"),
)
