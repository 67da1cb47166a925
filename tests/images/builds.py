"""Builds to make tags for: events with their payloads, and the command run on them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from promote_actions.images.command import DockerTagsInputs, run
from promote_actions.runner import Result, Runner
from promote_actions.spec import resolve

HERE = Path(__file__).parent
SHA = "5f3c1a2b90dd6032fac8bda1b6c4436a2e65de27"
HEAD_SHA = "c0ffee1122334455667788990011223344556677"
MERGE_SHA = "d00d1122334455667788990011223344556677aa"
MOMENT = "2020-01-10T00:30:00Z"

EVENTS: Mapping[str, tuple[str, str, str]] = {
    "push main": ("push", "refs/heads/main", "event_push_main"),
    "push branch": ("push", "refs/heads/feature/Foo_Bar#1", "event_push_branch"),
    "push tag": ("push", "refs/tags/v1.2.3", "event_push_tag"),
    "pull request": ("pull_request", "refs/pull/17/merge", "event_pull_request"),
    "pull request target": ("pull_request_target", "refs/heads/main", "event_pull_request"),
    "pull request merged": ("pull_request", "refs/heads/main", "event_pull_request_closed"),
    "workflow_dispatch": ("workflow_dispatch", "refs/heads/main", "event_workflow_dispatch"),
    "schedule": ("schedule", "refs/heads/main", "event_schedule"),
    "release": ("release", "refs/tags/v1.2.3", "event_release"),
    "create": ("create", "refs/heads/feature/new", "event_create"),
    "issues": ("issues", "refs/heads/main", "event_issues"),
}
"""Name of each build: ``GITHUB_EVENT_NAME``, ``GITHUB_REF``, and the payload's file beside this one."""


def payload_of(event: str) -> dict[str, Any]:
    """The payload of the build called ``event``."""
    found: dict[str, Any] = json.loads(payload_path(event).read_text(encoding="utf-8"))
    return found


def payload_path(event: str) -> Path:
    """Where the payload of the build called ``event`` is."""
    return HERE / f"{EVENTS[event][2]}.json"


def environment(event: str, ref: str = "", **inputs: str | Sequence[str]) -> dict[str, str]:
    """The variables of a runner for ``event``, with ``inputs`` as ``INPUT_*``."""
    name, usual, _ = EVENTS[event]
    given = {"date": MOMENT, "dry_run": "true", **inputs}
    texts = {key: value if isinstance(value, str) else "\n".join(value) for key, value in given.items()}
    return {
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(payload_path(event)),
        "GITHUB_REF": ref or usual,
        "GITHUB_SHA": MERGE_SHA if usual.startswith("refs/pull/") else SHA,
        "GITHUB_REPOSITORY": "nexo-org/nexo-be",
        "GITHUB_SERVER_URL": "https://github.com",
        **{f"INPUT_{key.upper()}": value for key, value in texts.items()},
    }


def result_of(env: Mapping[str, str]) -> tuple[Result, str]:
    """What the command returns on a runner with ``env``, and what it printed."""
    printed = io.StringIO()
    runner = Runner(env=env, stdout=printed, stderr=printed)
    return run(resolve(DockerTagsInputs, {}, env), runner), printed.getvalue()


def docker_tags(event: str, ref: str = "", **inputs: str | Sequence[str]) -> dict[str, Any]:
    """The outputs of the command for ``event``."""
    return dict(result_of(environment(event, ref, **inputs))[0].outputs)


def names(event: str, ref: str = "", **inputs: str | Sequence[str]) -> list[str]:
    """The tags, without an image's name, for ``event``."""
    found: str = docker_tags(event, ref, **inputs)["tag-names"]
    return found.split("\n")
