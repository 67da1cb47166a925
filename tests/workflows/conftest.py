"""The stage on which a workflow runs: a world of its own for each test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.actions.step_runner import ROOT
from tests.workflows.act_world import Stage, open_stage


@pytest.fixture(scope="session")
def cache() -> Path:
    """The folder with the environment of the commands, made once and shared with other runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "promote-actions"
    maker = [
        sys.executable,
        "-I",
        "-S",
        str(ROOT / "bin/environment.py"),
        str(ROOT / "requirements/run.txt"),
    ]
    subprocess.run(
        maker,
        env={**os.environ, "PROMOTE_ACTIONS_CACHE": str(folder)},
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder


@pytest.fixture
def stage(tmp_path: Path, cache: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield open_stage(stack, tmp_path, cache)
