"""Finding a cluster: by address, by kubeconfig with all its kinds of credentials, or from inside."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from promote_actions.adapters import kubeconfig
from promote_actions.adapters.kubeconfig import Access, Options, access_of
from promote_actions.adapters.kubernetes import Kubernetes
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.rehearsal.kubernetes import KubernetesEmulator
from tests.adapters.scripted_server import self_signed

SERVER = "https://k8s.example.com:6443"


def nothing(secret: str) -> None:
    """Mask nothing."""


def config(
    folder: Path, user: Mapping[str, Any], cluster: Mapping[str, Any] | None = None, name: str = "config"
) -> str:
    """A kubeconfig with one cluster, one context and one user."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "contexts": [
            {"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "nexo-production"}},
            {"name": "other", "context": {"cluster": "missing", "user": "u"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": SERVER, **(cluster or {})}}],
        "users": [{"name": "u", "user": dict(user)}],
    }
    path = folder / name
    path.write_text(json.dumps(document))
    return str(path)


def access(path: str, env: Mapping[str, str] | None = None, **options: str) -> Access:
    return access_of(Options(kubeconfig=path, **options), env or {}, nothing)


def test_a_token_in_a_kubeconfig(tmp_path: Path) -> None:
    """Server, token and the context's namespace; the token is masked."""
    masked: list[str] = []
    path = config(tmp_path, {"token": "a-token-in-a-file"})
    found = access_of(Options(kubeconfig=path), {}, masked.append)
    assert (found.server, found.token, found.namespace) == (SERVER, "a-token-in-a-file", "nexo-production")
    assert masked == ["a-token-in-a-file"]
    assert "a-token-in-a-file" not in repr(found)


def test_a_token_file_beside_the_kubeconfig(tmp_path: Path) -> None:
    """Paths are relative to the kubeconfig's folder."""
    (tmp_path / "token").write_text("from-a-file\n")
    assert access(config(tmp_path, {"tokenFile": "token"})).token == "from-a-file"


def test_the_address_given_comes_first(tmp_path: Path) -> None:
    """Before any kubeconfig, also that of the environment."""
    env = {"KUBECONFIG": config(tmp_path, {"token": "x"})}
    found = access_of(Options(server="https://given", token="t"), env, nothing)
    assert (found.server, found.token) == ("https://given", "t")


def test_several_kubeconfigs_are_one(tmp_path: Path) -> None:
    """What two files name counts as in the first."""
    one = config(tmp_path, {"token": "first"}, name="one")
    two = config(tmp_path, {"token": "second"}, name="two")
    assert access_of(Options(), {"KUBECONFIG": f"{one}:{two}"}, nothing).token == "first"


def test_inside_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the pod's service account; an IPv6 address gets its brackets."""
    certificate, _ = self_signed(tmp_path)
    for name, text in {"token": "inside\n", "namespace": "ci\n", "ca.crt": certificate.read_text()}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(kubeconfig, "INSIDE", str(tmp_path))
    env = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    found = access_of(Options(), env, nothing)
    assert (found.server, found.token, found.namespace) == ("https://[fd00::1]:6443", "inside", "ci")
    assert found.tls.context().verify_mode == ssl.CERT_REQUIRED


def test_a_credential_plugin(tmp_path: Path) -> None:
    """The program of the user is run with its arguments and environment, as on managed clusters."""
    script = tmp_path / "get-token"
    script.write_text(
        '#!/bin/sh\nprintf \'{"kind":"ExecCredential","status":{"token":"%s-%s"}}\' "$1" "$REGION"\n'
        'test -n "$KUBERNETES_EXEC_INFO"\n'
    )
    script.chmod(0o755)
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "./get-token",
            "args": ["nexo"],
            "env": [{"name": "REGION", "value": "sa-east-1"}],
        }
    }
    masked: list[str] = []
    found = access_of(Options(kubeconfig=config(tmp_path, user)), {"PATH": "/bin:/usr/bin"}, masked.append)
    assert found.token == "nexo-sa-east-1"
    assert masked == ["nexo-sa-east-1"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho not logged in >&2; exit 1\n", "gave no credentials (not logged in)"),
        ("#!/bin/sh\necho nonsense\n", "gave no credentials (0)"),
        ('#!/bin/sh\necho \'{"status": {"token": 1}}\'\n', "gave no credentials"),
        ("", "can't be run"),
    ],
)
def test_a_plugin_that_fails(tmp_path: Path, script: str, words: str) -> None:
    """It is named, with what it said."""
    path = tmp_path / "plugin"
    if script:
        path.write_text(script)
        path.chmod(0o755)
    with pytest.raises(DependencyError) as caught:
        access(config(tmp_path, {"exec": {"command": "./plugin"}}), {"PATH": "/bin"})
    assert words in str(caught.value)


@pytest.mark.parametrize("inline", [True, False])
def test_certificates_on_both_sides(tmp_path: Path, inline: bool) -> None:
    """The server is verified by the cluster's authority, and we by our certificate; texts or files."""
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    files = {"certificate-authority": certificate, "client-certificate": certificate, "client-key": key}

    def given(name: str) -> dict[str, str]:
        if inline:
            return {f"{name}-data": base64.b64encode(files[name].read_bytes()).decode()}
        return {name: files[name].name}

    with KubernetesEmulator("only-by-certificate", context) as server:
        server.add_ingress("nexo-production", "x", ["a-blue"])
        cluster = {"server": server.url, **given("certificate-authority")}
        user = {**given("client-certificate"), **given("client-key")}
        found = access(config(tmp_path, user, cluster))
        assert Kubernetes(found, found.namespace).ingress("x")["metadata"]["name"] == "x"
        left = {path.name for path in Path(tmp_path).iterdir()}
        assert left == {"cert.pem", "key.pem", "config"}
        stranger = access(config(tmp_path, user, {"server": server.url}))
        with pytest.raises(DependencyError, match="certificate is not trusted"):
            Kubernetes(stranger, "nexo-production", pause=lambda _: None).ingress("x")


def test_a_cluster_that_says_not_to_verify(tmp_path: Path) -> None:
    """``insecure-skip-tls-verify`` is the kubeconfig's own choice."""
    found = access(config(tmp_path, {}, {"insecure-skip-tls-verify": True}))
    assert found.tls.context().verify_mode == ssl.CERT_NONE
    assert access(config(tmp_path, {})).tls.context().verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        ({}, {"certificate-authority-data": "%%"}, "certificate-authority-data is not PEM in base64"),
        ({}, {"certificate-authority-data": "eA=="}, "certificates can't be used"),
        ({"client-certificate": "gone.pem"}, {}, "cannot read"),
        ({}, {"tls-server-name": "x"}, "tls-server-name is not supported"),
        ({}, {"proxy-url": "http://x"}, "proxy-url is not supported"),
        ({"auth-provider": {"name": "gcp"}}, {}, "auth-provider is not supported"),
        ({"as": "admin"}, {}, "as is not supported"),
    ],
)
def test_what_can_not_be_honoured(tmp_path: Path, user: Any, cluster: Any, words: str) -> None:
    """It is refused by name rather than passed over."""
    with pytest.raises(InputError) as caught:
        access(config(tmp_path, user, cluster))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("{}", {}, "has no context ''; it has none"),
        ("[]", {}, "can't be read"),
        ("a: [", {}, "can't be read"),
        ("\xff\x00", {}, "can't be read"),
        ("!!python/object:os.system {}", {}, "can't be read"),
        (None, {"context": "nope"}, "has no context 'nope'; it has main, other"),
        (None, {"context": "other"}, "has no cluster 'missing'; it has c"),
    ],
)
def test_a_kubeconfig_that_is_none(
    tmp_path: Path, content: str | None, options: dict[str, str], words: str
) -> None:
    """One line that says what is wrong."""
    path = config(tmp_path, {})
    if content is not None:
        Path(path).write_bytes(content.encode("latin-1"))
    with pytest.raises(PromoteError) as caught:
        access(path, **options)
    assert words in str(caught.value)


def test_no_cluster_at_all(tmp_path: Path) -> None:
    """Nothing given, not inside of one, no kubeconfig at home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        with pytest.raises(InputError, match="no Kubernetes cluster was given"):
            access_of(Options(), {}, nothing)
        with pytest.raises(InputError, match="cannot read"):
            access_of(Options(kubeconfig=str(tmp_path / "gone")), {}, nothing)
