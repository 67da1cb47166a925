"""Real GitOps repositories for tests: bare ones with the strategy's layout, and commands run on them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = ("develop", "qa", "staging", "prod")
SRC = str(Path(__file__).parents[2] / "src")
CLEAN = {
    **{
        key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "INPUT_", "GIT_"))
    },
    "PYTHONPATH": SRC,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path | str, *arguments: str, stdin: str | None = None) -> str:
    """What ``git ARGUMENTS`` prints in ``folder``."""
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        env=CLEAN,
    )
    return done.stdout.strip()


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write ``files`` under ``folder``."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def values(tag: str) -> str:
    """A values file with comments, blank lines and the tag in the middle."""
    return f'# values\nimage:\n  repository: ghcr.io/nexo-org/app\n\n  tag: "{tag}" # here\nreplicas: 1\n'


def standard_files(services: Sequence[str], versions: Mapping[str, str] | None = None) -> dict[str, str]:
    """Values files of ``services``; develop is at 2026.02.17 unless ``versions`` (by suffix) says else."""
    tags = {"develop": "2026.02.17", "qa": "2026.02.15", "staging": "2026.02.10", "prod": "2026.01.45"}
    tags |= dict(versions or {})
    return {
        f"helm/{service}/values-{suffix}.yaml": values(tags[suffix])
        for service in services
        for suffix in ENVIRONMENTS
    }


def make_bare(folder: Path, files: Mapping[str, str | bytes], name: str = "gitops.git") -> Path:
    """A bare repository with one commit of ``files`` on main."""
    work = folder / f"{name}-work"
    work.mkdir(parents=True)
    write(work, files)
    git(work, "init", "-q", "-b", "main")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "Start")
    bare = folder / name
    git(folder, "clone", "-q", "--bare", str(work), str(bare))
    return bare


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The one line in which it failed."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("error:")]
        assert len(lines) == 1, self.stderr
        return lines[0]


def command(*arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Run ``promote-actions ARGUMENTS`` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "promote_actions", *arguments],
        capture_output=True,
        text=True,
        env={**CLEAN, **(env or {})},
        cwd=cwd,
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
