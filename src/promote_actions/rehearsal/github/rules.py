"""Branch protection: what may be pushed, and what may be merged."""

from __future__ import annotations

from collections.abc import Callable

from promote_actions.rehearsal.github.routing import ApiError, Call
from promote_actions.rehearsal.github.state import Protection, Pull, Repository, User, World

Owned = Callable[[World, Repository, Pull, set[str]], list[str]]
"""Given the approvers' logins: the changed paths that still lack a code owner's approval."""


def check_push(call: Call, branch: str, sha: str) -> None:
    """Raise what GitHub answers when the rules of ``branch`` forbid moving it to ``sha`` directly."""
    rules = call.repo.protections.get(branch)
    if rules is None or call.user.login in rules.bypass:
        return
    broken = []
    if rules.needs_pull_request:
        broken.append("Changes must be made through a pull request.")
    broken += missing_statuses(call.repo, rules, sha)
    if broken:
        raise ApiError(422, "Repository rule violations found\n\n" + "\n\n".join(broken) + "\n\n")


def missing_statuses(repository: Repository, rules: Protection, sha: str) -> list[str]:
    """A sentence for each required status or check run that ``sha`` does not have as a success."""
    good = {name for name, state in latest_statuses(repository, sha).items() if state == "success"}
    good |= {
        run.name
        for run in repository.check_runs
        if run.sha == sha and run.conclusion in ("success", "neutral", "skipped")
    }
    return [
        f'Required status check "{name}" is expected.'
        for name in rules.required_statuses
        if name not in good
    ]


def latest_statuses(repository: Repository, sha: str) -> dict[str, str]:
    """The newest state of each status context of ``sha``."""
    return {status.context: status.state for status in repository.statuses if status.sha == sha}


def stances(pull: Pull) -> dict[int, tuple[User, str]]:
    """Each reviewer's last word among approval, request for changes and dismissal."""
    found: dict[int, tuple[User, str]] = {}
    for review in pull.reviews:
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            found[review.user.id] = (review.user, review.state)
    return found


def blockers(world: World, repository: Repository, pull: Pull, owned: Owned) -> list[str]:
    """Why the rules of the pull request's base branch forbid merging it, as GitHub words it."""
    rules = repository.protections.get(pull.base)
    if rules is None:
        return []
    words = [
        (user, state)
        for user, state in stances(pull).values()
        if world.may(user, repository, "write") and not user.bot
    ]
    approvers = {user.login for user, state in words if state == "APPROVED"}
    found = missing_statuses(repository, rules, pull.head_sha)
    if rules.reviews and any(state == "CHANGES_REQUESTED" for _, state in words):
        found.append("Changes have been requested by a reviewer with write access.")
    if len(approvers) < rules.required_approvals:
        many = rules.required_approvals
        verb = "review is" if many == 1 else "reviews are"
        found.append(f"At least {many} approving {verb} required by reviewers with write access.")
    if rules.code_owners and owned(world, repository, pull, approvers):
        found.append("Waiting on code owner review from the owners of the changed files.")
    return found
