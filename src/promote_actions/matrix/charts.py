"""Charts on the page, made from the audit log: objectives, deployments and lead time by week. Pure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime, timedelta

from promote_actions.audit.events import Event
from promote_actions.audit.slo_document import SloReport
from promote_actions.audit.slo_picture import picture
from promote_actions.audit.slo_render import length, percent
from promote_actions.audit.statistics import nearest_rank
from promote_actions.matrix.words import clean

WEEKS = 13
_WIDTH, _HEIGHT, _LEFT, _BASE = 480, 210, 16, 168


def sections(report: SloReport, events: Sequence[Event]) -> list[str]:
    """The parts of the page below the matrix; none when the audit log has nothing to show."""
    if not events:
        return []
    last = report.dora[-1].environment
    own = [event for event in events if event.environment == last and event.ended]
    wide = f'<figure class="frame chart wide">{picture(report, styled=False)}</figure>'
    charts = [weekly(own, last, report.made_at), lead_times(own, last, report.made_at)]
    figures = wide + "".join(f'<figure class="frame chart">{chart}</figure>' for chart in charts if chart)
    return [f'<h2>Objectives and DORA measures</h2><div class="charts">{figures}</div>{_table(report)}']


def weekly(events: Sequence[Event], environment: str, now: datetime) -> str:
    """Deployments into ``environment`` in each of the last weeks; those that failed in the end apart."""
    weeks = _by_week(events, now)
    most = max((len(week) for week in weeks), default=0) or 1
    bars = []
    for index, week in enumerate(weeks):
        bad = sum(event.failed_in_the_end for event in week)
        good = len(week) - bad
        bars.append(_bar(index, good, 0, most, "good") + _bar(index, bad, good, most, "bad"))
        bars.append(_number(index, str(len(week)) if week else "", len(week) / most))
    failed = sum(event.failed_in_the_end for week in weeks for event in week)
    total = sum(map(len, weeks))
    title = f"Deployments to {environment} by week"
    return _frame(
        title, "".join(bars), f"{total} in {WEEKS} weeks, {failed} of them failed or were rolled back"
    )


def lead_times(events: Sequence[Event], environment: str, now: datetime) -> str:
    """Median time from commit to ``environment`` by week; empty when no record knows the commit's time."""
    weeks = [[event.lead for event in week if event.good] for week in _by_week(events, now)]
    medians = [nearest_rank([lead for lead in week if lead is not None], 50) for week in weeks]
    most = max((median for median in medians if median), default=0)
    if not most:
        return ""
    bars = []
    for index, median in enumerate(medians):
        if median is not None:
            bars.append(_bar(index, median, 0, most, "good"))
            bars.append(_number(index, _short(median), median / most))
    return _frame(f"Lead time to {environment} by week", "".join(bars), "median, from commit to deployment")


def _short(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{round(seconds / size)}{unit}"
    return f"{seconds}s"


def _by_week(events: Sequence[Event], now: datetime) -> list[list[Event]]:
    weeks: list[list[Event]] = [[] for _ in range(WEEKS)]
    for event in events:
        age = (now - event.at) // timedelta(weeks=1)
        if 0 <= age < WEEKS:
            weeks[WEEKS - 1 - age].append(event)
    return weeks


def _x(index: int) -> float:
    return _LEFT + index * (_WIDTH - 2 * _LEFT) / WEEKS


def _bar(index: int, value: int, below: int, most: int, look: str) -> str:
    if not value:
        return ""
    scale = (_BASE - 62) / most
    place = f'x="{_x(index) + 3:.1f}" y="{_BASE - (below + value) * scale:.1f}"'
    return f'<rect class="{look}" {place} width="26" height="{value * scale:.1f}" rx="3"/>'


def _number(index: int, text: str, share: float) -> str:
    top = _BASE - share * (_BASE - 62) - 5
    return f'<text class="t" x="{_x(index) + 16:.1f}" y="{top:.1f}" text-anchor="middle">{text}</text>'


def _frame(title: str, drawn: str, legend: str) -> str:
    name = html.escape(clean(title))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}: {html.escape(legend)}">'
        f'<text class="t h" x="{_LEFT}" y="26">{name}</text>'
        f'<line class="l" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{_BASE}" y2="{_BASE}"/>{drawn}'
        f'<text class="t m" x="{_LEFT}" y="{_BASE + 17}">{WEEKS} weeks ago</text>'
        f'<text class="t m" x="{_WIDTH - _LEFT}" y="{_BASE + 17}" text-anchor="end">this week</text>'
        f'<text class="t m" x="{_LEFT}" y="{_HEIGHT - 6}">{html.escape(legend)}</text></svg>'
    )


def _table(report: SloReport) -> str:
    heads = ("Window", "Deployments", "Lead time", "Change fail rate", "Recovery time", "Rework rate")
    rows = []
    for each in report.dora:
        rework = "n/a" if each.rework is None else f"{each.rework} of {each.deployments}"
        cells = (
            f"{each.deployments} ({float(each.per_day):.2f} a day)",
            length(each.lead_time),
            f"{percent(each.change_fail_rate)} ({each.failed} of {each.settled})",
            length(each.recovery),
            rework,
        )
        data = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{each.days} days</th>{data}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    caption = f"DORA measures of {html.escape(clean(report.dora[-1].environment))}"
    table = f'<table class="plain"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
    return f'<div class="frame chart below">{table}<tbody>{"".join(rows)}</tbody></table></div>'
