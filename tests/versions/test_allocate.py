"""Allocation: who gets which build, in every interleaving of askers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import DependencyError, InputError, PromoteError, Refused
from promote_actions.versions.allocate import (
    Request,
    Reserve,
    Reuse,
    allocate,
    decide,
    pause_after,
    previous_of,
    versions_in,
)
from promote_actions.versions.calendar_day import Month
from promote_actions.versions.calver import CalVer

FEBRUARY = (Month(2026, 2), Month(2026, 1))
A, B, C, D = (letter * 40 for letter in "abcd")


def request(commit: str = D, **more: object) -> Request:
    return Request(commit, **{"months": FEBRUARY, **more})  # type: ignore[arg-type]


@dataclass
class Memory:
    """A server of tags. ``before_create`` runs between a look and the creation that follows it."""

    held: dict[str, str] = field(default_factory=dict)
    before_create: Callable[[], None] = lambda: None
    refusal: PromoteError | None = None
    asked: list[list[str]] = field(default_factory=list)
    creations: int = 0

    def tags(self, prefixes: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(list(prefixes))
        return {name: sha for name, sha in self.held.items() if name.startswith(tuple(prefixes))}

    def turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def create(self, names: Sequence[str], commit: str) -> PromoteError | None:
        self.creations += 1
        self.before_create()
        if self.refusal is not None:
            return self.refusal
        if any(name in self.held for name in names):
            return DependencyError("exists")
        self.held.update(dict.fromkeys(names, commit))
        return None


def no_pause(seconds: float) -> None:
    """Tests don't wait."""


CASES = [
    ({}, {}, Reserve(CalVer(2026, 2, 1), ("2026.02.1",))),
    ({"2026.02.9": A, "2026.02.10": B}, {}, Reserve(CalVer(2026, 2, 11), ("2026.02.11",))),
    ({"2026.01.45": A}, {}, Reserve(CalVer(2026, 2, 1), ("2026.02.1",))),
    ({"2026.02.3": A, "2026.02.7": B}, {}, Reserve(CalVer(2026, 2, 8), ("2026.02.8",))),
    ({"2026.02.3": D}, {}, Reuse(CalVer(2026, 2, 3))),
    ({"2026.01.45": D, "2026.02.3": A}, {}, Reuse(CalVer(2026, 1, 45))),
    ({"2025.12.9": D}, {}, Reserve(CalVer(2026, 2, 1), ("2026.02.1",))),
    ({"2026.02.3": D, "2026.02.9": D}, {}, Reuse(CalVer(2026, 2, 3))),
    ({"2026.01.3": D, "2026.02.9": D}, {}, Reuse(CalVer(2026, 1, 3))),
    ({"2026.02.x": A, "2026.02.007": A, "2026.02.5.1": A}, {}, Reserve(CalVer(2026, 2, 1), ("2026.02.1",))),
    ({"2026.02.5-fix": A}, {}, Reserve(CalVer(2026, 2, 6), ("2026.02.6",))),
    ({"2026.02.5-fix": D}, {}, Reuse(CalVer(2026, 2, 5), ("2026.02.5",))),
    ({"2026.02.5-fix": D, "2026.02.5": A}, {}, Reserve(CalVer(2026, 2, 6), ("2026.02.6",))),
    ({"2026.02.5": ""}, {}, Reserve(CalVer(2026, 2, 6), ("2026.02.6",))),
    (
        {"2026.02.15": A},
        {"metadata": "hotfix-auth"},
        Reserve(CalVer(2026, 2, 16, "hotfix-auth"), ("2026.02.16", "2026.02.16-hotfix-auth")),
    ),
    (
        {"2026.02.15": D},
        {"metadata": "hotfix-auth"},
        Reuse(CalVer(2026, 2, 15, "hotfix-auth"), ("2026.02.15-hotfix-auth",)),
    ),
    (
        {"2026.02.15": D, "2026.02.15-hotfix-auth": D},
        {"metadata": "hotfix-auth"},
        Reuse(CalVer(2026, 2, 15, "hotfix-auth")),
    ),
    (
        {"2026.02.15": D, "2026.02.15-fix": A},
        {"metadata": "fix"},
        Reserve(CalVer(2026, 2, 16, "fix"), ("2026.02.16", "2026.02.16-fix")),
    ),
    ({"2026.02.15": A, "2026.02.15-fix": D}, {"metadata": "fix"}, Reuse(CalVer(2026, 2, 15, "fix"))),
    ({"x/2026.02.4": A}, {}, Reserve(CalVer(2026, 2, 1), ("2026.02.1",))),
    ({"x/2026.02.4": A}, {"prefix": "x/"}, Reserve(CalVer(2026, 2, 5), ("x/2026.02.5",))),
    ({"2026.02.4": D}, {"prefix": "x/"}, Reserve(CalVer(2026, 2, 1), ("x/2026.02.1",))),
    ({"2026.02.4": A}, {"build": 42}, Reserve(CalVer(2026, 2, 42), ("2026.02.42",))),
    ({"2026.02.42": D}, {"build": 42}, Reuse(CalVer(2026, 2, 42))),
    ({"2026.01.42": D}, {"build": 42}, Reuse(CalVer(2026, 1, 42))),
    ({"2026.02.4": D}, {"build": 42}, Reserve(CalVer(2026, 2, 42), ("2026.02.42",))),
]


@pytest.mark.parametrize(("tags", "more", "expected"), CASES)
def test_the_decision(tags: dict[str, str], more: dict[str, object], expected: Reuse | Reserve) -> None:
    """What a commit gets, given the tags that there are."""
    assert decide(tags, request(**more)) == expected


@pytest.mark.parametrize("tags", [{"2026.02.42": A}, {"2026.02.42-fix": A}, {"2026.02.42": ""}])
def test_a_fixed_build_of_another_commit_is_refused(tags: dict[str, str]) -> None:
    """A number that another commit has is never given again, and the message names the holder."""
    with pytest.raises(Refused, match=r"build 42 of 2026.02 belongs to"):
        decide(tags, request(build=42))


def test_the_month_ends_at_its_last_number() -> None:
    """There is no build after the largest."""
    with pytest.raises(InputError):
        decide({"2026.02.999999999": A}, request())


def test_a_lost_race_takes_the_next_number() -> None:
    """Somebody reserves the build between our look and our try: we look again and take the next."""
    store = Memory({"2026.02.1": A})
    rivals = iter([("2026.02.2", B), ("2026.02.3", C)])

    def rival() -> None:
        name, commit = next(rivals, (None, None))
        if name and commit:
            store.held[name] = commit

    store.before_create = rival
    made = allocate(store, request(), pause=no_pause)
    assert (str(made.version), made.reused, str(made.previous)) == ("2026.02.4", False, "2026.02.3")
    assert store.held["2026.02.4"] == D


def test_a_race_with_the_same_commit_ends_with_one_version() -> None:
    """Two jobs of one commit: the slower one gets the version that the faster one reserved."""
    store = Memory({"2026.02.1": A})

    def twin() -> None:
        store.before_create = lambda: None
        allocate(store, request(), pause=no_pause)

    store.before_create = twin
    made = allocate(store, request(), pause=no_pause)
    assert (str(made.version), made.reused) == ("2026.02.2", True)
    assert [name for name, commit in store.held.items() if commit == D] == ["2026.02.2"]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.data())
@settings(max_examples=60, deadline=None)
def test_any_interleaving_is_gapless_and_unique(commits: list[int], data: st.DataObject) -> None:
    """Askers that cut in at every possible point: each commit has one build, and none is left out."""
    store, waiting, given_out = Memory(), list(commits), dict[int, set[str]]()

    def ask() -> None:
        number = waiting.pop()
        made = allocate(store, request(f"{number:040x}"), pause=no_pause)
        given_out.setdefault(number, set()).add(str(made.version))

    def cut_in() -> None:
        for _ in range(data.draw(st.integers(0, 3))):
            if waiting:
                ask()

    store.before_create = cut_in
    while waiting:
        ask()
    assert all(len(versions) == 1 for versions in given_out.values())
    builds = sorted(CalVer.parse(name).build for name in store.held)
    assert builds == list(range(1, len(set(commits)) + 1))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["", "fix", "rc.1"])), min_size=1, max_size=20)
)
@settings(max_examples=60, deadline=None)
def test_a_build_belongs_to_one_commit_with_and_without_labels(asks: list[tuple[int, str]]) -> None:
    """However labels and commits mix, two commits never share a build number."""
    store = Memory()
    for number, label in asks:
        made = allocate(store, request(f"{number:040x}", metadata=label), pause=no_pause)
        assert made.version.metadata == label
        assert store.held[str(made.version)] == f"{number:040x}"
    owners: dict[int, set[str]] = {}
    for version, commit in versions_in(store.held, "").items():
        owners.setdefault(version.build, set()).add(commit)
    assert all(len(commits) == 1 for commits in owners.values())
    assert sorted(owners) == list(range(1, len({number for number, _ in asks}) + 1))


def test_a_server_that_always_refuses_is_believed() -> None:
    """Nothing changed and the creation fails again and again: its reason is raised, after a few tries."""
    store = Memory({"2026.02.1": A}, refusal=InputError("protected"))
    with pytest.raises(InputError, match="protected"):
        allocate(store, request(), pause=no_pause)
    assert 2 <= store.creations <= 10


def test_losing_for_ever_is_reported() -> None:
    """Losing every race ends with an error, not never."""
    store, times = Memory(), iter(range(0, 100_000, 50))
    store.before_create = lambda: store.held.update({f"2026.02.{len(store.held) + 1}": A})
    with pytest.raises(DependencyError, match="lost the race"):
        allocate(store, request(), pause=no_pause, clock=lambda: float(next(times)))


def test_what_cannot_be_mended_passes_at_once() -> None:
    """An error that the store raises isn't tried again."""
    store = Memory()

    def denied() -> None:
        raise InputError("no permission")

    store.before_create = denied
    with pytest.raises(InputError, match="no permission"):
        allocate(store, request(), pause=no_pause)
    assert store.creations == 1


def test_a_preview_reserves_nothing() -> None:
    """Without reserving, the next version is said and no tag is created."""
    store = Memory({"2026.02.1": A})
    made = allocate(store, request(metadata="fix"), reserve=False)
    assert (str(made.version), made.reused) == ("2026.02.2-fix", False)
    assert (store.creations, store.held) == (0, {"2026.02.1": A})


@pytest.mark.parametrize(
    ("tags", "commit", "previous"),
    [
        ({"2026.02.1": A, "2026.02.2": B}, D, "2026.02.2"),
        ({"2026.01.45": A}, D, "2026.01.45"),
        ({"2026.01.9": A, "2026.01.45-fix": B}, D, "2026.01.45-fix"),
        ({"2025.11.3": A}, D, "2025.11.3"),
        ({"2025.02.3": A}, D, "2025.02.3"),
        ({"2025.01.3": A}, D, None),
        ({"2026.02.3": D, "2026.02.3-fix": D, "2026.02.2": A}, D, "2026.02.2"),
        ({"2026.02.3": D, "2026.02.9": A}, D, None),
        ({"y/2026.02.3": A}, D, None),
        ({}, D, None),
    ],
)
def test_the_previous_version(tags: dict[str, str], commit: str, previous: str | None) -> None:
    """The highest version below, of another commit, within the last twelve months."""
    made = allocate(Memory(dict(tags)), request(commit), pause=no_pause)
    assert (str(made.previous) if made.previous else None) == previous


def test_only_this_months_tags_are_asked_for_when_that_is_enough() -> None:
    """Old months cost nothing when the recent ones know the previous version."""
    store = Memory({"2026.02.1": A, "2020.01.1": B})
    allocate(store, request(), pause=no_pause)
    assert store.asked == [["2026.02.", "2026.01."]]


def test_the_previous_version_ignores_higher_ones() -> None:
    """A version above isn't previous, and neither is the commit's own."""
    taken = {CalVer(2026, 2, 1): A, CalVer(2026, 2, 3): B, CalVer(2026, 2, 2): D}
    assert previous_of(taken, CalVer(2026, 2, 2), D) == CalVer(2026, 2, 1)


def test_pauses_grow_and_have_a_limit() -> None:
    """The wait after a loss is random, larger after more losses, and never long."""
    assert all(0 <= pause_after(1, 0.1) <= 0.2 for _ in range(50))
    assert max(pause_after(4, 0.1) for _ in range(200)) > 0.2
    assert all(pause_after(60, 5.0) <= 10.0 for _ in range(50))
