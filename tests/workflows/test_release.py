"""A release's own steps: version, notes, the released action, and the order of the workflow's jobs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.actions.step_runner import ROOT, load

CHANGELOG = """\
# Changelog

For people.

## Unreleased

- **New**: rollback by Argo CD.

## 1.0.0 - 2026-02-01

- First version.
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files that a release changes."""
    (tmp_path / "src/promote_actions").mkdir(parents=True)
    (tmp_path / "src/promote_actions/__init__.py").write_text('"""X."""\n\n__version__ = "1.0.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    shutil.copy(ROOT / "action.yml", tmp_path)
    return tmp_path


def release(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(ROOT / "bin/release.py"), *words]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_what_is_unreleased_gets_a_name(tree: Path) -> None:
    """`cut` names it in both files, `check` then agrees, and `notes` are that section alone."""
    assert release(tree, "check", "1.1.0").returncode == 2
    assert release(tree, "cut", "1.1.0", "2026-03-01").returncode == 0
    assert "## Unreleased\n\n## 1.1.0 - 2026-03-01\n\n- **New**" in (tree / "CHANGELOG.md").read_text()
    assert '__version__ = "1.1.0"' in (tree / "src/promote_actions/__init__.py").read_text()
    assert release(tree, "check", "1.1.0").returncode == 0
    assert release(tree, "notes", "1.1.0").stdout == "- **New**: rollback by Argo CD.\n"
    assert release(tree, "notes", "1.0.0").stdout == "- First version.\n"


def test_the_released_action_starts_the_built_image(tree: Path) -> None:
    """By digest, so that what was tested is what runs; nothing else of the action changes."""
    image = f"ghcr.io/nexo-org/promote-actions@sha256:{'a' * 64}"
    assert release(tree, "image", image).returncode == 0
    released = load(tree / "action.yml")
    assert released["runs"]["image"] == f"docker://{image}"
    built = load(ROOT / "action.yml")
    assert {**released, "runs": 0} == {**built, "runs": 0}
    assert {**released["runs"], "image": "Dockerfile"} == built["runs"]
    assert release(tree, "image", image).returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["cut"],
        ["cut", "1.1"],
        ["cut", "v1.1.0"],
        ["cut", "1.1.0; rm"],
        ["notes", "9.9.9"],
        ["image", "ghcr.io/o/n:latest"],
        ["image", "ghcr.io/o/n@sha256:abc"],
        ["publish", "1.1.0"],
    ],
)
def test_what_makes_no_sense_is_one_line(tree: Path, words: list[str]) -> None:
    """Status 2, and no file is changed."""
    before = (tree / "CHANGELOG.md").read_text()
    done = release(tree, *words)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert (tree / "CHANGELOG.md").read_text() == before


def test_nothing_new_is_no_release(tree: Path) -> None:
    """An empty section is not published."""
    (tree / "CHANGELOG.md").write_text(CHANGELOG.replace("- **New**: rollback by Argo CD.\n", ""))
    assert "nothing is unreleased" in release(tree, "cut", "1.1.0").stderr


def test_nothing_is_published_before_the_tests() -> None:
    """Every job that publishes waits for the tests, directly or through others; the tags come last."""
    jobs = load(ROOT / ".github/workflows/release.yml")["jobs"]

    def before(name: str) -> set[str]:
        needs = jobs[name].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct | {each for need in direct for each in before(need)}

    assert all("test" in before(name) for name in jobs if name != "test")
    assert before("tag") == set(jobs) - {"tag"}


def test_this_repository_has_a_changelog_to_cut() -> None:
    """The file is in the form that `cut` reads."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.count("## Unreleased") == 1
