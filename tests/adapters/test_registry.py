"""Reading digests and moving tags, on a real registry and on the one in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from promote_actions.adapters.registry import Registry, move_image_tag, resolve_image
from promote_actions.adapters.registry_http import Clock
from promote_actions.errors import Conflict, DependencyError, InputError, Refused
from promote_actions.images.retag import Retag
from promote_actions.rehearsal.registry import RegistryEmulator
from tests.adapters.registry_servers import (
    ALL_TYPES,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    ask,
    digest_of,
    docker_registry,
    image,
    index,
    push_image,
    put_manifest,
)

NOBODY: dict[str, str] = {}
REPOSITORY = "nexo-org/nexo-be"
HASTY = Clock(sleep=lambda seconds: time.sleep(seconds / 100))


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


@pytest.fixture
def registry(host: str) -> Registry:
    return Registry(host, env=NOBODY)


def push_index(host: str, repository: str, tag: str, kind: str, child: str) -> bytes:
    children = [image(host, repository, f"{tag}{arch}".encode(), child) for arch in ("amd64", "arm64")]
    for each in children:
        put_manifest(host, repository, digest_of(each), each, child)
    content = index(children, kind)
    assert put_manifest(host, repository, tag, content, kind).status == 201
    return content


@pytest.mark.parametrize("kind", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_a_tag_is_its_digest(host: str, registry: Registry, kind: str) -> None:
    """Both kinds of manifest resolve, and read back with verified bytes."""
    digest = push_image(host, REPOSITORY, "2026.02.1", kind.encode(), kind)
    assert registry.resolve(REPOSITORY, "2026.02.1") == digest
    for reference in ("2026.02.1", digest):
        found = registry.manifest(REPOSITORY, reference)
        assert found is not None
        assert (found.digest, found.media_type, digest_of(found.content)) == (digest, kind, digest)


@pytest.mark.parametrize("missing", ["2026.02.2", "sha256:" + "0" * 64])
def test_what_is_not_there_is_none(host: str, registry: Registry, missing: str) -> None:
    """A missing tag, digest and repository are answers, not failures."""
    push_image(host, REPOSITORY, "there", b"there")
    assert registry.resolve(REPOSITORY, missing) is None
    assert registry.manifest(REPOSITORY, missing) is None
    assert registry.resolve("nexo-org/nowhere", "there") is None


@pytest.mark.parametrize(
    ("kind", "child"), [(OCI_INDEX, OCI_MANIFEST), (DOCKER_LIST, DOCKER_MANIFEST)], ids=["oci", "docker"]
)
def test_an_index_moves_whole(host: str, registry: Registry, kind: str, child: str) -> None:
    """A multi-platform image moves as its index: same digest, same bytes, every platform."""
    content = push_index(host, "acme/multi", f"1.0-{len(kind)}", kind, child)
    registry.move_tag("acme/multi", "production", digest_of(content))
    found = registry.manifest("acme/multi", "production")
    assert found is not None
    assert (found.content, found.media_type) == (content, kind)


def test_an_environment_s_tag_is_moved(host: str, registry: Registry) -> None:
    """The tag points at the version's very digest; once more changes nothing; and back is possible."""
    old = push_image(host, "acme/moved", "2026.01.45", b"old")
    new = push_image(host, "acme/moved", "2026.02.1", b"new")
    assert registry.move_tag("acme/moved", "qa", old) == Retag(move=True, previous="")
    assert registry.move_tag("acme/moved", "qa", new) == Retag(move=True, previous=old)
    assert registry.move_tag("acme/moved", "qa", new) == Retag(move=False, previous=new)
    assert registry.resolve("acme/moved", "qa") == new
    assert registry.move_tag("acme/moved", "qa", old) == Retag(move=True, previous=new)
    assert registry.resolve("acme/moved", "2026.02.1") == new


def test_an_immutable_tag_never_changes(host: str, registry: Registry) -> None:
    """A version that names an image refuses another one, and takes the same one again."""
    first = push_image(host, "acme/fixed", "2026.02.1", b"first")
    second = push_image(host, "acme/fixed", "2026.02.2", b"second")
    with pytest.raises(Refused, match=r"must never become"):
        registry.move_tag("acme/fixed", "2026.02.1", second)
    assert registry.resolve("acme/fixed", "2026.02.1") == first
    assert not registry.move_tag("acme/fixed", "2026.02.1", first).move
    assert registry.move_tag("acme/fixed", "sha-a3f2b1c", first).move
    with pytest.raises(Refused):
        registry.move_tag("acme/fixed", "sha-a3f2b1c", second)
    registry.move_tag("acme/fixed", "stable", first, immutable=True)
    with pytest.raises(Refused):
        registry.move_tag("acme/fixed", "stable", second, immutable=True)


def test_an_image_that_was_never_pushed_cannot_be_promoted(registry: Registry) -> None:
    """A digest that the repository doesn't hold is refused, and no tag appears."""
    with pytest.raises(Refused, match="there is no image"):
        registry.move_tag("acme/ghost", "qa", "sha256:" + "1" * 64)
    assert registry.resolve("acme/ghost", "qa") is None


def test_an_image_of_another_repository_cannot_be_promoted(host: str, registry: Registry) -> None:
    """Digests belong to a repository."""
    digest = push_image(host, "acme/mine", "1", b"mine")
    push_image(host, "acme/yours", "1", b"yours")
    with pytest.raises(Refused, match="there is no image"):
        registry.move_tag("acme/yours", "qa", digest)


def test_a_manifest_without_its_parts_is_not_taken(host: str, registry: Registry) -> None:
    """The registry's reason is in the one line."""
    content = image(host, "acme/parts", b"parts")
    with pytest.raises(DependencyError, match=r"answered 400 to writing .*BLOB_UNKNOWN"):
        registry.put("acme/elsewhere", "x", content, OCI_MANIFEST)


def test_by_image_name(host: str) -> None:
    """The functions that take a whole image name do the same."""
    digest = push_image(host, "acme/named", "2026.02.1", b"named")
    assert resolve_image(f"{host}/acme/named", "2026.02.1", NOBODY) == digest
    assert resolve_image(f"{host}/acme/named", "2026.02.2", NOBODY) is None
    assert move_image_tag(f"{host}/acme/named", "staging", digest, NOBODY).move
    assert resolve_image(f"{host}/acme/named", "staging", NOBODY) == digest


def test_twenty_move_one_tag_at_once(host: str) -> None:
    """Every mover ends with its digest there or with a conflict; the tag ends at one of them."""
    digests = [push_image(host, "acme/busy", f"2026.02.{n}", f"layer {n}".encode()) for n in range(20)]
    failures: list[Exception] = []

    def move(digest: str) -> None:
        try:
            Registry(host, env=NOBODY, clock=HASTY).move_tag("acme/busy", "qa", digest)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at below
            failures.append(error)

    threads = [threading.Thread(target=move, args=(digest,)) for digest in digests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(failure, Conflict) for failure in failures), failures
    assert resolve_image(f"{host}/acme/busy", "qa", NOBODY) in digests


@pytest.mark.parametrize(
    ("repository", "reference"),
    [
        ("acme/app", "../x"),
        ("acme/app", "a b"),
        ("acme/app", "-x"),
        ("acme/app", "x" * 129),
        ("acme/app", ""),
        ("acme/app", "sha256:short"),
        ("acme/app", "x?y"),
        ("acme/app", "x\r\nHost: evil"),
        ("../admin", "x"),
        ("acme/app:tag", "x"),
        ("acme/app?x", "x"),
        ("acme//app", "x"),
        ("Acme/App", "x"),
        ("", "x"),
    ],
)
def test_names_that_no_registry_takes(registry: Registry, repository: str, reference: str) -> None:
    """Nothing but a repository and a tag or digest gets into an address."""
    with pytest.raises(InputError):
        registry.resolve(repository, reference)
    with pytest.raises(InputError):
        registry.put(repository, reference, b"{}", OCI_MANIFEST)


def test_the_fewest_questions_are_asked() -> None:
    """Resolving is one request without a body; moving is five small ones, and no layer travels."""
    with RegistryEmulator() as emulator:
        digest = emulator.push_image("acme/app", ["2026.02.1"], b"layer" * 100_000)
        registry = Registry(emulator.host, env=NOBODY)
        registry.resolve("acme/app", "2026.02.1")
        registry.move_tag("acme/app", "qa", digest)
        base = "/v2/acme/app/manifests"
        assert emulator.requests == [
            f"HEAD {base}/2026.02.1",
            f"HEAD {base}/qa",
            f"GET {base}/{digest}",
            f"PUT {base}/qa",
            f"HEAD {base}/qa",
        ]
        assert emulator.tags("acme/app") == {"2026.02.1": digest, "qa": digest}


def test_a_pushed_image_can_be_pulled_whole() -> None:
    """The rehearsal's images have a config and a layer that are really there."""
    with RegistryEmulator() as emulator:
        digest = emulator.push_image("acme/app", ["x"], b"content")
        found = Registry(emulator.host, env=NOBODY).manifest("acme/app", digest)
        assert found is not None
        assert digest_of(b"content").encode() in found.content
        blob = ask(emulator.host, "GET", f"/v2/acme/app/blobs/{digest_of(b'content')}", None, ALL_TYPES)
        assert blob.body == b"content"
