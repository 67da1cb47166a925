"""Calendar versions: what is one, what isn't, and their order."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.versions.calver import (
    CalVer,
    check_metadata,
    check_prefix,
    version_of_tag,
)

STRATEGY = ["2026.02.1", "2026.02.1-a3f2b1c", "2026.02.15", "2026.02.16-hotfix-auth", "2026.03.1"]
"""The strategy's own list of versions, in its order."""

ORDER = [
    "2025.12.99",
    "2026.01.45",
    "2026.02.9",
    "2026.02.10",
    "2026.02.16",
    "2026.02.16-a",
    "2026.02.16-hotfix-auth",
    "2026.02.16-hotfix-b",
    "2026.02.17",
    "2026.10.1",
    "2027.01.1",
]

NO_VERSIONS = [
    "",
    "2026",
    "2026.02",
    "2026.2.1",
    "2026.002.1",
    "26.02.1",
    "0026.02.1",
    "02026.02.1",
    "2026.00.1",
    "2026.13.1",
    "2026.02.0",
    "2026.02.01",
    "2026.02.-1",
    "2026.02.1000000000",
    "2026.02.1.1",
    "2026.02.1 ",
    " 2026.02.1",
    "2026.02.1\n",
    "v2026.02.1",
    "2026-02-1",
    "2026.02.1+a",
    "2026.02.1_a",
    "2026.02.1-",
    "2026.02.1--a",
    "2026.02.1-a b",
    "2026.02.1-a\n",
    "2026.02.1-a/b",
    "2026.02.1-ä",
    "２０２６.02.1",
    "2026.02.١",
    "2026.02.1-a..b",
    "2026.02.1-a.lock",
    "2026.02.1-a.",
    "2026.02.1-.a",
    "2026.02.1-a-",
    "2026.02.1-$(id)",
    "2026.02.1-a~1",
    "2026.02.1-a^",
    "2026.02.1-a:b",
    "2026.02.1-@{1}",
    "2026.02.1-" + "a" * 200,
]

LABEL = st.from_regex(r"[0-9A-Za-z]([0-9A-Za-z_.-]{0,18}[0-9A-Za-z])?", fullmatch=True).filter(
    lambda text: ".." not in text and not text.endswith(".lock")
)
VERSIONS = st.builds(
    CalVer,
    st.integers(1000, 9999),
    st.integers(1, 12),
    st.integers(1, 999_999_999),
    st.one_of(st.just(""), LABEL),
)


@pytest.mark.parametrize("text", STRATEGY + ORDER)
def test_a_version_reads_and_writes_the_same(text: str) -> None:
    """What is parsed is written as it was."""
    assert str(CalVer.parse(text)) == text


@pytest.mark.parametrize("text", NO_VERSIONS)
def test_anything_else_is_refused(text: str) -> None:
    """A near miss is no version; parse says so in one line and try_parse gives None."""
    with pytest.raises(InputError) as caught:
        CalVer.parse(text)
    assert "\n" not in str(caught.value)
    assert CalVer.try_parse(text) is None


def test_the_strategys_list_is_in_order() -> None:
    """The order of versions is that of the strategy's list."""
    assert sorted(map(CalVer.parse, reversed(STRATEGY))) == list(map(CalVer.parse, STRATEGY))


def test_builds_are_numbers_and_labels_follow_their_build() -> None:
    """2026.02.9 is before 2026.02.10, and a labelled build between its own number and the next."""
    shuffled = random.Random(7).sample(ORDER, len(ORDER))
    assert [str(version) for version in sorted(map(CalVer.parse, shuffled))] == ORDER


@given(VERSIONS)
@settings(max_examples=150, deadline=None)
def test_every_version_survives_its_text(version: CalVer) -> None:
    """Text and version are one to one, and the text is an image tag and a part of a git ref."""
    text = str(version)
    assert CalVer.parse(text) == version
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", version.full("a" * 40))


@given(VERSIONS, VERSIONS)
@settings(max_examples=150, deadline=None)
def test_the_order_is_total(one: CalVer, other: CalVer) -> None:
    """Exactly one of before, equal and after holds, and equal means the same text."""
    assert [one < other, one == other, one > other].count(True) == 1
    assert (one == other) == (str(one) == str(other))


@given(VERSIONS.filter(lambda version: version.build < 999_999_999))
@settings(max_examples=100, deadline=None)
def test_next_is_the_smallest_plain_version_above(version: CalVer) -> None:
    """Nothing without metadata lies between a version and its next."""
    following = version.next()
    assert version < following
    assert following.metadata == ""
    assert following == CalVer(version.year, version.month, version.build + 1)
    assert version.base <= version


@pytest.mark.parametrize(
    ("text", "semver"),
    [
        ("2026.02.1", "2026.2.1"),
        ("2026.10.42", "2026.10.42"),
        ("2026.02.16-hotfix-auth", "2026.2.16+hotfix-auth"),
        ("2026.02.16-hotfix_auth.2", "2026.2.16+hotfix-auth.2"),
        ("2026.02.16-007", "2026.2.16+007"),
    ],
)
def test_semver_has_no_leading_zero(text: str, semver: str) -> None:
    """Helm and npm accept the semver form, and a label doesn't make it a pre-release."""
    assert CalVer.parse(text).semver == semver


@given(VERSIONS)
@settings(max_examples=100, deadline=None)
def test_semver_is_semver(version: CalVer) -> None:
    """The semver form matches the grammar that semver.org publishes."""
    identifier = r"[0-9A-Za-z-]+"
    number = r"(0|[1-9]\d*)"
    assert re.fullmatch(rf"{number}\.{number}\.{number}(\+{identifier}(\.{identifier})*)?", version.semver)


def test_a_label_may_fill_the_tag_and_no_more() -> None:
    """The longest label leaves room for the short SHA within the 128 characters of a tag."""
    fits = "a" * (128 - len("2026.02.1-") - len("-a3f2b1c"))
    assert len(CalVer(2026, 2, 1, fits).full("a3f2b1c9")) == 128
    with pytest.raises(InputError, match="too long"):
        CalVer(2026, 2, 1, fits + "a")


@pytest.mark.parametrize("label", ["hotfix-auth", "a3f2b1c", "rc.1", "A_b", "0", "x--y", "lock"])
def test_a_label_is_kept_as_given(label: str) -> None:
    """Metadata is never altered."""
    assert check_metadata(label) == label
    assert CalVer(2026, 2, 1, label).metadata == label


@pytest.mark.parametrize("prefix", ["", "v", "nexo-be/", "nexo-be-", "team/nexo-be/", "a.b/c_", "_x/"])
def test_prefixes_that_git_accepts(prefix: str) -> None:
    """A scope for a monorepo passes unaltered."""
    assert check_prefix(prefix) == prefix


@pytest.mark.parametrize(
    "prefix",
    [
        "/",
        "/a",
        "-a",
        "a//b",
        "a/.b/",
        "a/.",
        "..",
        "a..b/",
        "a.lock/",
        "a./",
        "a b",
        "a*",
        "a?",
        "a[",
        "a~",
        "a^",
        "a:",
        "a\\",
        "@{",
        "a\n",
        "é/",
        "--upload-pack=x",
        "a" * 200,
    ],
)
def test_prefixes_that_git_refuses(prefix: str) -> None:
    """A prefix that git, a pattern or a shell would read as something else is refused."""
    with pytest.raises(InputError, match="tag-prefix"):
        check_prefix(prefix)


@pytest.mark.parametrize(
    ("name", "prefix", "version"),
    [
        ("2026.02.1", "", "2026.02.1"),
        ("nexo-be/2026.02.1", "nexo-be/", "2026.02.1"),
        ("nexo-be/2026.02.1", "", None),
        ("2026.02.1", "nexo-be/", None),
        ("nexo-bee/2026.02.1", "nexo-be/", None),
        ("v2026.02.1", "v", "2026.02.1"),
        ("2026.02.1^{}", "", None),
    ],
)
def test_a_tag_is_a_version_in_its_scope_only(name: str, prefix: str, version: str | None) -> None:
    """Tags of other scopes are no versions of this one."""
    found = version_of_tag(name, prefix)
    assert (str(found) if found else None) == version
