"""Tags through GitHub's API: against the stateful emulator, its faults, and answers that make no sense."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from promote_actions.adapters.github_refs import GitHubTags, is_slug, open_github
from promote_actions.adapters.http_json import JsonApi
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.rehearsal.github.emulator import GitHubEmulator
from promote_actions.versions.allocate import Allocation, Request, allocate
from promote_actions.versions.calendar_day import Month
from tests.adapters.scripted_server import Asked, Reply, serving
from tests.versions.tagged import FEBRUARY, calver, commits, git, isolated, tag, tags

NAME = "nexo-org/nexo-be"
TOKEN = "builder-token"
MONTHS = (Month(2026, 2), Month(2026, 1))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHubEmulator]:
    with GitHubEmulator(tmp_path) as running:
        running.add_user("builder", TOKEN)
        running.add_user("reader", "reader-token", lacks=["contents:write"])
        running.add_repository(NAME)
        commits(folder(running), 6)
        yield running
        assert running.crashes == []


def folder(hub: GitHubEmulator) -> Path:
    return Path(hub.repository(NAME).store.path)


def shas(hub: GitHubEmulator) -> list[str]:
    return git(folder(hub), "rev-list", "--reverse", "main").split()


def env(hub: GitHubEmulator, **more: str) -> dict[str, str]:
    """What a runner sets, and ``more``."""
    return {"GITHUB_API_URL": hub.url, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": NAME, **more}


def ask(hub: GitHubEmulator, commit: str, pauses: list[float], **more: object) -> Allocation:
    store = open_github(NAME, TOKEN, hub.url)
    patient = GitHubTags(NAME, replace(store.api, pause=pauses.append, timeout=1.0))
    return allocate(patient, Request(commit, MONTHS, **more), pause=pauses.append)  # type: ignore[arg-type]


def test_a_version_is_reserved_with_three_calls(hub: GitHubEmulator) -> None:
    """Under Actions nothing but the runner's variables is needed, and only recent tags are asked for."""
    one, two, *_ = shas(hub)
    tag(folder(hub), ["2026.02.3", "2020.01.1", "v1.0.0"], one)
    made = calver(*FEBRUARY, env=env(hub, GITHUB_SHA=two)).outputs
    assert (made["version"], made["previous-version"], made["reused"]) == ("2026.02.4", "2026.02.3", False)
    assert tags(folder(hub))["2026.02.4"] == two
    assert [(each.method, each.path.split("/git/")[-1]) for each in hub.exchanges] == [
        ("GET", "matching-refs/tags/2026.02."),
        ("GET", "matching-refs/tags/2026.01."),
        ("POST", "refs"),
    ]
    assert calver(*FEBRUARY, env=env(hub, GITHUB_SHA=two)).outputs["reused"] is True


def test_the_summary_links_to_the_changes(hub: GitHubEmulator, tmp_path: Path) -> None:
    """The job's page compares the previous tag of the scope with the commit."""
    one, two, *_ = shas(hub)
    tag(folder(hub), ["nexo-be/2026.02.3"], one)
    page = tmp_path / "summary.md"
    more = {
        "GITHUB_SHA": two,
        "GITHUB_STEP_SUMMARY": str(page),
        "GITHUB_SERVER_URL": "https://github.example",
    }
    calver("--tag-prefix", "nexo-be/", *FEBRUARY, env=env(hub, **more))
    link = f"https://github.example/{NAME}/compare/nexo-be%2F2026.02.3...{two}"
    assert link in page.read_text()


def test_short_shas_and_no_sha_are_resolved(hub: GitHubEmulator) -> None:
    """A short SHA is completed, and none is the head of the default branch."""
    one, *_, head = shas(hub)
    assert (
        calver("--sha", one[:8], *FEBRUARY, env=env(hub)).outputs["full-version"] == f"2026.02.1-{one[:7]}"
    )
    assert calver(*FEBRUARY, env=env(hub)).outputs["full-version"] == f"2026.02.2-{head[:7]}"
    assert "is not in nexo-org/nexo-be" in calver("--sha", "abcdef01", env=env(hub)).complaint


def test_annotated_tags_are_peeled(hub: GitHubEmulator) -> None:
    """A tag object, and a tag of a tag, count as the commit that they point at."""
    one, two, *_ = shas(hub)
    git(folder(hub), "tag", "-a", "-m", "x", "2026.02.4", one)
    git(folder(hub), "tag", "-a", "-m", "x", "2026.02.5", "2026.02.4")
    git(folder(hub), "tag", "2026.02.6", git(folder(hub), "rev-parse", "main:f0"))
    assert calver("--sha", one, *FEBRUARY, env=env(hub)).version == "2026.02.4"
    made = calver("--sha", two, *FEBRUARY, env=env(hub)).outputs
    assert (made["version"], made["previous-version"]) == ("2026.02.7", "2026.02.6")


def test_a_label_reserves_the_plain_tag_first(hub: GitHubEmulator) -> None:
    """Killed between its two tags, a labelled version is completed by the next run of that commit."""
    one, two, *_ = shas(hub)
    hub.fail("POST", "/git/refs", 500, times=-1, after=1)
    with pytest.raises(DependencyError):
        ask(hub, one, [], metadata="fix")
    assert tags(folder(hub)) == {"2026.02.1": one}
    hub.faults.clear()
    assert str(ask(hub, two, []).version) == "2026.02.2"
    assert str(ask(hub, one, [], metadata="fix").version) == "2026.02.1-fix"
    assert tags(folder(hub)) == {"2026.02.1": one, "2026.02.1-fix": one, "2026.02.2": two}


@pytest.mark.parametrize("applied", [False, True], ids=["lost on the way", "its answer lost"])
@pytest.mark.parametrize("kind", [500, 502, 503, "reset", "truncated", "rate", "abuse", "timeout"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_one_failure_anywhere_is_survived(
    hub: GitHubEmulator, method: str, kind: str | int, applied: bool
) -> None:
    """One failed call, carried out or not, costs a wait and neither a build nor a second tag."""
    head = shas(hub)[-1]
    hub.hang = 0.1
    fault = hub.fail(method, "/git/", kind, applied=applied)
    pauses: list[float] = []
    assert str(ask(hub, head, pauses).version) == "2026.02.1"
    assert tags(folder(hub)) == {"2026.02.1": head}
    assert fault.hits == 1
    assert pauses
    assert max(pauses) < 10


@pytest.mark.parametrize("kind", [500, "reset", "rate"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_failing_for_ever_ends_with_status_3(hub: GitHubEmulator, method: str, kind: str | int) -> None:
    """A service that stays down is reported after some tries, without the token."""
    hub.fail(method, "/git/", kind, times=-1)
    with pytest.raises(DependencyError) as caught:
        ask(hub, shas(hub)[-1], [])
    assert TOKEN not in str(caught.value)
    assert tags(folder(hub)) == {}


def test_a_rate_limit_that_lasts_too_long_is_said(hub: GitHubEmulator) -> None:
    """When the limit lifts later than we wait, the message says when."""
    hub.fail("GET", "/git/", "rate", times=-1, retry_after=3000)
    pauses: list[float] = []
    with pytest.raises(DependencyError, match=r"limits the rate of calls for another (2999|300\d) s"):
        ask(hub, shas(hub)[-1], pauses)
    assert pauses == []


@pytest.mark.parametrize(("token", "status"), [("reader-token", 2), ("no-such-token", 2), ("", 2)])
def test_a_token_that_may_not_is_told_what_to_grant(hub: GitHubEmulator, token: str, status: int) -> None:
    """Without the permission to write contents, the message names it."""
    ran = calver(
        "--token", token, "--sha", shas(hub)[0], *FEBRUARY, env={**env(hub), "GITHUB_TOKEN": token}
    )
    assert ran.status == status
    assert "contents: write" in ran.complaint or "refuses the token" in ran.complaint
    assert not token or token not in ran.complaint
    assert tags(folder(hub)) == {}


def test_a_reader_can_preview(hub: GitHubEmulator) -> None:
    """A pull request from a fork has no right to write, and needs none for a preview."""
    more = env(hub, GITHUB_TOKEN="reader-token")
    assert calver("--no-reserve", *FEBRUARY, env=more).version == "2026.02.1"


def test_a_commit_that_github_lacks_is_refused_in_its_words(hub: GitHubEmulator) -> None:
    """A commit that was never pushed can't be tagged; that isn't tried for ever."""
    with pytest.raises(InputError, match=r"refuses tag 2026\.02\.1 on commit abababababab"):
        ask(hub, "ab" * 20, [])
    assert sum(each.method == "POST" for each in hub.exchanges) <= 8


def test_a_renamed_repository_still_answers(hub: GitHubEmulator) -> None:
    """GitHub redirects the old name, for reading and for creating."""
    hub.rename_repository(NAME, "nexo-org/nexo-backend")
    where = Path(hub.repository("nexo-org/nexo-backend").store.path)
    head = git(where, "rev-parse", "main")
    assert str(ask(hub, head, []).version) == "2026.02.1"
    assert tags(where) == {"2026.02.1": head}


def test_six_processes_share_the_month(hub: GitHubEmulator, tmp_path: Path) -> None:
    """Six runners at once: six builds, none twice, none left out."""
    started = []
    for number, sha in enumerate(shas(hub)):
        (tmp_path / str(number)).mkdir()
        more = {**env(hub), "TMPDIR": str(tmp_path / str(number)), "GITHUB_SHA": sha}
        started.append(subprocess.Popen(isolated(*FEBRUARY), env=more, stdout=subprocess.PIPE))
    made = [json.loads(process.communicate()[0]) for process in started]
    assert sorted(each["build"] for each in made) == [1, 2, 3, 4, 5, 6]
    assert {each["tag"]: each["short-sha"] for each in made} == {
        name: sha[:7] for name, sha in tags(folder(hub)).items()
    }


# -- answers that GitHub wouldn't give, and a proxy might ---------------------------------------

SHA = "c" * 40
GOOD = {"ref": "refs/tags/2026.02.1", "object": {"type": "commit", "sha": "a" * 40}}


def scripted(url: str, pauses: list[float]) -> GitHubTags:
    return GitHubTags(NAME, JsonApi("GitHub (x)", url, TOKEN, timeout=1.0, attempts=3, pause=pauses.append))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>login</html>",
        b"",
        b"null",
        b"{}",
        b'"x"',
        b"[1]",
        b"[null]",
        b"\xff\xfe",
        b"[" * 5000,
        b'[{"ref":1}',
    ],
)
def test_nonsense_is_a_dependency_that_failed(body: bytes) -> None:
    """A page of a proxy, half a JSON or the wrong shape never becomes a version."""
    with serving(lambda asked: Reply(200, body)) as server, pytest.raises(DependencyError) as caught:
        scripted(server.url, []).tags(["2026.02."])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "ref",
    [
        {"ref": "refs/tags/2026.02.1"},
        {"ref": "refs/tags/2026.02.1", "object": {"type": "commit"}},
        {"ref": "refs/tags/2026.02.1", "object": {"type": "commit", "sha": "--upload-pack"}},
        {"ref": "refs/tags/2026.02.1", "object": {"type": "commit", "sha": 7}},
        {"ref": "refs/tags/2026.02.1", "object": "commit"},
    ],
)
def test_a_ref_without_a_commit_is_not_trusted(ref: object) -> None:
    """A tag whose target can't be read is an error or counts as taken, never as free."""
    with serving(lambda asked: Reply(200, json.dumps([ref]).encode())) as server:
        try:
            found = scripted(server.url, []).tags(["2026.02."])
        except PromoteError:
            return
    assert found == {"2026.02.1": ""}


def test_pages_are_followed_on_the_same_server_only() -> None:
    """The Link header leads through the pages; one that leads elsewhere is refused, token unsent."""
    pages = {
        "1": (GOOD, '</repos/x?page=2>; rel="next"'),
        "2": ({**GOOD, "ref": "refs/tags/2026.02.2"}, '<https://evil.example/x>; rel="prev"'),
    }

    def answer(asked: Asked) -> Reply:
        ref, link = pages[asked.path.partition("page=")[2] or "1"]
        return Reply(200, json.dumps([ref]).encode(), {"Link": link})

    with serving(answer) as server:
        assert set(scripted(server.url, []).tags(["2026.02."])) == {"2026.02.1", "2026.02.2"}
        pages["1"] = (GOOD, '<http://127.0.0.1:1/x>; rel="next"')
        with pytest.raises(DependencyError, match="another server"):
            scripted(server.url, []).tags(["2026.02."])
        pages["1"] = (GOOD, '</repos/x?page=1>; rel="next"')
        with pytest.raises(DependencyError, match="more than 100 pages"):
            scripted(server.url, []).tags(["2026.02."])


def test_the_token_does_not_follow_a_redirect_to_another_server() -> None:
    """A redirect to another host is asked without the token."""
    with serving(lambda asked: Reply(200, b"[]")) as other:
        away = {"Location": f"{other.url}/elsewhere"}
        with serving(lambda asked: Reply(302, b"", away)) as server:
            assert scripted(server.url, []).tags(["2026.02."]) == {}
            assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize("answer", [{}, {"object": {"sha": "d" * 40}}, [], None])
def test_a_creation_that_is_not_confirmed_is_not_believed(answer: object) -> None:
    """201 with another commit, or without one, is an error."""
    with (
        serving(lambda asked: Reply(201, json.dumps(answer).encode())) as server,
        pytest.raises(DependencyError),
    ):
        scripted(server.url, []).create(["2026.02.1"], SHA)


@pytest.mark.parametrize(
    ("repo", "slug"),
    [
        ("nexo-org/nexo-be", True),
        ("a/b.c", True),
        ("./a/b", False),
        ("a/..", False),
        ("a/.", False),
        ("a", False),
        ("a/b/c", False),
        ("-a/b", False),
        ("a/b c", False),
        ("../b", False),
        ("a/b\n", False),
        ("a/", False),
    ],
)
def test_what_is_written_like_a_github_repository(repo: str, slug: bool) -> None:
    """owner/name is GitHub's; a folder is written with a dot or a slash in front."""
    assert is_slug(repo) is slug
