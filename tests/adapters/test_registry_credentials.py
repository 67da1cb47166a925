"""Finding credentials for a registry: variables, Docker's configuration, helpers, the job's token."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.adapters.registry_credentials import Credentials, find
from promote_actions.errors import InputError


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def docker(folder: Path, config: Any) -> Mapping[str, str]:
    """The environment of somebody whose Docker configuration is ``config``."""
    text = config if isinstance(config, str) else json.dumps(config)
    (folder / "config.json").write_text(text)
    return {"DOCKER_CONFIG": str(folder), "PATH": os.environ["PATH"]}


def test_variables_belong_to_the_registry_they_name() -> None:
    """A password for one registry is not offered to another."""
    env = {"REGISTRY": "ghcr.io", "REGISTRY_USERNAME": "alice", "REGISTRY_PASSWORD": "secret"}
    assert find("ghcr.io", env) == Credentials("alice", "secret")
    assert find("quay.io", env) is None
    with pytest.raises(InputError, match="REGISTRY_PASSWORD is set and REGISTRY is not"):
        find("ghcr.io", {"REGISTRY_PASSWORD": "secret"})


@pytest.mark.parametrize("key", ["ghcr.io", "https://ghcr.io", "https://ghcr.io/v2/", "GHCR.io"])
def test_docker_login_is_found(tmp_path: Path, key: str) -> None:
    """Keys are hosts or addresses; a password may hold colons."""
    env = docker(
        tmp_path, {"auths": {"quay.io": {"auth": encoded("x:y")}, key: {"auth": encoded("bob:a:b")}}}
    )
    assert find("ghcr.io", env) == Credentials("bob", "a:b")
    assert find("docker.io", env) is None


def test_docker_hub_has_an_old_address(tmp_path: Path) -> None:
    """docker login without a host writes index.docker.io/v1/."""
    env = docker(tmp_path, {"auths": {"https://index.docker.io/v1/": {"auth": encoded("bob:pw")}}})
    assert find("docker.io", env) == Credentials("bob", "pw")


def test_the_home_folder_is_looked_at(tmp_path: Path) -> None:
    """Without DOCKER_CONFIG it is ~/.docker; REGISTRY_AUTH_FILE names podman's."""
    (tmp_path / ".docker").mkdir()
    docker(tmp_path / ".docker", {"auths": {"ghcr.io": {"username": "u", "password": "p"}}})
    assert find("ghcr.io", {"HOME": str(tmp_path)}) == Credentials("u", "p")
    named = {"REGISTRY_AUTH_FILE": str(tmp_path / ".docker" / "config.json")}
    assert find("ghcr.io", named) == Credentials("u", "p")


def test_an_identity_token_is_kept_apart(tmp_path: Path) -> None:
    """A refresh token isn't a password."""
    env = docker(tmp_path, {"auths": {"acr.io": {"auth": encoded("u:"), "identitytoken": "refresh"}}})
    assert find("acr.io", env) == Credentials("u", "", "refresh")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ({"auths": {"ghcr.io": {"auth": "%%%"}}}, "are damaged"),
        ({"auths": {"ghcr.io": {"auth": base64.b64encode(b"\xff:\xff").decode()}}}, "are damaged"),
    ],
)
def test_a_damaged_configuration_is_named(tmp_path: Path, config: Any, words: str) -> None:
    """It is one line that names the file, and never shows what is in it."""
    with pytest.raises(InputError, match=words) as caught:
        find("ghcr.io", docker(tmp_path, config))
    assert "config.json" in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [
        {}, [], "null", {"auths": []}, {"auths": {"ghcr.io": []}}, {"auths": {"ghcr.io": {}}},
        {"auths": {"ghcr.io": {"auth": 5}}}, {"auths": {"ghcr.io": {"auth": encoded("nocolon")}}},
        {"credHelpers": []}, {"credsStore": 5}, {"credsStore": "../../sh"}, {"credsStore": "not-installed"},
    ],
)  # fmt: skip
def test_a_configuration_that_knows_nothing(tmp_path: Path, config: Any) -> None:
    """Empty and odd entries mean no credentials."""
    assert find("ghcr.io", docker(tmp_path, config)) is None


def helper(folder: Path, name: str, body: str) -> None:
    file = folder / f"docker-credential-{name}"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


ANSWER = """\
[ "$1" = get ] && host=$(cat) &&
printf '{"ServerURL":"%s","Username":"%s","Secret":"from-helper"}' "$host" "$host"
"""


@pytest.mark.parametrize(
    ("config", "host", "user"),
    [
        ({"credHelpers": {"ghcr.io": "test"}}, "ghcr.io", "ghcr.io"),
        ({"credsStore": "test", "auths": {"ghcr.io": {}}}, "ghcr.io", "ghcr.io"),
        ({"credsStore": "test"}, "docker.io", "https://index.docker.io/v1/"),
    ],
)
def test_a_helper_is_asked(
    tmp_path: Path, config: Any, host: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The helper gets the host on its input, never on its command line."""
    helper(tmp_path, "test", ANSWER)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert find(host, docker(tmp_path, config)) == Credentials(user, "from-helper")


def test_a_helper_may_give_an_identity_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user <token> means that the secret is a refresh token."""
    helper(tmp_path, "test", """cat >/dev/null; printf '{"Username":"<token>","Secret":"refresh"}'""")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = find("ghcr.io", docker(tmp_path, {"credsStore": "test"}))
    assert found == Credentials("", "", "refresh")


@pytest.mark.parametrize(
    "body",
    [
        "exit 1",
        "echo credentials not found in native keychain; exit 1",
        "echo no json",
        "echo '[]'",
        "echo '{}'",
    ],
)
def test_a_helper_that_knows_nothing(tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written in the file counts then."""
    helper(tmp_path, "test", body)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    env = docker(tmp_path, {"credsStore": "test", "auths": {"ghcr.io": {"auth": encoded("u:p")}}})
    assert find("ghcr.io", env) == Credentials("u", "p")


def test_the_job_s_token_is_for_ghcr_alone() -> None:
    """GITHUB_TOKEN goes to ghcr.io of github.com and to no other registry."""
    env = {"GITHUB_TOKEN": "ghs_x", "GITHUB_ACTOR": "octocat"}
    assert find("ghcr.io", env) == Credentials("octocat", "ghs_x")
    assert find("ghcr.io", {}, token="ghs_y") == Credentials("x-access-token", "ghs_y")
    for host in ("docker.io", "ghcr.io.example.com", "xghcr.io", "ghcr.io:444"):
        assert find(host, env) is None
    assert find("ghcr.io", env | {"GITHUB_SERVER_URL": "https://github.example.com"}) is None


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["auths", "ghcr.io", "auth", "username", "password", "identitytoken", "credHelpers"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(_JSON)
def test_any_configuration_ends_well(tmp_path_factory: pytest.TempPathFactory, config: object) -> None:
    """Whatever the file holds, there are credentials, none, or one line."""
    folder = tmp_path_factory.mktemp("docker")
    try:
        found = find("ghcr.io", docker(folder, json.dumps(config)))
    except InputError:
        return
    assert found is None or found.secrets
