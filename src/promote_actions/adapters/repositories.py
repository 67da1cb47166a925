"""Choosing how to reach a GitOps repository from what the caller wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping

from promote_actions.adapters.git import RemoteRepository, is_url, open_path
from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.errors import InputError

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")


def is_github_slug(where: str) -> bool:
    """Whether ``where`` is written ``owner/name``; a relative folder is written ``./folder``."""
    return bool(_SLUG.fullmatch(where)) and not where.endswith("/..")


def open_repository(where: str, token: str, env: Mapping[str, str]) -> GitOpsRepository:
    """The repository that ``where`` names: ``owner/name`` on GitHub, a URL, or a path.

    Raises :class:`InputError` when it names none.
    """
    where = where.strip()
    if not where or where.startswith("-"):
        raise InputError("no GitOps repository was given", hint="pass --gitops owner/name, a path or a URL")
    if is_github_slug(where):
        from promote_actions.adapters.github import GitHubRepository

        return GitHubRepository(where, token, env)
    if re.match(r"https?://[^/@\s]*:[^/@\s]*@", where):
        raise InputError("the URL of the GitOps repository holds a password", hint="pass it as --token")
    if is_url(where):
        return RemoteRepository(where, token, env=env)
    if "::" in where.partition("/")[0]:
        raise InputError(f"'{where[:80]}' names a remote helper", hint="give a path or an https or ssh URL")
    return open_path(where, token, env)
