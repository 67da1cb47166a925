"""The example files, from this repository's ``workflows-examples/`` or from the installed package."""

from __future__ import annotations

import os
from pathlib import Path

from promote_actions.errors import InputError
from promote_actions.setup.init.files import File

KINDS = ("gitops-repo", "service-repo", "monorepo", "without-argocd")
_PLACES = (
    Path(__file__).resolve().parents[4] / "workflows-examples",
    Path(__file__).resolve().parents[1] / "examples",
)


def examples(kind: str) -> list[File]:
    """The files of the example ``kind``; raises :class:`InputError` where they were not installed."""
    folder = next((place / kind for place in _PLACES if (place / kind).is_dir()), None)
    if folder is None:
        raise InputError(
            "this installation has no examples", hint="run init from a checkout, or from PyPI's package"
        )
    return [
        File(
            path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8"), os.access(path, os.X_OK)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
