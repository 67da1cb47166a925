"""From readings to a verdict."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.gates.judge import close, fold, glance, speaks_of, worst
from promote_actions.gates.model import (
    CheckResult,
    CheckSpec,
    CheckState,
    GateResult,
    Outcome,
    Reading,
    Verdict,
)

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "waiting", "inconclusive", "errored")


def reading(outcome: Outcome, final: bool = False) -> Reading:
    return Reading(outcome, "because", T0, final=final)


def run(spec: CheckSpec, *outcomes: Outcome) -> CheckState:
    state = CheckState()
    for outcome in outcomes:
        state = fold(state, reading(outcome), spec)
    return state


@pytest.mark.parametrize(
    ("spec", "outcomes", "verdict"),
    [
        (CheckSpec("x", "x"), ["passed"], "passed"),
        (CheckSpec("x", "x"), ["failed"], "failed"),
        (CheckSpec("x", "x", success=3), ["passed", "passed"], None),
        (CheckSpec("x", "x", success=3), ["passed", "passed", "passed"], "passed"),
        (CheckSpec("x", "x", success=2, failure_limit=1), ["passed", "failed", "passed"], None),
        (CheckSpec("x", "x", success=2), ["passed", "errored", "passed"], None),
        (CheckSpec("x", "x", success=2), ["passed", "inconclusive", "passed"], None),
        (CheckSpec("x", "x", success=2), ["passed", "waiting", "passed"], None),
        (CheckSpec("x", "x", failure_limit=3), ["failed"] * 3, None),
        (CheckSpec("x", "x", failure_limit=3), ["failed"] * 4, "failed"),
        (CheckSpec("x", "x", failure_limit=1), ["failed", "waiting", "failed"], "failed"),
        (CheckSpec("x", "x"), ["errored"] * 4, None),
        (CheckSpec("x", "x"), ["errored"] * 5, "errored"),
        (CheckSpec("x", "x"), ["errored", "waiting"] * 9, None),
        (CheckSpec("x", "x"), ["inconclusive"] * 50, None),
        (CheckSpec("x", "x"), ["inconclusive", "passed"], "passed"),
        (CheckSpec("x", "x", success=0), [], None),
    ],
)
def test_readings_make_a_verdict(spec: CheckSpec, outcomes: list[Outcome], verdict: Verdict | None) -> None:
    """Good ones must be in a row, bad ones count altogether, errors count in a row."""
    assert run(spec, *outcomes).verdict == verdict


def test_a_limit_of_one_tolerates_one_failure() -> None:
    """As in Argo Rollouts, which surprises people: a limit is what is tolerated."""
    spec = CheckSpec("x", "x", failure_limit=1)
    assert run(spec, "failed").verdict is None
    assert run(spec, "failed", "failed").verdict == "failed"


@pytest.mark.parametrize("outcome", ["failed", "errored", "inconclusive"])
def test_a_final_reading_ends_the_check_whatever_the_limits(outcome: Outcome) -> None:
    """Nobody waits for what can't change."""
    spec = CheckSpec("x", "x", failure_limit=99, error_limit=99)
    assert fold(CheckState(), reading(outcome, final=True), spec).verdict == outcome


@pytest.mark.parametrize(
    ("outcomes", "timed_out", "verdict"),
    [
        ([], True, "timed-out"),
        ([], False, "inconclusive"),
        (["waiting"], True, "timed-out"),
        (["waiting"], False, "inconclusive"),
        (["passed"], True, "timed-out"),
        (["errored"], True, "errored"),
        (["inconclusive"], True, "inconclusive"),
        (["failed"], True, "failed"),
        (["failed", "waiting"], True, "timed-out"),
        (["errored", "waiting"], True, "timed-out"),
    ],
)
def test_the_end_of_the_time_is_no_pass(outcomes: list[Outcome], timed_out: bool, verdict: Verdict) -> None:
    """What the last reading said decides, and one good reading of two is not enough."""
    spec = CheckSpec("x", "x", success=2, failure_limit=9)
    assert close(run(spec, *outcomes), timed_out).verdict == verdict


@given(st.lists(st.sampled_from(OUTCOMES)), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_nothing_passes_without_as_many_good_readings_in_a_row(
    outcomes: list[Outcome], success: int, limit: int
) -> None:
    """Whatever the readings and the limits are."""
    state = close(run(CheckSpec("x", "x", success=success, failure_limit=limit), *outcomes), timed_out=True)
    needed = max(success, 1)
    letters = "".join("p" if outcome == "passed" else "-" for outcome in outcomes)
    assert state.verdict is not None
    if state.verdict == "passed":
        assert "p" * needed in letters


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "inconclusive"),
        (["passed", "passed"], "passed"),
        (["passed", "timed-out"], "timed-out"),
        (["inconclusive", "timed-out"], "inconclusive"),
        (["errored", "inconclusive", "passed"], "errored"),
        (["errored", "failed", "passed"], "failed"),
    ],
)
def test_the_worst_check_is_the_gates_verdict(verdicts: list[Verdict], expected: Verdict) -> None:
    """Failed outranks errored outranks inconclusive, and a gate without a check has not passed."""
    assert worst(verdicts) == expected


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_once_says_how_things_are_now(outcome: Outcome) -> None:
    """One reading: waiting is not yet a pass, and not a time-out either."""
    expected = "inconclusive" if outcome == "waiting" else outcome
    assert glance(reading(outcome)).verdict == expected


def test_samples_are_kept_for_the_chart() -> None:
    """Values are kept in order; readings without a value leave no sample."""
    state = CheckState()
    for value in (1.0, None, 3.0):
        state = fold(state, Reading("waiting", "", T0, value=value), CheckSpec("x", "x"))
    assert [value for _, value in state.samples] == [1.0, 3.0]


def test_a_reading_speaks_of_the_new_version_only_when_all_of_it_is_after_the_rollout() -> None:
    """A five-minute window that ends now began before a rollout of two minutes ago."""
    rollout = T0 - timedelta(minutes=2)
    old = Reading("passed", "", T0, begins=T0 - timedelta(minutes=5))
    new = Reading("passed", "", T0, begins=T0 - timedelta(minutes=1))
    assert not speaks_of(old, rollout)
    assert speaks_of(new, rollout)


def test_validation_results_have_one_word_a_key_and_the_worst_wins() -> None:
    """Two checks under one key, as of several applications, don't hide each other."""
    checks = (
        CheckResult(CheckSpec("http", "a", result_name="smoke_tests"), "failed", ""),
        CheckResult(CheckSpec("http", "b", result_name="smoke_tests"), "passed", ""),
        CheckResult(CheckSpec("soak", "my-soak"), "timed-out", ""),
    )
    result = GateResult("failed", checks)
    assert result.validation_results == {"smoke_tests": "failed", "my_soak": "timed-out"}


def test_a_gate_that_could_not_measure_is_inconclusive_to_the_outside() -> None:
    """The contract has four words; rollback acts on `failed` alone, so an error must not be one."""
    assert GateResult("errored", ()).result == "inconclusive"
    assert not GateResult("errored", ()).passed
