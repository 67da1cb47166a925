"""The Kubernetes API through our adapter, against an API server's emulator, its faults, and kubectl."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from promote_actions.adapters.http_client import Tls
from promote_actions.adapters.kubeconfig import Access
from promote_actions.adapters.kubernetes import Kubernetes
from promote_actions.errors import Conflict, DependencyError, InputError, PromoteError, Refused
from promote_actions.rehearsal.json_patch import NoPatch, PatchFailed, apply_patch
from promote_actions.rehearsal.kubernetes import KubernetesEmulator
from tests.adapters.scripted_server import Asked, Reply, fixed, self_signed, serving

TOKEN = "a-right-and-secret-token"
SPACE, NAME = "nexo-production", "nexo-be-ingress"
POINTER = "/spec/rules/0/http/paths/0/backend/service/name"


@pytest.fixture
def server() -> Iterator[KubernetesEmulator]:
    with KubernetesEmulator(TOKEN) as server:
        server.add_ingress(SPACE, NAME, ["nexo-be-green"])
        server.add_slot(SPACE, "nexo-be", "blue", "ghcr.io/nexo-org/nexo-be:2026.01.45")
        yield server


def client(server: KubernetesEmulator | str, token: str = TOKEN) -> Kubernetes:
    url = server if isinstance(server, str) else server.url
    return Kubernetes(Access(url, token), SPACE, timeout=2.0, pause=lambda _: None)


def switch(test: str = "nexo-be-green", value: str = "nexo-be-blue") -> list[dict[str, Any]]:
    return [
        {"op": "test", "path": POINTER, "value": test},
        {"op": "replace", "path": POINTER, "value": value},
    ]


def test_a_patch_is_applied_whole(server: KubernetesEmulator) -> None:
    """The strategy's patch, with a test first; the field manager says who it was."""
    after = client(server).patch_ingress(NAME, switch())
    assert after["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] == "nexo-be-blue"
    assert server.backends(SPACE, NAME) == ["nexo-be-blue"]


def test_what_is_sent_is_what_the_api_documents() -> None:
    """Path, content type, body and token of a patch."""
    body = json.dumps({"metadata": {"name": NAME}}).encode()
    with serving(fixed(body=body), None) as there:
        with pytest.raises(DependencyError):  # this server knows no PATCH
            client(there.url).patch_ingress(NAME, switch())
        client(there.url).ingress(NAME)
    (asked,) = there.asked
    assert asked.path == f"/apis/networking.k8s.io/v1/namespaces/{SPACE}/ingresses/{NAME}"
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_a_test_that_does_not_hold_is_a_conflict(server: KubernetesEmulator) -> None:
    """The API server says 422 and not why: something else stands there now, and nothing was changed."""
    with pytest.raises(Conflict, match="changed while it was looked at"):
        client(server).patch_ingress(NAME, switch(test="nexo-be-red"))
    assert server.backends(SPACE, NAME) == ["nexo-be-green"]


def test_a_write_of_others_in_between_is_a_conflict(server: KubernetesEmulator) -> None:
    """The resource version is tested as well."""
    seen = client(server).ingress(NAME)["metadata"]["resourceVersion"]
    server.write(SPACE, NAME, lambda now: now["metadata"].update(labels={"a": "b"}))
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": seen}
    with pytest.raises(Conflict):
        client(server).patch_ingress(NAME, [test, *switch()])


def test_what_the_api_server_finds_invalid_is_refused(server: KubernetesEmulator) -> None:
    """422 with a reason is no race."""
    with pytest.raises(Refused, match="Invalid value"):
        client(server).patch_ingress(NAME, switch(value="No Name"))
    assert server.backends(SPACE, NAME) == ["nexo-be-green"]


@pytest.mark.parametrize(
    ("faults", "error", "words"),
    [
        ([409], Conflict, "changed while"),
        ([401], InputError, "refuses the credentials (made up)"),
        ([403], InputError, "forbids to patch ingress"),
        ([404], InputError, "there is no ingress 'nexo-be-ingress' in 'nexo-production'"),
        ([400], Refused, "made up"),
        ([500, 500, 500], DependencyError, "answered 500 (made up)"),
        ([429, 503, 500], DependencyError, "answered 500"),
    ],
)
def test_what_goes_wrong_says_what_it_is(
    server: KubernetesEmulator, faults: list[int], error: type[PromoteError], words: str
) -> None:
    """Each status has its kind of error, in one line without the token, and nothing was changed."""
    server.faults = faults
    with pytest.raises(error) as caught:
        client(server).patch_ingress(NAME, switch())
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert server.faults == []
    assert server.backends(SPACE, NAME) == ["nexo-be-green"]


@pytest.mark.parametrize("faults", [[500], [429, 503]])
def test_what_passes_by_itself_is_tried_again(server: KubernetesEmulator, faults: list[int]) -> None:
    """Twice at most."""
    server.faults = faults
    client(server).patch_ingress(NAME, switch())
    assert server.backends(SPACE, NAME) == ["nexo-be-blue"]


def test_a_lost_answer_is_a_conflict_and_not_a_second_switch(server: KubernetesEmulator) -> None:
    """The patch was applied and its answer lost: sent again its test fails, and the caller looks anew."""
    server.faults = [0]
    with pytest.raises(Conflict):
        client(server).patch_ingress(NAME, switch())
    assert server.backends(SPACE, NAME) == ["nexo-be-blue"]


def test_a_wrong_token(server: KubernetesEmulator) -> None:
    """401 from the server itself."""
    with pytest.raises(InputError, match="refuses the credentials"):
        client(server, "wrong").ingress(NAME)


@pytest.mark.parametrize(
    ("forbidden", "ask"),
    [
        ("get ingresses", lambda it: it.ingress(NAME)),
        ("patch ingresses", lambda it: it.patch_ingress(NAME, switch())),
        ("get services", lambda it: it.service("nexo-be-blue")),
        ("list pods", lambda it: it.pods({"app": "nexo-be"})),
    ],
)
def test_a_missing_permission_is_named(
    server: KubernetesEmulator, forbidden: str, ask: Callable[[Kubernetes], object]
) -> None:
    """The API server's words say which verb on which resource; ours say all that is needed."""
    server.forbid = {forbidden}
    with pytest.raises(InputError) as caught:
        ask(client(server))
    verb, resource = forbidden.split()
    assert f'cannot {verb} resource "{resource}"' in str(caught.value)
    assert "grant the verbs get and patch on ingresses, get on services, list on pods" in str(caught.value)


def test_services_and_their_pods(server: KubernetesEmulator) -> None:
    """A Service that isn't there is None; Pods are chosen by labels."""
    server.add_slot(SPACE, "nexo-be", "green", "ghcr.io/nexo-org/nexo-be:2026.02.1")
    it = client(server)
    assert it.service("nexo-be-red") is None
    found = it.service("nexo-be-blue")
    assert found is not None
    pods = it.pods(found["spec"]["selector"])
    assert [pod["metadata"]["name"] for pod in pods] == ["nexo-be-blue-0"]


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_no_name_is_no_ingress(server: KubernetesEmulator, name: str) -> None:
    """An empty name would be the list of all."""
    with pytest.raises(InputError, match="no name of an ingress"):
        client(server).ingress(name)


def test_hostile_names_stay_parts_of_the_path(server: KubernetesEmulator) -> None:
    """Slashes and questions are quoted, in the namespace too."""
    there = Kubernetes(Access(server.url, TOKEN), "a/../b?c", timeout=2.0)
    with pytest.raises(InputError):
        there.ingress("../x#y")
    assert server.requests == [
        "GET /apis/networking.k8s.io/v1/namespaces/a%2F..%2Fb%3Fc/ingresses/..%2Fx%23y"
    ]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (fixed(body=b"<!doctype html>"), "HTML where JSON was expected"),
        (fixed(body=b"[]"), "something that is not what was asked for"),
        (fixed(body=b'{"metadata": {"name": "other"}}'), "something that is not what was asked for"),
        (fixed(body=b'{"metadata": "x"}'), "something that is not what was asked for"),
        (fixed(status=302, headers={"Location": "http://127.0.0.1:9/"}), "refuses the credentials (302)"),
        (fixed(status=500, body=b"\xff<html>"), "answered 500"),
        (fixed(status=403, body=b'{"message": "no\\n::error::x"}'), r"no\\n::error::x"),
    ],
)
def test_what_is_no_api_server(reply: Callable[[Asked], Reply], words: str) -> None:
    """A login page or a proxy is recognised."""
    with serving(reply) as there, pytest.raises(PromoteError) as caught:
        client(there.url).ingress(NAME)
    assert words.replace("\\\\", "\\") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_there() -> None:
    """Three tries, then a dependency failed."""
    with pytest.raises(DependencyError, match="did not answer"):
        client("http://127.0.0.1:9").ingress(NAME)


# -- the emulator itself -------------------------------------------------------------------------


DOCUMENT = {"a": {"b/c": [1, 2, {"d": None}]}, "e": True}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "test", "path": "/a/b~1c/1", "value": 2}, DOCUMENT),
        ({"op": "test", "path": "/a/b~1c/2/d", "value": None}, DOCUMENT),
        ({"op": "replace", "path": "/e", "value": 0}, {**DOCUMENT, "e": 0}),
        ({"op": "add", "path": "/f", "value": 1}, {**DOCUMENT, "f": 1}),
        (
            {"op": "add", "path": "/a/b~1c/0", "value": 0},
            {**DOCUMENT, "a": {"b/c": [0, 1, 2, {"d": None}]}},
        ),
        (
            {"op": "add", "path": "/a/b~1c/-", "value": 0},
            {**DOCUMENT, "a": {"b/c": [1, 2, {"d": None}, 0]}},
        ),
        ({"op": "remove", "path": "/e"}, {"a": DOCUMENT["a"]}),
        ({"op": "remove", "path": "/a/b~1c/0"}, {**DOCUMENT, "a": {"b/c": [2, {"d": None}]}}),
        ({"op": "test", "path": "/e", "value": 1}, None),
        ({"op": "test", "path": "/x", "value": None}, None),
        ({"op": "replace", "path": "/x", "value": 1}, None),
        ({"op": "remove", "path": "/x"}, None),
        ({"op": "add", "path": "/a/b~1c/9", "value": 1}, None),
        ({"op": "add", "path": "/x/y", "value": 1}, None),
        ({"op": "replace", "path": "e", "value": 1}, None),
        ({"op": "replace", "path": "", "value": 1}, None),
        ({"op": "copy", "path": "/x", "from": "/e"}, None),
    ],
)
def test_json_patch_as_in_its_rfc(operation: dict[str, Any], expected: Any) -> None:
    """RFC 6902's operations; None stands for one that can't be applied. The document itself stays."""
    before = json.dumps(DOCUMENT)
    if expected is None:
        with pytest.raises(PatchFailed):
            apply_patch(
                DOCUMENT,
                [{"op": "remove", "path": "/e"}, {"op": "add", "path": "/e", "value": True}, operation],
            )
    else:
        assert apply_patch(DOCUMENT, [operation]) == expected
    assert json.dumps(DOCUMENT) == before


@pytest.mark.parametrize("operations", [["x"], [{}], [{"path": 1, "op": "add"}]])
def test_what_is_no_patch(operations: list[Any]) -> None:
    """It is refused as such."""
    with pytest.raises(NoPatch):
        apply_patch({}, operations)


def kubectl(*arguments: str, server: str, ca: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            "kubectl", "--kubeconfig=/dev/null", f"--server={server}", f"--certificate-authority={ca}",
            f"--token={TOKEN}", f"--cache-dir={ca.parent}", "-n", SPACE, *arguments,
        ],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


@pytest.mark.real
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_takes_the_emulator_for_an_api_server(tmp_path: Path) -> None:
    """The strategy's own command works against it, fails as it would, and shows what we patched."""
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with KubernetesEmulator(TOKEN, context) as there:
        there.add_ingress(SPACE, NAME, ["nexo-be-green"])
        ours = Kubernetes(Access(there.url, TOKEN, Tls(str(certificate))), SPACE)
        patch = [{"op": "replace", "path": POINTER, "value": "nexo-be-blue"}]
        done = kubectl(
            "patch",
            "ingress",
            NAME,
            "--type=json",
            "-p",
            json.dumps(patch),
            server=there.url,
            ca=certificate,
        )
        assert "patched" in done.stdout, done.stderr
        read = ours.ingress(NAME)["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"]
        assert read == "nexo-be-blue"
        refused = kubectl(
            "patch",
            "ingress",
            NAME,
            "--type=json",
            "-p",
            json.dumps(switch()),
            server=there.url,
            ca=certificate,
        )
        assert "the server rejected our request due to an error in our request" in refused.stderr
        ours.patch_ingress(NAME, switch("nexo-be-blue", "nexo-be-green"))
        shown = kubectl("get", "ingress", NAME, "-o", "json", server=there.url, ca=certificate)
        assert json.loads(shown.stdout)["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"] == {
            "name": "nexo-be-green", "port": {"number": 80}
        }  # fmt: skip
        missing = kubectl("get", "ingress", "other", server=there.url, ca=certificate)
        assert 'ingresses.networking.k8s.io "other" not found' in missing.stderr
