"""From readings to a verdict. Pure.

The rules, and where others were fooled:

- Failed outranks Errored outranks Inconclusive, inside a check and across checks.
- Nothing passes without a measurement (Argo Rollouts calls a run without one successful).
- Errors don't count as failures: an unreachable Prometheus is not a bad deployment (Flagger rolls back
  on it). Only errors in a row end a check, and they end it as errored.
- A failure breaks the row of good readings, and so do an error and an inconclusive reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from promote_actions.gates.model import CheckSpec, CheckState, Outcome, Reading, Verdict

RANK: dict[Verdict, int] = {"passed": 0, "timed-out": 1, "inconclusive": 2, "errored": 3, "failed": 4}
"""How bad a verdict is; the gate's verdict is the worst of its checks'."""

SEVERITY: dict[Outcome, int] = {"passed": 0, "waiting": 1, "inconclusive": 2, "errored": 3, "failed": 4}
"""How bad a reading is, where one reading stands for several."""

SAMPLES_KEPT = 500


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The gate's verdict: the worst one, and inconclusive when there is none at all."""
    found = list(verdicts)
    return max(found, key=RANK.__getitem__) if found else "inconclusive"


def fold(state: CheckState, reading: Reading, spec: CheckSpec) -> CheckState:
    """The state after one more reading; a settled check stays as it is."""
    if state.verdict is not None:
        return state
    outcome = reading.outcome
    state = replace(
        state,
        reading=reading,
        readings=state.readings + (outcome != "errored"),
        good=state.good + 1 if outcome == "passed" else 0,
        bad=state.bad + (outcome == "failed"),
        errors=state.errors + 1 if outcome == "errored" else 0,
        samples=_sampled(state, reading),
    )
    return replace(state, verdict=_verdict(state, reading, spec))


def _sampled(state: CheckState, reading: Reading) -> tuple[tuple[datetime, float], ...]:
    if reading.value is None:
        return state.samples
    return (*state.samples, (reading.at, reading.value))[-SAMPLES_KEPT:]


def _verdict(state: CheckState, reading: Reading, spec: CheckSpec) -> Verdict | None:
    if state.bad > spec.failure_limit or (reading.outcome == "failed" and reading.final):
        return "failed"
    if state.errors > spec.error_limit or (reading.outcome == "errored" and reading.final):
        return "errored"
    if reading.outcome == "inconclusive" and reading.final:
        return "inconclusive"
    if state.good >= max(spec.success, 1):
        return "passed"
    return None


def close(state: CheckState, timed_out: bool) -> CheckState:
    """The state of a check that gets no more readings: its time is over, or one look was asked for.

    What the last reading said decides. Waiting until the time is over is *timed-out*; a single look
    that says waiting is *inconclusive*; a good reading that was not followed by enough others has not
    passed. No reading at all is never a pass.
    """
    if state.verdict is not None:
        return state
    if state.reading is None:
        return state.settled("timed-out" if timed_out else "inconclusive")
    outcome = state.reading.outcome
    if outcome in ("failed", "errored", "inconclusive"):
        return state.settled(outcome)
    return state.settled("timed-out" if timed_out else "inconclusive")


def reopened(state: CheckState) -> CheckState:
    """A check that passed and must show it once more: its good readings don't count again."""
    return replace(state, verdict=None, good=0)


def glance(reading: Reading) -> CheckState:
    """The state that one single reading gives (``--once``): how things are now, by that reading alone."""
    once = CheckSpec("", "", success=1, failure_limit=0, error_limit=0)
    return close(fold(CheckState(), reading, once), timed_out=False)


def speaks_of(reading: Reading, rollout: datetime) -> bool:
    """Whether ``reading`` speaks of the version that is live since ``rollout``; without ``begins`` it
    speaks of the moment it was taken."""
    begins = reading.begins or reading.at
    return begins >= rollout


def blame(names: Sequence[tuple[str, Verdict, str]]) -> str:
    """One sentence that says which checks kept the gate shut and why, the worst first."""
    shut = sorted((item for item in names if item[1] != "passed"), key=lambda item: -RANK[item[1]])
    return "; ".join(f"{name} {verdict}: {reason}" for name, verdict, reason in shut)
