"""Two hundred commits ask for a version at once, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.versions.tagged import FEBRUARY, bare, isolated, tags

ASKERS = 200


def test_two_hundred_processes_get_two_hundred_builds(tmp_path: Path) -> None:
    """Builds 1 to 200, each given once, each tag on the commit that was told so; some carry a label."""
    repo, shas = bare(tmp_path / "r", ASKERS)
    started = []
    for number, sha in enumerate(shas):
        label = ("--metadata", "hotfix") if number % 10 == 0 else ()
        command = isolated("--repo", repo, "--sha", sha, *label, *FEBRUARY)
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    said = [process.communicate() for process in started]
    assert {process.returncode for process in started} == {0}, {err for _, err in said}
    made = [json.loads(out) for out, _ in said]
    assert sorted(each["build"] for each in made) == list(range(1, ASKERS + 1))
    held = tags(repo)
    assert {each["tag"]: held[each["tag"]][:7] for each in made} == {
        each["tag"]: each["short-sha"] for each in made
    }
    assert len(held) == ASKERS + ASKERS // 10
    assert not any(each["reused"] for each in made)


def test_one_commit_asked_by_many_processes_has_one_version(tmp_path: Path) -> None:
    """Twenty jobs of one commit at once: one tag, and only one of them made it."""
    repo, (sha,) = bare(tmp_path / "r")
    started = [
        subprocess.Popen(isolated("--repo", repo, *FEBRUARY), stdout=subprocess.PIPE) for _ in range(20)
    ]
    made = [json.loads(process.communicate()[0]) for process in started]
    assert {each["version"] for each in made} == {"2026.02.1"}
    assert [each["reused"] for each in made].count(False) == 1
    assert tags(repo) == {"2026.02.1": sha}
