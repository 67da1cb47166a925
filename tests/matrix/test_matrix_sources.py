"""Where the matrix reads from: a URL with few requests, GitHub's API, many services at once."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta

import pytest

from promote_actions.__main__ import run as promote_actions
from promote_actions.adapters.git_history import history_of
from promote_actions.adapters.repositories import open_repository
from promote_actions.config.model import Config
from promote_actions.errors import DependencyError
from promote_actions.matrix.ask import healths
from promote_actions.matrix.collect import Health, Questions, collect
from promote_actions.rehearsal.github import GitHubEmulator
from tests.matrix.gitops_repo import NOW, GitOps, strategy, values


@pytest.fixture
def dashboard(tmp_path):
    """The strategy's dashboard in a bare repository that serves partial clones, as GitHub does."""
    path = strategy(GitOps(tmp_path / "gitops.git"))
    for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "-C", path, "config", setting, "true"], check=True)
    return path


def test_a_url_is_read_with_few_fetches(dashboard, tmp_path, monkeypatch):
    """Contents come together: the number of fetches does not grow with files or history."""
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    repository = open_repository(f"file://{dashboard}", "", {})
    snapshot = repository.snapshot()
    bulk = history_of(repository, snapshot)
    matrix = collect(repository, snapshot, Config(), Questions(NOW, bulk=bulk))
    assert matrix.rows[0].drift.gap.behind == 28
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    served = [
        each for each in events if each["event"] == "start" and "upload-pack" in " ".join(each["argv"])
    ]
    assert len(served) < 12


def test_health_is_asked_at_once_and_failures_are_counted():
    """One application that is not there is unknown; of many, some are named and the rest counted."""
    said = []

    def ask(name):
        if name.startswith("lost"):
            raise DependencyError(f"no {name}")
        return Health("Healthy", "Synced")

    found = healths(["a", *(f"lost-{number}" for number in range(5)), "a"], ask, said.append)
    assert found["a"] == Health("Healthy", "Synced")
    assert found["lost-3"] == Health("Unknown")
    assert len(found) == 6
    assert len(said) == 4
    assert said[-1] == "Argo CD did not tell the health of 2 more applications"


def commit_all(github, versions):
    """Promote these versions of a service on the emulator, as commits of its own time."""
    for version in versions:
        files = {"helm/nexo-be/values-develop.yaml": values(version).encode()}
        github.commit("nexo-org/nexo-gitops", files, f"promote(nexo-be): develop → {version}")


@pytest.fixture
def github(tmp_path, monkeypatch):
    """A GitHub with one GitOps repository, reached as a step reaches it."""
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    with GitHubEmulator(tmp_path) as emulator:
        emulator.add_user("promoter[bot]", "bot-secret-token", bot=True)
        emulator.add_repository("nexo-org/nexo-gitops")
        emulator.commit(
            "nexo-org/nexo-gitops", {"helm/nexo-be/values-prod.yaml": values("2026.02.1").encode()}
        )
        commit_all(emulator, [f"2026.02.{build}" for build in range(1, 6)])
        monkeypatch.setenv("GITHUB_API_URL", emulator.url)
        monkeypatch.setenv("GITHUB_TOKEN", "bot-secret-token")
        monkeypatch.setenv("GITHUB_SERVER_URL", emulator.url)
        yield emulator
        assert emulator.crashes == []


def test_the_matrix_through_githubs_api(github, capsys):
    """History, drift and links from messages alone, in a handful of calls."""
    words = ["version-matrix", "--gitops", "nexo-org/nexo-gitops", "--format", "json"]
    before = len(github.exchanges)
    assert promote_actions(words) == 0
    row = json.loads(capsys.readouterr().out)["matrix"]["services"][0]
    assert row["drift"]["behind"] == 4
    assert [each["version"] for each in row["environments"]["develop"]["history"][:2]] == [
        "2026.02.5",
        "2026.02.4",
    ]
    assert row["environments"]["develop"]["commit_url"].startswith("http")
    assert len(github.exchanges) - before < 15


def test_many_services_ask_no_more_of_the_api(github, capsys):
    """Sixty services more: as many calls, but for the files themselves, fifty a query."""
    files = {
        f"helm/s{number}/values-{suffix}.yaml": values("2026.02.1").encode()
        for number in range(60)
        for suffix in ("develop", "qa", "staging", "prod")
    }
    said = "\n".join(
        f"Promotion-Service: s{number}\nPromotion-To: {name}\nPromotion-Version: 2026.02.1"
        for number in range(60)
        for name in ("develop", "qa", "staging", "production")
    )
    github.commit("nexo-org/nexo-gitops", files, f"promote all\n\n{said}")
    before = len(github.exchanges)
    assert promote_actions(["version-matrix", "--gitops", "nexo-org/nexo-gitops"]) == 0
    assert "│ s59 " in capsys.readouterr().out
    assert len(github.exchanges) - before < 20


def test_git_takes_over_where_the_api_would_be_asked_often(tmp_path, github, monkeypatch, capsys):
    """Over four hundred files GitHub is read by git; where git can't, the API still answers."""
    monkeypatch.setattr("promote_actions.matrix.command.BY_API", 1)
    gitops = GitOps(tmp_path / "by-git" / "nexo-org" / "nexo-gitops.git")
    gitops.promote("nexo-be", "develop", "2026.02.9", ago=timedelta(days=1))
    gitops.close()
    words = ["version-matrix", "--gitops", "nexo-org/nexo-gitops", "--format", "json"]
    monkeypatch.setenv("GITHUB_SERVER_URL", (tmp_path / "by-git").as_uri())
    assert promote_actions(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["matrix"]["services"][0]["environments"]["develop"]["version"] == "2026.02.9"
    monkeypatch.setenv("GITHUB_SERVER_URL", (tmp_path / "nowhere").as_uri())
    assert promote_actions(words) == 0
    said = capsys.readouterr()
    assert "can't be read by git" in said.err
    assert json.loads(said.out)["drift"]["nexo-be"]["behind"] == 4
