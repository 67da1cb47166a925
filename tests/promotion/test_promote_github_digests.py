"""Digests on the way: what the registry says, what was recorded, what is pinned; and environment tags."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promote_actions.adapters.registry import resolve_image
from promote_actions.promotion import session
from promote_actions.rehearsal.registry import RegistryEmulator
from tests.adapters.registry_servers import docker_registry, image, index, push_image, put_manifest
from tests.promotion.github_bench import Ended, GitHubBench

OLD, NEW = "2026.02.15", "2026.02.17"
QA = "helm/nexo-be/values-qa.yaml"
DEVELOP = "helm/nexo-be/values-develop.yaml"
_numbers = itertools.count()


@pytest.fixture(
    scope="module", params=["emulator", pytest.param("docker-registry", marks=pytest.mark.real)]
)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "emulator":
        with RegistryEmulator() as emulator:
            yield emulator.host
    else:
        with docker_registry(tmp_path_factory.mktemp("registry")) as real:
            yield real


class Images:
    """One image's repository in the registry; ``digests`` by tag, as they were pushed."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.repository = f"nexo-org/app-{next(_numbers)}"
        self.name = f"{host}/{self.repository}"
        self.digests = {tag: self.push(tag) for tag in (OLD, NEW)}

    def push(self, tag: str, layer: str = "") -> str:
        return push_image(self.host, self.repository, tag, (layer or tag).encode())

    def at(self, tag: str) -> str | None:
        return resolve_image(self.name, tag, {})


@pytest.fixture
def images(host: str) -> Images:
    return Images(host)


def pinned(tag: str, digest: str) -> str:
    return f'image:\n  tag: "{tag}"\n  digest: "{digest}"\nreplicas: 1\n'


@pytest.fixture
def bench(tmp_path: Path, images: Images) -> Iterator[GitHubBench]:
    with GitHubBench(tmp_path, files={"promotion.yaml": configuration(images)}) as bench:
        yield bench


def configuration(images: Images, more: str = "") -> str:
    return f"version: 1\nservices: {{nexo-be: {{image: '{images.name}'}}}}\n{more}"


def pin(bench: GitHubBench, images: Images, develop: str, qa: str = "") -> None:
    """The values files pin digests as well."""
    values = "values: {image-digest: image.digest}\n"
    qa = qa or images.digests[OLD]
    files = {DEVELOP: pinned(NEW, develop), QA: pinned(OLD, qa)}
    bench.commit({"promotion.yaml": configuration(images, values), **files})


def refused(bench: GitHubBench, *flags: str, **inputs: str) -> Ended:
    """A promotion that must not change anything."""
    before = bench.git("for-each-ref")
    ended = bench.run("promote", *flags, **{"service": "nexo-be", "to": "qa", **inputs})
    assert ended.status > 0
    assert bench.git("for-each-ref") == before
    return ended


# -- digests -------------------------------------------------------------------------------------


def test_the_digest_is_resolved_and_recorded(bench: GitHubBench, images: Images) -> None:
    """In the outputs, in a trailer, and in the audit record."""
    out = bench.promote(service="nexo-be", to="qa")
    digest = images.digests[NEW]
    assert out["digest"] == digest
    assert f"Promotion-Digest: {digest}" in bench.git("log", "-1", "--format=%B", "main")
    (record,) = bench.git("ls-tree", "--name-only", "main", "audit-logs/").splitlines()
    assert json.loads(bench.show(record))["image_digest"] == digest


def test_a_version_that_was_never_pushed_goes_nowhere(bench: GitHubBench, images: Images) -> None:
    """The registry must have the image."""
    bench.commit({DEVELOP: 'image:\n  tag: "2026.02.18"\n'})
    ended = refused(bench)
    assert ended.status == 1
    assert f"the registry has no {images.name}:2026.02.18" in ended.error


def test_an_index_of_several_platforms_is_one_digest(bench: GitHubBench, images: Images) -> None:
    """The digest is the index's, not that of one platform."""
    children = [image(images.host, images.repository, arch) for arch in (b"amd64", b"arm64")]
    content = index(children)
    kind = "application/vnd.oci.image.index.v1+json"
    for child in children:
        digest = _digest(child)
        put_manifest(
            images.host, images.repository, digest, child, "application/vnd.oci.image.manifest.v1+json"
        )
    put_manifest(images.host, images.repository, NEW, content, kind)
    assert bench.promote(service="nexo-be", to="qa")["digest"] == _digest(content)


def _digest(content: bytes) -> str:
    import hashlib

    return "sha256:" + hashlib.sha256(content).hexdigest()


def test_a_tag_that_was_pushed_again_stops_the_promotion(bench: GitHubBench, images: Images) -> None:
    """What came into develop is what may go on: another image under the same tag is another image."""
    bench.promote("allow-downgrade", service="nexo-be", to="develop", version=OLD)
    bench.promote(service="nexo-be", to="develop", version=NEW)
    again = images.push(NEW, "something else")
    ended = refused(bench)
    assert ended.status == 1
    assert again in ended.error
    assert f"was recorded {images.digests[NEW]}" in ended.error
    assert "build a new version" in ended.error


def test_no_override_lets_another_image_pass(bench: GitHubBench, images: Images) -> None:
    """The rule is not among those that a person may set aside."""
    ended = refused(bench, override="digest", reason="please")
    assert ended.status == 2


def test_the_newest_record_of_the_live_version_counts(bench: GitHubBench, images: Images) -> None:
    """A version that left and came back, rebuilt in between by design, has a new record."""
    bench.promote("allow-downgrade", service="nexo-be", to="develop", version=OLD)
    rebuilt = images.push(NEW, "rebuilt")
    bench.promote(service="nexo-be", to="develop", version=NEW)
    assert bench.promote(service="nexo-be", to="qa")["digest"] == rebuilt


def test_a_record_that_cannot_be_read_says_nothing(bench: GitHubBench) -> None:
    """To find it is what `audit-log verify` is for."""
    bench.commit({"audit-logs/2026-02-01-nexo-be-develop.json": "{"})
    assert bench.promote(service="nexo-be", to="qa")["changed"] is True


# -- pins ----------------------------------------------------------------------------------------


def test_tag_and_digest_are_written_together(bench: GitHubBench, images: Images) -> None:
    """Where the values file pins a digest, both scalars change and nothing else."""
    pin(bench, images, images.digests[NEW])
    bench.promote(service="nexo-be", to="qa")
    assert bench.show(QA) + "\n" == pinned(NEW, images.digests[NEW])
    assert bench.git("diff", "--numstat", "main^", "main", "--", QA) == f"2\t2\t{QA}"


def test_a_source_that_pins_another_image_stops_the_promotion(bench: GitHubBench, images: Images) -> None:
    """Source and target must mean the same image."""
    pin(bench, images, "sha256:" + "0" * 64)
    ended = refused(bench)
    assert (ended.status, f"the registry has {images.digests[NEW]}" in ended.error) == (1, True)
    assert f"develop pins sha256:{'0' * 64}" in ended.error


def test_a_stale_pin_is_never_left_beside_a_new_tag(bench: GitHubBench, images: Images) -> None:
    """The digest wins over the tag: left as it is, the old image would run under the new name."""
    pin(bench, images, "")
    ended = refused(bench, image_check="off")
    assert ended.status == 2
    assert (
        "image.digest pins the old image, and the digest of nexo-be 2026.02.17 is not known" in ended.error
    )


def test_the_same_version_with_another_pin_is_not_settled(bench: GitHubBench, images: Images) -> None:
    """Equal tags that mean different images are made equal."""
    pin(bench, images, images.digests[NEW])
    bench.commit({QA: pinned(NEW, images.digests[OLD])})
    out = bench.promote(service="nexo-be", to="qa")
    assert (out["changed"], out["digest"]) == (True, images.digests[NEW])
    assert bench.show(QA) + "\n" == pinned(NEW, images.digests[NEW])


def test_a_registry_that_does_not_answer(bench: GitHubBench, images: Images) -> None:
    """Nothing is promoted that could not be looked at."""
    bench.commit(
        {"promotion.yaml": "version: 1\nservices: {nexo-be: {image: '127.0.0.1:9/nexo-org/app'}}\n"}
    )
    ended = refused(bench)
    assert ended.status == 3
    assert "127.0.0.1:9" in ended.error


def test_an_image_that_nobody_named(tmp_path: Path) -> None:
    """`image-check: required` asks for one."""
    with GitHubBench(tmp_path) as bench:
        ended = refused(bench, image_check="required")
        assert ended.status == 2
        assert "set services.nexo-be.image in the configuration" in ended.error


# -- environment tags ----------------------------------------------------------------------------


def test_the_environment_s_tag_follows_a_direct_promotion(bench: GitHubBench, images: Images) -> None:
    """By manifest: the tag `qa` is the promoted image, with no pull or push."""
    images.push("qa", "older")
    ended = bench.run("promote", "move-tag", format="text", service="nexo-be", to="qa")
    assert ended.status == 0
    assert images.at("qa") == images.digests[NEW]
    assert f"{images.name}:qa now points at {NEW}" in ended.stdout


def test_without_the_input_no_tag_is_touched(bench: GitHubBench, images: Images) -> None:
    """Moving is asked for."""
    bench.promote(service="nexo-be", to="qa")
    assert images.at("qa") is None


def test_a_dry_run_moves_no_tag(bench: GitHubBench, images: Images) -> None:
    """It changes nothing anywhere."""
    bench.promote("move-tag", "dry-run", service="nexo-be", to="qa")
    assert images.at("qa") is None


def test_a_pull_request_moves_the_tag_after_its_merge(bench: GitHubBench, images: Images) -> None:
    """Proposed is not promoted; the run after the merge moves it."""
    bench.commit({"helm/nexo-be/values-staging.yaml": f'image:\n  tag: "{NEW}"\n'})
    ended = bench.run("promote", "move-tag", format="text", service="nexo-be", to="production")
    assert "moved by a run after the merge" in ended.stdout
    assert images.at("production") is None
    bench.merge(1)
    out = bench.promote("move-tag", service="nexo-be", to="production")
    assert (out["changed"], images.at("production")) == (False, images.digests[NEW])


def test_a_tag_that_could_not_be_moved_is_moved_by_the_next_run(
    bench: GitHubBench, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promotion stands, the run ends with 3 and says what is missing; run again, it is complete."""
    from promote_actions.adapters import registry
    from promote_actions.errors import DependencyError

    def broken(*_: object, **__: object) -> None:
        raise DependencyError("the registry is away")

    with monkeypatch.context() as patched:
        patched.setattr(registry, "move_image_tag", broken)
        ended = bench.run("promote", "move-tag", service="nexo-be", to="qa")
    assert (ended.status, ended.outputs["changed"]) == (3, True)
    assert (
        f"promotion landed; tag {images.name}:qa not moved: the registry is away; run again" in ended.error
    )
    assert NEW in bench.show(QA)
    out = bench.promote("move-tag", service="nexo-be", to="qa")
    assert (out["changed"], images.at("qa")) == (False, images.digests[NEW])


def test_a_newer_promotion_keeps_its_tag(
    bench: GitHubBench, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was overtaken between landing and tagging leaves the tag alone."""
    land = session.land_direct

    def overtaken(*arguments: object) -> object:
        landed = land(*arguments)  # type: ignore[arg-type]
        bench.commit({QA: 'image:\n  tag: "2026.02.99"\n'})
        return landed

    monkeypatch.setattr(session, "land_direct", overtaken)
    ended = bench.run("promote", "move-tag", format="text", service="nexo-be", to="qa")
    assert ended.status == 0
    assert "another promotion landed since" in ended.stdout
    assert images.at("qa") is None


def test_a_tag_without_an_image_is_refused_before_anything(tmp_path: Path) -> None:
    """Whose tag would it be?"""
    with GitHubBench(tmp_path) as bench:
        ended = refused(bench, "move-tag")
        assert ended.status == 2
        assert "the image of nexo-be is not known" in ended.error
