"""Commit statuses and check runs."""

from __future__ import annotations

from typing import Any

from promote_actions.rehearsal.github.represent import (
    node_id,
    owner_json,
    repository_json,
    stamp,
    user_json,
)
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, invalid, not_found
from promote_actions.rehearsal.github.state import CheckRun, Status

_REPO = "/repos/{owner}/{repo}"
_STATES = ("error", "failure", "pending", "success")
_CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required")


def _commit(call: Call, name: str = "ref") -> str:
    sha = call.repo.store.commit_of(call.params[name])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.params[name]}")
    return sha


def status_json(call: Call, status: Status) -> dict[str, Any]:
    return {
        "url": call.url("statuses", status.sha),
        "avatar_url": call.address("avatars", status.creator.id),
        "id": status.id,
        "node_id": node_id("Status", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": stamp(status.created_at),
        "updated_at": stamp(status.created_at),
    }


def create_status(call: Call) -> Reply:
    sha = _commit(call, "sha")
    state = call.field("state", required=True)
    description, target = call.field("description"), call.field("target_url")
    if state not in _STATES:
        raise invalid("Status", "state", "custom")
    if description and len(description) > 140:
        raise invalid(
            "Status", "description", message="description is too long (maximum is 140 characters)"
        )
    if target and not target.startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "custom")
    context = call.field("context", default="default")
    made = Status(
        call.world.new_id(), sha, context, state, description, target or None, call.user, call.world.now()
    )
    call.repo.statuses.append(made)
    return Reply(status_json(call, made) | {"creator": user_json(call, made.creator)}, 201)


def list_statuses(call: Call) -> Reply:
    sha = _commit(call)
    rows = [status for status in reversed(call.repo.statuses) if status.sha == sha]
    return Reply([status_json(call, s) | {"creator": user_json(call, s.creator)} for s in rows], paged=True)


def combined_status(call: Call) -> Reply:
    sha = _commit(call)
    newest = {status.context: status for status in call.repo.statuses if status.sha == sha}
    states = {status.state for status in newest.values()}
    state = (
        "failure" if states & {"failure", "error"} else "pending" if states != {"success"} else "success"
    )
    url = call.url("commits", sha)
    body = {
        "state": state,
        "statuses": [status_json(call, status) for status in newest.values()],
        "sha": sha,
        "total_count": len(newest),
        "repository": repository_json(call, call.repo),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Reply(body, paged=True, key="statuses")


def check_run_json(call: Call, run: CheckRun) -> dict[str, Any]:
    url = call.url("check-runs", run.id)
    made = stamp(call.repo.created_at)
    return {
        "id": run.id,
        "head_sha": run.sha,
        "node_id": node_id("CheckRun", run.id),
        "external_id": "",
        "url": url,
        "html_url": call.web("runs", run.id),
        "details_url": run.details_url or call.web("runs", run.id),
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.started_at) if run.status == "completed" else None,
        "output": {
            "title": run.output.get("title"),
            "summary": run.output.get("summary"),
            "text": run.output.get("text"),
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
        "name": run.name,
        "check_suite": {"id": run.id},
        "app": {
            "id": 1,
            "slug": "github-actions",
            "node_id": node_id("App", 1),
            "owner": owner_json(call, call.repo),
            "name": "GitHub Actions",
            "description": None,
            "external_url": call.base_url,
            "html_url": call.base_url,
            "created_at": made,
            "updated_at": made,
            "permissions": {"checks": "write"},
            "events": [],
        },
        "pull_requests": [],
    }


def create_check_run(call: Call) -> Reply:
    sha = call.field("head_sha", required=True)
    if call.repo.store.kind(sha) != "commit":
        raise ApiError(422, f"No commit found for SHA: {sha}")
    conclusion = call.field("conclusion")
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise ApiError(422, "Invalid request.\n\nconclusion is not a known value.")
    status = "completed" if conclusion else call.field("status", default="queued")
    name = call.field("name", required=True)
    details, now = call.field("details_url", default=""), call.world.now()
    run = CheckRun(call.world.new_id(), sha, name, status, conclusion, details, now, call.user)
    run.output = call.field("output", dict, {})
    call.repo.check_runs.append(run)
    return Reply(check_run_json(call, run), 201)


def list_check_runs(call: Call) -> Reply:
    sha = _commit(call)
    runs = [run for run in reversed(call.repo.check_runs) if run.sha == sha]
    if call.query.get("filter", "latest") == "latest":
        runs = list({run.name: run for run in reversed(runs)}.values())
    runs = [run for run in runs if call.query.get("check_name", run.name) == run.name]
    body = {"total_count": len(runs), "check_runs": [check_run_json(call, run) for run in runs]}
    return Reply(body, paged=True, key="check_runs")


def get_check_run(call: Call) -> Reply:
    for run in call.repo.check_runs:
        if str(run.id) == call.params["check_run_id"]:
            return Reply(check_run_json(call, run))
    raise not_found()


ROUTES = (
    Route("POST", _REPO + "/statuses/{sha}", create_status, "statuses:write", "write"),
    Route("GET", _REPO + "/commits/{ref}/statuses", list_statuses, "statuses:read"),
    Route("GET", _REPO + "/commits/{ref}/status", combined_status, "statuses:read"),
    Route("POST", _REPO + "/check-runs", create_check_run, "checks:write", "write"),
    Route("GET", _REPO + "/commits/{ref}/check-runs", list_check_runs, "checks:read"),
    Route("GET", _REPO + "/check-runs/{check_run_id}", get_check_run, "checks:read"),
)
