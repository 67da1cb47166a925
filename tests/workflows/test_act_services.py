"""The service repositories' workflows, run whole by act; with names that try to be commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.actions.step_runner import ROOT
from tests.support.gitops import git
from tests.workflows.act_world import Stage, repository

CI = ROOT / "workflows-examples/service-repo/.github/workflows/ci.yml"
NAME = "nexo-org/nexo-be"
HOSTILE_BRANCH = '";touch${IFS}pwned;"'
HOSTILE_TITLE = "${{ github.token }} $(touch pwned) `touch pwned`\n::set-output name=version::9.9.9\n"


def develop(stage: Stage) -> str:
    return git(stage.world.bare, "show", "main:helm/nexo-be/values-develop.yaml")


def image_tags(stage: Stage, name: str = "nexo-be") -> set[str]:
    return set(stage.world.registry.tags(f"nexo-org/{name}"))


def pwned(stage: Stage) -> list[Path]:
    return list(stage.folder.rglob("pwned"))


def test_a_push_becomes_a_version_an_image_and_develop(stage: Stage) -> None:
    """One version: reserved as a git tag, pushed under every tag, and live in develop's values."""
    commit = stage.commit("feat: add rate limiting")
    checkout = stage.service("nexo-be", CI)
    ran = stage.act.run(checkout, "ci.yml", "push", {**repository(NAME), "after": commit})
    assert ran.status == 0, ran.log
    assert set(ran.jobs) == {"Version and tags", "Image", "Develop"}
    source = stage.world.folder / "nexo-be.git"
    (version,) = git(source, "tag", "--points-at", commit).splitlines()
    assert {version, f"{version}-{commit[:7]}", f"sha-{commit[:7]}", "develop", "latest"} <= image_tags(
        stage
    )
    assert f'tag: "{version}"' in develop(stage)
    assert stage.subjects()[0] == f"auto-promote(nexo-be): develop → {version}"


@pytest.fixture
def attack() -> dict[str, Any]:
    """A pull request whose branch, title, text and author try to be commands and expressions."""
    head = {"ref": HOSTILE_BRANCH, "sha": "", "repo": {"full_name": NAME}}
    return {
        **repository(NAME),
        "number": 17,
        "action": "opened",
        "pull_request": {"number": 17, "title": HOSTILE_TITLE, "body": HOSTILE_TITLE, "head": head},
        "sender": {"login": "$(touch pwned)"},
    }


def test_a_pull_request_gets_no_release(stage: Stage, attack: dict[str, Any]) -> None:
    """Whatever its branch and title are called: nothing runs, is reserved, pushed or promoted."""
    before = develop(stage)
    commit = stage.commit(HOSTILE_TITLE)
    checkout = stage.service("nexo-be", CI)
    git(checkout, "checkout", "-q", "-b", HOSTILE_BRANCH)
    attack["pull_request"]["head"]["sha"] = commit
    ran = stage.act.run(checkout, "ci.yml", "pull_request", attack)
    assert ran.status == 0, ran.log
    assert set(ran.jobs) == {"Version and tags", "Image"}
    assert git(stage.world.folder / "nexo-be.git", "tag", "--points-at", commit) == ""
    assert image_tags(stage) == set()
    assert develop(stage) == before
    assert pwned(stage) == []
    assert "9.9.9" not in ran.log.replace(HOSTILE_TITLE, "")


def test_a_branch_by_any_name_becomes_tags_that_registries_take(stage: Stage) -> None:
    """A push to a branch whose name is a command: its tags are harmless, and its image can't be latest."""
    files = {"src/app.py": b"# 9\n"}
    commit = stage.world.github.commit(NAME, files, "feat: x", branch=HOSTILE_BRANCH)
    checkout = stage.service("nexo-be", CI)
    workflow = checkout / ".github/workflows/ci.yml"
    workflow.write_text(workflow.read_text(encoding="utf-8").replace("[main]", "['**']"), encoding="utf-8")
    git(checkout, "checkout", "-q", HOSTILE_BRANCH)
    payload = {**repository(NAME), "after": commit, "ref": f"refs/heads/{HOSTILE_BRANCH}"}
    ran = stage.act.run(checkout, "ci.yml", "push", payload)
    assert ran.status == 0, ran.log
    assert f"sha-{commit[:7]}" in image_tags(stage)
    assert not {"latest", "develop"} & image_tags(stage)
    assert pwned(stage) == []


NO_SERVICES = ["$(touch pwned)", "a\nversion=9.9.9", ""]


@pytest.mark.parametrize("service", NO_SERVICES)
def test_an_event_is_believed_for_nothing(stage: Stage, service: str) -> None:
    """What the event names is looked up; what is no service is refused in one line, and nothing changes."""
    before = stage.subjects()
    hint = {"service": service, "version": "9.9.9", "to": "production"}
    payload = {"client_payload": {"promotion": hint}}
    ran = stage.gitops("auto-promote.yml", "repository_dispatch", payload)
    assert ran.status != 0
    assert set(ran.jobs.values()) == {"failed"}
    assert "Traceback" not in ran.log
    assert stage.subjects() == before
    assert pwned(stage) == []


def test_a_monorepo_builds_what_changed(stage: Stage) -> None:
    """Two services changed in one push: a version and an image each, and both come into develop."""
    source = stage.world.folder / "nexo-be.git"
    stage.world.github.add_repository("nexo-org/nexo", source, "main")
    before = git(source, "rev-parse", "main")
    changed = {f"services/{name}/app.py": b"# 2\n" for name in ("nexo-be", "nexo-web")}
    commit = stage.world.github.commit("nexo-org/nexo", {**changed, "README.md": b"# Hi\n"}, "feat: both")
    checkout = stage.service("nexo-be", ROOT / "workflows-examples/monorepo/.github/workflows/ci.yml")
    git(checkout, "remote", "set-url", "origin", "https://github.com/nexo-org/nexo.git")
    payload = {**repository("nexo-org/nexo"), "before": before, "after": commit}
    ran = stage.act.run(checkout, "ci.yml", "push", payload)
    assert ran.status == 0, ran.log
    tags = git(source, "tag", "--points-at", commit).splitlines()
    assert [tag.rpartition("/")[0] for tag in tags] == ["nexo-be", "nexo-web"]
    for tag in tags:
        name, _, version = tag.partition("/")
        assert version in image_tags(stage, name)
        assert version in git(stage.world.bare, "show", f"main:helm/{name}/values-develop.yaml")
