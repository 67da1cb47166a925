"""A promotion through GitHub's API costs the same in a repository of any size."""

from __future__ import annotations

import pytest

from benchmarks.api_calls import Cost, costs


@pytest.fixture(scope="module")
def found() -> dict[int, dict[str, Cost]]:
    return {size: costs(size) for size in (10, 500)}


def test_the_number_of_requests_does_not_grow(found: dict[int, dict[str, Cost]]) -> None:
    """Each kind of promotion makes the same requests among ten services and among five hundred."""
    small, large = ({title: cost.calls for title, cost in found[size].items()} for size in (10, 500))
    assert small == large


def test_there_are_few(found: dict[int, dict[str, Cost]]) -> None:
    """No clone, no walk over files: bounds that a regression would break."""
    calls = {title: cost.calls for title, cost in found[500].items()}
    bounds = {
        "direct commit": 10,
        "the same again": 5,
        "pull request": 18,
        "pull request, the same again": 10,
        "gate of the pull request": 24,
        "five services, direct commit": 11,
    }
    assert {title: number for title, number in calls.items() if number > bounds[title]} == {}


def test_the_answers_do_not_grow(found: dict[int, dict[str, Cost]]) -> None:
    """Nobody lists the services' folders: the bytes stay within a tenth."""
    for title, small in found[10].items():
        assert found[500][title].received <= small.received * 1.1, title
