"""Runs of workflows and their artifacts through GitHub's API; the token goes to no other host."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from promote_actions.adapters.forge import Forge
from promote_actions.adapters.github import GitHubRepository
from promote_actions.adapters.github_api import GitHubApi, Patience
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.rehearsal.github import GitHubEmulator
from tests.adapters.scripted_server import Asked, Reply, serving

NAME = "nexo-org/nexo-be"
E2E = ".github/workflows/e2e.yml"
LIMIT = 1 << 20


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubEmulator]:
    """A GitHub with one repository and a token that lacks a permission."""
    with GitHubEmulator(tmp_path) as github:
        github.add_user("ana")
        github.add_user("bot[bot]", "bot-token", bot=True, lacks=["actions"])
        github.add_repository(NAME)
        yield github
        assert github.crashes == []


def forge_of(url: str, token: str = "ana-token") -> Forge:
    env = {"GITHUB_API_URL": url}
    api = GitHubApi(token, env, patience=Patience(timeout=5, tries=2, pause=0), sleep=lambda _: None)
    return GitHubRepository(NAME, token, env, api=api).forge


def test_runs_of_a_commit_come_newest_first(github: GitHubEmulator) -> None:
    """With the workflow's name and file, and the repository that a fork's commit came from."""
    first = github.commit(NAME, {"a": "1"})
    second = github.commit(NAME, {"a": "2"})
    github.add_run(NAME, first, E2E, workflow="E2E")
    github.add_run(NAME, second, E2E, workflow="E2E", conclusion="failure")
    github.add_run(NAME, second, E2E + "@main", workflow="E2E", conclusion=None, fork="eve/nexo-be")
    runs = forge_of(github.url).workflow_runs(second)
    assert [(run.workflow, run.path, run.status, run.conclusion, run.source) for run in runs] == [
        ("E2E", E2E, "in_progress", "", "eve/nexo-be"),
        ("E2E", E2E, "completed", "failure", NAME),
    ]
    assert runs[1].url.endswith(f"/{NAME}/actions/runs/{runs[1].id}")


def test_an_artifact_is_read_without_the_token(github: GitHubEmulator) -> None:
    """The storage refuses a request that brings one, as Azure's does."""
    run = github.add_run(NAME, github.commit(NAME, {"a": "1"}), E2E, {"junit": {"a.xml": b"<a/>"}})
    forge = forge_of(github.url)
    (artifact,) = forge.artifacts(run.id)
    data = forge.artifact_archive(artifact.id, LIMIT)
    assert data == run.artifacts[0].data
    assert data is not None and zipfile.ZipFile(io.BytesIO(data)).namelist() == ["a.xml"]
    assert (artifact.name, artifact.size, artifact.expired) == ("junit", len(data), False)
    assert artifact.digest.startswith("sha256:")
    (asked,) = github.world.storage.asked
    assert not {"authorization", "cookie"} & set(asked)
    assert "ana-token" not in str(asked)


def test_an_expired_artifact_is_none(github: GitHubEmulator) -> None:
    """GitHub keeps them for some weeks."""
    run = github.add_run(NAME, github.commit(NAME, {"a": "1"}), E2E, {"junit": {"a.xml": b"<a/>"}})
    run.artifacts[0].expired = True
    forge = forge_of(github.url)
    assert forge.artifacts(run.id)[0].expired is True
    assert forge.artifact_archive(run.artifacts[0].id, LIMIT) is None


def test_an_archive_that_is_too_large_is_not_read(github: GitHubEmulator) -> None:
    """Whatever the list said of its size."""
    run = github.add_run(NAME, github.commit(NAME, {"a": "1"}), E2E, {"big": b"x" * (LIMIT + 1)})
    with pytest.raises(DependencyError, match=f"more than {LIMIT} bytes"):
        forge_of(github.url).artifact_archive(run.artifacts[0].id, LIMIT)


@pytest.mark.parametrize(
    "ask",
    [
        lambda forge, sha: forge.workflow_runs(sha),
        lambda forge, sha: forge.artifacts(1),
        lambda forge, sha: forge.artifact_archive(1, LIMIT),
    ],
    ids=["runs", "artifacts", "archive"],
)
def test_a_token_that_may_not_read_actions_is_told_what_it_lacks(
    github: GitHubEmulator, ask: Callable[[Forge, str], object]
) -> None:
    """The permission as a workflow writes it."""
    sha = github.commit(NAME, {"a": "1"})
    with pytest.raises(InputError, match="grant it `actions: read`"):
        ask(forge_of(github.url, "bot-token"), sha)


def test_runs_belong_to_a_whole_sha(github: GitHubEmulator) -> None:
    """GitHub finds none for a part of one, or for a branch, and that must not look like none yet."""
    for text in ("main", "abc1234", "../x"):
        with pytest.raises(InputError, match="not a commit's full SHA"):
            forge_of(github.url).workflow_runs(text)


def test_a_lost_answer_is_asked_for_again(github: GitHubEmulator) -> None:
    """Reading does no harm."""
    run = github.add_run(NAME, github.commit(NAME, {"a": "1"}), E2E, {"junit": {"a.xml": b"<a/>"}})
    github.fail("GET", "/zip", "reset")
    github.fail("GET", "/artifacts", 502)
    forge = forge_of(github.url)
    assert forge.artifact_archive(forge.artifacts(run.id)[0].id, LIMIT) == run.artifacts[0].data


STORED: dict[str, tuple[Reply, str]] = {
    "refused": (Reply(403, b"<Error/>"), "answered 403"),
    "broken off": (Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), "too early"),
    "in a circle": (Reply(302, headers={"Location": "/again"}), "redirects more than"),
    "an answer that is none": (Reply(raw=b"nonsense\r\n\r\n"), "did not answer"),
}


@pytest.mark.parametrize(("stored", "words"), STORED.values(), ids=STORED)
def test_a_storage_that_fails_is_a_dependency_that_failed(stored: Reply, words: str) -> None:
    """One line that names it, without the link's signature."""
    with serving(lambda _: stored) as storage:
        link = f"{storage.url}/artifacts/1.zip?sig=secret-signature"
        with serving(lambda asked: api(asked, link)) as server, pytest.raises(PromoteError) as caught:
            forge_of(server.url).artifact_archive(1, LIMIT)
        assert all("authorization" not in asked.headers for asked in storage.asked)
    assert isinstance(caught.value, DependencyError)
    assert words in str(caught.value)
    assert "secret-signature" not in str(caught.value)


@pytest.mark.parametrize(
    "link", ["", "ftp://x/y", "file:///etc/passwd", "//", "/zip", "http://[bad", "http://", "http://x:y/"]
)
def test_a_link_that_is_none_is_not_followed(link: str) -> None:
    """Nothing but http(s) is asked, and no file of this machine."""
    with serving(lambda asked: api(asked, link)) as server, pytest.raises(PromoteError):
        forge_of(server.url).artifact_archive(1, LIMIT)


def api(asked: Asked, link: str) -> Reply:
    if asked.path.endswith("/zip"):
        return Reply(302, headers={"Location": link} if link else {})
    facts = {"full_name": NAME, "default_branch": "main", "archived": False}
    return Reply(body=json.dumps(facts).encode())
