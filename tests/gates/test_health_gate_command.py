"""`health-gate` from the command line: a real repository, Argo CD's emulator, an application, metrics."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promote_actions.rehearsal.application import Behaviour
from promote_actions.rehearsal.argocd import Definition, Fault
from promote_actions.rehearsal.metrics import MetricsServer
from tests.rehearsal.argocd_bench import DEFINITION, NAME, Bench
from tests.support import gitops as support
from tests.support.gitops import Ran, command

TOKEN = "argocd-token-for-tests"
BAD = "2026.02.19"


class World(Bench):
    """The bench, with metrics; version 2026.02.19 answers every tenth request with 500."""

    def __init__(self, folder: Path, definition: Definition = DEFINITION) -> None:
        super().__init__(folder, definition, token=TOKEN)
        self.metrics = MetricsServer(self.app.metrics, 0.05).start()
        self.app.behave(BAD, Behaviour(error_ratio=0.1))
        self.app.traffic(400)
        self.argocd.settle()

    def gate(self, *arguments: str, env: dict[str, str] | None = None) -> Ran:
        """The gate with short times; more arguments come last, so they win."""
        return command(
            "health-gate", *self.arguments(*arguments), env={"ARGOCD_AUTH_TOKEN": TOKEN, **(env or {})}
        )

    def arguments(self, *more: str) -> list[str]:
        return [
            *("--gitops", str(self.bare), "--service", "nexo-be", "--environment", "develop"),
            *("--argocd-server", self.argocd.url, "--base-url", self.app.url + "/{service}/{environment}"),
            *(
                "--prometheus-url",
                self.metrics.url,
                "--window",
                "1s",
                "--stability",
                "0",
                "--interval",
                "100ms",
            ),
            *("--timeout", "20s", *more),
        ]

    def stop(self) -> None:
        self.metrics.stop()
        super().stop()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.stop()


def found(ran: Ran) -> Any:
    return json.loads(ran.stdout)


def test_a_good_version_passes_all_checks(world: World) -> None:
    """Pushed a moment ago: the gate waits for the sync, then measures the new version."""
    world.push("2026.02.18")
    ran = world.gate("--format", "json")
    assert ran.status == 0, ran.stderr
    assert found(ran)["passed"] is True
    assert found(ran)["validation-results"] == {
        "argocd_health": "passed",
        "smoke_tests": "passed",
        "error_rate": "passed",
    }
    assert world.app.version("nexo-be", "develop") == "2026.02.18"
    assert "✅ argocd passed: Synced and Healthy with 2026.02.18" in ran.stderr


def test_old_version_still_healthy_does_not_pass(world: World) -> None:
    """Argo CD has not synced the push, and says Synced and Healthy: of the old version."""
    world.argocd.app(NAME).auto_sync = False
    world.push("2026.02.18")
    ran = world.gate("--once", "--format", "json")
    assert (ran.status, found(ran)["result"]) == (1, "inconclusive")
    assert found(ran)["validation-results"]["smoke_tests"] == "inconclusive"


def test_a_version_with_errors_fails_by_its_error_rate(world: World) -> None:
    """It starts and says that it is healthy; one request in ten fails."""
    world.push(BAD)
    ran = world.gate("--format", "json")
    assert (ran.status, found(ran)["result"]) == (1, "failed")
    assert found(ran)["validation-results"]["error_rate"] == "failed"
    assert "prometheus failed: 0." in ran.error and "wanted <= 0.01" in ran.error


def test_a_version_that_does_not_start_fails_by_argo_cd(world: World) -> None:
    """Degraded, with the reason; what was not measured is not called failed."""
    world.app.behave("2026.02.20", Behaviour(starts=False))
    world.push("2026.02.20")
    ran = world.gate("--format", "json")
    assert (ran.status, found(ran)["result"]) == (1, "failed")
    assert found(ran)["validation-results"] == {
        "argocd_health": "failed",
        "smoke_tests": "inconclusive",
        "error_rate": "inconclusive",
    }
    assert "back-off restarting failed container" in ran.error


def test_a_multi_source_application_passes_by_its_commit(tmp_path: Path) -> None:
    """Its first revision is a chart's version, which no repository knows."""
    world = World(tmp_path, replace(DEFINITION, chart="1.4.2"))
    try:
        world.push("2026.02.18")
        ran = world.gate("--check", "argocd", "--format", "json")
        assert ran.status == 0, ran.stderr
        assert "2026.02.18" in found(ran)["checks"][0]["reason"]
    finally:
        world.stop()


def test_a_rollout_of_argo_rollouts(tmp_path: Path) -> None:
    """Seen in the resource tree; paused at a step it passes where that is wanted."""
    world = World(tmp_path, replace(DEFINITION, rollout=True))
    try:
        assert world.gate("--check", "canary").status == 0
        world.argocd.app(NAME).override.health = "Suspended"
        support_wait(world, "Suspended")
        ran = world.gate("--check", "canary", "--once")
        assert (ran.status, "nexo-be is paused" in ran.error) == (1, True)
        assert world.gate("--check", "canary:paused=pass", "--once").status == 0
    finally:
        world.stop()


def test_reports_of_other_tools(tmp_path: Path) -> None:
    """Tests, a scan and a load test from files that earlier steps wrote."""
    (tmp_path / "junit.xml").write_text('<testsuite><testcase name="a"/></testsuite>')
    (tmp_path / "scan.sarif").write_text('{"runs": [{"results": [{"level": "error", "ruleId": "CVE-1"}]}]}')
    summary = {"metrics": {"http_reqs": {"count": 9000, "rate": 1000}}}
    (tmp_path / "k6.json").write_text(json.dumps(summary))
    checks = ["file:name=e2e;file=junit.xml", "load:file=k6.json;rate=>= 1000"]
    arguments = ["--environment", "qa", "--once", "--format", "json"]
    for check in checks:
        arguments += ["--check", check]
    good = command("health-gate", *arguments, cwd=tmp_path)
    assert (good.status, found(good)["validation-results"]) == (0, {"e2e": "passed", "load_test": "passed"})
    scan = "file:name=security-scan;file=scan.sarif"
    bad = command("health-gate", *arguments, "--check", scan, cwd=tmp_path)
    assert (bad.status, found(bad)["validation-results"]["security_scan"]) == (1, "failed")
    assert "security-scan failed: 0 critical, 1 high, at most 0" in bad.error


def test_a_report_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder is no file; what is not there has not passed."""
    ran = command("health-gate", "--environment", "qa", "--once", "--check", f"file:file={tmp_path}")
    assert (ran.status, "cannot read" in ran.error) == (3, True)
    ran = command("health-gate", "--environment", "qa", "--once", "--check", "file:file=nowhere.xml")
    assert (ran.status, "there is no file nowhere.xml yet" in ran.error) == (1, True)


def test_superseded_is_not_failed(world: World) -> None:
    """A newer version is on the branch: nothing to roll back, nothing to promote."""
    world.push("2026.02.18")
    ran = world.gate("--version", "2026.02.17", "--format", "json")
    assert (ran.status, found(ran)["result"]) == (1, "inconclusive")
    assert "superseded: the branch names 2026.02.18 now" in ran.error


def test_time_that_is_over(world: World) -> None:
    """A sync that nobody starts."""
    world.argocd.app(NAME).auto_sync = False
    world.push("2026.02.18")
    ran = world.gate("--check", "argocd", "--timeout", "400ms", "--format", "json")
    assert (ran.status, found(ran)["result"]) == (1, "timed-out")
    assert "auto-sync is off, so somebody must sync it" in ran.error


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("down"), "did not answer"),
        (Fault("html"), "HTML where JSON was expected"),
        (Fault("status", 500), "answered 500"),
        (Fault("status", 401), "refuses the token"),
        (Fault("status", 403), "forbids the application"),
    ],
    ids=lambda value: f"{value.kind}{value.status}" if isinstance(value, Fault) else "",
)
def test_what_cannot_be_measured_exits_with_3_and_writes_its_result(
    world: World, fault: Fault, words: str
) -> None:
    """An Argo CD that is down is no bad deployment; the outputs say so."""
    world.argocd.fault = fault
    ran = world.gate("--check", "argocd", "--once", "--format", "json")
    assert (ran.status, found(ran)["result"], found(ran)["passed"]) == (3, "inconclusive", False)
    assert found(ran)["checks"][0]["result"] == "errored"
    assert words in ran.error
    assert TOKEN not in ran.stdout + ran.stderr


STATES: dict[str, dict[str, Any]] = {
    "progressing": {"health": "Progressing"},
    "degraded": {"health": "Degraded"},
    "suspended": {"health": "Suspended"},
    "missing": {"health": "Missing"},
    "unknown": {"health": "Unknown"},
    "out of sync": {"sync": "OutOfSync"},
    "sync unknown": {"sync": "Unknown"},
    "sync failed": {"phase": "Failed"},
    "sync running": {"phase": "Running"},
    "comparison error": {"conditions": [("ComparisonError", "repo server is down")]},
    "old image": {"images": ["ghcr.io/nexo-org/nexo-be:2026.02.16"]},
    "both images": {"images": [f"ghcr.io/nexo-org/nexo-be:2026.02.{n}" for n in (16, 17)]},
    "no image": {"images": []},
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_only_the_true_case_passes(world: World, state: dict[str, Any]) -> None:
    """Argo CD walked through its states; none of these is a pass."""
    app = world.argocd.app(NAME)
    for key, value in state.items():
        setattr(app.override, key, value)
    support_wait(world, state.get("health", ""))
    ran = world.gate("--check", "argocd", "--once", "--format", "json")
    assert ran.status in (1, 3)
    assert found(ran)["passed"] is False


def support_wait(world: World, health: str) -> None:
    for _ in range(200):
        if not health or world.argocd.app(NAME).health == health:
            return
        time.sleep(0.01)
    raise AssertionError("the emulator did not follow")


def test_the_gates_of_promotion_yaml_need_no_inputs(world: World) -> None:
    """Checks, addresses and thresholds come from the target's `gates`."""
    gates = [
        {"check": "argocd", "stability": "0s"},
        {
            "check": "http",
            "base-url": world.app.url + "/{service}/{environment}",
            "paths": ["/api/status"],
            "expect-version": "version",
        },
        {"check": "prometheus", "name": "error-rate", "url": world.metrics.url, "window": "1s"},
    ]
    config = {"version": 1, "environments": {"develop": {}, "qa": {"gates": gates}}}
    support.write(world.work, {"promotion.yaml": json.dumps(config)})
    support.git(world.work, "add", "-A")
    support.git(world.work, "commit", "-qm", "gates")
    support.git(world.work, "push", "-q", str(world.bare), "HEAD:main")
    arguments = ["--gitops", str(world.bare), "--service", "nexo-be", "--environment", "develop"]
    env = {"ARGOCD_AUTH_TOKEN": TOKEN, "ARGOCD_SERVER": world.argocd.url}
    ran = command("health-gate", *arguments, "--interval", "200ms", "--format", "json", env=env)
    assert ran.status == 0, ran.stderr
    assert [check["name"] for check in found(ran)["checks"]] == ["argocd", "http", "error-rate"]
    assert found(ran)["validation-results"]["error_rate"] == "passed"
    explained = command("health-gate", *arguments, "--explain", env=env)
    assert explained.status == 0
    assert "from gates of qa in promotion.yaml" in explained.stdout
    assert f"GET {world.app.url}/nexo-be/develop/api/status" in explained.stdout


def test_on_a_runner_outputs_and_summary_are_written(world: World, tmp_path: Path) -> None:
    """Also when the gate is shut; the annotation is one line."""
    output, page = tmp_path / "output", tmp_path / "summary"
    env = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(page)}
    world.push(BAD)
    ran = world.gate(env=env)
    assert ran.status == 1
    for name in ("passed", "result", "validation-results", "checks", "duration"):
        assert f"{name}<<" in output.read_text()
    (row,) = [line for line in page.read_text().splitlines() if line.startswith("| prometheus |")]
    _, _, result, value, wanted, chart, says, links, _ = row.split("|")
    assert (result.strip(), wanted.strip()) == ("❌ failed", "&lt;= 0.01")
    assert float(value) > 0.01
    assert set("▁▂▃▄▅▆▇█") & set(chart)
    assert "wanted" in says
    assert links.strip().startswith(f"[the query in Prometheus]({world.metrics.url}/graph?")
    assert "::group::Health gate: nexo-be 2026.02.19 in develop" in ran.stdout
    assert sum(line.startswith("::error") for line in ran.stdout.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_job_ends_with_its_partial_result(world: World, number: signal.Signals) -> None:
    """The outputs are there; the status is that of an interrupt."""
    world.argocd.app(NAME).override.health = "Progressing"
    arguments = world.arguments("--format", "json", "--timeout", "60s")
    process = subprocess.Popen(
        [sys.executable, "-m", "promote_actions", "health-gate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**support.CLEAN, "ARGOCD_AUTH_TOKEN": TOKEN},
    )
    assert process.stderr is not None
    while "argocd waiting" not in process.stderr.readline():
        pass
    os.kill(process.pid, number)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(stdout)["result"] == "inconclusive"
    assert json.loads(stdout)["validation-results"]["argocd_health"] == "inconclusive"
    assert "interrupted" in stderr


def test_soak_counts_from_the_deployment(world: World) -> None:
    """Asked again later, it goes on; nobody sleeps."""
    world.push("2026.02.18")
    world.argocd.app(NAME)
    world.argocd.look()
    world.argocd.settle()
    soon = world.gate("--check", "soak", "--soak", "1h", "--once", "--format", "json")
    assert (soon.status, found(soon)["result"]) == (1, "inconclusive")
    assert "of 60 min left (" in soon.error
    assert world.gate("--check", "soak", "--soak", "1s", "--interval", "200ms").status == 0


def test_soak_by_git_without_argo_cd(world: World) -> None:
    """The commit that put the version there is the clock."""
    arguments = ["--gitops", str(world.bare), "--service", "nexo-be", "--environment", "develop"]
    ran = command("health-gate", *arguments, "--check", "soak", "--soak", "1h", "--once")
    assert ran.status == 1
    assert "since commit" in ran.error and "by git" in ran.error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "input 'environment' is required"),
        (["--environment", "nowhere"], "there is no environment 'nowhere'; use one of develop, qa"),
        (["--environment", "develop"], "the gate has no check, so it can't pass"),
        (["--environment", "develop", "--check", "argocd"], "needs a service"),
        (["--environment", "develop", "--check", "argocd", "--service", "x"], "needs a version"),
        (["--environment", "develop", "--check", "argocd", "--service", "../x"], "is not a service name"),
        (
            ["--environment", "develop", "--check", "argocd", "--service", "x", "--version", "1\n2"],
            "is not a version",
        ),
        (
            ["--environment", "develop", "--check", "argocd", "--service", "x", "--version", "1"],
            "no Argo CD server",
        ),
        (["--environment", "develop", "--check", "http"], "check 'http' has no address"),
        (
            ["--environment", "develop", "--check", "prometheus", "--service", "x"],
            "check 'prometheus' has no server",
        ),
        (["--environment", "develop", "--check", "nonsense"], "there is no check 'nonsense'"),
        (["--environment", "develop", "--check", "approvals"], "needs a repository with pull requests"),
        (
            ["--environment", "develop", "--base-url", "ftp://x"],
            "asks 'ftp://x/health', which is no address",
        ),
        (["--environment", "develop", "--base-url", "http://x", "--success", "0"], "at least 1"),
        (["--environment", "develop", "--base-url", "http://x", "--timeout", "soon"], "a length of time"),
        (
            ["--environment", "develop", "--to", "production", "--base-url", "http://x"],
            "takes versions from",
        ),
        (
            ["--environment", "develop", "--gitops", "./nowhere", "--check", "http"],
            "is not a git repository",
        ),
        (
            ["--environment", "develop", "--config", "./nowhere.yaml", "--check", "http"],
            "cannot read the config",
        ),
    ],
)
def test_input_that_makes_no_sense_is_one_line(arguments: list[str], words: str) -> None:
    """Status 2, what is wrong and what to do."""
    ran = command("health-gate", *arguments)
    assert ran.status == 2, ran.stderr
    assert words in ran.error
