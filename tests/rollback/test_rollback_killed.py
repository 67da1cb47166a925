"""Killed anywhere and run again: every method ends as if nothing had happened, and once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.promotion.github_bench import GITOPS, GitHubBench
from tests.rollback import argocd_world, ingress_world
from tests.rollback.forked import KILLED, command
from tests.rollback.pristine import went_wrong
from tests.support.gitops import Ran, git, values

QA = "helm/app/values-qa.yaml"


RUN = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "nexo-org/nexo-gitops",
    "GITHUB_RUN_ID": "7",
}
"""A workflow run: its job is run again after it was cut off."""


def kills(run: Callable[[int], Ran]) -> Iterator[int]:
    """After how many writes ``run`` was killed, one more each time, until it ends by itself."""
    for at in range(1, 60):
        ran = run(at)
        if ran.status == 0:
            assert at > 3, "hardly anything was killed"
            return
        assert ran.status == KILLED, ran.stderr
        yield at
    raise AssertionError("the rollback never ended by itself")


@pytest.mark.parametrize("kind", ["bare", "url"])
def test_revert_killed_anywhere(tmp_path: Path, kind: str) -> None:
    """One commit with values, record and quarantine, however often it was begun."""

    def run(at: int, kill_at: int = 0) -> Ran:
        bare = tmp_path / f"{at}.git"
        if kill_at:
            shutil.copytree(went_wrong(QA, "2026.02.18"), bare)
        where = bare.as_uri() if kind == "url" else str(bare)
        named = ("--gitops", where, "--service", "app", "--env", "qa")
        return command("rollback", *named, env=RUN, kill_at=kill_at)

    for at in kills(lambda at: run(at, at)):
        again = run(at)
        assert again.status == 0, (at, again.stderr)
        bare = tmp_path / f"{at}.git"
        assert "2026.02.15" in git(bare, "show", f"main:{QA}"), at
        changed = git(bare, "diff", "--name-only", "main^", "main").splitlines()
        assert [path.partition("/")[0] for path in changed] == ["audit-logs", "helm", "holds"], at
        assert git(bare, "rev-list", "--count", "main") == "3", at


def test_the_same_workflow_run_goes_back_once(tmp_path: Path) -> None:
    """A job that is run again finishes what it began; another run goes a version further."""
    bare = Path(shutil.copytree(went_wrong(QA, "2026.02.18"), tmp_path / "gitops.git"))
    named = ("rollback", "--gitops", str(bare), "--service", "app", "--env", "qa")
    assert command(*named, env=RUN).status == 0
    again = command(*named, env={**RUN, "GITHUB_RUN_ATTEMPT": "2"})
    assert "nothing to do: this workflow run rolled app back to 2026.02.15 already" in again.stdout
    other = command(*named, env={**RUN, "GITHUB_RUN_ID": "8"})
    assert other.status == 1
    assert "only 0 earlier good versions" in other.error


@pytest.mark.parametrize("more", [(), ("--with-revert",)])
def test_argocd_killed_anywhere(tmp_path: Path, more: tuple[str, ...]) -> None:
    """The good version runs, auto-sync is as it has to be, and one rollback is on record."""
    at = 0
    while True:
        at += 1
        with argocd_world.a_world(tmp_path / str(at)) as world:
            ran = world.try_it(*more, kill_at=at, env=RUN)
            if ran.status == 0:
                break
            assert ran.status == KILLED, ran.stderr
            again = world.roll_back(*more, env=RUN)
            world.argocd.settle()
            assert again["restored-version"] == argocd_world.GOOD, at
            assert world.live.images == [f"ghcr.io/nexo-org/nexo-be:{argocd_world.GOOD}"], at
            told = [record["event"] for record in world.records()]
            assert told == ["rollback"], at
            assert world.live.auto_sync == bool(more), at
            assert world.live.automated == {"prune": True, "selfHeal": True}, at
            assert bool(world.live.annotations) != bool(more), at
            named = argocd_world.GOOD if more else argocd_world.BAD
            assert world.named() == named, at
    assert at > 4


@pytest.mark.parametrize(
    ("slot", "more"),
    [("", ()), ("", ("--with-revert",)), ("green", ()), ("green", ("--via", "api", "--with-revert"))],
)
def test_ingress_killed_anywhere(tmp_path: Path, slot: str, more: tuple[str, ...]) -> None:
    """The other slot is live, switched once, and one rollback is on record."""
    at = 0
    while True:
        at += 1
        with ingress_world.a_world(tmp_path / str(at), slot) as world:
            ran = world.try_it(*more, kill_at=at, env=RUN)
            if ran.status == 0:
                break
            assert ran.status == KILLED, ran.stderr
            world.roll_back(*more, env=RUN)
            through_git = slot and not more
            assert world.backends[0] == ("nexo-be-green" if through_git else "nexo-be-blue"), at
            assert len(world.records()) == 1, at
            if slot:
                assert "activeSlot: blue" in world.show(), at
            elif more:
                assert ingress_world.GOOD in world.show(), at
            switched = [request for request in world.cluster.requests if request.startswith("PATCH")]
            assert len(switched) == (0 if through_git else 1), at
    assert at > 3


@contextmanager
def production(folder: Path) -> Iterator[GitHubBench]:
    with GitHubBench(folder) as bench:
        bench.commit({"helm/nexo-be/values-prod.yaml": values("2026.02.10")}, "promote")
        yield bench


def ask(bench: GitHubBench, kill_at: int = 0) -> Ran:
    env = {
        **RUN,
        "GITHUB_API_URL": bench.github.url,
        "GITHUB_TOKEN": "bot-token",
        "PROMOTE_ACTIONS_API_PAUSE": "0.01",
    }
    named = ("--gitops", GITOPS, "--service", "nexo-be", "--env", "production", "--format", "json")
    return command("rollback", *named, env=env, kill_at=kill_at)


def test_a_pull_request_killed_anywhere(tmp_path: Path) -> None:
    """One open pull request with its labels and reviewers."""
    at = 0
    while True:
        at += 1
        with production(tmp_path / str(at)) as bench:
            ran = ask(bench, at)
            if ran.status == 0:
                break
            assert ran.status == KILLED, ran.stderr
            again = ask(bench)
            assert again.status == 0, again.stderr
            (number,) = bench.open_pulls
            pull = bench.pull(number)
            assert sorted(pull.labels) == ["production-deploy", "rollback"], at
            assert (pull.users_asked, pull.teams_asked) == (["ana"], ["sre"]), at
            assert json.loads(again.stdout)["pr-number"] == str(number), at
    assert at > 4


FAULTS: list[tuple[str, Any, bool]] = [
    ("POST /git/trees", 502, False),
    ("POST /git/commits", "reset", True),
    ("POST /git/refs", "reset", True),
    ("POST /git/refs", 500, False),
    ("POST /pulls", "truncated", True),
    ("POST /pulls", "reset", False),
    ("POST /labels", "reset", True),
    ("POST /requested_reviewers", 500, False),
]


@pytest.mark.parametrize(("step", "kind", "applied"), FAULTS)
def test_github_that_fails_once(tmp_path: Path, step: str, kind: Any, applied: bool) -> None:
    """One failure of one call is got over, and leaves one pull request."""
    with production(tmp_path) as bench:
        method, path = step.split()
        bench.github.fail(method, path, kind, applied=applied)
        ran = ask(bench)
        assert ran.status == 0, ran.stderr
        assert len(bench.open_pulls) == 1
        assert bench.pull(bench.open_pulls[0]).users_asked == ["ana"]


@pytest.mark.parametrize("step", ["GET /branches", "POST /git/trees", "POST /pulls"])
def test_github_that_fails_for_ever(tmp_path: Path, step: str) -> None:
    """Exit 3, and nothing is proposed."""
    with production(tmp_path) as bench:
        method, path = step.split()
        bench.github.fail(method, path, 500, times=-1)
        ran = ask(bench)
        assert ran.status == 3, ran.stderr
        assert len(ran.error) < 400
        assert bench.open_pulls == []


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("step", ["PATCH", "POST"])
def test_argo_cd_that_loses_an_answer(tmp_path: Path, step: str, applied: bool) -> None:
    """A change whose answer never came is looked for, and not made twice; a second run ends it at most."""
    with argocd_world.a_world(tmp_path) as world:
        answer, lost = world.argocd.answer, []

        def losing(method: str, *rest: Any) -> Any:
            if method == step and not lost:
                lost.append(answer(method, *rest) if applied else None)
                raise ConnectionError
            return answer(method, *rest)

        world.argocd.answer = losing  # type: ignore[method-assign]
        ran = world.try_it("--with-revert", env=RUN)
        assert ran.status in (0, 3), ran.stderr
        if ran.status:
            assert "did not answer" in ran.error
            world.roll_back("--with-revert", env=RUN)
        assert len(lost) == 1
        world.argocd.settle()
        began = [reason for _, reason, _ in world.live.events if reason == "OperationStarted"]
        assert len(began) == 3, "deployed once again, and no more"
        assert [record["event"] for record in world.records()] == ["rollback"]
        assert (world.live.auto_sync, world.live.automated) == (True, {"prune": True, "selfHeal": True})
        assert world.named() == argocd_world.GOOD


@pytest.mark.parametrize("fault", [500, 0, 409])
def test_kubernetes_that_fails_once(tmp_path: Path, fault: int) -> None:
    """Each request in turn is failed, or served and its answer lost: switched once all the same."""
    for at in range(12):
        with ingress_world.a_world(tmp_path / str(at)) as world:
            served = [0]

            def spoil(request: str, served: list[int] = served, at: int = at, world: Any = world) -> None:
                served[0] += 1
                if served[0] == at:
                    world.cluster.faults.append(fault)

            world.cluster.after = spoil
            if not at:
                world.cluster.faults.append(fault)
            ran = world.try_it(env=RUN)
            if ran.status:  # a conflict on what only reads is no conflict of ours
                assert (ran.status, fault) == (3, 409), ran.stderr
                world.roll_back(env=RUN)
            assert world.backends[0] == "nexo-be-blue", at
            assert len(world.records()) == 1, at
            if served[0] < at:
                break
    else:
        pytest.fail("there were more requests than were failed")


def test_git_that_is_away_after_the_cluster_was_switched(tmp_path: Path) -> None:
    """What the cluster runs is said plainly, and the same again records it."""
    with ingress_world.a_world(tmp_path) as world:
        lock = world.bare / "refs" / "heads" / "main.lock"
        lock.touch()
        hook = world.bare / "hooks"
        hook.mkdir(exist_ok=True)
        (hook / "reference-transaction").write_text('#!/bin/sh\n[ "$1" = prepared ] && exit 1\nexit 0\n')
        (hook / "reference-transaction").chmod(0o755)
        lock.unlink()
        ran = world.try_it(env=RUN)
        assert ran.status != 0
        assert "rolled back in the cluster, and git does not have it yet" in ran.error
        assert world.backends[0] == "nexo-be-blue"
        (hook / "reference-transaction").unlink()
        world.roll_back(env=RUN)
        assert len(world.records()) == 1
        assert sum(request.startswith("PATCH") for request in world.cluster.requests) == 1
