"""What people do in a rehearsal, each with their own account: approve, try to merge, merge."""

from __future__ import annotations

from typing import Any

from promote_actions.rehearsal.stage import StepFailed
from promote_actions.rehearsal.world import World

TIMEOUT = 20.0


def _call(world: World, method: str, path: str, login: str, body: dict[str, Any]) -> tuple[int, Any]:
    import requests

    token = world.github.world.users[login.lower()].token
    answer = requests.request(
        method,
        f"{world.github.url}/repos/{world.gitops}/{path}",
        headers={"Authorization": f"Bearer {token}"},
        json=body,
        timeout=TIMEOUT,
    )
    return answer.status_code, answer.json()


def approve(world: World, number: int, login: str) -> str:
    """``login`` approves the pull request's head."""
    status, said = _call(world, "POST", f"pulls/{number}/reviews", login, {"event": "APPROVE"})
    if status != 200:
        raise StepFailed(f"{login} could not approve #{number}: {status} {said}")
    return f"APPROVED at {said['commit_id'][:7]}"


def refused_merge(world: World, number: int) -> str:
    """Somebody presses "merge" too early; the branch's protection must refuse."""
    status, said = _call(world, "PUT", f"pulls/{number}/merge", "dora-dev", {"merge_method": "squash"})
    if status != 405:
        raise StepFailed(f"#{number} could be merged too early: {status} {said}")
    return f"refused: {said['message']}"


def merge(world: World, number: int) -> str:
    """Merge, now that it may be."""
    status, said = _call(world, "PUT", f"pulls/{number}/merge", "dora-dev", {"merge_method": "squash"})
    if status != 200:
        raise StepFailed(f"#{number} could not be merged: {status} {said}")
    return f"merged as {said['sha'][:7]}"
