"""Each action's own steps, run as a runner runs them, on real git repositories."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from promote_actions.catalogue import actions
from promote_actions.rehearsal.github import GitHubEmulator
from tests.actions.step_runner import ROOT, Ran, load, run_action

VALUES = """\
# Values of {service}
image:
  repository: ghcr.io/nexo-org/{service}
  tag: "{version}"   # promoted by a robot
replicas: 2
"""
GIT = {"GIT_AUTHOR_DATE": "2026-02-01T10:00:00Z", "GIT_COMMITTER_DATE": "2026-02-01T10:00:00Z"}
SLUG = "nexo-org/nexo-gitops"
HOSTILE = [
    "a\nversion=evil",
    "a\nghadelimiter_x\nversion=evil",
    '"; touch owned; "',
    "$(touch owned)",
    "`touch owned`",
    "${{ github.token }}",
    "::set-output name=version::evil",
    "'; touch owned #",
    "../../etc/passwd",
    "-rf",
    "é→\u2028\u202e",
]

Use = Callable[..., Ran]


def git(folder: Path, *words: str) -> str:
    command = [
        "git",
        "-c",
        "user.name=Alice",
        "-c",
        "user.email=alice@example.com",
        "-C",
        str(folder),
        *words,
    ]
    return subprocess.check_output(command, env=os.environ | GIT, text=True).strip()


@pytest.fixture
def use(tmp_path: Path) -> Use:
    """Uses an action: ``use("calver", repo=…)``; a second call is a second step."""
    workspace = tmp_path / "the workspace"
    workspace.mkdir()
    count = iter(range(99))

    def use(name: str, inputs: dict[str, str] | None = None, folder: Path = ROOT, **env: str) -> Ran:
        scratch = tmp_path / f"temp {next(count)}"
        scratch.mkdir()
        return run_action(folder / name, inputs or {}, workspace, scratch, env)

    return use


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A service's repository with one commit."""
    folder = tmp_path / "nexo-be"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "app.py").write_text("print(1)\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "feat: begin")
    return folder


@pytest.fixture
def commit(service: Path) -> dict[str, str]:
    """Inputs of calver for the service's one commit, in a known month."""
    return {"repo": str(service), "sha": git(service, "rev-parse", "HEAD"), "date": "2026-02-01"}


@pytest.fixture
def gitops(tmp_path: Path) -> Path:
    """A bare GitOps repository in the strategy's layout."""
    seed = tmp_path / "seed"
    folder = seed / "helm" / "nexo-be"
    folder.mkdir(parents=True)
    versions = {"develop": "2026.02.17", "qa": "2026.02.15", "staging": "2026.02.10", "prod": "2026.01.45"}
    for suffix, version in versions.items():
        (folder / f"values-{suffix}.yaml").write_text(VALUES.format(service="nexo-be", version=version))
    (seed / ".github").mkdir()
    (seed / ".github/CODEOWNERS").write_text("helm/*/values-prod.yaml @nexo-org/sre @bob\n")
    git(seed, "init", "-q", "-b", "main")
    git(seed, "add", ".")
    git(seed, "commit", "-q", "-m", "chore: begin")
    bare = tmp_path / "nexo gitops.git"
    git(seed, "clone", "-q", "--bare", str(seed), str(bare))
    return bare


@pytest.fixture
def address() -> Iterator[str]:
    """An application that answers every request with 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"status": "ok", "version": "2026.02.17"}')

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def declared(name: str) -> set[str]:
    return set(load(ROOT / name / "action.yml")["outputs"])


def test_calver_reserves_a_version(use: Use, service: Path, commit: dict[str, str]) -> None:
    """The version is an output and a tag in the repository; a second step gets the same one."""
    ran = use("calver", commit)
    assert ran.status == 0, ran.stderr + ran.stdout
    assert set(ran.outputs) == declared("calver")
    assert ran.outputs["version"] == "2026.02.1"
    assert ran.outputs["semver"] == "2026.2.1"
    assert ran.outputs["reused"] == "false"
    assert git(service, "tag") == ran.outputs["tag"]
    again = use("actions/calver", commit)
    assert (again.outputs["version"], again.outputs["reused"]) == ("2026.02.1", "true")


def test_docker_tags_makes_the_strategys_tags(use: Use) -> None:
    """On the default branch a version gives its tags; the names are in the outputs, line by line."""
    ran = use("docker-tags", {"images": "ghcr.io/Nexo-Org/nexo-be", "version": "2026.02.1"})
    assert ran.status == 0, ran.stderr + ran.stdout
    assert set(ran.outputs) == declared("docker-tags")
    tags = ran.outputs["tags"].split("\n")
    assert tags[0] == "ghcr.io/nexo-org/nexo-be:2026.02.1"
    assert "ghcr.io/nexo-org/nexo-be:sha-8b842d3" in tags
    assert json.loads(ran.outputs["json"])["tags"] == tags
    assert Path(ran.outputs["bake-file"]).is_file()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_input_stays_a_value(use: Use, value: str, tmp_path: Path) -> None:
    """What a stranger writes into an input runs nothing, adds no output and is no runner's command."""
    ran = use("docker-tags", {"images": "ghcr.io/o/a", "version": "1.2.3", "labels": f"title={value}"})
    if ran.status == 0:
        assert ran.outputs["version"] == "1.2.3"
        assert ran.outputs["tags"].split("\n")[0] == "ghcr.io/o/a:1.2.3"
    else:
        assert ran.status == 2
        assert len([line for line in ran.stdout.splitlines() if line.startswith("::error")]) == 1
    assert "Traceback" not in ran.stdout + ran.stderr
    assert not [line for line in ran.stdout.splitlines() if line.lstrip().startswith("::set-output")]
    assert not list(tmp_path.rglob("owned"))


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["metadata", "tag-prefix", "version"])
def test_what_becomes_a_tag_is_checked(use: Use, commit: dict[str, str], field: str, value: str) -> None:
    """A hostile version, label or prefix is refused in one line that names the input."""
    docker = {"images": "ghcr.io/o/a", "tags": "type=raw,value=x"}
    ran = use(
        "docker-tags" if field == "version" else "calver",
        (docker if field == "version" else commit) | {field: value},
    )
    assert "Traceback" not in ran.stdout + ran.stderr
    assert ran.status == 2, ran.stdout + ran.stderr
    (error,) = (line for line in ran.stdout.splitlines() if line.startswith("::error"))
    assert field in error
    assert set(ran.outputs.values()) == {""}


def test_a_missing_input_is_one_annotation(use: Use) -> None:
    """GitHub doesn't enforce `required`, so the command does."""
    ran = use("promote")
    assert ran.status == 2
    (line,) = (line for line in ran.stdout.splitlines() if line.startswith("::"))
    assert line.startswith(
        "::error title=promote-actions%3A bad input::input 'gitops' is required and empty"
    )


def test_promote_commits_to_the_repository(use: Use, gitops: Path) -> None:
    """A direct promotion is one commit that changes one line; the outputs name it."""
    inputs = {"gitops": str(gitops), "service": "nexo-be", "to": "qa", "mode": "direct"}
    ran = use("promote", inputs)
    assert ran.status == 0, ran.stderr + ran.stdout
    assert set(ran.outputs) == declared("promote")
    assert (ran.outputs["changed"], ran.outputs["mode"]) == ("true", "direct")
    assert (ran.outputs["version"], ran.outputs["previous-version"]) == ("2026.02.17", "2026.02.15")
    assert ran.outputs["commit-sha"] == git(gitops, "rev-parse", "main")
    values = git(gitops, "show", "main:helm/nexo-be/values-qa.yaml")
    assert values + "\n" == VALUES.format(service="nexo-be", version="2026.02.17")
    again = use(
        "actions/promote", {"gitops": str(gitops), "service": "nexo-be", "to": "qa", "mode": "direct"}
    )
    assert (again.status, again.outputs["changed"]) == (0, "false")


def test_a_dry_run_changes_nothing(use: Use, gitops: Path) -> None:
    """The plan is shown, and the branch stays where it was."""
    before = git(gitops, "rev-parse", "main")
    inputs = {"gitops": str(gitops), "service": "nexo-be", "to": "qa", "dry-run": "true"}
    ran = use("promote", inputs)
    assert ran.status == 0, ran.stderr + ran.stdout
    assert "2026.02.17" in ran.stdout
    assert git(gitops, "rev-parse", "main") == before


def test_a_promotion_can_be_verified_rolled_back_and_shown(use: Use, gitops: Path, tmp_path: Path) -> None:
    """What one action wrote, the others read: audit log, rollback, matrix."""
    where = {"gitops": str(gitops)}
    assert use("promote", where | {"service": "nexo-be", "to": "qa", "mode": "direct"}).status == 0

    audit = use("audit-log", where | {"operation": "verify"})
    assert audit.status == 0, audit.stderr + audit.stdout
    assert audit.outputs["verified"] == "true"

    rolled = {"service": "nexo-be", "environment": "qa", "reason": "errors", "mode": "direct"}
    rollback = use("rollback", where | rolled)
    assert rollback.status == 0, rollback.stderr + rollback.stdout
    assert rollback.outputs["restored-version"] == "2026.02.15"
    assert '"2026.02.15"' in git(gitops, "show", "main:helm/nexo-be/values-qa.yaml")

    page = tmp_path / "matrix.html"
    matrix = use("version-matrix", where | {"html": str(page)})
    assert matrix.status == 0, matrix.stderr + matrix.stdout
    assert matrix.outputs["html-path"] == str(page)
    assert "2026.01.45" in matrix.outputs["matrix"]
    assert "2026.02.15" in matrix.summary
    assert "2026.02.15" in page.read_text(encoding="utf-8")


def test_a_gate_passes_and_fails(use: Use, address: str) -> None:
    """A gate that holds exits 0, one that doesn't exits 1; both say so in their outputs."""
    inputs = {"environment": "develop", "service": "nexo-be", "version": "2026.02.17", "once": "true"}
    checks = {"check": "http", "paths": "/health"}
    passed = use("health-gate", inputs | checks | {"base-url": address})
    assert passed.status == 0, passed.stderr + passed.stdout
    assert set(passed.outputs) == declared("health-gate")
    assert (passed.outputs["passed"], passed.outputs["result"]) == ("true", "passed")
    assert json.loads(passed.outputs["validation-results"])
    failed = use("health-gate", inputs | checks | {"base-url": "http://127.0.0.1:9"})
    assert failed.status == 1
    assert failed.outputs["passed"] == "false"


def test_owners_reads_codeowners(use: Use, tmp_path: Path) -> None:
    """Paths are given line by line; the answer is JSON."""
    file = tmp_path / "CODEOWNERS"
    file.write_text("helm/*/values-prod.yaml @nexo-org/sre @bob\n")
    ran = use("owners", {"codeowners": str(file), "paths": "helm/a/values-prod.yaml\nREADME.md"})
    assert ran.status == 0, ran.stderr + ran.stdout
    assert json.loads(ran.outputs["owners"]) == {
        "helm/a/values-prod.yaml": ["@nexo-org/sre", "@bob"],
        "README.md": [],
    }
    assert json.loads(ran.outputs["teams"]) == ["nexo-org/sre"]


@pytest.mark.parametrize("depth", ["calver", "actions/calver"])
def test_a_staged_copy_works(use: Use, commit: dict[str, str], tmp_path: Path, depth: str) -> None:
    """The runner unpacks an archive of the repository under a path that may hold spaces and quotes."""
    copy = tmp_path / "_actions" / "nexo-org" / "it's $HOME" / "v1"
    copy.mkdir(parents=True)
    folders = ["bin", "src", "requirements", "pyproject.toml", depth]
    archive = subprocess.check_output(["tar", "-c", "-C", str(ROOT), *folders])
    subprocess.run(["tar", "-x", "-C", str(copy)], input=archive, check=True)
    ran = use(depth, commit, folder=copy, CDPATH=str(tmp_path))
    assert ran.status == 0, ran.stderr + ran.stdout
    assert ran.outputs["version"] == "2026.02.1"


def test_nothing_of_the_caller_is_changed(use: Use, commit: dict[str, str], tmp_path: Path) -> None:
    """A step leaves no variable, no path and no file in the workspace."""
    for name in ("GITHUB_ENV", "GITHUB_PATH"):
        (tmp_path / name).touch()
    files = {name: str(tmp_path / name) for name in ("GITHUB_ENV", "GITHUB_PATH")}
    assert use("calver", commit, **files).status == 0
    assert [(tmp_path / name).read_text() for name in files] == ["", ""]
    assert list((tmp_path / "the workspace").iterdir()) == []


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubEmulator]:
    """GitHub with the GitOps repository, where somebody proposes a version for production."""
    with GitHubEmulator(tmp_path / "github") as emulator:
        emulator.add_user("robot", "robot-token", role="maintain")
        emulator.add_user("dora")
        emulator.add_repository(SLUG)
        path = "helm/nexo-be/values-{}.yaml"
        versions = {"develop": "2026.02.17", "qa": "2026.02.15", "staging": "2026.02.10"}
        files = {
            path.format(name): VALUES.format(service="nexo-be", version=v) for name, v in versions.items()
        }
        before, after = (VALUES.format(service="nexo-be", version=v) for v in ("2026.01.45", "2026.02.10"))
        emulator.commit(SLUG, {**files, path.format("prod"): before}, "Begin")
        emulator.commit(SLUG, {path.format("prod"): after}, "x", branch="x", login="dora")
        requests.post(
            f"{emulator.url}/repos/{SLUG}/pulls",
            headers={"Authorization": "Bearer dora-token"},
            json={"title": "x", "head": "x", "base": "main"},
            timeout=10,
        ).raise_for_status()
        yield emulator


def test_guard_publishes_what_a_pull_request_lacks(use: Use, github: GitHubEmulator) -> None:
    """The statuses are on its head, and later steps learn what it promotes."""
    ran = use("guard", {"gitops": SLUG, "token": "robot-token"}, GITHUB_API_URL=github.url)
    assert ran.status == 0, ran.stderr + ran.stdout
    assert set(ran.outputs) == declared("guard")
    assert (ran.outputs["any"], ran.outputs["passed"]) == ("true", "false")
    (told,) = json.loads(ran.outputs["promotions"])
    assert (told["to"], told["version"]) == ("production", "2026.02.10")
    contexts = {each.context for each in github.repository(SLUG).statuses}
    assert contexts == {"promotion/approvals", "promotion/soak", "promotion/policy"}


def test_a_refusal_is_an_output_too(use: Use, gitops: Path) -> None:
    """Whatever follows a failed step can tell a refusal from a failure."""
    where = {"gitops": str(gitops), "service": "nexo-be", "mode": "direct"}
    refused = use("promote", where | {"to": "qa", "version": "2026.09.9"})
    assert (refused.status, refused.outputs["outcome"]) == (1, "refused")
    failed = use("promote", where | {"to": "nowhere"})
    assert (failed.status, failed.outputs["outcome"]) == (2, "failure")
    done = use("promote", where | {"to": "qa"})
    assert (done.status, done.outputs["outcome"]) == (0, "success")


def test_every_action_is_run_here() -> None:
    """No action is left out of this file: `act` would hide an input that is not mapped."""
    used = set(
        re.findall(r"""\buse\(\s*"(?:actions/)?([\w-]+)""", Path(__file__).read_text(encoding="utf-8"))
    )
    assert used == {command.name for command in actions()}
