"""Whether a tag may move to another image."""

from __future__ import annotations

import pytest

from promote_actions.errors import Refused
from promote_actions.images.retag import Retag, decide, is_immutable

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("2026.02.1", True), ("2026.02.15", True), ("2026.02.1-a3f2b1c", True),
        ("2026.02.16-hotfix-auth", True), ("v2026.02.1", True), ("1.2.3", True), ("v1.2.3-rc.1", True),
        ("sha-a3f2b1c", True), ("sha-" + "a" * 40, True),
        ("develop", False), ("qa", False), ("staging", False), ("production", False), ("latest", False),
        ("pr-123", False), ("1.2", False), ("2026.02", False), ("sha-", False), ("sha-xyz", False),
        ("", False), ("main", False), ("2026.02.x", False), ("release-1.2.3", False),
    ],
)  # fmt: skip
def test_which_tags_never_move(tag: str, expected: bool) -> None:
    """Versions and commits name one image for ever; environments, previews and latest move."""
    assert is_immutable(tag) is expected


@pytest.mark.parametrize("immutable", [False, True])
@pytest.mark.parametrize(
    ("current", "expected"), [(None, Retag(True, "")), ("", Retag(True, "")), (NEW, Retag(False, NEW))]
)
def test_a_new_tag_or_the_same_image(current: str | None, expected: Retag, immutable: bool) -> None:
    """A tag that isn't there is made, one that is right is left alone, immutable or not."""
    assert decide("ghcr.io/a", "x", NEW, current, immutable) == expected


def test_a_mutable_tag_moves() -> None:
    """The digest before is kept for the record."""
    assert decide("ghcr.io/a", "qa", NEW, OLD, immutable=False) == Retag(True, OLD)


def test_an_immutable_tag_stops_the_run() -> None:
    """The message names the tag and both images."""
    with pytest.raises(Refused) as caught:
        decide("ghcr.io/a", "2026.02.1", NEW, OLD, immutable=True)
    assert "ghcr.io/a:2026.02.1 is sha256:aaaaaaaaaaaa… and must never become sha256:bbbbbbbbbbbb…" in str(
        caught.value
    )
    assert caught.value.exit_status == 1
