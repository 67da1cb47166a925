"""The Docker action: what its entry point gives up, and what is in its image."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actions.step_runner import ROOT
from tests.command_files import parse_key_values

RUNNER = 1001


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that belongs to a runner's user and that every user can reach."""
    if os.getuid() != 0:
        pytest.skip("only root can give up root, so the entry point was not run")
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    for name in ("bin", "src"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    (made / "workspace").mkdir()
    os.chown(made / "workspace", RUNNER, RUNNER)
    yield made
    shutil.rmtree(made)


def everyones_python() -> str:
    """An interpreter that a user other than root can read."""
    for python in ("/usr/bin/python3", "/usr/local/bin/python3", sys.executable):
        probe = "import os, sys; os.setuid(1001); import decimal; sys.exit(sys.version_info < (3, 10))"
        if Path(python).exists() and not subprocess.run([python, "-ISc", probe], check=False).returncode:
            return python
    pytest.skip("every Python here is readable by root alone, so the entry point was not run")


def start(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [everyones_python(), "-I", "-S", str(folder / "bin/container.py"), *words],
        env={"PATH": "/usr/bin:/bin", **env},
        cwd=folder / "workspace",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        extra_groups=[0, 4],
    )


def test_the_command_runs_as_the_runners_user(folder: Path) -> None:
    """Outputs are written, and every file that is left belongs to the runner."""
    output = folder / "workspace" / "output"
    output.touch(0o600)
    os.chown(output, RUNNER, RUNNER)
    env = {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(folder / "workspace"), "INPUT_VERSION": "1.2.3"}
    ran = start(
        folder, "action", "docker-tags", **env, INPUT_IMAGES="ghcr.io/o/a", GITHUB_REF="refs/heads/main"
    )
    assert ran.returncode == 0, ran.stderr
    assert parse_key_values(output.read_text())["version"] == "1.2.3"
    left = list((folder / "workspace").iterdir())
    assert len(left) > 1
    assert {path.stat().st_uid for path in left} == {RUNNER}


def test_root_is_given_up_for_good(folder: Path) -> None:
    """The process can't become root again, and belongs to no group of root's."""
    shown = "print(os.getresuid(), os.getresgid(), os.getgroups())"
    (folder / "bin/launch.py").write_text(f"import os\ndef main(words):\n    {shown}\n    return 7\n")
    ran = start(folder)
    assert ran.stdout == f"{(RUNNER,) * 3} {(RUNNER,) * 3} []\n"
    assert ran.returncode == 7


def test_outside_of_actions_root_becomes_nobody(folder: Path) -> None:
    """Where nothing belongs to anybody else, root is given up all the same."""
    (folder / "bin/launch.py").write_text("import os\ndef main(words):\n    return os.getuid() == 65532\n")
    os.chown(folder / "workspace", 0, 0)
    assert start(folder).returncode == 1


def test_the_image_holds_what_it_needs_and_no_more() -> None:
    """Every COPY of the Dockerfile is let through by .dockerignore, and nothing else is."""
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    wanted = {word for line in copied for word in line.split()}
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert let_through == wanted
    assert all((ROOT / path).exists() for path in wanted)
