"""What GitHub's refusals mean, in one line each with what to grant or fix. Pure.

Statuses and messages: GitHub's "Troubleshooting the REST API" and "Rate limits for the REST API".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from promote_actions.errors import DependencyError, InputError, PromoteError, one_line

_PROTECTED = re.compile(
    r"protected branch|protected ref|rule violations|must be made through|required status check"
    r"|approving review|not authorized to push|verified signatures|must not contain merge",
    re.IGNORECASE,
)
_PERMISSIONS = (
    (re.compile(r"/pulls(/|$|\?)"), "pull_requests"),
    (re.compile(r"/issues/|/labels"), "pull_requests"),
    (re.compile(r"/statuses/|/status(es)?($|\?)"), "statuses"),
    (re.compile(r"/check-runs"), "checks"),
    (re.compile(r"/actions/"), "actions"),
    (re.compile(r"^/?orgs/"), "members"),
)
"""The permission that a path needs, where GitHub's answer doesn't name it."""


T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What GitHub answered to ``method path``; ``data`` is parsed JSON or None.

    ``repeated`` says that an earlier try had no answer, and may have been carried out.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    data: Any = None
    repeated: bool = False

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def read(self, extract: Callable[[Any], T]) -> T:
        """What ``extract`` takes from the data; an answer of another shape is the dependency's failure."""
        try:
            return extract(self.data)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise DependencyError(
                f"GitHub answered {self.method} {self.path} with something that its API does not describe",
                hint="check GITHUB_API_URL and what stands between, and run again",
            ) from None

    @property
    def message(self) -> str:
        """GitHub's words on one line, with those in its ``errors`` list."""
        if not isinstance(self.data, dict):
            return ""
        said = [str(self.data.get("message") or "")]
        errors = self.data.get("errors")
        said += map(_error_text, errors if isinstance(errors, list) else [errors] if errors else [])
        return one_line(" ".join(" ".join(part.split()) for part in said if part))[:300]

    @property
    def permission(self) -> str:
        """What the token would need, as a workflow's ``permissions`` write it: ``contents: write``."""
        named = self.headers.get("x-accepted-github-permissions", "").partition(";")[0]
        if named:
            return ", ".join(
                f"`{one.strip().replace('=', ': ')}`" for one in named.split(",") if one.strip()
            )
        level = "read" if self.method == "GET" else "write"
        for pattern, permission in _PERMISSIONS:
            if pattern.search(self.path):
                return f"`{permission}: {level}`"
        return f"`contents: {level}`"


def _error_text(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    if error.get("message"):
        return str(error["message"])
    return json.dumps({key: error[key] for key in ("field", "code") if key in error})


def is_protected(answer: Answer) -> bool:
    """Whether ``answer`` says that the rules of a branch forbid the write."""
    return answer.status in (403, 405, 409, 422) and bool(_PROTECTED.search(answer.message))


def explain(answer: Answer, doing: str, repository: str) -> PromoteError:
    """The error that a refused request means. ``doing`` completes "the token may not …"."""
    for reading in (_credentials, _unwritable, _not_found, _not_allowed):
        error = reading(answer, doing, repository)
        if error is not None:
            return error
    said = answer.message or "no reason given"
    return DependencyError(f"GitHub refused to {doing} in {repository} ({answer.status}): {said}")


def archived(repository: str) -> InputError:
    """The error for a repository that takes no writes."""
    """The error of writing to an archived repository."""
    hint = "unarchive it, or name another"
    return InputError(f"{repository} is archived: nothing can be written", hint=hint)


def _credentials(answer: Answer, _doing: str, repository: str) -> InputError | None:
    if answer.status == 401:
        return InputError(
            f"GitHub refused the token ({answer.message or 'no reason given'})",
            hint="pass one that is valid and not expired, with --token or GITHUB_TOKEN",
        )
    if answer.status == 403 and ("saml" in answer.message.lower() or "x-github-sso" in answer.headers):
        return InputError(
            f"the organisation of {repository} asks for single sign-on",
            hint="authorise the token for the organisation",
        )
    return None


def _unwritable(answer: Answer, doing: str, repository: str) -> InputError | None:
    said = answer.message.lower()
    if "archived" in said and answer.status in (403, 409, 422):
        return archived(repository)
    if is_protected(answer):
        return InputError(
            f"the rules of {repository} forbid to {doing}: {answer.message}",
            hint="promote by pull request, or let the token's account bypass the rule",
        )
    if answer.status == 409 and "empty" in said:
        return InputError(f"{repository} is empty", hint="push a first commit to it")
    if answer.status == 410:
        return InputError(f"{repository} has this switched off: {answer.message}", hint="switch it on")
    return None


def _not_found(answer: Answer, doing: str, repository: str) -> InputError | None:
    if 300 <= answer.status < 400:
        return InputError(f"{repository} has moved on GitHub", hint="use its new name")
    if answer.status != 404 or answer.method != "GET":
        return None
    if re.fullmatch(r"/repos/[^/]+/[^/]+", answer.path):
        return InputError(
            f"GitHub has no repository {repository}, or the token may not see it",
            hint="check the name, and that the token has `contents: read` there",
        )
    return InputError(f"GitHub found nothing to {doing} in {repository}", hint="check the name")


def _not_allowed(answer: Answer, doing: str, repository: str) -> InputError | None:
    if answer.status not in (403, 404):
        return None
    if "not permitted to create or approve" in answer.message:
        return InputError(
            f"GitHub Actions may not open pull requests in {repository}",
            hint="allow it under Settings, Actions, General, or use an App's token",
        )
    reason = f" ({answer.message})" if answer.message and answer.status == 403 else ""
    return InputError(
        f"the token may not {doing} in {repository}{reason}", hint=f"grant it {answer.permission} there"
    )
