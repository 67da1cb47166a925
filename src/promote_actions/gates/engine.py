"""Running the checks of a gate side by side until they hold, fail, or their time is over.

One thread takes one reading; this module's thread alone decides, so states are plain values. Readings
are taken on daemon threads: one that hangs can't keep the process from ending.

A check that speaks of the new version (``after_rollout``) takes a first reading at once, which counts
when it turns out to have begun after the rollout; otherwise it measures again as soon as the rollout is
proven. So an old version that is still healthy proves nothing, and a green gate costs no extra wait.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from promote_actions.errors import InputError, PromoteError
from promote_actions.gates.judge import close, fold, glance, reopened, speaks_of, worst
from promote_actions.gates.model import (
    Check,
    CheckResult,
    CheckState,
    GateResult,
    Moment,
    Reading,
)

WAKE = 0.2
"""Seconds after which the deciding thread looks for signals even when nothing happens."""

TICK = 1.0
"""Seconds after which whoever listens hears how long it takes, even when nothing happens."""

SOONEST = 0.5
"""Seconds between two readings at least, unless the interval is shorter: a server's clock may be off."""

WAITING_FOR_ROLLOUT = "waits for the rollout to be proven"


@dataclass
class Watch:
    """One check while it runs. ``due`` is when to measure next (monotonic seconds), None: not planned;
    ``ready`` when it may have passed at the earliest, None: not known."""

    check: Check
    due: float | None
    deadline: float
    started: float
    state: CheckState = field(default_factory=CheckState)
    early: Reading | None = None
    busy: bool = False
    informed: bool = False
    ended: float = 0.0
    ready: float | None = None

    @property
    def note(self) -> str:
        """What the check is up to, in a few words."""
        if self.state.reading is not None:
            return self.state.reading.reason
        return WAITING_FOR_ROLLOUT if self.early is not None else "not measured yet"

    def result(self, now: float) -> CheckResult:
        reading = self.state.reading
        state = close(self.state, timed_out=False)
        return CheckResult(
            spec=self.check.spec,
            verdict=state.verdict or "inconclusive",
            reason=self.note,
            readings=state.readings,
            seconds=round((self.ended or now) - self.started, 3),
            value=reading.value if reading else None,
            threshold=self.check.threshold,
            samples=(reading.course if reading else ()) or state.samples,
            links=reading.links if reading else (),
            details=reading.details if reading else (),
            commit=reading.commit if reading else "",
        )


OnChange = Callable[[Sequence[Watch], float], None]


def _silent(watches: Sequence[Watch], seconds: float) -> None:
    """Nobody listens."""


class Gate:
    """A gate over ``checks``. ``on_change`` hears of every reading, with the seconds since the start."""

    def __init__(
        self, checks: Sequence[Check], once: bool = False, on_change: OnChange | None = None
    ) -> None:
        if not checks:
            raise InputError(
                "the gate has no check, so it can't pass",
                hint="name checks with --check, or under `gates:` in promotion.yaml",
            )
        self._once = once
        self._on_change = on_change or _silent
        self._arrived: queue.SimpleQueue[tuple[Watch, Reading]] = queue.SimpleQueue()
        self._begin = self._told = time.monotonic()
        self._rollout: datetime | None = None
        self.watches = [self._watch(check, once) for check in checks]
        self._provers = [watch for watch in self.watches if watch.check.proves_rollout]

    def _watch(self, check: Check, once: bool) -> Watch:
        due = self._begin + (0.0 if once else check.spec.initial_delay)
        return Watch(check, due, due + check.spec.timeout, self._begin)

    # -- running -----------------------------------------------------------------------------

    def run(self) -> GateResult:
        """Run to the end. A ``KeyboardInterrupt`` (also made of SIGTERM by the caller) ends it at once,
        with what is known so far; the result then says that it was interrupted and has not passed."""
        interrupted = False
        try:
            while self._is_open():
                self._start_due()
                self._wait()
                self._expire()
        except KeyboardInterrupt:
            interrupted = True
        now = time.monotonic()
        results = tuple(watch.result(now) for watch in self.watches)
        verdict = worst(result.verdict for result in results)
        if interrupted and verdict == "passed":
            verdict = "inconclusive"
        return GateResult(verdict, results, round(now - self._begin, 3), interrupted)

    def _is_open(self) -> bool:
        """Whether anything is left to do. Before a gate passes, a rollout that was proven long ago is
        looked at once more: it may have broken while other checks were waiting."""
        if any(watch.state.verdict is None for watch in self.watches):
            return True
        now = time.monotonic()
        if self._once or any(watch.state.verdict != "passed" for watch in self.watches):
            return False
        old = [watch for watch in self._provers if now - watch.ended > watch.check.spec.interval]
        for watch in old:
            watch.state, watch.due = reopened(watch.state), now
        return bool(old)

    def _start_due(self) -> None:
        now = time.monotonic()
        for watch in self.watches:
            idle = watch.state.verdict is None and not watch.busy
            if idle and watch.due is not None and watch.due <= now:
                watch.busy, watch.due, watch.informed = True, None, self._rollout is not None
                moment = Moment(datetime.now(timezone.utc), self._rollout)
                threading.Thread(target=self._measure, args=(watch, moment), daemon=True).start()

    def _measure(self, watch: Watch, moment: Moment) -> None:
        self._arrived.put((watch, measured(watch.check, moment)))

    def _wait(self) -> None:
        open_watches = [watch for watch in self.watches if watch.state.verdict is None]
        times = [watch.deadline for watch in open_watches]
        times += [watch.due for watch in open_watches if watch.due is not None and not watch.busy]
        pause = min(max(min(times) - time.monotonic(), 0.0), WAKE)
        try:
            watch, reading = self._arrived.get(timeout=pause) if pause else self._arrived.get_nowait()
        except queue.Empty:
            if time.monotonic() - self._told >= TICK:
                self._tell()
            return
        watch.busy = False
        if watch.state.verdict is None:
            self._take(watch, reading)

    # -- deciding ----------------------------------------------------------------------------

    def _take(self, watch: Watch, reading: Reading) -> None:
        if self._held_back(watch) and not reading.final:
            watch.early = reading
        elif self._of_old_version(watch, reading):
            watch.due = time.monotonic()
        else:
            self._fold(watch, reading)
            if watch.check.proves_rollout:
                self._proven()
        self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._on_change(self.watches, self._told - self._begin)

    def _held_back(self, watch: Watch) -> bool:
        return watch.check.after_rollout and bool(self._provers) and self._rollout is None

    def _of_old_version(self, watch: Watch, reading: Reading) -> bool:
        """A reading that set out before the rollout was proven, and speaks of the time before it."""
        if not watch.check.after_rollout or watch.informed or self._rollout is None or reading.final:
            return False
        return not speaks_of(reading, self._rollout)

    def _fold(self, watch: Watch, reading: Reading) -> None:
        now = time.monotonic()
        watch.state = glance(reading) if self._once else fold(watch.state, reading, watch.check.spec)
        if watch.state.verdict is None:
            spec, left = watch.check.spec, reading.left
            pause = spec.interval if left is None else min(spec.interval, max(left, SOONEST))
            others = (spec.success - watch.state.good - 1) * spec.interval
            watch.due, watch.ready = now + pause, now + max(left or 0.0, pause) + others
        else:
            watch.ended = now

    def _proven(self) -> None:
        """When every rollout is proven, the checks that waited for it count what they have, or measure."""
        if any(prover.state.verdict is None for prover in self._provers):
            return
        if any(prover.state.verdict != "passed" for prover in self._provers):
            self._give_up_waiting()
            return
        sinces = [r.since or r.at for p in self._provers if (r := p.state.reading) is not None]
        self._rollout = max(sinces)
        for watch in self.watches:
            if watch.check.after_rollout and watch.state.verdict is None:
                early, watch.early = watch.early, None
                if early is not None and speaks_of(early, self._rollout):
                    self._fold(watch, early)
                elif not watch.busy:
                    watch.due = time.monotonic()

    def _give_up_waiting(self) -> None:
        """The rollout failed: what waited for it can't be measured any more, and has not passed."""
        now = time.monotonic()
        for watch in self.watches:
            if watch.check.after_rollout and watch.state.verdict is None:
                reason = "not measured: the rollout was not proven"
                reading = Reading("inconclusive", reason, datetime.now(timezone.utc), final=True)
                watch.state = fold(watch.state, reading, watch.check.spec)
                watch.ended = now

    def _expire(self) -> None:
        now = time.monotonic()
        for watch in self.watches:
            if watch.state.verdict is None and watch.deadline <= now:
                watch.state = close(watch.state, timed_out=True)
                watch.ended = now
                if watch.check.proves_rollout:
                    self._proven()
                self._tell()


def measured(check: Check, moment: Moment) -> Reading:
    """One reading of ``check``; what can't be measured is an errored reading, never an exception.

    A wrong address or a refused token stays wrong, so an ``InputError`` ends the check.
    """
    try:
        return check.measure(moment)
    except PromoteError as error:
        return Reading("errored", str(error), moment.now, final=isinstance(error, InputError))
    except Exception as error:  # noqa: BLE001 - a thread's exception would vanish
        reason = f"unexpected {type(error).__name__}: {str(error)[:200]}"
        return Reading("errored", reason, moment.now, final=True)
