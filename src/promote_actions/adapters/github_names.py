"""Names of repositories, branches and files as parts of an API address. Pure.

A name that git would not accept never reaches an address: ``..`` in one could mean another address.
Source of the rules for refs: git-check-ref-format(1).
"""

from __future__ import annotations

import re
from urllib.parse import quote

from promote_actions.errors import InputError

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}")
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|\.lock(/|$)|(^|/)\.|\.$|^/|/$|^@$|^-")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def repository_path(name: str) -> str:
    """``/repos/owner/name``; raises :class:`InputError` for anything else than ``owner/name``."""
    if not _SLUG.fullmatch(name) or name.rpartition("/")[2] in (".", ".."):
        raise InputError(f"'{name[:100]}' is not a repository on GitHub", hint="write it as owner/name")
    return f"/repos/{name}"


def ref_name(name: str) -> str:
    """A branch's or tag's name, quoted for an address; raises :class:`InputError` for an impossible one."""
    if not name or len(name) > 250 or _BAD_REF.search(name):
        raise InputError(f"'{name[:100]}' is not a branch's or tag's name", hint="see git-check-ref-format")
    return quote(name, safe="/", errors="surrogateescape")


def is_sha(text: str) -> bool:
    """Whether ``text`` is a commit's full name."""
    """Whether ``text`` is a full commit SHA."""
    return bool(_SHA.fullmatch(text))


def file_path(path: str) -> str | None:
    """A file's path, quoted for an address; None when no repository can have such a file."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        return None
    return quote(path, safe="/", errors="surrogateescape")


def name_part(name: str) -> str:
    """A login, slug or label as one part of an address; raises :class:`InputError` when it can't be."""
    if name in ("", ".", "..") or any(ord(char) < 32 for char in name):
        raise InputError(f"'{name[:60]}' is not a name on GitHub")
    return quote(name, safe="")
