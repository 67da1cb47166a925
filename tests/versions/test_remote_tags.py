"""Tags over git's own HTTP protocol: credentials, shallow clones, no clone at all, and races."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.scripted_server import Reply, serving
from tests.versions.smart_http import SmartServer, smart_http
from tests.versions.tagged import FEBRUARY, WHO, bare, calver, git, isolated, tag, tags

TOKEN = "tok-7c1f0a9e52"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return bare(tmp_path / "served" / "r.git", 8)[0]


@pytest.fixture(params=["requests", "git"])
def server(
    origin: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SmartServer]:
    """The server, asked with the two requests of our own, and by git alone (as its settings can demand)."""
    if request.param == "git":
        monkeypatch.setenv("GIT_SSL_CAPATH", "/etc/ssl/certs")
    with smart_http(origin.parent, TOKEN) as running:
        yield running


@pytest.fixture
def asked_directly(origin: Path) -> Iterator[SmartServer]:
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


def test_two_requests_are_enough(asked_directly: SmartServer, origin: Path) -> None:
    """Reserving asks for the tags of two months and sends one order: no list of everything comes first."""
    head = shas(origin)[-1]
    tag(origin, ["2026.02.6", "2026.01.3", "2024.07.1", "v1"], shas(origin)[0])
    git(origin, "tag", "-a", "-m", "by hand", "2026.02.7", shas(origin)[1])
    made = calver(*ask(asked_directly, "--sha", head)).outputs
    assert (made["version"], made["previous-version"]) == ("2026.02.8", "2026.02.7")
    assert asked_directly.paths == ["git-upload-pack", "git-receive-pack"]
    assert tags(origin)["2026.02.8"] == head
    assert calver(*ask(asked_directly, "--sha", shas(origin)[1])).version == "2026.02.7"


def test_an_old_server_is_asked_by_git(asked_directly: SmartServer, origin: Path) -> None:
    """A server without version 2 of the protocol answers git's own way."""
    asked_directly.old = True
    tag(origin, ["2026.02.6"], shas(origin)[0])
    assert calver(*ask(asked_directly)).version == "2026.02.7"
    assert "info/refs?service=git-upload-pack" in asked_directly.paths


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_hook_that_declines_is_quoted(server: SmartServer, origin: Path, hook: str) -> None:
    """The words of the server's hook reach the message, whichever way the tag was sent."""
    path = origin / "hooks" / hook
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\necho 'the release team makes tags' >&2\nexit 1\n")
    path.chmod(0o755)
    ran = calver(*ask(server))
    assert ran.status == 2
    assert "refuses tag 2026.02.1" in ran.complaint
    assert "hook declined" in ran.complaint
    assert "the release team makes tags" in ran.complaint


def test_an_unpushed_commit_travels_by_git(
    asked_directly: SmartServer, origin: Path, tmp_path: Path
) -> None:
    """The server lacks the commit, so the order alone fails, and git pushes commit and tag."""
    repo = shallow_clone(asked_directly, tmp_path / "w")
    git(repo, "commit", "--quiet", "--allow-empty", "-m", "new")
    assert calver(*ask(asked_directly, repo=repo)).version == "2026.02.1"
    assert tags(origin) == {"2026.02.1": git(repo, "rev-parse", "HEAD")}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>log in</html>", {"Content-Type": "text/html"}),
        Reply(200, b"", {"Content-Type": "application/x-git-upload-pack-result"}),
        Reply(200, b"0000", {"Content-Type": "text/plain"}),
        Reply(200, b"0009oops\n", {"Content-Type": "application/x-git-upload-pack-result"}),
        Reply(200, b"ffff" + b"x" * 100, {"Content-Type": "application/x-git-upload-pack-result"}),
        Reply(500),
        Reply(301, b"", {"Location": "http://127.0.0.1:1/"}),
        Reply(raw=b""),
    ],
)
def test_a_server_that_speaks_something_else_is_a_dependency_that_failed(reply: Reply) -> None:
    """A login page, half an answer or none ends in one line with git's words, and not in a version."""
    with serving(lambda asked: reply) as strange:
        where = ("--repo", f"{strange.url}/r.git", "--token", TOKEN, "--sha", "ab" * 20)
        ran = calver(*where, *FEBRUARY)
    assert ran.status in (2, 3)
    assert TOKEN not in ran.complaint


def test_the_users_rewriting_of_urls_is_kept(
    asked_directly: SmartServer, origin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """insteadOf in git's configuration leads where git goes; a command stays refused."""
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f'[url "{asked_directly.url}/"]\n\tinsteadOf = https://git.example.com/\n'
        f'[url "ext::touch {tmp_path}/pwned "]\n\tinsteadOf = https://evil.example.com/\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    where = ("--token", TOKEN, "--sha", shas(origin)[0], *FEBRUARY)
    assert calver("--repo", "https://git.example.com/r.git", *where).version == "2026.02.1"
    assert "command" in calver("--repo", "https://evil.example.com/r.git", *where).complaint
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("form", ["git@git.example.com:{}", "ssh://git@git.example.com{}"])
def test_ssh_goes_by_git(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Over ssh (here a stand-in that runs the server's side at once) git itself lists and pushes."""
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH", str(ssh))
    monkeypatch.chdir(tmp_path)
    old = shas(origin)[2]
    where = ("--repo", form.format(origin), "--token", TOKEN, *FEBRUARY)
    assert calver(*where, "--sha", old).version == "2026.02.1"
    assert calver(*where).version == "2026.02.2"
    assert tags(origin) == {"2026.02.1": old, "2026.02.2": shas(origin)[-1]}
    assert TOKEN not in (tmp_path / "asked").read_text()
