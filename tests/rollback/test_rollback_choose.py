"""Which version a rollback restores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promote_actions.errors import InputError, Refused
from promote_actions.rollback.choose import Past, choose

V1, V2, V3, V4 = "2026.02.1", "2026.02.2", "2026.02.3", "2026.02.4"


def nothing(version: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("versions", "outcomes", "held", "arguments", "expected"),
    [
        ([V3, V2, V1], {}, (), {}, V2),
        ([V3, V2, V1], {}, (V2,), {}, V1),
        ([V3, V2, V1], {V2: "failure"}, (), {}, V1),
        ([V3, V2, V1], {V2: "rolled_back"}, (), {}, V1),
        ([V3, V2, V1], {V2: "success"}, (), {}, V2),
        ([V3, V2, V1], {}, (), {"steps": 2}, V1),
        ([V4, V3, V2, V1], {}, (V3,), {"steps": 2}, V1),
        ([V1, V2, V1, V3, V1], {}, (), {"reason": "r", "to_version": "2026.01.9"}, "2026.01.9"),
        ([V3, V2, V1], {}, (V1,), {"to_version": V1, "reason": "r"}, V1),
        ([V3, V2, V1], {}, (), {"to_version": V1}, V1),
        (["b2c3", "a1b2"], {}, (), {}, "a1b2"),
    ],
)
def test_the_version_restored(
    versions: list[str], outcomes: dict[str, str], held: tuple[str, ...], arguments: dict, expected: str
) -> None:
    """The newest earlier version that is good, or the one that is named."""
    assert choose(Past(versions, outcomes), lambda version: version in held, **arguments) == expected


@pytest.mark.parametrize(
    ("versions", "held", "arguments", "error", "words"),
    [
        ([V3], (), {}, Refused, "there are only 0 earlier good versions (none)"),
        ([V2, V3, V2], (V3,), {}, Refused, "only 0"),
        ([V2, V3], (), {}, Refused, "only 0"),
        ([V3, V2], (V2,), {}, Refused, "only 0"),
        (
            [V3, V2, V1],
            (),
            {"steps": 3},
            Refused,
            "there are only 2 earlier good versions (2026.02.2, 2026.02.1)",
        ),
        ([V3, V2], (), {"to_version": V1}, Refused, "was never live there"),
        ([V3, V2], (V2,), {"to_version": V2}, Refused, "was rolled back itself"),
        ([V3, V2], (), {"to_version": V2, "steps": 1}, InputError, "both to-version and steps"),
        ([V3, V2], (), {"steps": 0}, InputError, "give 1 or more"),
    ],
)
def test_what_is_refused(
    versions: list[str], held: tuple[str, ...], arguments: dict, error: type[Exception], words: str
) -> None:
    """Nothing is guessed: a version that was never there, or was bad, needs a reason."""
    with pytest.raises(error) as caught:
        choose(Past(versions, {}), lambda version: version in held, **arguments)
    assert words in str(caught.value)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.sets(st.integers(1, 9)))
def test_a_rollback_never_goes_forward(builds: list[int], held: set[int]) -> None:
    """Whatever the history, the restored version is older than the live one, was there, and is not held."""
    past = Past([f"2026.02.{build}" for build in builds], {})
    try:
        version = choose(past, lambda version: int(version.rpartition(".")[2]) in held)
    except Refused:
        return
    build = int(version.rpartition(".")[2])
    assert build < builds[0]
    assert build in builds
    assert build not in held
