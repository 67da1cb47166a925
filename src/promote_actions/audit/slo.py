"""Service level objectives of promotion, per environment and window, and DORA's measures beside them. Pure.

Source: the strategy's "SLOs de Promoção". Every number comes with the events that it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from promote_actions.audit.events import Event
from promote_actions.audit.statistics import NO_DATA, as_share, interval, nearest_rank, verdict
from promote_actions.config.model import Config, Environment

IN_TIME = Fraction(95, 100)
"""The share of promotions that must be within the target time; the strategy names a time and no share."""

SETTLED = timedelta(hours=24)
"""A promotion younger than this may still be rolled back: its rollback rate is pending."""

LEAST = 10
"""Events below which burn rates say nothing: one failure of one would burn a month's budget."""

FOR_P95 = 20
"""Values below which the 95th percentile is the largest one, and is called that."""

BURN_WINDOWS = (7, 1)
"""Days of the windows that must both burn before an alarm: one failed day is no trend."""


@dataclass(frozen=True)
class Objective:
    """One objective, judged. ``target`` is a share; ``good`` of ``total`` events reached it.

    ``at_most`` turns it around: the share of *bad* events must be below the target (rollbacks).
    """

    name: str
    target: Fraction
    good: int
    total: int
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, ``unproven`` or ``no data``."""
        if self.at_most:
            return verdict(self.good, self.total, 1 - self.target)
        return verdict(self.good, self.total, self.target)

    @property
    def rate(self) -> Fraction | None:
        """The observed share: of good events, or of bad ones when that is what is limited."""
        if not self.total:
            return None
        return Fraction(self.total - self.good if self.at_most else self.good, self.total)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The Wilson interval of :attr:`rate`."""
        return interval(self.total - self.good if self.at_most else self.good, self.total)


@dataclass(frozen=True)
class Budget:
    """The error budget of a success rate. ``left`` is in events; ``burn`` 1 uses it up in the window.

    ``burning`` is whether both short windows burn faster than that; None: too few events to say.
    """

    allowed: Fraction
    bad: int
    burn: Fraction | None
    burning: bool | None

    @property
    def left(self) -> Fraction:
        """Bad events that the budget still has room for; negative when it is spent."""
        return self.allowed - self.bad

    @property
    def spent(self) -> bool:
        """Whether more went wrong than the objective allows."""
        return self.bad > self.allowed


@dataclass(frozen=True)
class Times:
    """Durations in seconds by nearest rank. ``p95`` is the largest value while there are few."""

    count: int = 0
    p50: int | None = None
    p95: int | None = None
    few: bool = False


@dataclass(frozen=True)
class EnvironmentSlo:
    """One environment in one window. ``pending`` promotions are too young for the rollback rate."""

    environment: str
    days: int
    success: Objective
    in_time: Objective
    target_time: int
    rollback: Objective | None
    budget: Budget
    total: Times
    active: Times
    refused: int
    cancelled: int
    pending: int

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All of its objectives."""
        return (self.success, self.in_time, *((self.rollback,) if self.rollback else ()))


def measure(
    events: Sequence[Event], config: Config, now: datetime, days: Sequence[int]
) -> tuple[EnvironmentSlo, ...]:
    """The objectives of every environment in windows of so many ``days`` before ``now``."""
    events = [event for event in events if not event.imported]
    return tuple(
        _environment(
            [event for event in events if event.environment == environment.name], environment, now, each
        )
        for each in days
        for environment in config.environments
    )


def _environment(
    events: Sequence[Event], environment: Environment, now: datetime, days: int
) -> EnvironmentSlo:
    inside = _within(events, now, days)
    ended = [event for event in inside if event.ended]
    target = as_share(environment.success_rate)
    success = Objective("success rate", target, sum(event.good for event in ended), len(ended))
    timed = [event for event in ended if event.active is not None and event.good]
    limit = int(environment.target_time)
    in_time = Objective(
        "target time", IN_TIME, sum((event.active or 0) <= limit for event in timed), len(timed)
    )
    settled = [event for event in ended if now - event.at >= SETTLED]
    return EnvironmentSlo(
        environment=environment.name,
        days=days,
        success=success,
        in_time=in_time,
        target_time=limit,
        rollback=_rollback(settled, environment),
        budget=_budget(events, success, target, now),
        total=_times([event.total for event in timed]),
        active=_times([event.active for event in timed]),
        refused=sum(event.outcome == "refused" for event in inside),
        cancelled=sum(event.outcome == "cancelled" for event in inside),
        pending=len(ended) - len(settled),
    )


def _within(events: Sequence[Event], now: datetime, days: int) -> list[Event]:
    since = now - timedelta(days=days)
    return [event for event in events if since <= event.at <= now]


def _rollback(settled: Sequence[Event], environment: Environment) -> Objective | None:
    if environment.rollback_rate is None:
        return None
    undone = sum(event.undone is not None or event.outcome == "rolled_back" for event in settled)
    target = as_share(environment.rollback_rate)
    return Objective("rollback rate", target, len(settled) - undone, len(settled), at_most=True)


def _budget(events: Sequence[Event], success: Objective, target: Fraction, now: datetime) -> Budget:
    bad = success.total - success.good
    burn = _burn(success.good, success.total, target)
    short = [[event for event in _within(events, now, days) if event.ended] for days in BURN_WINDOWS]
    burning = None
    if all(len(each) >= LEAST for each in short):
        rates = [_burn(sum(event.good for event in each), len(each), target) for each in short]
        burning = all(rate is not None and rate > 1 for rate in rates)
    return Budget((1 - target) * success.total, bad, burn, burning)


def _burn(good: int, total: int, target: Fraction) -> Fraction | None:
    if not total or target == 1:
        return None
    return Fraction(total - good, total) / (1 - target)


def _times(values: Sequence[int | None]) -> Times:
    known = [value for value in values if value is not None]
    few = len(known) < FOR_P95
    p95 = max(known, default=None) if few else nearest_rank(known, 95)
    return Times(len(known), nearest_rank(known, 50), p95, few)


def worst(objectives: Sequence[Objective]) -> str:
    """The verdict that stands for several: missed, then unproven, then met."""
    verdicts = {objective.verdict for objective in objectives} - {NO_DATA}
    return next((each for each in ("missed", "unproven", "met") if each in verdicts), NO_DATA)
