"""The SLO report as a gate: no promotion while the budget is spent. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from promote_actions.audit.slo_document import SloReport
from promote_actions.audit.slo_render import objective_text
from promote_actions.errors import InputError, Refused
from promote_actions.spec import parse_duration

REASONS = ("missed", "unproven", "budget", "burning")

_DAY = 86_400


def chosen_windows(texts: Sequence[str]) -> list[int]:
    """Whole days of the windows written as ``7d,28d,90d``; raises :class:`InputError`."""
    days = []
    for text in texts:
        seconds = parse_duration(text) if not text.isdigit() else int(text) * _DAY
        if not seconds or seconds % _DAY or seconds > 3660 * _DAY:
            raise InputError(f"input 'window' is '{text[:40]}'", hint="give whole days such as 7d,28d,90d")
        days.append(int(seconds // _DAY))
    if not days:
        raise InputError("input 'window' is empty", hint="give whole days such as 7d,28d,90d")
    return list(dict.fromkeys(days))


def refusal(report: SloReport, reasons: Sequence[str]) -> Refused | None:
    """Why promotions should stop, by the ``reasons`` that the caller chose; None when none holds.

    ``missed`` and ``unproven`` are verdicts on an objective, ``budget`` is a spent error budget,
    ``burning`` one that is being used up too fast. The window is the error budget's (28 days).
    """
    unknown = [reason for reason in reasons if reason not in REASONS]
    if unknown:
        raise InputError(f"input 'fail-on' is '{unknown[0][:40]}'", hint="use " + ", ".join(REASONS))
    found: list[str] = []
    for slo in report.judged():
        found += [
            f"{slo.environment}: {objective.name} {objective_text(objective)}"
            for objective in slo.objectives
            if objective.verdict in reasons
        ]
        if "budget" in reasons and slo.budget.spent:
            left = f"{slo.budget.bad} bad of {float(slo.budget.allowed):.1f} allowed"
            found.append(f"{slo.environment}: the error budget is spent ({left})")
        if "burning" in reasons and slo.budget.burning:
            found.append(f"{slo.environment}: the error budget is burning too fast")
    if not found:
        return None
    return Refused(
        f"over {report.budget_days} days, {'; '.join(found)}",
        hint="fix what fails first, or pass --override with who decides and why",
    )
