"""Asking ``gh`` for attestations, with a stand-in on PATH: the real one needs GitHub's signing services
and images attested there. What the stand-in says is what the manual and the source of ``gh`` have."""

from __future__ import annotations

from pathlib import Path

import pytest

from promote_actions.adapters.attestations import why_unverified
from promote_actions.errors import DependencyError, InputError
from tests.adapters.gh_stand_in import UNVERIFIED, VERIFIED, StandIn

IMAGE, REPOSITORY, TOKEN = "ghcr.io/nexo-org/app", "nexo-org/app", "ghs_secret123"
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def gh(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


def why(gh: StandIn, *, token: str = TOKEN, deadline: float = 20.0, **env: str) -> str:
    return why_unverified(IMAGE, DIGEST, REPOSITORY, token, {"PATH": gh.path, **env}, deadline)


def test_what_is_asked(gh: StandIn) -> None:
    """The digest, of the repository; the token is in the environment and nowhere else."""
    gh.answers(0, VERIFIED)
    assert why(gh, GITHUB_SERVER_URL="https://nexo.ghe.com") == ""
    ((arguments, env),) = gh.calls
    assert arguments == [
        "attestation", "verify", f"oci://{IMAGE}@{DIGEST}", "--repo", REPOSITORY, "--format", "json"
    ]  # fmt: skip
    assert (env["GH_TOKEN"], env["GH_HOST"]) == (TOKEN, "nexo.ghe.com")


def test_the_environment_is_thinned(gh: StandIn) -> None:
    """No input of an action reaches it, nor what makes it print more; without a token its own stays."""
    gh.answers(0, VERIFIED)
    why(gh, token="", GH_TOKEN="own", INPUT_WEBHOOK="secret", GH_DEBUG="api", HOME="/home/me")
    ((_, env),) = gh.calls
    assert (env["GH_TOKEN"], env["HOME"]) == ("own", "/home/me")
    assert not {"INPUT_WEBHOOK", "GH_DEBUG", "GH_HOST"} & set(env)


def test_the_other_algorithm(gh: StandIn) -> None:
    """A SHA-512 digest is looked for as such."""
    gh.answers(0, VERIFIED)
    digest = "sha512:" + "b" * 128
    assert why_unverified(IMAGE, digest, REPOSITORY, "", {"PATH": gh.path}) == ""
    assert gh.calls[0][0][-2:] == ["--digest-alg", "sha512"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (UNVERIFIED, "HTTP 404: Not Found"),
        ("✗ No attestations found for subject sha256:1\n", "No attestations found for subject sha256:1"),
        (f"Error: {TOKEN} is no good", "*** is no good"),
        ("Error: \x1b[31mred\x07", "\\u001b[31mred\\u0007"),
        ("Error: " + "long" * 1000, ("long" * 1000)[:300]),
        ("", "gh doesn't say why"),
    ],
)
def test_a_failure_has_one_line(gh: StandIn, said: str, reason: str) -> None:
    """The last thing that it says, cut and harmless, without the token."""
    gh.answers(1, said=said)
    assert why(gh) == reason


@pytest.mark.parametrize("out", ["", "[]", "null", "{}", "no JSON", "[" * 100_000, "[1]", "[{}]"])
def test_a_status_alone_proves_nothing(gh: StandIn, out: str) -> None:
    """Some versions end with 0 when there is no attestation at all: the results must be shown."""
    gh.answers(0, out)
    assert why(gh) == "gh shows no attestation that it has verified"


@pytest.mark.parametrize(
    ("status", "deadline", "words"),
    [
        (4, 20.0, "gh is not logged in: set GH_TOKEN; pass a token with attestations: read"),
        ("killed", 20.0, "was ended by signal 9"),
        ("hang", 0.5, "took longer than 0.5 s"),
    ],
)
def test_no_answer_is_no_verdict(gh: StandIn, status: int | str, deadline: float, words: str) -> None:
    """Who couldn't ask doesn't know: that is a dependency's failure."""
    gh.answers(status, said="set GH_TOKEN")
    with pytest.raises(DependencyError) as caught:
        why(gh, deadline=deadline)
    assert words in str(caught.value)


def test_without_it(gh: StandIn) -> None:
    """The message names what to install."""
    with pytest.raises(DependencyError) as caught:
        why(gh)
    assert "install GitHub CLI 2.67 or newer" in str(caught.value)


def test_one_that_cannot_be_started(gh: StandIn) -> None:
    """An executable that is none."""
    gh.answers(0)
    (Path(gh.path) / "gh").write_bytes(b"#!/nowhere/python\n")
    with pytest.raises(DependencyError) as caught:
        why(gh)
    assert "gh can't be started" in str(caught.value)


@pytest.mark.parametrize(
    ("image", "digest", "repository"),
    [
        ("--bundle=x", DIGEST, REPOSITORY),
        ("", DIGEST, REPOSITORY),
        ("ghcr.io/a b", DIGEST, REPOSITORY),
        (IMAGE, "--owner", REPOSITORY),
        (IMAGE, "sha256:1", REPOSITORY),
        (IMAGE, DIGEST + "\n", REPOSITORY),
        (IMAGE, DIGEST, "--owner=x/y"),
        (IMAGE, DIGEST, "nexo-org"),
        (IMAGE, DIGEST, "nexo-org/.."),
        (IMAGE, DIGEST, "https://github.com/nexo-org/app"),
    ],
)
def test_names_that_are_none(gh: StandIn, image: str, digest: str, repository: str) -> None:
    """Nothing that could be read as an option, or as another place, is passed on."""
    gh.answers(0, VERIFIED)
    with pytest.raises(InputError):
        why_unverified(image, digest, repository, "", {"PATH": gh.path})
    assert gh.calls == []
