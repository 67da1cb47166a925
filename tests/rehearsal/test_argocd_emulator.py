"""The emulator of Argo CD: does it behave, and speak, as the real one?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promote_actions.rehearsal.application import Behaviour
from promote_actions.rehearsal.argocd import Definition, Pace
from tests.rehearsal.argocd_bench import DEFINITION, IMAGE, NAME, VALUES, Bench, until
from tests.support import gitops as support


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, DEFINITION)
    made.argocd.settle()
    yield made
    made.stop()


def test_it_deploys_what_git_says(bench: Bench) -> None:
    """Auto-sync brings the version of the branch's head into the application."""
    assert bench.app.version("nexo-be", "develop") == "2026.02.17"
    status = bench.get()
    assert (status["sync"]["status"], status["health"]["status"]) == ("Synced", "Healthy")
    assert status["summary"]["images"] == [f"{IMAGE}:2026.02.17"]
    assert status["operationState"]["phase"] == "Succeeded"
    assert [entry["id"] for entry in status["history"]] == [0]


def test_until_it_looks_the_old_version_is_synced_and_healthy(bench: Bench) -> None:
    """A push alone changes nothing in what it says; a refresh does."""
    commit = bench.push("2026.02.18")
    before = bench.get()
    assert (before["sync"]["status"], before["health"]["status"]) == ("Synced", "Healthy")
    assert before["sync"]["revision"] != commit
    after = bench.get(refresh=True)
    assert (after["sync"]["status"], after["sync"]["revision"]) == ("OutOfSync", commit)
    assert after["operationState"]["phase"] == "Running"
    bench.argocd.settle()
    assert bench.get()["sync"]["status"] == "Synced"
    assert bench.app.version("nexo-be", "develop") == "2026.02.18"


def test_after_the_sync_the_health_is_still_the_old_one(tmp_path: Path) -> None:
    """Health is looked at later than the operation ends, and both versions run for a while."""
    bench = Bench(tmp_path, DEFINITION, Pace(poll=60, operation=0.0, reconcile=0.5, rollout=30))
    try:
        app = bench.argocd.app(NAME)
        until(lambda: app.operation is not None and app.operation.finished is not None)
        until(lambda: app.look_again_at is None)
        first = app.reconciled_at
        bench.push("2026.02.18")
        bench.get(refresh=True)
        until(lambda: app.running == "2026.02.18")
        assert app.images == [f"{IMAGE}:2026.02.18", f"{IMAGE}:2026.02.17"]
        assert app.operation is not None and app.operation.finished is not None
        assert app.reconciled_at is not None and first is not None
        assert first <= app.reconciled_at < app.operation.finished
    finally:
        bench.stop()


def test_an_unrelated_commit_moves_the_revision_and_syncs_nothing(bench: Bench) -> None:
    """As with a shared branch: another application's commit."""
    support.write(bench.work, {"helm/nexo-be/values-qa.yaml": support.values("2026.02.16")})
    support.git(bench.work, "commit", "-aqm", "qa")
    support.git(bench.work, "push", "-q", str(bench.bare), "HEAD:main")
    status = bench.get(refresh=True)
    assert status["sync"]["revision"] == support.git(bench.work, "rev-parse", "HEAD")
    assert status["sync"]["status"] == "Synced"
    assert len(status["history"]) == 1


def test_a_failed_sync_is_not_tried_again_for_the_same_commit(bench: Bench) -> None:
    """Auto-sync gives up on a commit; the next one is tried."""
    app = bench.argocd.app(NAME)
    app.fail_with = "one or more objects failed to apply"
    bench.push("2026.02.18")
    bench.get(refresh=True)
    bench.argocd.settle()
    status = bench.get(refresh=True)
    assert status["operationState"]["phase"] == "Failed"
    assert status["conditions"][0]["type"] == "SyncError"
    assert bench.app.version("nexo-be", "develop") == "2026.02.17"
    app.fail_with = ""
    bench.push("2026.02.19")
    bench.get(refresh=True)
    bench.argocd.settle()
    assert bench.app.version("nexo-be", "develop") == "2026.02.19"


def test_a_values_file_that_cannot_be_read_is_a_comparison_error(bench: Bench) -> None:
    """It keeps what runs, and says Unknown."""
    support.write(bench.work, {VALUES: "image: [\n"})
    support.git(bench.work, "commit", "-aqm", "broken")
    support.git(bench.work, "push", "-q", str(bench.bare), "HEAD:main")
    status = bench.get(refresh=True)
    assert status["conditions"][0]["type"] == "ComparisonError"
    assert status["sync"]["status"] == "Unknown"
    assert bench.app.version("nexo-be", "develop") == "2026.02.17"


def test_a_version_that_does_not_start_is_degraded(bench: Bench) -> None:
    """Health is what the application's own probe says."""
    bench.app.behave("2026.02.18", Behaviour(starts=False))
    bench.push("2026.02.18")
    bench.get(refresh=True)
    bench.argocd.settle()
    assert bench.get()["health"]["status"] == "Degraded"


def test_rollback_is_refused_while_auto_sync_is_on(bench: Bench) -> None:
    """FailedPrecondition, as the real server says it; with auto-sync off it deploys the old entry."""
    bench.push("2026.02.18")
    bench.get(refresh=True)
    bench.argocd.settle()
    path = f"/api/v1/applications/{NAME}"
    status, answer = bench.ask("POST", f"{path}/rollback", {"id": 0, "name": NAME})
    assert (status, answer["code"]) == (400, 9)
    assert answer["message"] == "rollback cannot be initiated when auto-sync is enabled"
    off = json.dumps({"spec": {"syncPolicy": {"automated": None}}})
    status, document = bench.ask("PATCH", path, {"name": NAME, "patch": off, "patchType": "merge"})
    assert "automated" not in document["spec"]["syncPolicy"]
    assert bench.ask("POST", f"{path}/rollback", {"id": 7, "name": NAME})[0] == 400
    assert bench.ask("POST", f"{path}/rollback", {"id": 0, "name": NAME})[0] == 200
    bench.argocd.settle()
    assert bench.app.version("nexo-be", "develop") == "2026.02.17"
    assert bench.get()["sync"]["status"] == "OutOfSync"


def test_without_auto_sync_somebody_must_sync(tmp_path: Path) -> None:
    """It shows OutOfSync until asked; a second operation at the same time is refused."""
    definition = Definition(NAME, "nexo-be", "develop", VALUES, IMAGE, auto_sync=False)
    bench = Bench(tmp_path, definition, Pace(poll=60, operation=0.3, reconcile=0, rollout=0))
    try:
        bench.argocd.settle()
        assert bench.get()["sync"]["status"] == "OutOfSync"
        path = f"/api/v1/applications/{NAME}/sync"
        assert bench.ask("POST", path, {"name": NAME})[0] == 200
        status, answer = bench.ask("POST", path, {"name": NAME})
        assert (status, answer["message"]) == (400, "another operation is already in progress")
        bench.argocd.settle()
        assert bench.get()["sync"]["status"] == "Synced"
        assert bench.get()["operationState"]["operation"]["initiatedBy"] == {"username": "admin"}
    finally:
        bench.stop()


def test_the_token_is_asked_for(tmp_path: Path) -> None:
    """No token and a wrong one are 401; an application that isn't there is 403, which tells nothing."""
    bench = Bench(tmp_path, DEFINITION, token="right-token")
    try:
        path = f"/api/v1/applications/{NAME}"
        assert bench.ask("GET", path)[0] == 401
        assert bench.ask("GET", path, token="wrong-token")[0] == 401
        assert bench.ask("GET", path, token="right-token")[0] == 200
        status, answer = bench.ask("GET", "/api/v1/applications/no-such", token="right-token")
        assert (status, answer["code"]) == (403, 7)
        assert bench.ask("GET", "/api/version")[0] == 200
    finally:
        bench.stop()


def test_everything_it_serves_is_described(bench: Bench) -> None:
    """Every answer has the types and only the fields of Argo CD's own description."""
    path = f"/api/v1/applications/{NAME}"
    assert len(bench.ask("GET", "/api/v1/applications")[1]["items"]) == 1
    tree = bench.ask("GET", f"{path}/resource-tree")[1]
    assert [(node["kind"], node.get("images")) for node in tree["nodes"]] == [
        ("Deployment", None),
        ("Pod", [f"{IMAGE}:2026.02.17"]),
    ]
    assert bench.ask("GET", f"{path}/events")[1]["items"][0]["reason"] == "OperationStarted"
    assert bench.ask("GET", "/api/v1/session/userinfo")[1]["loggedIn"] is True
    assert bench.ask("DELETE", f"{path}/operation")[0] == 400
    spec = bench.ask("GET", path)[1]["spec"]
    assert bench.ask("PUT", f"{path}/spec", {**spec, "syncPolicy": {}})[0] == 200
    assert bench.argocd.app(NAME).auto_sync is False


def test_a_multi_source_application_has_several_revisions(tmp_path: Path) -> None:
    """The chart's version first, then the commit."""
    definition = Definition(NAME, "nexo-be", "develop", VALUES, IMAGE, chart="1.4.2")
    bench = Bench(tmp_path, definition)
    try:
        bench.argocd.settle()
        sync = bench.get()["sync"]
        assert sync["revisions"] == ["1.4.2", support.git(bench.work, "rev-parse", "HEAD")]
        assert "revision" not in sync
    finally:
        bench.stop()
