"""Version tags of a GitHub repository through its REST API: no clone, and no other tags are listed.

Endpoints ("REST API endpoints for Git references", "… for Git tags", "… for commits"):
``GET git/matching-refs/tags/PREFIX``, ``POST git/refs`` (which creates a tag for one asker only),
``GET git/tags/SHA`` for annotated tags that others made, ``GET commits/REF`` for a short SHA or none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from promote_actions.adapters.http_json import Answer, JsonApi
from promote_actions.adapters.turns import turn
from promote_actions.errors import DependencyError, InputError, PromoteError

API = "https://api.github.com"
API_VERSION = "2022-11-28"

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DEEPEST = 5
"""Tags of tags that are followed."""


def is_slug(repo: str) -> bool:
    """Whether ``repo`` is written ``owner/name``; a folder like that is written ``./owner/name``."""
    return bool(_SLUG.fullmatch(repo)) and repo.rpartition("/")[2] not in (".", "..")


def open_github(repo: str, token: str, api_url: str = "") -> GitHubTags:
    """The tags of ``repo`` (``owner/name``); ``api_url`` as in ``GITHUB_API_URL``. Needs a token."""
    if not token:
        raise InputError(
            f"no token for the GitHub repository {repo}",
            hint=f"pass --token or GITHUB_TOKEN with `contents: write`, or write ./{repo} for a folder",
        )
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION}
    api = JsonApi(f"GitHub ({repo})", (api_url or API).rstrip("/"), token, headers)
    return GitHubTags(repo, api)


@dataclass(frozen=True)
class GitHubTags:
    """The tags of ``repo`` (``owner/name``) as ``api`` has them."""

    repo: str
    api: JsonApi

    def resolve(self, sha: str) -> str:
        """The full SHA that ``sha`` means: itself, a short one, or the default branch's head for ''."""
        sha = sha.lower() if sha.upper() != "HEAD" else ""
        if _SHA.fullmatch(sha):
            return sha
        if sha and not re.fullmatch("[0-9a-f]{7,40}", sha):
            raise InputError(
                f"sha '{sha[:60]}' is not a commit's SHA", hint="give 7 to 40 hexadecimal digits, or HEAD"
            )
        answer = self._get(f"commits/{sha or 'HEAD'}")
        if answer.status in (404, 422):
            raise InputError(
                f"commit {sha or 'HEAD'} is not in {self.repo} on GitHub",
                hint="pass --sha in full, or --repo",
            )
        return self._sha_of(self._good(answer, "contents: read"))

    def tags(self, prefixes: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for prefix in prefixes:
            for page in self.api.pages(self._path(f"git/matching-refs/tags/{quote(prefix)}")):
                for ref in self._list(self._good(page, "contents: read")):
                    name = str(ref.get("ref", "")).removeprefix("refs/tags/")
                    if name.startswith(prefix):
                        found[name] = self._commit_of(ref)
        return found

    def turn(self) -> AbstractContextManager[None]:
        return turn(key=f"{self.api.base}/{self.repo}")

    def create(self, names: Sequence[str], commit: str) -> PromoteError | None:
        for name in names:
            body = {"ref": f"refs/tags/{name}", "sha": commit}
            answer = self.api.call("POST", self._path("git/refs"), body)
            if answer.status in (409, 422):
                return InputError(
                    f"GitHub ({self.repo}) refuses tag {name} on commit {commit[:12]}: {answer.message}",
                    hint="check that the commit is pushed there and that no tag rule forbids creating it",
                )
            made = self._good(answer, "contents: write")
            if answer.status != 201 or self._sha_of(_target(made)) != commit:
                raise DependencyError(f"GitHub ({self.repo}) answered the creation of {name} with nonsense")
        return None

    def _commit_of(self, ref: Mapping[str, Any]) -> str:
        """The commit that a ref points at, through annotated tags; empty for anything else."""
        target = _target(ref)
        for _ in range(_DEEPEST):
            kind = target.get("type") if isinstance(target, dict) else None
            if kind != "tag":
                return self._sha_of(target) if kind == "commit" else ""
            tag = self._get(f"git/tags/{self._sha_of(target)}")
            target = _target(self._good(tag, "contents: read"))
        return ""

    def _get(self, path: str) -> Answer:
        return self.api.call("GET", self._path(path))

    def _path(self, path: str) -> str:
        return f"repos/{self.repo}/{path}"

    def _good(self, answer: Answer, permission: str) -> Any:
        """The data of a success; raises what a failure means to the caller."""
        if answer.status < 300:
            if isinstance(answer.data, (dict, list)):
                return answer.data
        elif answer.status in (403, 404):
            raise InputError(
                f"GitHub says {answer.status} for {self.repo}: {answer.message}",
                hint=f"the token needs `{permission}` in that repository"
                " (a pull request from a fork has none: use --no-reserve there)",
            )
        raise DependencyError(f"GitHub ({self.repo}) answered with {answer.message}", hint="run again")

    def _list(self, data: Any) -> list[Mapping[str, Any]]:
        if isinstance(data, list) and all(isinstance(item, dict) for item in data):
            return data
        raise DependencyError(f"GitHub ({self.repo}) answered with something else than a list of refs")

    def _sha_of(self, target: Any) -> str:
        sha = target.get("sha") if isinstance(target, dict) else None
        if isinstance(sha, str) and _SHA.fullmatch(sha):
            return sha
        raise DependencyError(f"GitHub ({self.repo}) answered without a commit's SHA")


def _target(data: Any) -> Any:
    """What a ref or a tag object points at; None when it has no such thing."""
    return data.get("object") if isinstance(data, dict) else None
