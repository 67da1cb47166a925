"""What is being built: the event, the ref and the commit, from ``GITHUB_*`` and the event's payload.

Pure: reading the payload's file and git is :mod:`promote_actions.images.surroundings`. This command
is in every build, so its records are named tuples, which cost an eighth of a dataclass at start-up.
Variables:
https://docs.github.com/en/actions/reference/workflows-and-actions/variables, payloads:
https://docs.github.com/en/webhooks/webhook-events-and-payloads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from promote_actions.errors import InputError, one_line

REF_LIMIT = 4096
"""Characters of a ref at most; a file system takes no longer one."""

_ON_DEFAULT_BRANCH = ("discussion", "issues", "schedule")
"""Events that always run on the last commit of the default branch, by (part of) their name."""


_NOTHING: Mapping[str, Any] = {}


class Build(NamedTuple):
    """One build. ``ref`` is a full ref or empty, ``sha`` a full commit SHA or empty.

    ``repository`` is ``owner/name``, ``server`` a URL. ``payload`` is the event's, as it came.
    ``default_branch`` is empty when nobody says what it is.
    """

    event: str = ""
    ref: str = ""
    sha: str = ""
    repository: str = ""
    server: str = "https://github.com"
    default_branch: str = ""
    run: Mapping[str, str] = _NOTHING
    payload: Mapping[str, Any] = _NOTHING

    @property
    def branch(self) -> str:
        return self.ref[len("refs/heads/") :] if self.ref.startswith("refs/heads/") else ""

    @property
    def tag(self) -> str:
        return self.ref[len("refs/tags/") :] if self.ref.startswith("refs/tags/") else ""

    @property
    def pull_request(self) -> str:
        """The number of the pull request that is built, or an empty string."""
        if not self.ref.startswith("refs/pull/"):
            return ""
        return self.ref[len("refs/pull/") :].removesuffix("/merge")

    @property
    def base_ref(self) -> str:
        """The branch that a pull request is for, or that a pushed tag was pushed from, if known."""
        if self.tag:
            return text_at(self.payload, "base_ref").removeprefix("refs/heads/")
        return text_at(self.payload, "pull_request", "base", "ref") if self.pull_request else ""

    @property
    def is_default_branch(self) -> bool:
        if not self.ref:
            return False
        if self.branch and self.branch == self.default_branch:
            return True
        return any(part in self.event for part in _ON_DEFAULT_BRANCH)

    @property
    def described(self) -> str:
        """Event and ref in words for a message."""
        return f"the event '{self.event or 'none'}' on '{self.ref or 'no ref'}'"


def text_at(payload: Mapping[str, Any], *path: str) -> str:
    """The text at ``path`` in a payload from outside, or an empty string when there is none."""
    found: Any = payload
    for key in path:
        if not isinstance(found, Mapping):
            return ""
        found = found.get(key)
    return found if isinstance(found, str) else ""


def build_from(
    env: Mapping[str, str],
    payload: Mapping[str, Any],
    *,
    head_sha: bool = True,
    default_branch: str = "",
) -> Build:
    """The build that ``GITHUB_*`` and the event's payload describe.

    ``head_sha`` takes the head commit of a pull request instead of the merge commit that GitHub
    makes for the run. Raises :class:`InputError` when a variable can't be what it says it is.
    """
    event = env.get("GITHUB_EVENT_NAME", "")
    ref = env.get("GITHUB_REF", "")
    sha = env.get("GITHUB_SHA", "")
    if "pull_request_target" in event or (event.startswith("pull_request") and not ref):
        # GitHub names the base branch for the first; the image is the pull request's all the same.
        ref = _pull_ref(payload)
    head = text_at(payload, "pull_request", "head", "sha")
    if head_sha and head and event.startswith("pull_request") and ref.startswith("refs/pull/"):
        sha = head
    names = {"actor": "GITHUB_ACTOR", "run_id": "GITHUB_RUN_ID", "run_number": "GITHUB_RUN_NUMBER"}
    return Build(
        event=event,
        ref=_checked_ref(ref),
        sha=_checked_sha(sha),
        repository=env.get("GITHUB_REPOSITORY", ""),
        server=env.get("GITHUB_SERVER_URL", "").rstrip("/") or "https://github.com",
        default_branch=default_branch or text_at(payload, "repository", "default_branch"),
        run={name: env.get(variable, "") for name, variable in names.items()},
        payload=payload,
    )


def _pull_ref(payload: Mapping[str, Any]) -> str:
    number = payload.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InputError(
            "the event of the pull request doesn't say its number",
            hint="GITHUB_EVENT_PATH must name the payload that the runner wrote",
        )
    return f"refs/pull/{number}/merge"


def _checked_ref(ref: str) -> str:
    if len(ref) > REF_LIMIT:
        raise InputError(
            f"GITHUB_REF has {len(ref)} characters", hint=f"a ref has at most {REF_LIMIT}; check the event"
        )
    return ref


def _checked_sha(sha: str) -> str:
    if sha and (len(sha) > 64 or any(char not in "0123456789abcdefABCDEF" for char in sha)):
        raise InputError(
            f"'{one_line(sha[:64])}' is no commit SHA",
            hint="GITHUB_SHA, or the event's pull_request.head.sha, must be 40 or 64 hexadecimal digits",
        )
    return sha.lower()
