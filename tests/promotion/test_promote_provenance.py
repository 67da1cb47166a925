"""An environment that requires provenance, from the command to the commit, with a stand-in for ``gh``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from promote_actions.config.model import Environment, Service
from promote_actions.promotion.provenance import attested
from promote_actions.rehearsal.registry import RegistryEmulator
from tests.adapters.gh_stand_in import UNVERIFIED, VERIFIED, StandIn
from tests.adapters.registry_servers import push_image
from tests.promotion.github_bench import GitHubBench
from tests.promotion.promotions import facts, request, service_facts
from tests.support.gitops import Ran, command, git, make_bare, standard_files

TOKEN = "ghs_secret123"
IMAGE = "nexo-org/app"
REPOSITORY = "repository: nexo-org/app"
DIGEST = "sha256:" + "d" * 64


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with RegistryEmulator() as emulator:
        yield emulator.host


def configuration(registry: str, service: str = "", requires: str = "provenance: required") -> str:
    service = service or f"image: '{registry}/{IMAGE}', {REPOSITORY}"
    return (
        f"version: 1\nservices: {{app: {{{service}}}}}\nenvironments:\n  develop:\n  qa: {{{requires}}}\n"
    )


@dataclass
class Bench:
    """A bare repository whose qa requires provenance, the image that shall go there, and a ``gh``."""

    bare: Path
    gh: StandIn
    digest: str

    @property
    def head(self) -> str:
        return git(self.bare, "rev-parse", "main")

    def promote(self, *arguments: str, env: Mapping[str, str] | None = None, to: str = "qa") -> Ran:
        where = ("--gitops", str(self.bare), "--service", "app", "--to", to)
        surroundings = {"PATH": self.gh.path, "GITHUB_TOKEN": TOKEN, "GITHUB_ACTOR": "ana", **(env or {})}
        ran = command("promote", *where, "--format", "json", *arguments, env=surroundings)
        assert TOKEN not in ran.stdout + ran.stderr
        return ran

    def refused(self, *arguments: str) -> Ran:
        before = self.head
        ran = self.promote(*arguments)
        assert ran.status > 0
        assert self.head == before
        return ran

    def record(self) -> dict[str, object]:
        (name,) = git(self.bare, "ls-tree", "--name-only", "main", "audit-logs/").splitlines()
        found: dict[str, object] = json.loads(git(self.bare, "show", f"main:{name}"))
        return found


def bench_of(folder: Path, registry: str, text: str) -> Bench:
    bare = make_bare(folder, {**standard_files(["app"]), "promotion.yaml": text})
    return Bench(bare, StandIn(folder), push_image(registry, IMAGE, "2026.02.17", b"built"))


@pytest.fixture
def bench(tmp_path: Path, registry: str) -> Bench:
    return bench_of(tmp_path, registry, configuration(registry))


def test_an_attested_image_goes_in(bench: Bench, registry: str) -> None:
    """What is verified is the digest that is promoted; the token is not among the arguments."""
    bench.gh.answers(0, VERIFIED)
    ran = bench.promote()
    assert ran.status == 0, ran.stderr
    ((arguments, env),) = bench.gh.calls
    assert arguments[2:5] == [f"oci://{registry}/{IMAGE}@{bench.digest}", "--repo", "nexo-org/app"]
    assert TOKEN not in " ".join(arguments)
    assert env["GH_TOKEN"] == TOKEN
    assert (bench.record()["image_digest"], json.loads(ran.stdout)["digest"]) == (bench.digest,) * 2


def test_an_image_without_attestation_stays_out(bench: Bench) -> None:
    """The refusal says why, and what the build has to do."""
    bench.gh.answers(1, said=UNVERIFIED)
    ran = bench.refused()
    assert ran.status == 1
    assert "qa requires provenance, and app 2026.02.17 has none: HTTP 404: Not Found; " in ran.error
    assert "let the build in nexo-org/app attest the image" in ran.error


def test_nobody_to_ask(bench: Bench) -> None:
    """Without `gh` nothing is proven, and that is not the image's fault."""
    ran = bench.refused()
    assert ran.status == 3
    assert "install GitHub CLI" in ran.error


@pytest.mark.parametrize("installed", [True, False])
def test_an_override_is_recorded(bench: Bench, installed: bool) -> None:
    """Whether it fails or can't be made at all, a person with a reason may go on."""
    if installed:
        bench.gh.answers(1, said=UNVERIFIED)
    ran = bench.promote("--override", "provenance", "--reason", "built by hand")
    assert ran.status == 0, ran.stderr
    record = bench.record()
    assert (record["override"], record["image_digest"]) == ("provenance", bench.digest)
    assert "built by hand" in json.dumps(record)


def test_an_override_needs_a_reason(bench: Bench) -> None:
    """As every override does."""
    bench.gh.answers(1, said=UNVERIFIED)
    assert "an override needs a reason" in bench.refused("--override", "provenance").error


def test_a_dry_run_asks_too(bench: Bench) -> None:
    """It says what would happen."""
    bench.gh.answers(1, said=UNVERIFIED)
    assert bench.refused("--dry-run").status == 1


@pytest.mark.parametrize(
    ("service", "arguments", "words"),
    [
        (REPOSITORY, [], "the image of app is not known; set services.app.image"),
        ("image: {image}", [], "the repository of app is not known; set services.app.repository"),
        ("image: {image}, repository: 'https://git.example/app'", [], "write it as owner/name"),
        ("image: {image}, " + REPOSITORY, ["--image-check", "off"], "the digest of app 2026.02.17 is not"),
    ],
)
def test_what_has_to_be_configured(
    tmp_path: Path, registry: str, service: str, arguments: list[str], words: str
) -> None:
    """To require what can't be looked for is a mistake in the configuration."""
    text = configuration(registry, service.replace("{image}", f"'{registry}/{IMAGE}'"))
    bench = bench_of(tmp_path, registry, text)
    bench.gh.answers(0, VERIFIED)
    ran = bench.refused(*arguments)
    assert ran.status == 2
    assert words in ran.error
    assert bench.gh.calls == []


@pytest.mark.parametrize("requires", ["provenance: off", "trigger: auto"])
def test_nothing_is_asked_where_nothing_is_required(tmp_path: Path, registry: str, requires: str) -> None:
    """Provenance is optional."""
    bench = bench_of(tmp_path, registry, configuration(registry, requires=requires))
    bench.gh.answers(1, said=UNVERIFIED)
    assert bench.promote().status == 0
    assert bench.gh.calls == []


def test_what_is_there_already_is_not_asked_for(bench: Bench) -> None:
    """A second run has nothing to move."""
    bench.gh.answers(0, VERIFIED)
    assert bench.promote().status == 0
    assert bench.promote().status == 0
    assert len(bench.gh.calls) == 1


def test_a_setting_that_is_none(tmp_path: Path, registry: str) -> None:
    """A typing error must not switch the check off."""
    bench = bench_of(tmp_path, registry, configuration(registry, requires="provenance: requierd"))
    ran = bench.refused()
    assert ran.status == 2
    assert "environments.qa.provenance" in ran.error


def test_a_pull_request_is_not_opened_either(tmp_path: Path, registry: str) -> None:
    """On GitHub, the token of the command is what `gh` gets."""
    digest = push_image(registry, "nexo-org/nexo-be", "2026.02.10", b"be")
    text = (
        f"version: 1\nservices: {{nexo-be: {{image: '{registry}/nexo-org/nexo-be', "
        "repository: nexo-org/nexo-be}}\nenvironments:\n  staging:\n  production: {provenance: required}\n"
    )
    gh = StandIn(tmp_path)
    gh.answers(1, said=UNVERIFIED)
    (tmp_path / "github").mkdir()
    with GitHubBench(tmp_path / "github", files={"promotion.yaml": text}) as bench:
        ended = bench.run("promote", env={"PATH": gh.path}, service="nexo-be", to="production")
        assert (ended.status, bench.open_pulls) == (1, [])
        gh.answers(0, VERIFIED)
        ended = bench.run("promote", env={"PATH": gh.path}, service="nexo-be", to="production")
        assert (ended.status, len(bench.open_pulls)) == (0, 1)
    assert [env["GH_TOKEN"] for _, env in gh.calls] == ["bot-token"] * 2
    assert all(digest in arguments[2] for arguments, _ in gh.calls)


def test_another_forge_s_token_is_not_given_to_github(bench: Bench) -> None:
    """Beside a URL the token may be anybody's: `gh` has what the environment calls GitHub's."""
    bench.gh.answers(0, VERIFIED)
    where = ("--gitops", bench.bare.as_uri(), "--token", "glpat-another")
    ran = bench.promote(*where, env={"GITHUB_TOKEN": TOKEN})
    assert ran.status == 0, ran.stderr
    ((_, env),) = bench.gh.calls
    assert "glpat-another" not in env.values()
    assert env["GITHUB_TOKEN"] == TOKEN


def test_no_digest_is_asked_for_twice() -> None:
    """A retry after a lost race has the answer already; another digest is another question."""
    asked: list[tuple[str, str, str]] = []

    def verify(*subject: str) -> str:
        asked.append(subject)  # type: ignore[arg-type]
        return "no"

    complete = attested(request(), verify)
    service = Service("app", "nexo-org/app", IMAGE)

    def seen(digest: str) -> str:
        found = complete(
            facts(
                service_facts(service=service, digest=digest),
                environment=Environment("qa", provenance="required"),
            )
        )
        return found.services[0].provenance

    other = "sha256:" + "e" * 64
    assert [seen(DIGEST), seen(DIGEST), seen(other)] == ["no"] * 3
    assert [digest for _, digest, _ in asked] == [DIGEST, other]
