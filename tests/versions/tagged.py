"""Repositories with commits and tags, and calver run on them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promote_actions.__main__ import run

SOURCE = Path(__file__).resolve().parents[2] / "src"
PYTHON = str(getattr(sys, "_base_executable", sys.executable))
WHO = {
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.com",
}
FEBRUARY = ("--date", "2026-02-15")


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """The output of git in ``folder``, stripped."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, **WHO},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def commits(folder: Path, count: int) -> list[str]:
    """Add ``count`` commits to main of the repository ``folder``; returns all of main's, oldest first."""
    stream = "".join(
        f"commit refs/heads/main\ncommitter Ana <ana@example.com> {1_770_000_000 + n} +0000\n"
        f"data 6\nchange\nM 644 inline f{n}\ndata 1\nx\n"
        for n in range(count)
    )
    git(folder, "fast-import", "--quiet", stdin=stream.encode())
    return git(folder, "rev-list", "--reverse", "main").split() if count else []


def bare(folder: Path, count: int = 1) -> tuple[Path, list[str]]:
    """A bare repository in ``folder`` with ``count`` commits on main, and their SHAs, oldest first."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", ".")
    return folder, commits(folder, count)


def tag(folder: Path, names: Iterable[str], commit: str) -> None:
    """Create lightweight tags on ``commit``."""
    orders = "".join(f"create refs/tags/{name} {commit}\n" for name in names)
    git(folder, "update-ref", "--stdin", stdin=orders.encode())


def tags(folder: Path) -> dict[str, str]:
    """The tags of ``folder``, annotated ones peeled: name to commit."""
    listed = git(
        folder, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname) %(*objectname)", "refs/tags"
    )
    rows = (line.split() for line in listed.splitlines())
    return {row[0]: row[-1] for row in rows}


@dataclass(frozen=True)
class Ran:
    """What calver said."""

    status: int
    stdout: str
    stderr: str

    @property
    def outputs(self) -> dict[str, Any]:
        assert self.status == 0, self.stderr
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    @property
    def version(self) -> str:
        return str(self.outputs["version"])

    @property
    def complaint(self) -> str:
        """The one line of a failure."""
        lines = self.stderr.splitlines()
        assert self.status != 0
        assert len(lines) == 1, self.stderr
        return lines[0]


def calver(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
    """``promote-actions calver ARGUMENTS --format json`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        status = run(["calver", *map(str, arguments), "--format", "json"])
    return Ran(status, out.getvalue(), err.getvalue())


def isolated(*arguments: str | Path) -> list[str]:
    """The command line that runs calver as the launcher does: no site-packages, no environment."""
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from promote_actions.__main__ import main; main()"
    )
    return [PYTHON, "-I", "-S", "-c", code, str(SOURCE), "calver", *map(str, arguments), "--format", "json"]
