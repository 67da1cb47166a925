"""Repositories that are made once and copied for each test."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.support.gitops import git, make_bare, standard_files, values, write


@cache
def _folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="rollback-tests-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def went_wrong(path: str, bad: str, more: str = "") -> Path:
    """A bare repository of the service in ``path`` (``helm/<service>/…``) whose last commit brought ``bad``
    to that values file, over the standard version; ``more`` is the end of the file before and after."""
    service = path.split("/")[1]
    files = standard_files([service])
    folder = _folder() / f"{len(list(_folder().iterdir()))}"
    bare = make_bare(folder, {**files, path: files[path] + more})
    work = folder / "gitops.git-work"
    write(work, {path: values(bad) + more})
    git(work, "commit", "-qam", f"promote({service}): to {bad}")
    git(work, "push", "-q", str(bare), "main")
    shutil.rmtree(bare / "hooks")
    return bare
