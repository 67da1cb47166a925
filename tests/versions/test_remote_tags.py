"""Tags over git's own HTTP protocol: credentials, shallow clones, no clone at all, and races."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.versions.smart_http import SmartServer, smart_http
from tests.versions.tagged import FEBRUARY, WHO, bare, calver, git, isolated, tag, tags

TOKEN = "tok-7c1f0a9e52"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return bare(tmp_path / "served" / "r.git", 8)[0]


@pytest.fixture
def server(origin: Path) -> Iterator[SmartServer]:
    with smart_http(origin.parent, TOKEN) as running:
        yield running


def shas(origin: Path) -> list[str]:
    return git(origin, "rev-list", "--reverse", "main").split()


def ask(server: SmartServer, *arguments: str | Path, repo: str | Path = "") -> tuple[str, ...]:
    return ("--repo", str(repo or f"{server.url}/r.git"), "--token", TOKEN, *map(str, arguments), *FEBRUARY)


def shallow_clone(server: SmartServer, folder: Path) -> Path:
    done = subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"{server.url}/r.git", str(folder)],
        env={**os.environ, **WHO, **basic(server)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def basic(server: SmartServer) -> dict[str, str]:
    import base64

    value = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server.url}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {value}",
    }


def test_a_url_needs_no_clone(server: SmartServer, origin: Path, tmp_path: Path) -> None:
    """With a URL alone, in an empty folder, an old commit gets its tag on the server."""
    old = shas(origin)[3]
    made = calver(*ask(server, "--sha", old)).outputs
    assert (made["version"], made["reused"]) == ("2026.02.1", False)
    assert tags(origin) == {"2026.02.1": old}
    assert calver(*ask(server, "--sha", old)).outputs["reused"] is True


def test_head_of_a_url_is_its_default_branch(server: SmartServer, origin: Path) -> None:
    """Without a SHA, the version is for the head of the server's default branch."""
    assert calver(*ask(server)).outputs["short-sha"] == shas(origin)[-1][:7]


def test_a_label_reserves_both_tags_at_once(server: SmartServer, origin: Path) -> None:
    """The plain tag and the labelled one are pushed together."""
    head = shas(origin)[-1]
    assert calver(*ask(server, "--metadata", "hotfix-auth")).version == "2026.02.1-hotfix-auth"
    assert tags(origin) == {"2026.02.1": head, "2026.02.1-hotfix-auth": head}


def test_a_shallow_checkout_sends_no_files(server: SmartServer, origin: Path, tmp_path: Path) -> None:
    """From a checkout of depth 1 whose branch has moved on, only the tag travels, not the tree."""
    big = os.urandom(100_000).hex().encode()
    for text in (b"a", b"b"):
        stream = b"commit refs/heads/main\ncommitter A <a@b> 1780000000 +0000\ndata 1\n" + text
        stream += b"\nfrom refs/heads/main^0\nM 644 inline big\ndata %d\n%s\n" % (len(big), big)
        git(origin, "fast-import", "--quiet", stdin=stream)
        if text == b"a":
            repo = shallow_clone(server, tmp_path / "w")
    server.received = 0
    assert calver(*ask(server, repo=repo)).version == "2026.02.1"
    assert 0 < server.received < 2_000


def test_a_checkouts_own_credentials_are_used_once(server: SmartServer, tmp_path: Path) -> None:
    """A checkout that holds a header of its own (as actions/checkout leaves it) isn't sent two of them."""
    repo = shallow_clone(server, tmp_path / "w")
    ((name, value),) = {(basic(server)["GIT_CONFIG_KEY_0"], basic(server)["GIT_CONFIG_VALUE_0"])}
    git(repo, "config", name, value)
    for token in (TOKEN, "another-token"):
        made = calver("--repo", repo, "--token", token, *FEBRUARY).outputs
        assert made["version"] == "2026.02.1"
    git(repo, "config", name, "Authorization: Basic wrong")
    in_checkout = calver(*ask(server, "--sha", git(repo, "rev-parse", "HEAD"))).outputs
    assert in_checkout["reused"] is True
    assert all(len(given) < 2 for given in server.headers)


def test_a_url_in_a_checkout_with_credentials_gets_the_token_alone(
    server: SmartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that is given for a URL replaces the header in the configuration of the current folder."""
    repo = shallow_clone(server, tmp_path / "w")
    git(repo, "config", f"http.{server.url}/.extraHeader", "Authorization: Basic b2xkOm9sZA==")
    monkeypatch.chdir(repo)
    assert calver(*ask(server)).version == "2026.02.1"
    assert all(len(given) < 2 for given in server.headers)


@pytest.mark.parametrize("token", ["wrong-token-123", ""])
def test_refused_credentials_are_said_without_the_token(server: SmartServer, token: str) -> None:
    """A wrong token, or none, is bad input; the message says so and doesn't show it."""
    url = f"{server.url}/r.git"
    ran = calver("--repo", url, "--token", token, "--sha", "a" * 40, *FEBRUARY)
    assert (ran.status, "refused the credentials" in ran.complaint) == (2, True)
    assert not token or token not in ran.complaint


def test_a_commit_that_the_server_lacks_is_said(server: SmartServer) -> None:
    """A SHA that neither the server nor this folder has can't be tagged."""
    ran = calver(*ask(server, "--sha", "ab" * 20))
    assert ran.status in (2, 3)
    assert "run in a checkout that holds commit abababababab" in ran.complaint


def test_eight_pushes_at_once_get_eight_builds(server: SmartServer, origin: Path, tmp_path: Path) -> None:
    """Truly simultaneous pushes of different commits: eight builds, none twice, none left out.

    The processes don't know of one another: each has a lock folder of its own, as on machines apart.
    """
    tag(origin, ["2026.01.7"], shas(origin)[0])
    started = []
    for number, sha in enumerate(shas(origin)):
        folder = tmp_path / f"machine-{number}"
        folder.mkdir()
        env = {**os.environ, "TMPDIR": str(folder)}
        command = isolated(*ask(server, "--sha", sha))
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=folder)
        )
    said = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0] * 8, [err for _, err in said]
    made = [json.loads(out) for out, _ in said]
    # The first commit has a version of January, and keeps it.
    assert sorted((each["month"], each["build"]) for each in made) == [("01", 7)] + [
        ("02", n) for n in range(1, 8)
    ]
    assert {each["version"]: each["short-sha"] for each in made} == {
        name: sha[:7] for name, sha in tags(origin).items()
    }
