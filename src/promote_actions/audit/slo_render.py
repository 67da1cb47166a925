"""The SLO report for people: a table on a terminal, Markdown for a job's page. Pure."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from promote_actions.audit.dora import Dora
from promote_actions.audit.slo import EnvironmentSlo, Objective, Times
from promote_actions.audit.slo_document import SloReport
from promote_actions.matrix.markup import markdown
from promote_actions.matrix.words import clean, display_width, pad

SIGNS = {"met": "✓ met", "missed": "✗ missed", "unproven": "? unproven", "no data": "– no data"}

_HEADINGS = (
    "Environment",
    "Window",
    "Success rate",
    "Within target time",
    "Rollback rate",
    "Budget left",
    "Burn",
    "Refused",
)


def render_text(report: SloReport) -> str:
    """Two tables, objectives and DORA, in plain text."""
    objectives = [_cells(each, clean) for each in report.environments]
    measures = [_dora_cells(each, clean) for each in report.dora]
    parts = [_table(_HEADINGS, objectives), "", _table(_DORA_HEADINGS, measures), "", *_notes(report)]
    return "\n".join(parts)


def render_markdown(report: SloReport) -> str:
    """The same as Markdown."""
    parts = ["## Promotion objectives", ""]
    parts += _markdown_table(_HEADINGS, [_cells(each, markdown) for each in report.environments])
    parts += ["", "### DORA measures", ""]
    parts += _markdown_table(_DORA_HEADINGS, [_dora_cells(each, markdown) for each in report.dora])
    parts += ["", *(f"<sub>{note}</sub><br>" for note in _notes(report))]
    return "\n".join(parts) + "\n"


def _cells(slo: EnvironmentSlo, escape: Callable[[str], str]) -> list[str]:
    budget = slo.budget
    left = f"{float(budget.left):.1f} of {float(budget.allowed):.1f}" + (" (spent)" if budget.spent else "")
    burn = "–" if budget.burn is None else f"{float(budget.burn):.1f}x"
    if budget.burning:
        burn += " burning"
    return [
        escape(slo.environment),
        f"{slo.days} d",
        objective_text(slo.success),
        f"{objective_text(slo.in_time)}; {_times(slo)}",
        objective_text(slo.rollback) if slo.rollback else "–",
        left if slo.success.total else "–",
        burn,
        f"{slo.refused} refused, {slo.cancelled} cancelled",
    ]


def objective_text(objective: Objective) -> str:
    """Verdict, observed share, target, and the counts behind them."""
    sign = SIGNS[objective.verdict]
    if objective.rate is None:
        return sign
    counted = objective.total - objective.good if objective.at_most else objective.good
    relation = "<" if objective.at_most else "≥"
    seen = f"{percent(objective.rate)} ({counted}/{objective.total})"
    return f"{sign}: {seen}, {relation} {percent(objective.target)}"


def percent(share: Fraction | None) -> str:
    """A share as per cent with up to two places; ``n/a`` when it is not known."""
    return "n/a" if share is None else f"{float(share) * 100:.2f}".rstrip("0").rstrip(".") + "%"


def _times(slo: EnvironmentSlo) -> str:
    target = f"target {length(slo.target_time)}"
    if not slo.active.count:
        return target
    return f"{target}, {_pair(slo.active)} without waiting, {_pair(slo.total)} in all"


def _pair(times: Times) -> str:
    return f"p50 {length(times.p50)} {'max' if times.few else 'p95'} {length(times.p95)}"


def length(seconds: int | None) -> str:
    """A length of time: 45s, 12min, 3.5h, 2.1d; ``n/a`` when it is not known."""
    if seconds is None:
        return "n/a"
    for least, size, unit in ((172_800, 86_400, "d"), (7200, 3600, "h")):
        if seconds >= least:
            return f"{seconds / size:.1f}{unit}"
    return f"{seconds // 60}min" if seconds >= 60 else f"{seconds}s"


_DORA_HEADINGS = (
    "Environment",
    "Window",
    "Deployment frequency",
    "Change lead time",
    "Change fail rate",
    "Recovery time",
    "Rework rate",
)


def _dora_cells(measures: Dora, escape: Callable[[str], str]) -> list[str]:
    rework = None if measures.rework is None else Fraction(measures.rework, measures.deployments or 1)
    recovery = f"{length(measures.recovery)} ({measures.recoveries})"
    if measures.open_failures:
        recovery += f", {measures.open_failures} open for up to {length(measures.longest_open)}"
    fails = f"{percent(measures.change_fail_rate)} ({measures.failed}/{measures.settled})"
    return [
        escape(measures.environment),
        f"{measures.days} d",
        f"{float(measures.per_day):.2f}/day ({measures.deployments})",
        f"{length(measures.lead_time)} ({measures.leads})",
        fails,
        recovery,
        percent(rework),
    ]


def _notes(report: SloReport) -> list[str]:
    return [
        f"{report.records} records read. Verdicts by the Wilson interval at 95%: met or missed when it "
        "lies on one side of the target, unproven when the target is inside it.",
        "Success rate: promotions that ended well, of those that ran to an end; what a gate refused or a "
        "person cancelled is counted apart. Times: successful promotions, without the waiting for people.",
        "What was imported from git's history counts as a deployment only: history has no failures.",
        "Rollback rate and change fail rate leave out the last 24 hours. n/a: the records don't say.",
    ]


def _table(headings: tuple[str, ...], rows: list[list[str]]) -> str:
    widths = [max(display_width(each) for each in column) for column in zip(headings, *rows, strict=True)]
    lines = [headings, tuple("─" * width for width in widths), *map(tuple, rows)]
    return "\n".join(
        "  ".join(pad(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _markdown_table(headings: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    head = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return [*head, *("| " + " | ".join(row) + " |" for row in rows)]
