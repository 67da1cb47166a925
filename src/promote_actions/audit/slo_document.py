"""The SLO report as JSON: every share with the counts behind it, unknown values null. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from promote_actions.audit.dora import Dora
from promote_actions.audit.record import format_time
from promote_actions.audit.slo import Budget, EnvironmentSlo, Objective, Times, worst


@dataclass(frozen=True)
class SloReport:
    """Everything that ``audit-log slo`` found. ``records`` is how many were read."""

    made_at: datetime
    environments: tuple[EnvironmentSlo, ...]
    dora: tuple[Dora, ...]
    records: int
    services: tuple[str, ...] = ()

    @property
    def days(self) -> tuple[int, ...]:
        """The windows, in the order asked for."""
        return tuple(dict.fromkeys(each.days for each in self.environments))

    @property
    def budget_days(self) -> int:
        """The window of the error budget: 28 days, or the nearest to it."""
        return min(self.days, key=lambda days: (abs(days - 28), days))

    def judged(self) -> Sequence[EnvironmentSlo]:
        """The environments in the budget's window: what a gate looks at."""
        return [each for each in self.environments if each.days == self.budget_days]


def slo_document(report: SloReport) -> dict[str, Any]:
    """The JSON object of ``report``. Shares are of 1, times are seconds."""
    return {
        "made_at": format_time(report.made_at),
        "records": report.records,
        "services": list(report.services),
        "budget_window_days": report.budget_days,
        "verdict": worst([objective for each in report.judged() for objective in each.objectives]),
        "environments": [_environment(each) for each in report.environments],
        "dora": [_dora(each) for each in report.dora],
    }


def _environment(slo: EnvironmentSlo) -> dict[str, Any]:
    return {
        "environment": slo.environment,
        "window_days": slo.days,
        "verdict": worst(slo.objectives),
        "success_rate": _objective(slo.success),
        "target_time": {**_objective(slo.in_time), "target_seconds": slo.target_time},
        "rollback_rate": _objective(slo.rollback) if slo.rollback else None,
        "error_budget": _budget(slo.budget),
        "duration_total": _times(slo.total),
        "duration_without_waiting": _times(slo.active),
        "refused": slo.refused,
        "cancelled": slo.cancelled,
        "pending": slo.pending,
    }


def _objective(objective: Objective) -> dict[str, Any]:
    interval = objective.interval
    return {
        "verdict": objective.verdict,
        "target": number(objective.target),
        "observed": number(objective.rate),
        "good": objective.good,
        "total": objective.total,
        "interval": [round(end, 4) for end in interval] if interval else None,
    }


def _budget(budget: Budget) -> dict[str, Any]:
    return {
        "allowed": number(budget.allowed),
        "bad": budget.bad,
        "left": number(budget.left),
        "spent": budget.spent,
        "burn_rate": number(budget.burn),
        "burning": budget.burning,
    }


def _times(times: Times) -> dict[str, Any]:
    return {"count": times.count, "p50": times.p50, "max" if times.few else "p95": times.p95}


def _dora(measures: Dora) -> dict[str, Any]:
    return {
        "environment": measures.environment,
        "window_days": measures.days,
        "deployments": measures.deployments,
        "deployment_frequency_per_day": number(measures.per_day),
        "change_lead_time_seconds": measures.lead_time,
        "change_lead_time_count": measures.leads,
        "change_fail_rate": number(measures.change_fail_rate),
        "change_fail_count": measures.failed,
        "change_fail_total": measures.settled,
        "failed_deployment_recovery_seconds": measures.recovery,
        "failed_deployment_recovery_count": measures.recoveries,
        "open_failures": measures.open_failures,
        "longest_open_failure_seconds": measures.longest_open,
        "deployment_rework_rate": (
            None
            if measures.rework is None
            else number(Fraction(measures.rework, measures.deployments or 1))
        ),
    }


def number(value: Fraction | None) -> float | None:
    """A share or a count as a JSON number with four places, for showing only."""
    return None if value is None else round(float(value), 4)
