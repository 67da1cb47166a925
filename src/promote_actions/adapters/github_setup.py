"""What a token may do in a repository, and what rules bind a branch: for ``doctor``.

A permission is tried with a request that can't succeed, because what it asks for does not exist: who may
not is told so (403, or 404 to a classic token), who may is told what is wrong with it (422). Nothing is
changed. GitHub has no request that lists what a token may do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promote_actions.adapters.github import GitHubRepository
from promote_actions.adapters.github_names import ref_name, repository_path

_NOBODY = "0" * 40
_PROBES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "contents: write": ("git/refs", {"ref": "refs/heads/", "sha": _NOBODY}),
    "pull-requests: write": ("pulls", {"title": "", "head": "", "base": ""}),
    "issues: write": ("labels", {"name": ""}),
    "statuses: write": (f"statuses/{_NOBODY}", {"state": "success", "context": "promotion/doctor"}),
}
_REFUSED = (401, 403, 404)


def permissions(repository: GitHubRepository) -> Mapping[str, bool]:
    """Whether the token has each of the permissions that promotions use, by their names in a workflow."""
    base = repository_path(repository.facts.name)
    found = {}
    for name, (path, body) in _PROBES.items():
        answer = repository.api.ask(
            "POST",
            f"{base}/{path}",
            body=body,
            accept=(400, 409, 422, *_REFUSED),
            doing=f"try {name}",
            repository=repository.name,
        )
        found[name] = answer.status not in _REFUSED
    return found


def branch_documents(repository: GitHubRepository, branch: str) -> tuple[Any, Any]:
    """The branch, and the rules of rulesets for it (None where GitHub doesn't tell)."""
    base = repository_path(repository.facts.name)
    told = [
        repository.api.ask(
            "GET", f"{base}/{path}", accept=(403, 404), doing="read its rules", repository=repository.name
        )
        for path in (f"branches/{ref_name(branch)}", f"rules/branches/{ref_name(branch)}")
    ]
    documents = [answer.data if answer.ok else None for answer in told]
    return documents[0], documents[1]
