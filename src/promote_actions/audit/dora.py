"""DORA's five measures, from records alone; what a record does not say is not available. Pure.

Definitions: https://dora.dev/guides/dora-metrics/ (throughput: change lead time, deployment frequency,
failed deployment recovery time; instability: change fail rate, deployment rework rate). They are for one
application over time, not for comparing teams, and no grades are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from promote_actions.audit.events import Event
from promote_actions.audit.slo import SETTLED
from promote_actions.audit.statistics import nearest_rank


@dataclass(frozen=True)
class Dora:
    """The measures in one window. None: not available. Times are seconds.

    ``deployments`` went well; ``failed`` of ``settled`` were failures or taken back. ``recovery`` is the
    median of those that are over; ``open_failures`` have lasted ``longest_open`` seconds or less.
    ``rework`` of ``deployments`` were hotfixes.
    """

    environment: str
    days: int
    deployments: int
    per_day: Fraction
    lead_time: int | None
    leads: int
    failed: int
    settled: int
    recovery: int | None
    recoveries: int
    open_failures: int
    longest_open: int | None
    rework: int | None

    @property
    def change_fail_rate(self) -> Fraction | None:
        """Deployments that needed immediate intervention, of those old enough to tell."""
        return Fraction(self.failed, self.settled) if self.settled else None


def dora(events: Sequence[Event], environment: str, now: datetime, days: int) -> Dora:
    """The measures of ``environment`` in the ``days`` before ``now``; ``events`` are all there are."""
    since = now - timedelta(days=days)
    own = [event for event in events if event.environment == environment and event.ended]
    inside = [event for event in own if since <= event.at <= now]
    good = [event for event in inside if event.good]
    settled = [event for event in inside if now - event.at >= SETTLED]
    leads = [event.lead for event in good if event.lead is not None]
    recovered, still_open = _recoveries([event for event in inside if event.failed_in_the_end], own, now)
    hotfixes = sum(event.hotfix for event in good)
    return Dora(
        environment=environment,
        days=days,
        deployments=len(good),
        per_day=Fraction(len(good), days),
        lead_time=nearest_rank(leads, 50),
        leads=len(leads),
        failed=sum(event.failed_in_the_end for event in settled),
        settled=len(settled),
        recovery=nearest_rank(recovered, 50),
        recoveries=len(recovered),
        open_failures=len(still_open),
        longest_open=max(still_open, default=None),
        rework=hotfixes if any(event.hotfix for event in own) else None,
    )


def _recoveries(
    failures: Sequence[Event], own: Sequence[Event], now: datetime
) -> tuple[list[int], list[int]]:
    """Seconds from each failure to the next good state, and of failures that have none yet."""
    over, still_open = [], []
    for failure in failures:
        ends = [failure.undone] if failure.undone else []
        ends += [
            event.at
            for event in own
            if event.service == failure.service
            and event.good
            and event.undone is None
            and event.at > failure.at
        ]
        if ends:
            over.append(int((min(ends) - failure.at).total_seconds()))
        else:
            still_open.append(int((now - failure.at).total_seconds()))
    return over, still_open
