"""The soak check: from when the version became live, not from when somebody began to wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from promote_actions.adapters.repositories import open_repository
from promote_actions.config.model import Config
from promote_actions.gates.argocd_facts import Application, Deployment, Node
from promote_actions.gates.argocd_judge import Expected
from promote_actions.gates.model import Moment
from promote_actions.gates.soak import Live, SoakCheck, judge_soak, soak_status, words
from promote_actions.gates.soak_sources import from_argocd, from_git
from promote_actions.gates.versions_in_git import VersionsInGit
from tests.support import gitops as support

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
VERSION = "2026.02.2"


def ago(seconds: float) -> datetime:
    return T0 - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("live", "outcome", "reason"),
    [
        (Live(ago(1800), "x"), "passed", "live for 30 min, 30 min needed (x)"),
        (Live(ago(1799), "x"), "waiting", "1 s of 30 min left (x)"),
        (Live(ago(0), "x"), "waiting", "30 min of 30 min left (x)"),
        (
            Live(ago(-60), "a clock that is ahead"),
            "waiting",
            "30 min of 30 min left (a clock that is ahead)",
        ),
        (Live(None, "app is Degraded"), "waiting", "the soak of 30 min has not begun: app is Degraded"),
        (Live(None, "superseded: x", superseded=True), "inconclusive", "superseded: x"),
        (Live(ago(0), "by the server's clock", now=T0 + timedelta(hours=1)), "passed", "live for 60 min"),
    ],
)
def test_the_time_that_is_left(live: Live, outcome: str, reason: str) -> None:
    """Thirty minutes, as the strategy asks for before production."""
    reading = judge_soak(live, 1800.0, T0)
    assert reading.outcome == outcome
    assert reading.reason.startswith(reason)


@pytest.mark.parametrize(
    ("since", "state"), [(ago(1800), "success"), (ago(10), "pending"), (None, "pending")]
)
def test_the_commit_status(since: datetime | None, state: str) -> None:
    """Never a failure: time only passes. GitHub takes 140 characters."""
    found, description = soak_status(Live(since, "n" * 300), 1800.0, T0)
    assert found == state
    assert len(description) <= 140


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "60 s"),
        (119, "119 s"),
        (120, "2 min"),
        (150, "2 min 30 s"),
        (1800, "30 min"),
        (7200, "2 h"),
        (9000, "2 h 30 min"),
        (86400 * 2, "2 d"),
        (86400 * 3 + 3600, "3 d 1 h"),
    ],
)
def test_lengths_of_time_for_people(seconds: float, text: str) -> None:
    """Two units at most."""
    assert words(seconds) == text


# -- sources -------------------------------------------------------------------------------------

GOOD = Application(
    name="nexo-be-staging",
    seen_at=T0,
    sync="Synced",
    health="Healthy",
    health_since=ago(880),
    images=(f"ghcr.io/nexo-org/nexo-be:{VERSION}",),
    history=(Deployment(1, ("a" * 40,), ago(900)),),
)


class Server:
    def __init__(self, app: Application) -> None:
        self.app = app

    def application(self, name: str, refresh: bool = False) -> Application:
        return self.app

    def resource_tree(self, name: str) -> tuple[Node, ...]:
        return ()

    def page(self, name: str) -> str:
        return ""


def live(app: Application, git: VersionsInGit | None = None) -> Live:
    return from_argocd(Server(app), app.name, Expected(VERSION, "nexo-be"), git)()


def test_by_argo_cd_from_the_deployment_or_the_last_turn_of_health() -> None:
    """Whichever is later: a break in health starts the soak again."""
    assert live(GOOD).since == ago(880)
    assert live(replace(GOOD, health_since=ago(30))).since == ago(30)
    assert live(replace(GOOD, health_since=ago(9000))).since == ago(900)
    assert live(replace(GOOD, health_since=None)).since == ago(900)


@pytest.mark.parametrize(
    ("app", "note"),
    [
        (replace(GOOD, health="Degraded"), "Synced, Degraded"),
        (replace(GOOD, health="Progressing"), "Synced, Progressing"),
        (replace(GOOD, sync="OutOfSync"), "OutOfSync, Healthy"),
        (replace(GOOD, operating=True), "Synced, Healthy"),
        (replace(GOOD, images=("ghcr.io/nexo-org/nexo-be:2026.02.1",)), "not among the running images"),
        (replace(GOOD, images=("ghcr.io/nexo-org/nexo-be:2026.02.23",)), "not among the running images"),
        (replace(GOOD, history=()), "no deployment of 2026.02.2 in its history"),
    ],
)
def test_no_time_counts_while_the_version_is_not_live_and_healthy(app: Application, note: str) -> None:
    """Another version's time is not this one's."""
    found = live(app)
    assert found.since is None
    assert note in found.note


class GitHistory:
    """A repository with a values file whose commits are a minute apart."""

    def __init__(self, folder: Path, *versions: str) -> None:
        files = support.standard_files(["nexo-be"])
        self.bare = support.make_bare(folder, files)
        self.work = folder / "gitops.git-work"
        self.commits = [self._commit(version, index) for index, version in enumerate(versions)]
        support.git(self.work, "push", "-q", str(self.bare), "HEAD:main")
        repository = open_repository(str(self.bare), "", {})
        self.git = VersionsInGit(repository, Config(), "nexo-be", "staging")

    def _commit(self, version: str, index: int) -> str:
        path = "helm/nexo-be/values-staging.yaml"
        support.write(self.work, {path: support.values(version) + f"# change {index}\n"})
        support.git(self.work, "add", "-A")
        support.git(self.work, "commit", "-qm", f"{index}: {version}")
        return str(support.git(self.work, "rev-parse", "HEAD"))


def test_by_git_from_the_commit_that_put_the_version_there(tmp_path: Path) -> None:
    """A change of something else in the file doesn't start the time again; having been away does."""
    history = GitHistory(tmp_path, VERSION, "2026.02.1", VERSION, VERSION)
    found = history.git.named_since(VERSION)
    assert found is not None
    assert found[1] == history.commits[2]
    assert f"since commit {history.commits[2][:7]}" in from_git(history.git, VERSION)().note


def test_by_git_a_version_that_was_replaced_is_superseded(tmp_path: Path) -> None:
    """Nobody waits for its time to be over."""
    history = GitHistory(tmp_path, VERSION, "2026.02.3")
    found = from_git(history.git, VERSION)()
    assert (found.superseded, "names 2026.02.3 now" in found.note) == (True, True)
    reading = SoakCheck(60.0, from_git(history.git, VERSION)).measure(Moment(T0))
    assert (reading.outcome, reading.final) == ("inconclusive", True)


def test_by_argo_cd_with_git_the_history_is_read_as_versions(tmp_path: Path) -> None:
    """The row of deployments that named the version is as old as its oldest."""
    history = GitHistory(tmp_path, "2026.02.1", VERSION, VERSION)
    first, second, third = history.commits
    entries = (
        Deployment(1, (first,), ago(9000)),
        Deployment(2, (second,), ago(700)),
        Deployment(3, (third,), ago(60)),
    )
    app = replace(GOOD, history=entries, revisions=(third,), health_since=None)
    assert live(app, history.git).since == ago(700)
    gone = from_argocd(Server(app), app.name, Expected("2026.02.1"), history.git)()
    assert gone.superseded


def test_versions_in_git(tmp_path: Path) -> None:
    """Named, named not, and revisions that are no commits of the repository."""
    history = GitHistory(tmp_path, VERSION)
    git = history.git
    assert git.at(history.commits[0]) == VERSION
    assert git.at("f" * 40) is None
    assert [git.at(text) for text in ("1.4.2", "main", "", "--help")] == [None] * 4
    view = git.view([history.commits[0], "1.4.2"], history.commits[0])
    assert view.at_head == VERSION
    assert view.contains == {history.commits[0]: True}
    assert git.paths == ("helm/nexo-be/values-staging.yaml",)
