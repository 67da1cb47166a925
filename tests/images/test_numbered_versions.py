"""Semantic versions and PEP 440, the latter held against the `packaging` library."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from promote_actions.images.numbered import parse_pep440, parse_semver


@pytest.mark.parametrize(
    ("text", "version", "final"),
    [
        ("1.2.3", "1.2.3", True),
        ("v1.2.3", "1.2.3", True),
        (" v1.2.3 ", "1.2.3", True),
        ("0.0.0", "0.0.0", True),
        ("v2.0.8-beta.67", "2.0.8-beta.67", False),
        ("1.2.3-rc.1+build.5", "1.2.3-rc.1", False),
        ("1.2.3+build", "1.2.3", True),
        ("1.0.0-alpha-a.b-c-somethinglong", "1.0.0-alpha-a.b-c-somethinglong", False),
        ("1.2.3-0a", "1.2.3-0a", False),
        ("9007199254740991.0.0", "9007199254740991.0.0", True),
    ],
)
def test_semantic_versions(text: str, version: str, final: bool) -> None:
    """As semver.org has them, with the `v` that git tags carry."""
    found = parse_semver(text)
    assert found is not None
    assert (found.version, found.final, found.raw) == (version, final, text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+"),
        *(
            "V1.2.3",
            "vv1.2.3",
            "1.2.3 x",
            "=1.2.3",
            "2026.03.42",
            "9007199254740992.0.0",
            "1.2.3-" + "a" * 300,
        ),
        *("١.٢.٣", "1.2.3-é"),
    ],
)
def test_what_is_no_semantic_version(text: str) -> None:
    """Leading zeros, missing parts and other digits make it none."""
    assert parse_semver(text) is None


def test_the_parts_of_a_version() -> None:
    """Major, minor and patch as texts; PEP 440 fills up with zeros."""
    found = parse_semver("v10.20.30-x")
    assert found is not None
    assert (found.major, found.minor, found.patch) == ("10", "20", "30")
    found = parse_pep440("1!07")
    assert found is not None
    assert (found.version, found.major, found.minor, found.patch) == ("1!7", "7", "0", "0")


PIECES = ["", ".", "-", "_", "+", "a", "b", "c", "rc", "alpha", "Beta", "pre", "post", "rev", "dev", "r"]
VERSIONS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["1", "v1.0", "1.2.3", "1!2.0", "0", "2026.02.1", "", " 1.0"]),
        st.lists(st.sampled_from([*PIECES, "1", "01", "9", " ", "x", "é"]), max_size=6).map("".join),
    ),
)


@given(VERSIONS)
@settings(max_examples=600, deadline=None)
def test_pep440_agrees_with_packaging(text: str) -> None:
    """What is a version, its normal form, and whether it is final: as the reference library says."""
    found = parse_pep440(text)
    try:
        reference = Version(text)
    except InvalidVersion:
        assert found is None
        return
    assert found is not None
    assert found.version == str(reference)
    assert found.final is not (reference.is_prerelease or reference.is_postrelease)
    assert [found.major, found.minor, found.patch] == [
        *map(str, (reference.major, reference.minor, reference.micro))
    ]
