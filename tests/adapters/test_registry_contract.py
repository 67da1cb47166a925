"""How a registry answers: the same for Debian's docker-registry and for the one in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promote_actions.rehearsal.registry import RegistryEmulator
from tests.adapters.registry_servers import (
    ALL_TYPES,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Reply,
    ask,
    digest_of,
    docker_registry,
    image,
    index,
    push_blob,
    push_image,
    put_manifest,
)

REPOSITORY = "acme/app"


@pytest.fixture(
    scope="module", params=["emulator", pytest.param("docker-registry", marks=pytest.mark.real)]
)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "emulator":
        with RegistryEmulator() as emulator:
            yield emulator.host
    else:
        folder: Path = tmp_path_factory.mktemp("registry")
        with docker_registry(folder) as real:
            yield real


def manifest(host: str, reference: str, method: str = "GET", accept: str | None = None) -> Reply:
    headers = ALL_TYPES if accept is None else {"Accept": accept} if accept else {}
    return ask(host, method, f"/v2/{REPOSITORY}/manifests/{reference}", None, headers)


def test_it_says_which_api_it_speaks(host: str) -> None:
    """The root of the API answers with its version."""
    reply = ask(host, "GET", "/v2/")
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.headers["docker-distribution-api-version"] == "registry/2.0"


@pytest.mark.parametrize("kind", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_a_manifest_comes_back_to_the_byte(host: str, kind: str) -> None:
    """What was put is what is read, with its type and digest, by tag and by digest, by GET and HEAD."""
    content = image(host, REPOSITORY, kind.encode(), kind)
    digest = digest_of(content)
    done = put_manifest(host, REPOSITORY, "one", content, kind)
    assert (done.status, done.headers["docker-content-digest"]) == (201, digest)
    for reference in ("one", digest):
        read, head = manifest(host, reference), manifest(host, reference, "HEAD")
        assert (read.status, read.body, read.headers["content-type"]) == (200, content, kind)
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(content)))
        assert read.headers["docker-content-digest"] == head.headers["docker-content-digest"] == digest


@pytest.mark.parametrize(
    ("kind", "child"), [(OCI_INDEX, OCI_MANIFEST), (DOCKER_LIST, DOCKER_MANIFEST)], ids=["oci", "docker"]
)
def test_an_index_of_platforms(host: str, kind: str, child: str) -> None:
    """An index is stored once its manifests are there, and read like a manifest."""
    children = [image(host, REPOSITORY, layer, child) for layer in (b"amd64", b"arm64")]
    content = index(children, kind)
    early = put_manifest(host, "acme/early", "many", content, kind)
    assert (early.status, early.error) == (400, "MANIFEST_BLOB_UNKNOWN")
    for each in children:
        assert put_manifest(host, REPOSITORY, digest_of(each), each, child).status == 201
    assert put_manifest(host, REPOSITORY, "many", content, kind).status == 201
    read = manifest(host, "many")
    assert (read.status, read.body, read.headers["content-type"]) == (200, content, kind)


def test_who_does_not_accept_an_oci_manifest_is_told_there_is_none(host: str) -> None:
    """404 doesn't mean missing unless every type was asked for."""
    push_image(host, REPOSITORY, "oci", b"oci")
    for accept in ("", DOCKER_MANIFEST, OCI_INDEX):
        reply = manifest(host, "oci", accept=accept)
        assert (reply.status, reply.error) == (404, "MANIFEST_UNKNOWN")
        assert "accept header does not support OCI manifests" in reply.body.decode()
        assert manifest(host, "oci", "HEAD", accept).status == 404


def test_who_does_not_accept_an_oci_index_is_told_there_is_none(host: str) -> None:
    """An index isn't given to those who ask for manifests alone."""
    child = image(host, REPOSITORY, b"child")
    put_manifest(host, REPOSITORY, digest_of(child), child, OCI_MANIFEST)
    put_manifest(host, REPOSITORY, "index", index([child]), OCI_INDEX)
    reply = manifest(host, "index", accept=OCI_MANIFEST)
    assert (reply.status, reply.error) == (404, "MANIFEST_UNKNOWN")
    assert "accept header does not support OCI indexes" in reply.body.decode()


def test_what_is_not_there(host: str) -> None:
    """A missing tag, digest, repository and blob each have their code."""
    push_image(host, REPOSITORY, "there", b"there")
    for reference in ("missing", "sha256:" + "0" * 64):
        reply = manifest(host, reference)
        assert (reply.status, reply.error) == (404, "MANIFEST_UNKNOWN")
    nowhere = ask(host, "GET", "/v2/acme/nowhere/manifests/x", None, ALL_TYPES)
    assert (nowhere.status, nowhere.error) == (404, "MANIFEST_UNKNOWN")
    listed = ask(host, "GET", "/v2/acme/nowhere/tags/list")
    assert (listed.status, listed.error) == (404, "NAME_UNKNOWN")
    blob = ask(host, "GET", f"/v2/{REPOSITORY}/blobs/sha256:{'0' * 64}")
    assert (blob.status, blob.error) == (404, "BLOB_UNKNOWN")


def test_tags_are_listed_and_moved(host: str) -> None:
    """Putting a manifest under a tag that exists moves the tag; the old image stays."""
    old = push_image(host, "acme/moved", "qa", b"old")
    new = push_image(host, "acme/moved", "1.0", b"new")
    content = ask(host, "GET", f"/v2/acme/moved/manifests/{new}", None, ALL_TYPES).body
    assert put_manifest(host, "acme/moved", "qa", content, OCI_MANIFEST).status == 201
    listed = json.loads(ask(host, "GET", "/v2/acme/moved/tags/list").body)
    assert (listed["name"], sorted(listed["tags"])) == ("acme/moved", ["1.0", "qa"])
    read = ask(host, "HEAD", "/v2/acme/moved/manifests/qa", None, ALL_TYPES)
    assert read.headers["docker-content-digest"] == new
    assert ask(host, "HEAD", f"/v2/acme/moved/manifests/{old}", None, ALL_TYPES).status == 200


def test_a_manifest_that_is_none_is_refused(host: str) -> None:
    """Parts that are missing, other bytes than the digest, another type and no JSON are refused."""
    content = image(host, REPOSITORY, b"refused")
    foreign = put_manifest(host, "acme/empty", "x", content, OCI_MANIFEST)
    assert (foreign.status, foreign.error) == (400, "MANIFEST_BLOB_UNKNOWN")
    other = put_manifest(host, REPOSITORY, "sha256:" + "0" * 64, content, OCI_MANIFEST)
    assert (other.status, other.error) == (400, "DIGEST_INVALID")
    lying = put_manifest(host, REPOSITORY, "x", content, DOCKER_MANIFEST)
    assert (lying.status, lying.error) == (400, "MANIFEST_INVALID")
    noise = put_manifest(host, REPOSITORY, "x", b"{", OCI_MANIFEST)
    assert (noise.status, noise.error) == (400, "MANIFEST_INVALID")
    assert manifest(host, "x").status == 404


def test_blobs_are_what_their_digest_says(host: str) -> None:
    """A blob comes back to the byte; one with another digest is refused."""
    digest = push_blob(host, REPOSITORY, b"layer")
    read = ask(host, "GET", f"/v2/{REPOSITORY}/blobs/{digest}")
    assert (read.status, read.body) == (200, b"layer")
    begun = ask(host, "POST", f"/v2/{REPOSITORY}/blobs/uploads/", b"")
    path = begun.headers["location"].removeprefix(f"http://{host}")
    joint = "&" if "?" in path else "?"
    wrong = ask(host, "PUT", f"{path}{joint}digest=sha256:{'0' * 64}", b"layer")
    assert (wrong.status, wrong.error) == (400, "DIGEST_INVALID")


def test_a_blob_may_come_in_pieces(host: str) -> None:
    """Clients that stream send PATCH requests before the last PUT."""
    begun = ask(host, "POST", f"/v2/{REPOSITORY}/blobs/uploads/", b"")
    path = begun.headers["location"].removeprefix(f"http://{host}")
    first = ask(host, "PATCH", path, b"first ", {"Content-Type": "application/octet-stream"})
    assert first.status == 202
    path = first.headers["location"].removeprefix(f"http://{host}")
    joint = "&" if "?" in path else "?"
    digest = digest_of(b"first second")
    done = ask(host, "PUT", f"{path}{joint}digest={digest}", b"second")
    assert (done.status, done.headers["docker-content-digest"]) == (201, digest)
    assert ask(host, "HEAD", f"/v2/{REPOSITORY}/blobs/{digest}").status == 200


@pytest.mark.parametrize("path", ["/v2/acme/app/manifests/.x", "/v2/UPPER/manifests/x", "/nothing"])
def test_addresses_that_mean_nothing(host: str, path: str) -> None:
    """No tag begins with a dot, no repository is in capitals."""
    assert ask(host, "GET", path, None, ALL_TYPES).status == 404
