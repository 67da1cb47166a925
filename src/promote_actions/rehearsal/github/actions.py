"""Runs of workflows and their artifacts. Tests and the rehearsal add them (``GitHubEmulator.add_run``)."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from promote_actions.rehearsal.github.represent import node_id, repository_json, stamp, user_json
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, not_found
from promote_actions.rehearsal.github.state import Artifact, WorkflowRun

_REPO = "/repos/{owner}/{repo}"
_KEPT = timedelta(days=90)


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive that `actions/upload-artifact` makes of ``files``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return stream.getvalue()


def run_json(call: Call, run: WorkflowRun) -> dict[str, Any]:
    url = call.url("actions/runs", run.id)
    commit = call.repo.store.commit(run.sha)
    workflow = 100_000 + sum(run.path.encode())
    head = repository_json(call, call.repo)
    if run.fork:
        head |= {"full_name": run.fork, "fork": True}
    return {
        "id": run.id,
        "name": run.workflow,
        "node_id": node_id("WorkflowRun", run.id),
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": run.path,
        "display_title": commit.message.partition("\n")[0],
        "run_number": run.number,
        "run_attempt": run.attempt,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": workflow,
        "check_suite_id": run.id,
        "check_suite_node_id": node_id("CheckSuite", run.id),
        "url": url,
        "html_url": call.web("actions/runs", run.id),
        "pull_requests": [],
        "created_at": stamp(run.created_at),
        "updated_at": stamp(run.created_at),
        "run_started_at": stamp(run.created_at),
        "actor": user_json(call, run.actor),
        "triggering_actor": user_json(call, run.actor),
        **{f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "cancel", "rerun", "artifacts")},
        "check_suite_url": call.url("check-suites", run.id),
        "previous_attempt_url": None,
        "workflow_url": call.url("actions/workflows", workflow),
        "head_commit": {
            "id": run.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": stamp(commit.committer.date),
            "author": {"name": commit.author.name, "email": commit.author.email},
            "committer": {"name": commit.committer.name, "email": commit.committer.email},
        },
        "repository": repository_json(call, call.repo),
        "head_repository": head,
    }


def artifact_json(call: Call, run: WorkflowRun, artifact: Artifact) -> dict[str, Any]:
    url = call.url("actions/artifacts", artifact.id)
    return {
        "id": artifact.id,
        "node_id": node_id("Artifact", artifact.id),
        "name": artifact.name,
        "size_in_bytes": len(artifact.data),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": artifact.expired,
        "created_at": stamp(artifact.created_at),
        "updated_at": stamp(artifact.created_at),
        "expires_at": stamp(artifact.created_at + _KEPT),
        "digest": f"sha256:{hashlib.sha256(artifact.data).hexdigest()}",
        "workflow_run": {
            "id": run.id,
            "repository_id": call.repo.id,
            "head_repository_id": call.repo.id,
            "head_branch": run.branch,
            "head_sha": run.sha,
        },
    }


def list_runs(call: Call) -> Reply:
    filters = {"head_sha": "sha", "branch": "branch", "event": "event"}
    runs = [
        run
        for run in reversed(call.repo.runs)
        if all(
            getattr(run, known) == call.query.get(name, getattr(run, known))
            for name, known in filters.items()
        )
        and call.query.get("status", run.status) in (run.status, run.conclusion)
    ]
    body = {"total_count": len(runs), "workflow_runs": [run_json(call, run) for run in runs]}
    return Reply(body, paged=True, key="workflow_runs")


def list_artifacts(call: Call) -> Reply:
    run = next((run for run in call.repo.runs if str(run.id) == call.params["run_id"]), None)
    if run is None:
        raise not_found()
    found = [one for one in reversed(run.artifacts) if call.query.get("name", one.name) == one.name]
    body = {"total_count": len(found), "artifacts": [artifact_json(call, run, one) for one in found]}
    return Reply(body, paged=True, key="artifacts")


def download(call: Call) -> Reply:
    """A redirect to the storage. The link needs no token, and would be refused with one."""
    found = (artifact for run in call.repo.runs for artifact in run.artifacts)
    artifact = next((one for one in found if str(one.id) == call.params["artifact_id"]), None)
    if artifact is None or call.params["archive_format"] != "zip":
        raise not_found()
    if artifact.expired:
        raise ApiError(410, "Artifact has expired")
    return Reply(status=302, headers={"Location": call.world.storage.link(artifact.data)})


ROUTES = (
    Route("GET", _REPO + "/actions/runs", list_runs, "actions:read"),
    Route("GET", _REPO + "/actions/runs/{run_id}/artifacts", list_artifacts, "actions:read"),
    Route("GET", _REPO + "/actions/artifacts/{artifact_id}/{archive_format}", download, "actions:read"),
)
