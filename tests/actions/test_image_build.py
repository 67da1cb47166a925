"""The Dockerfile, built by buildah without any engine, and a command run in what came of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.actions import image_base
from tests.actions.step_runner import ROOT
from tests.support.gitops import git

HANDED_ON = re.compile(r"(PIP|UV)_.*|.*_(PROXY|proxy)")
"""Variables that say how to reach a package index from here."""


@dataclass
class Buildah:
    """buildah with a store of its own."""

    store: Path

    def __call__(self, *words: str) -> str:
        command = [
            "buildah",
            "--root",
            str(self.store / "root"),
            "--runroot",
            str(self.store / "run"),
            *words,
        ]
        env = {**os.environ, "STORAGE_DRIVER": "vfs"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """A container of the built image, called ``action``."""
    if not shutil.which("buildah"):
        pytest.skip("buildah is not installed here, so the Dockerfile was not built")
    if os.getuid() != 0:
        pytest.skip("buildah needs root for its chroots here, so the Dockerfile was not built")
    if image_base.missing():
        pytest.skip(
            f"there is no base image without {image_base.missing()[0]}, so the Dockerfile was not built"
        )
    folder = tmp_path_factory.mktemp("image")
    image_base.make(folder / "base")
    buildah = Buildah(folder)
    base = buildah("from", "scratch")
    buildah("copy", "-q", base, str(folder / "base"), "/")
    handed = {"PATH": "/usr/bin:/bin"}
    handed |= {name: value for name, value in os.environ.items() if HANDED_ON.fullmatch(name)}
    buildah(
        "config", *(word for name, value in handed.items() for word in ("--env", f"{name}={value}")), base
    )
    buildah("commit", "-q", base, "localhost/base:1")
    argument = "PYTHON_IMAGE=localhost/base:1"
    options = ["--isolation", "chroot", "--pull-never", "--build-arg", argument]
    buildah("bud", *options, "-t", "localhost/promote-actions:1", str(ROOT))
    buildah("from", "--name", "action", "localhost/promote-actions:1")
    yield buildah
    shutil.rmtree(folder)


def start(buildah: Buildah, workspace: Path, *words: str) -> str:
    """What the image's entry point prints for ``words``, as Docker would start it."""
    config = json.loads(buildah("inspect", "--type", "image", "localhost/promote-actions:1"))
    entry = config["OCIv1"]["config"]["Entrypoint"]
    options = ["--isolation", "chroot", "--volume", f"{workspace}:/github/workspace"]
    options += ["--workingdir", "/github/workspace", "--env", "HOME=/tmp"]
    return buildah("run", *options, "action", "--", *entry, *words)


def test_the_built_action_runs(buildah: Buildah, tmp_path: Path) -> None:
    """On a repository that belongs to a runner's user, in the image as it was built."""
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "-q", "-b", "main")
    git(work, "commit", "-q", "--allow-empty", "-m", "feat: begin")
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.getuid() and str(path) != "/tmp":
            path.chmod(path.stat().st_mode | 0o055)
    for path in (work, *work.rglob("*")):
        os.chown(path, 1001, 1001)
    said = start(buildah, work, "calver", "--repo", ".", "--no-reserve", "--date", "2026-02-01")
    assert "2026.02.1" in said
    # A command that needs packages finds them in the image, and makes nothing.
    said = start(buildah, work, "promote", "--help")
    assert "Promote a version" in said
    assert "preparing" not in said
