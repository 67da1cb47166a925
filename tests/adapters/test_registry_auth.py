"""Getting into registries: passwords, tokens, and where neither may go."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.adapters.http_client import Tls
from promote_actions.adapters.registry import Registry
from promote_actions.adapters.registry_auth import Authorizer, challenges
from promote_actions.adapters.registry_credentials import Credentials
from promote_actions.adapters.registry_http import Clock, Transport, is_loopback
from promote_actions.errors import DependencyError, InputError
from promote_actions.rehearsal.registry import RegistryEmulator
from tests.adapters.registry_servers import (
    HTPASSWD,
    OCI_INDEX,
    OCI_MANIFEST,
    PASSWORD,
    USER,
    Asked,
    Say,
    Scripted,
    TokenServer,
    docker_registry,
    server_tls,
)

DIGEST = "sha256:" + "a" * 64
HELD = Say(200, headers={"Docker-Content-Digest": DIGEST, "Content-Type": OCI_MANIFEST})
CREDENTIALS = Credentials(USER, PASSWORD)
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


# -- basic -------------------------------------------------------------------------------------------


def check_basic(host: str) -> None:
    hidden: list[str] = []
    registry = Registry(host, CREDENTIALS, {}, mask=hidden.append)
    assert registry.resolve("acme/app", "missing") is None
    with pytest.raises(InputError, match="does not let us read acme/app") as wrong:
        Registry(host, Credentials(USER, "not it, not at all"), {}).resolve("acme/app", "missing")
    assert "not it" not in str(wrong.value)
    with pytest.raises(InputError, match="lets nobody read acme/app without credentials"):
        Registry(host, None, {}).resolve("acme/app", "missing")
    assert PASSWORD in hidden
    assert BASIC.removeprefix("Basic ") in hidden


@pytest.mark.real
def test_a_password_opens_a_real_registry(tmp_path: Path) -> None:
    """htpasswd: the right password is let in, a wrong one and none are refused in one line."""
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    with docker_registry(
        tmp_path, {"htpasswd": {"realm": "x", "path": str(tmp_path / "htpasswd")}}
    ) as host:
        check_basic(host)


def test_a_password_opens_the_registry_in_memory() -> None:
    """The emulator asks for passwords in the same way."""
    with RegistryEmulator({USER: PASSWORD}) as emulator:
        check_basic(emulator.host)


def test_the_password_is_asked_for_once() -> None:
    """After the first challenge every request carries the password at once."""
    with RegistryEmulator({USER: PASSWORD}) as emulator:
        registry = Registry(emulator.host, CREDENTIALS, {})
        for _ in range(3):
            registry.resolve("acme/app", "x")
        assert len(emulator.requests) == 4


# -- tokens ------------------------------------------------------------------------------------------


@pytest.mark.real
def test_tokens_open_a_real_registry(tmp_path: Path) -> None:
    """A registry that trusts a token server: pull for anybody, push with the password alone."""
    with TokenServer(tmp_path, {USER: PASSWORD}, frozenset({"acme/public"})) as tokens:
        with docker_registry(tmp_path, tokens.auth) as host:
            owner = Registry(host, CREDENTIALS, {})
            empty = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
            digest = owner.put("acme/public", "2026.02.1", empty, OCI_INDEX)
            assert owner.move_tag("acme/public", "qa", digest).move
            anybody = Registry(host, None, {})
            assert anybody.resolve("acme/public", "qa") == digest
            with pytest.raises(InputError, match="lets nobody write to acme/public"):
                anybody.put("acme/public", "evil", empty, OCI_INDEX)
            with pytest.raises(InputError, match="lets nobody read acme/private"):
                anybody.resolve("acme/private", "x")
            with pytest.raises(InputError, match="does not let us read acme/private"):
                Registry(host, Credentials(USER, "wrong"), {}).resolve("acme/private", "x")
        scopes = {asked["scope"] for asked in tokens.asked}
        assert {"repository:acme/public:pull", "repository:acme/public:pull,push"} <= {
            _sorted_actions(scope) for scope in scopes
        }
        assert all(asked["service"] == TokenServer.SERVICE for asked in tokens.asked)


@pytest.mark.real
def test_an_identity_token_opens_a_real_registry(tmp_path: Path) -> None:
    """A login that left a refresh token is exchanged by POST, never sent in an address."""
    with TokenServer(tmp_path, {USER: PASSWORD}) as tokens, docker_registry(tmp_path, tokens.auth) as host:
        registry = Registry(host, Credentials(identity_token=PASSWORD), {})
        assert registry.resolve("acme/app", "x") is None
        (asked,) = tokens.asked
        assert (asked["grant_type"], asked["refresh_token"]) == ("refresh_token", PASSWORD)


def _sorted_actions(scope: str) -> str:
    head, _, actions = scope.rpartition(":")
    return f"{head}:{','.join(sorted(actions.split(',')))}"


def bearer(realm: str, more: str = "") -> Mapping[str, str]:
    return {
        "WWW-Authenticate": f'Bearer realm="{realm}",service="reg",scope="repository:acme/app:pull"{more}'
    }


def guarded(realm: str, accepted: list[str], challenge: Mapping[str, str] | None = None) -> Scripted:
    """A registry that lets in those with one of the ``accepted`` tokens."""

    def answer(asked: Asked) -> Say:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") in accepted:
            return HELD
        return Say(401, b"{}", challenge or bearer(realm))

    return Scripted(answer)


@pytest.mark.parametrize("field", ["token", "access_token"])
def test_either_name_of_the_token_is_read(field: str) -> None:
    """Docker's servers say token, others access_token."""
    with Scripted(lambda _: Say(200, json.dumps({field: "t0ken"}).encode())) as tokens:
        with guarded(f"http://{tokens.host}/token", ["t0ken"]) as server:
            hidden: list[str] = []
            assert (
                Registry(server.host, CREDENTIALS, {}, mask=hidden.append).resolve("acme/app", "x")
                == DIGEST
            )
        (asked,) = tokens.asked
        assert asked.headers["authorization"] == BASIC
        assert "scope=repository%3Aacme%2Fapp%3Apull" in asked.path
        assert "service=reg" in asked.path
        assert PASSWORD.split()[1] not in asked.path
        assert "t0ken" in hidden


def test_an_expired_token_is_renewed() -> None:
    """A token that the registry no longer takes is asked for again, once."""
    accepted = ["one"]
    given = iter(["one", "two", "three"])
    with (
        Scripted(lambda _: Say(200, json.dumps({"token": next(given)}).encode())) as tokens,
        guarded(f"http://{tokens.host}/token", accepted) as server,
    ):
        registry = Registry(server.host, CREDENTIALS, {})
        assert registry.resolve("acme/app", "x") == DIGEST
        accepted[:] = ["two"]
        assert registry.resolve("acme/app", "x") == DIGEST
        accepted[:] = ["never"]
        with pytest.raises(InputError, match="does not let us read"):
            registry.resolve("acme/app", "x")
    assert len(tokens.asked) == 3


@pytest.mark.parametrize(
    "header",
    [
        'Basic realm="x", Bearer realm="{realm}",service="reg"',
        'Bearer realm="{realm}", service="reg", Basic realm="x"',
        'bearer REALM="{realm}"',
    ],
)
def test_a_token_is_preferred_to_a_password(header: str) -> None:
    """Of several challenges the token is taken: the password goes to the token server alone."""
    with Scripted(lambda _: Say(200, b'{"token": "t"}')) as tokens:
        challenge = {"WWW-Authenticate": header.replace("{realm}", f"http://{tokens.host}/token")}
        with guarded("", ["t"], challenge) as server:
            assert Registry(server.host, CREDENTIALS, {}).resolve("acme/app", "x") == DIGEST
            assert all("Basic" not in asked.headers.get("authorization", "") for asked in server.asked)


@pytest.mark.parametrize(
    ("say", "error", "words"),
    [
        (Say(401, b"{}"), InputError, "does not let us read acme/app"),
        (Say(403, b"denied"), InputError, "does not let us read acme/app"),
        (Say(404, b"gone"), DependencyError, "the token server of .* answered 404"),
        (Say(200, b"<html>Log in</html>"), DependencyError, "HTML where JSON was expected"),
        (Say(200, b"[]"), DependencyError, "gave no token"),
        (Say(200, b'{"token": ""}'), DependencyError, "gave no token"),
        (Say(200, b'{"token": "a\\r\\nX-Evil: 1"}'), DependencyError, "gave no token"),
        (Say(200, b'{"token": 5}'), DependencyError, "gave no token"),
    ],
)
def test_a_token_server_that_gives_none(say: Say, error: type[Exception], words: str) -> None:
    """Each answer without a token is one line, and hostile tokens reach no header."""
    with (
        Scripted(lambda _: say) as tokens,
        guarded(f"http://{tokens.host}/token", ["t"]) as server,
        pytest.raises(error, match=words) as caught,
    ):
        Registry(server.host, CREDENTIALS, {}).resolve("acme/app", "x")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("credentials", [CREDENTIALS, Credentials(identity_token=PASSWORD)])
def test_a_password_never_leaves_without_tls(credentials: Credentials) -> None:
    """A challenge can't make us send the password in the clear to another machine."""
    with (
        guarded("http://token.example.com/token", ["t"]) as server,
        pytest.raises(
            InputError, match=r"wants the password at http://token\.example\.com/token, without TLS"
        ),
    ):
        Registry(server.host, credentials, {}).resolve("acme/app", "x")


@pytest.mark.parametrize(
    "realm", ["", "file:///etc/passwd", "ftp://x/y", "token", "http://", "https://[", "//x/y"]
)
def test_a_realm_that_is_no_address(realm: str) -> None:
    """Only http and https addresses are asked for tokens."""
    with guarded(realm, ["t"]) as server, pytest.raises((InputError, DependencyError)):
        Registry(server.host, CREDENTIALS, {}).resolve("acme/app", "x")


@pytest.mark.parametrize("challenge", [{}, {"WWW-Authenticate": "Negotiate"}, {"WWW-Authenticate": '=,"'}])
def test_an_unknown_challenge(challenge: Mapping[str, str]) -> None:
    """A server that wants something else is named as what it may not be."""
    with (
        Scripted(lambda _: Say(401, b"", challenge)) as server,
        pytest.raises(DependencyError, match="is this a container registry"),
    ):
        Registry(server.host, CREDENTIALS, {}).resolve("acme/app", "x")


# -- redirects ----------------------------------------------------------------------------------------


def test_credentials_do_not_follow_a_redirect_to_another_host() -> None:
    """A redirected reading carries the password to its own host only."""
    with Scripted(lambda _: HELD) as other:

        def answer(asked: Asked) -> Say:
            if "authorization" not in asked.headers:
                return Say(401, b"", {"WWW-Authenticate": 'Basic realm="x"'})
            return Say(307, b"", {"Location": f"http://{other.host}{asked.path}"})

        with Scripted(answer) as server:
            assert Registry(server.host, CREDENTIALS, {}).resolve("acme/app", "x") == DIGEST
    assert server.asked[-1].headers["authorization"] == BASIC
    assert all("authorization" not in asked.headers for asked in other.asked)
    assert other.asked


def test_a_write_does_not_follow_a_redirect() -> None:
    """Where a manifest is put is where we were asked to put it."""
    with (
        Scripted(lambda _: Say(307, b"", {"Location": "/elsewhere"})) as server,
        pytest.raises(DependencyError, match="answered 307 to writing"),
    ):
        Registry(server.host, None, {}).put("acme/app", "x", b"{}", OCI_MANIFEST)
    assert len(server.asked) == 1


@pytest.mark.parametrize("location", ["//[", "ftp://x/y", "http://", "https://x:99999/", "javascript:x"])
def test_a_redirect_to_nowhere(location: str) -> None:
    """A place that is no address is named, not followed."""
    clock = Clock(sleep=lambda _: None)
    with (
        Scripted(lambda _: Say(302, b"", {"Location": location})) as server,
        pytest.raises(DependencyError, match="redirects to"),
    ):
        Registry(server.host, None, {}, clock=clock).resolve("acme/app", "x")


def test_redirects_end() -> None:
    """A registry that sends us round in circles is left."""
    clock = Clock(sleep=lambda _: None)
    with (
        Scripted(lambda asked: Say(302, b"", {"Location": asked.path})) as server,
        pytest.raises(DependencyError, match="redirects too often"),
    ):
        Registry(server.host, None, {}, clock=clock).resolve("acme/app", "x")


def test_tls_is_never_left(tmp_path: Path) -> None:
    """A redirect from https to plain http is refused before anything is sent there."""
    context, certificate = server_tls(tmp_path)
    with Scripted(lambda _: HELD) as plain:
        leaving = Say(302, b"", {"Location": f"http://{plain.host}/x"})
        with Scripted(lambda _: leaving, context) as server:
            url = f"https://localhost:{server.host.rpartition(':')[2]}/v2/"
            transport = Transport(
                "the registry", Tls(ca_file=str(certificate)), clock=Clock(sleep=lambda _: None)
            )
            with pytest.raises(DependencyError, match=r"redirects to http:.*, without TLS"):
                transport.ask("GET", url)
            with pytest.raises(DependencyError, match="certificate is not trusted"):
                Transport("the registry", clock=Clock(sleep=lambda _: None)).ask("GET", url)
    assert plain.asked == []


# -- parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Basic", [("basic", {})]),
        (
            'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:a/b:pull"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://ghcr.io/token",
                        "service": "ghcr.io",
                        "scope": "repository:a/b:pull",
                    },
                )
            ],
        ),
        (
            'Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"',
            [
                (
                    "basic",
                    {"realm": "https://1.dkr.ecr.eu-west-1.amazonaws.com/", "service": "ecr.amazonaws.com"},
                )
            ],
        ),
        (
            'Bearer realm = "a\\"b" , x=y, Basic realm=z',
            [("bearer", {"realm": 'a"b', "x": "y"}), ("basic", {"realm": "z"})],
        ),
        ('Bearer realm="a",realm="b"', [("bearer", {"realm": "a"})]),
        ('realm="x"', []),
        ("", []),
    ],
)
def test_challenges_are_read(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    """Real registries' headers, quoting, repetition and nothing."""
    assert [(each.scheme, dict(each.parameters)) for each in challenges(header)] == expected


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=200), st.text('Bearer realm="x\\,= \t', max_size=60)))
def test_any_header_is_read(header: str) -> None:
    """A hostile header is some challenges or none."""
    for challenge in challenges(header):
        assert challenge.scheme


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True), ("localhost:5000", True), ("127.0.0.1:5000", True), ("127.9.9.9", True),
        ("[::1]:5000", True), ("::1", True), ("localhost.example.com", False), ("127.0.0.1.nip.io", False),
        ("ghcr.io", False), ("10.0.0.1:5000", False), ("", False), ("0.0.0.0", False),
    ],
)  # fmt: skip
def test_what_is_this_machine(host: str, expected: bool) -> None:
    """Only true loopback names and addresses do without TLS."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "env", "base"),
    [
        ("ghcr.io", {}, "https://ghcr.io/v2"),
        ("docker.io", {}, "https://registry-1.docker.io/v2"),
        ("127.0.0.1:5000", {}, "http://127.0.0.1:5000/v2"),
        ("registry.lan:5000", {}, "https://registry.lan:5000/v2"),
        (
            "registry.lan:5000",
            {"REGISTRY_PLAIN_HTTP": "a, registry.lan:5000"},
            "http://registry.lan:5000/v2",
        ),
    ],
)
def test_tls_is_the_rule(host: str, env: Mapping[str, str], base: str) -> None:
    """Plain HTTP is for this machine, and for hosts that somebody named."""
    assert Registry(host, env=env)._base == base


def test_secrets_are_not_shown() -> None:
    """No representation of the objects holds a password."""
    shown = repr(Credentials(USER, PASSWORD, "identity")) + repr(
        Authorizer("h", Transport("x"), CREDENTIALS)
    )
    assert PASSWORD not in shown
    assert "identity'" not in shown
