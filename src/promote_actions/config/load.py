"""Reading ``promotion.yaml``: from bytes, from a GitOps repository, or from a local file.

Without a file the strategy's matrix holds, and neither ruamel.yaml nor jsonschema is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from promote_actions.config.model import FILE_NAME, Config
from promote_actions.errors import InputError, Location

if TYPE_CHECKING:
    from promote_actions.adapters.gitops import Snapshot

MISNAMED = "promotion.yml"
"""A file of this name is a mistake: to pass over it would mean to use the defaults in silence."""


def load(data: bytes | None, source: str) -> Config:
    """The configuration in ``data``; None gives the defaults. ``source`` names it in messages.

    Raises :class:`InputError` with file, line and column for anything that the schema or the
    cross-checks refuse.
    """
    if data is None:
        return Config()
    from promote_actions.config.build import build
    from promote_actions.config.check import check
    from promote_actions.config.tree import read

    tree = read(data, source)
    if not isinstance(tree.value, dict):
        state = "is empty" if tree.value is None else "is no mapping of keys"
        tree.fail((), f"the file {state}", "begin it with `version: 1`")
    check(tree)
    return build(tree)


def load_from(snapshot: Snapshot, path: str = FILE_NAME) -> Config:
    """The configuration at ``path`` in a GitOps repository; ``./x`` and ``/x`` are local files.

    A missing ``promotion.yaml`` gives the defaults. Raises :class:`InputError` when any other file is
    missing.
    """
    path = path or FILE_NAME
    if is_local(path):
        return load_local(path)
    if any(part in ("", ".", "..") for part in path.split("/")) or "\\" in path:
        raise InputError(
            f"config is '{path[:200]}', which is no path inside the GitOps repository",
            hint="write the path from the repository's root, or begin it with ./ for a local file",
        )
    found = snapshot.read_many((path, MISNAMED) if path == FILE_NAME else (path,))
    if path in found:
        return load(found[path], path)
    at = f"{snapshot.branch} ({snapshot.commit[:7]})"
    if path != FILE_NAME:
        hint = "pass its path from the repository's root, or begin it with ./ for a local file"
        raise InputError(f"there is no file '{path[:200]}' in the GitOps repository at {at}", hint=hint)
    if MISNAMED in found:
        raise InputError(
            f"the configuration is called {MISNAMED}",
            hint=f"rename it to {FILE_NAME}, or pass config: {MISNAMED}",
            where=Location(MISNAMED),
        )
    return load(None, FILE_NAME)


def is_local(path: str) -> bool:
    """Whether the input ``config`` means a file of this machine rather than of the repository."""
    return path.startswith(("./", "/"))


def load_local(path: str) -> Config:
    """The configuration in the local file ``path``; raises :class:`InputError` when it can't be read."""
    from promote_actions.config.tree import SIZE_LIMIT

    try:
        with open(path, "rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is not valid"
        raise InputError(
            f"cannot read the configuration '{path[:200]}': {reason}",
            hint="check the input 'config'",
        ) from None
    return load(data, path)
