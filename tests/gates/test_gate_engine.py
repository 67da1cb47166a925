"""Running checks side by side."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest

from promote_actions.errors import DependencyError, InputError
from promote_actions.gates import engine
from promote_actions.gates.engine import Gate, Watch
from promote_actions.gates.model import Check, CheckSpec, GateResult, Measure, Moment, Outcome, Reading
from promote_actions.gates.progress import sigterm_interrupts


def now() -> datetime:
    return datetime.now(timezone.utc)


def script(*outcomes: Outcome) -> Measure:
    """Readings in order; the last one is repeated."""
    left = list(outcomes)

    def measure(moment: Moment) -> Reading:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        return Reading(outcome, outcome, moment.now)

    return measure


def check(
    name: str, measure: Measure, *, timeout: float = 5.0, after: bool = False, **more: object
) -> Check:
    spec = CheckSpec("x", name, interval=0.01, timeout=timeout, **more)  # type: ignore[arg-type]
    return Check(spec, measure, after_rollout=after)


def prover(measure: Measure, interval: float = 0.01, timeout: float = 5.0) -> Check:
    return Check(
        CheckSpec("argocd", "argocd", interval=interval, timeout=timeout), measure, proves_rollout=True
    )


def verdicts(result: GateResult) -> dict[str, str]:
    return {each.spec.name: each.verdict for each in result.checks}


def test_a_gate_without_a_check_is_an_error() -> None:
    """No condition is no pass."""
    with pytest.raises(InputError, match="has no check"):
        Gate([])


def test_it_waits_until_the_check_holds() -> None:
    """Waiting, inconclusive and errored readings are followed by others."""
    result = Gate([check("a", script("waiting", "inconclusive", "errored", "passed"))]).run()
    assert verdicts(result) == {"a": "passed"}
    assert result.passed
    assert result.checks[0].readings == 3


def test_a_hundred_checks_run_side_by_side() -> None:
    """Each waits for all the others to have begun, so one after the other would never end."""
    all_here = threading.Barrier(100, timeout=20)

    def meet(moment: Moment) -> Reading:
        all_here.wait()
        return Reading("passed", "", moment.now)

    assert Gate([check(str(number), meet, timeout=30) for number in range(100)]).run().passed


def test_an_old_version_that_is_healthy_proves_nothing() -> None:
    """What was measured before the rollout is measured again after it."""
    measured: list[Moment] = []

    def smoke(moment: Moment) -> Reading:
        measured.append(moment)
        return Reading("passed" if moment.rollout else "failed", "", moment.now)

    def rollout(moment: Moment) -> Reading:
        done = len(measured) > 0 and moment.now > measured[0].now + timedelta(seconds=0.05)
        return Reading("passed" if done else "waiting", "", moment.now, since=moment.now if done else None)

    result = Gate([check("smoke", smoke, after=True), prover(rollout)]).run()
    assert verdicts(result) == {"smoke": "passed", "argocd": "passed"}
    assert [moment.rollout is None for moment in measured] == [True, False]


def test_a_reading_taken_while_the_rollout_was_being_proven_counts_when_it_is_younger() -> None:
    """Nothing is asked twice when the version was live all along."""
    asked: list[Moment] = []

    def smoke(moment: Moment) -> Reading:
        asked.append(moment)
        return Reading("passed", "", moment.now)

    def rollout(moment: Moment) -> Reading:
        time.sleep(0.05)
        return Reading("passed", "", moment.now, since=moment.now - timedelta(hours=1))

    assert Gate([check("smoke", smoke, after=True), prover(rollout)]).run().passed
    assert len(asked) == 1


def test_a_slow_reading_of_the_old_version_does_not_count() -> None:
    """It set out before the rollout was proven, arrives after it, and speaks of the time before."""
    answers: list[Outcome] = ["failed", "passed"]
    release = threading.Event()

    def smoke(moment: Moment) -> Reading:
        outcome = answers.pop(0)
        if outcome == "failed":
            release.wait(5)
        return Reading(outcome, "", moment.now, begins=moment.now)

    def rollout(moment: Moment) -> Reading:
        threading.Timer(0.05, release.set).start()
        return Reading("passed", "", moment.now, since=moment.now)

    assert Gate([check("smoke", smoke, after=True), prover(rollout)]).run().passed


def test_a_rollout_that_failed_leaves_the_rest_unmeasured() -> None:
    """What was not measured is inconclusive, not passed and not failed."""
    result = Gate([check("smoke", script("passed"), after=True), prover(script("failed"))]).run()
    assert verdicts(result) == {"smoke": "inconclusive", "argocd": "failed"}
    assert result.verdict == "failed"


def test_a_rollout_that_breaks_while_others_wait_is_seen() -> None:
    """Before the gate passes, a proof that has grown old is asked for once more."""
    begin = now()

    def rollout(moment: Moment) -> Reading:
        broken = moment.now > begin + timedelta(seconds=0.05)
        return Reading("failed" if broken else "passed", "Degraded" if broken else "ok", moment.now)

    def soak(moment: Moment) -> Reading:
        done = moment.now > begin + timedelta(seconds=0.15)
        return Reading("passed" if done else "waiting", "", moment.now)

    result = Gate([prover(rollout), check("soak", soak)]).run()
    assert verdicts(result) == {"argocd": "failed", "soak": "passed"}


def test_what_cannot_be_measured_is_errored_and_not_failed() -> None:
    """An unreachable Prometheus is not a bad deployment."""

    def down(moment: Moment) -> Reading:
        raise DependencyError("Prometheus did not answer")

    result = Gate([check("metric", down)]).run()
    assert verdicts(result) == {"metric": "errored"}
    assert "did not answer" in result.checks[0].reason


@pytest.mark.parametrize("error", [InputError("the token is wrong"), ZeroDivisionError("oops")])
def test_what_stays_wrong_ends_the_check_at_once(error: Exception) -> None:
    """A refused token is refused again; a defect is no reason to wait either."""
    calls: list[Moment] = []

    def broken(moment: Moment) -> Reading:
        calls.append(moment)
        raise error

    assert Gate([check("a", broken)]).run().verdict == "errored"
    assert len(calls) == 1


def test_time_that_is_over_is_no_pass() -> None:
    """Each check has its own time."""
    result = Gate([check("a", script("waiting"), timeout=0.05), check("b", script("passed"))]).run()
    assert verdicts(result) == {"a": "timed-out", "b": "passed"}
    assert result.result == "timed-out"


def test_a_reading_that_hangs_does_not_hold_the_gate() -> None:
    """The gate ends on time, and has not passed."""
    forever = threading.Event()

    def hang(moment: Moment) -> Reading:
        forever.wait(30)
        return Reading("passed", "", moment.now)

    result = Gate([check("a", hang, timeout=0.1)]).run()
    forever.set()
    assert verdicts(result) == {"a": "timed-out"}


def test_once_takes_one_reading_of_each() -> None:
    """No second look, whatever the first one says."""
    result = Gate([check("a", script("waiting", "passed")), check("b", script("passed"))], once=True).run()
    assert verdicts(result) == {"a": "inconclusive", "b": "passed"}
    assert [each.readings for each in result.checks] == [1, 1]


@pytest.mark.parametrize("outcome", ["waiting", "passed"])
def test_an_interrupted_gate_says_what_it_knows_and_has_not_passed(outcome: Outcome) -> None:
    """Ctrl-C ends it, long before its time is over."""
    timer = threading.Timer(
        0.1, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    )
    timer.start()
    result = Gate([check("a", script(outcome), timeout=60, success=10**9)]).run()
    assert result.interrupted
    assert not result.passed
    assert result.checks[0].reason == outcome


def test_sigterm_is_an_interrupt_while_a_gate_runs() -> None:
    """A cancelled job sends it; afterwards the process handles it as before."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_interrupts():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_every_change_is_told() -> None:
    """The listener sees each reading as it comes."""
    seen: list[str] = []

    def listen(watches: object, seconds: float) -> None:
        seen.append(watches[0].note)  # type: ignore[index]

    Gate([check("a", script("waiting", "errored", "passed"))], on_change=listen).run()
    assert seen == ["waiting", "errored", "passed"]


def test_a_reading_that_knows_when_is_followed_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval is a minute, and the stability window is over sooner."""
    monkeypatch.setattr(engine, "SOONEST", 0.01)
    readings = [
        Reading("waiting", "healthy for 9 s of 10 s", now(), left=0.02),
        Reading("passed", "", now()),
    ]
    spec = CheckSpec("x", "a", interval=60.0, timeout=5.0)
    assert Gate([Check(spec, lambda moment: readings.pop(0))]).run().passed


def test_a_clock_that_is_off_asks_no_server_without_end() -> None:
    """It may say for long that nothing is left."""
    spec = CheckSpec("x", "a", interval=60.0, timeout=0.3)
    result = Gate([Check(spec, lambda moment: Reading("waiting", "", moment.now, left=0.0))]).run()
    assert (result.result, result.checks[0].readings) == ("timed-out", 1)


@pytest.mark.parametrize(
    ("left", "success", "least", "most"), [(None, 1, 9, 10), (900.0, 1, 899, 900), (None, 4, 39, 40)]
)
def test_it_knows_when_it_may_pass(left: float | None, success: int, least: float, most: float) -> None:
    """By what the reading says, and by the row of good readings that is still to come."""
    spec = CheckSpec("x", "a", interval=10.0, timeout=0.05, success=success)
    seen: list[float] = []

    def listen(watches: Sequence[Watch], seconds: float) -> None:
        seen.append((watches[0].ready or 0) - time.monotonic())

    check = Check(spec, lambda moment: Reading("waiting", "", moment.now, left=left))
    Gate([check], on_change=listen).run()
    assert least <= seen[0] <= most


def test_who_listens_hears_that_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sees that it still runs, also while a reading takes long."""
    monkeypatch.setattr(engine, "TICK", 0.01)
    monkeypatch.setattr(engine, "WAKE", 0.01)
    heard = threading.Event()
    told: list[float] = []

    def listen(watches: object, seconds: float) -> None:
        told.append(seconds)
        if len(told) == 3:
            heard.set()

    def slow(moment: Moment) -> Reading:
        assert heard.wait(10)
        return Reading("passed", "", moment.now)

    assert Gate([check("a", slow, timeout=20)], on_change=listen).run().passed
    assert told == sorted(told)
