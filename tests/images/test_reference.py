"""Image references: what is in them, and what is left out of the short forms."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.images.reference import Reference, is_digest, is_tag, parse

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", Reference("docker.io", "library/nginx")),
        ("nginx:1.27", Reference("docker.io", "library/nginx", "1.27")),
        ("nexo/be", Reference("docker.io", "nexo/be")),
        ("docker.io/nginx", Reference("docker.io", "library/nginx")),
        ("index.docker.io/nexo/be:x", Reference("docker.io", "nexo/be", "x")),
        ("registry-1.docker.io/library/nginx", Reference("docker.io", "library/nginx")),
        ("ghcr.io/nexo-org/be:2026.02.1-a3f2b1c", Reference("ghcr.io", "nexo-org/be", "2026.02.1-a3f2b1c")),
        (f"ghcr.io/nexo-org/nexo-be@{SHA}", Reference("ghcr.io", "nexo-org/nexo-be", "", SHA)),
        (f"ghcr.io/nexo-org/nexo-be:1@{SHA}", Reference("ghcr.io", "nexo-org/nexo-be", "1", SHA)),
        ("localhost/app", Reference("localhost", "app")),
        ("localhost:5000/app:x", Reference("localhost:5000", "app", "x")),
        ("127.0.0.1:5000/a/b/c", Reference("127.0.0.1:5000", "a/b/c")),
        ("[::1]:5000/app", Reference("[::1]:5000", "app")),
        ("1.dkr.ecr.eu-west-1.amazonaws.com/app", Reference("1.dkr.ecr.eu-west-1.amazonaws.com", "app")),
        ("Registry.Example/app", Reference("Registry.Example", "app")),
        ("a__b/c--d.e", Reference("docker.io", "a__b/c--d.e")),
        ("app:_x", Reference("docker.io", "library/app", "_x")),
    ],
)  # fmt: skip
def test_references(text: str, expected: Reference) -> None:
    """Hosts, defaults of Docker Hub, tags and digests."""
    assert parse(text) == expected
    assert parse(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "its repository"),
        (":tag", "its repository"),
        ("ghcr.io/", "its repository"),
        ("ghcr.io/Nexo/be", "its repository"),
        ("ghcr.io//be", "its repository"),
        ("ghcr.io/a..b", "its repository"),
        ("ghcr.io/a___b", "its repository"),
        ("ghcr.io/-a", "its repository"),
        ("ghcr.io/a/../b", "its repository"),
        ("ghcr.io/a b", "its repository"),
        ("ghcr.io/a:", "its tag"),
        ("ghcr.io/a:-x", "its tag"),
        ("ghcr.io/a:" + "x" * 129, "its tag"),
        ("ghcr.io/a:x y", "its tag"),
        ("ghcr.io/a:x:y", "its tag"),
        ("ghcr.io/a@sha256:abc", "its digest"),
        ("ghcr.io/a@", "its digest"),
        (f"ghcr.io/a@{SHA}@{SHA}", "its digest"),
        ("https://ghcr.io/a", "its registry"),
        ("user:pw@ghcr.io/a", "its digest"),
        ("ghcr.io:x/a", "its registry"),
        ("-x.io/a", "its registry"),
        ("ghcr.io/" + "a" * 250, "longer than 255"),
        ("ghcr.io/a\n", "its repository"),
        ("ghcr.io/a:x\n", "its tag"),
    ],
)
def test_what_is_none(text: str, words: str) -> None:
    """The message says which part is wrong, on one line."""
    with pytest.raises(InputError) as caught:
        parse(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_docker_hub_s_api_is_elsewhere() -> None:
    """Only Docker Hub's API has another host than its name."""
    assert parse("nginx").api_host == "registry-1.docker.io"
    assert parse("ghcr.io/a").api_host == "ghcr.io"


def test_another_tag_of_the_same_image() -> None:
    """A new tag replaces tag and digest; one that no registry takes is refused."""
    assert str(parse(f"ghcr.io/a:1@{SHA}").with_tag("qa")) == "ghcr.io/a:qa"
    with pytest.raises(InputError, match="is no tag"):
        parse("ghcr.io/a").with_tag("a/b")


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text("ab.:/@-_[]1 \n", max_size=30)))
def test_any_text_is_a_reference_or_an_input_error(text: str) -> None:
    """Noise ends in one line, and what is accepted reads back as itself."""
    try:
        found = parse(text)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert parse(str(found)) == found


@given(st.text(max_size=12))
def test_tags_and_digests_are_what_they_look_like(text: str) -> None:
    """A short text is never a digest; a tag is made of a tag's characters."""
    assert not is_digest(text)
    if is_tag(text):
        assert all(char.isascii() and (char.isalnum() or char in "_.-") for char in text)
