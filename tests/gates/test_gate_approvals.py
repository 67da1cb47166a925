"""The approvals check and its commit statuses, on the emulated GitHub."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from promote_actions.rehearsal.github import GitHubEmulator
from tests.support.gitops import CLEAN, Ran, command, standard_files

NAME = "nexo-org/nexo-gitops"
OWNERS = "helm/*/values-prod.yaml @nexo-org/sre\n"
PROMOTED = 'image:\n  repository: ghcr.io/nexo-org/app\n  tag: "2026.02.10"\n'


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubEmulator]:
    """A pull request into production, opened by a bot; ana and ben are SREs, cid is not."""
    with GitHubEmulator(tmp_path) as github:
        for login in ("ana", "ben", "cid"):
            github.add_user(login)
        github.add_user("promoter[bot]", "bot-token", bot=True)
        github.add_team("nexo-org", "sre", ["ana", "ben"])
        github.add_repository(NAME)
        github.commit(NAME, {**standard_files(["nexo-be"]), ".github/CODEOWNERS": OWNERS})
        github.commit(
            NAME, {"helm/nexo-be/values-prod.yaml": PROMOTED}, branch="promote/nexo-be-prod-2026.02.10"
        )
        ask(
            github,
            "POST",
            f"/repos/{NAME}/pulls",
            "bot",
            title="t",
            head="promote/nexo-be-prod-2026.02.10",
            base="main",
        )
        yield github
        assert github.crashes == []


def ask(github: GitHubEmulator, method: str, path: str, user: str, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {user}-token", "Content-Type": "application/json"}
    request = Request(
        github.url + path, json.dumps(body).encode() if body else None, headers, method=method
    )
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def approve(github: GitHubEmulator, user: str, event: str = "APPROVE") -> None:
    ask(github, "POST", f"/repos/{NAME}/pulls/1/reviews", user, event=event, body="seen")


def gate(github: GitHubEmulator, *more: str) -> tuple[Ran, Any]:
    arguments = [
        "--gitops",
        NAME,
        "--service",
        "nexo-be",
        "--environment",
        "staging",
        "--check",
        "approvals",
    ]
    arguments += ["--pull-request", "1", "--once", "--format", "json", *more]
    env = {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": "bot-token"}
    ran = command("health-gate", *arguments, env=env)
    return ran, json.loads(ran.stdout)


def published(github: GitHubEmulator) -> dict[str, tuple[str, str]]:
    head = ask(github, "GET", f"/repos/{NAME}/pulls/1", "ana")["head"]["sha"]
    found = ask(github, "GET", f"/repos/{NAME}/commits/{head}/status", "ana")["statuses"]
    return {one["context"]: (one["state"], one["description"]) for one in found}


def test_two_owners_must_have_approved(github: GitHubEmulator) -> None:
    """One is refused, somebody else's counts for nothing, two pass; the head has a status for each."""
    approve(github, "ana")
    approve(github, "cid")
    ran, found = gate(github, "--publish")
    assert (ran.status, found["result"]) == (1, "inconclusive")
    assert found["validation-results"] == {"approvals": "inconclusive"}
    assert "1 more approval needed" in ran.error
    assert published(github) == {"promotion/approvals": ("pending", "1 more approval needed")}
    approve(github, "ben")
    ran, found = gate(github, "--publish")
    assert (ran.status, found["result"], found["passed"]) == (0, "passed", True)
    assert published(github)["promotion/approvals"] == ("success", "approved by ana, ben")


def test_an_objection_fails_the_gate(github: GitHubEmulator) -> None:
    """Whatever the others say."""
    for user in ("ana", "ben"):
        approve(github, user)
    approve(github, "cid", "REQUEST_CHANGES")
    ran, found = gate(github)
    assert (ran.status, found["result"]) == (1, "failed")
    assert "changes requested by cid" in ran.error


def test_an_approval_of_an_older_head_does_not_count(github: GitHubEmulator) -> None:
    """Whoever pushes after it must ask again."""
    for user in ("ana", "ben"):
        approve(github, user)
    github.commit(
        NAME,
        {"helm/nexo-be/values-prod.yaml": PROMOTED + "# more\n"},
        branch="promote/nexo-be-prod-2026.02.10",
    )
    ran, found = gate(github)
    assert (ran.status, found["checks"][0]["result"]) == (1, "inconclusive")
    assert "2 more approvals needed" in ran.error


def test_a_pull_request_cannot_name_its_own_approvers(github: GitHubEmulator) -> None:
    """CODEOWNERS is that of the base."""
    github.commit(NAME, {".github/CODEOWNERS": "* @cid\n"}, branch="promote/nexo-be-prod-2026.02.10")
    approve(github, "cid")
    ran, _ = gate(github)
    assert ran.status == 1
    assert "2 more approvals needed" in ran.error


def test_nothing_is_published_by_a_dry_run(github: GitHubEmulator) -> None:
    """It says what it found, and changes nothing."""
    gate(github, "--publish", "--dry-run")
    assert published(github) == {}


def test_a_pull_request_that_is_not_there(github: GitHubEmulator) -> None:
    """Could not be measured: status 3, and the result is written all the same."""
    ran, found = gate(github, "--pull-request", "99")
    assert (ran.status, found["result"]) == (3, "inconclusive")
    assert found["checks"][0]["result"] == "errored"


def test_a_cancelled_job_publishes_nothing(github: GitHubEmulator) -> None:
    """It has seconds left, which belong to its outputs; what it did not finish is no news."""
    arguments = [
        *("health-gate", "--gitops", NAME, "--service", "nexo-be", "--environment", "staging"),
        *("--check", "approvals", "--pull-request", "1", "--publish", "--format", "json"),
    ]
    env = {**CLEAN, "GITHUB_API_URL": github.url, "GITHUB_TOKEN": "bot-token"}
    with subprocess.Popen(
        [sys.executable, "-m", "promote_actions", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    ) as process:
        assert process.stderr is not None
        while "approvals waiting" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=20)
    assert (process.returncode, json.loads(stdout)["result"]) == (130, "inconclusive")
    assert published(github) == {}
