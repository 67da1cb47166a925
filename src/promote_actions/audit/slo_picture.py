"""The SLO report as a picture (SVG): each objective's interval against its target. Pure.

Shapes and words carry the verdict, colour only repeats it; the colours are Okabe and Ito's.
"""

from __future__ import annotations

import html

from promote_actions.audit.slo import EnvironmentSlo, Objective
from promote_actions.audit.slo_document import SloReport
from promote_actions.audit.slo_render import SIGNS, percent
from promote_actions.matrix.words import clean

WIDTH = 760
_ROW, _TOP, _LEFT, _RIGHT = 34, 64, 250, 250
_COLOURS = {"met": "#009e73", "missed": "#d55e00", "unproven": "#0072b2", "no data": "#8a929e"}
_STYLE = (
    ".t{font:13px system-ui,sans-serif;fill:#14181f}.m{fill:#565f6c}.h{font-weight:600;font-size:16px}"
    ".l{stroke:#d9dde3}.g{stroke:#14181f;stroke-width:2}.b{fill:#fff}"
    "@media(prefers-color-scheme:dark){.t{fill:#e8ebf0}.m{fill:#a2acba}.l{stroke:#2b323d}"
    ".g{stroke:#e8ebf0}.b{fill:#171b23}}"
)


def picture(report: SloReport, styled: bool = True) -> str:
    """The judged window's objectives: a dot is what was seen, a bar its interval, a tick the target.

    A page that has these classes in its own style sheet takes the picture un-``styled``.
    """
    rows = [(slo, objective) for slo in report.judged() for objective in slo.objectives]
    height = _TOP + _ROW * len(rows) + 34
    drawn = "".join(
        _row(slo, objective, _TOP + _ROW * index) for index, (slo, objective) in enumerate(rows)
    )
    title = f"Promotion objectives, {report.budget_days} days"
    style = f"<style>{_STYLE}</style>" if styled else ""
    legend = "dot: observed   bar: Wilson interval, 95%   tick: target"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img" aria-label="{title}">{style}'
        f'<rect class="b" width="{WIDTH}" height="{height}" rx="10"/>'
        f'<text class="t h" x="20" y="32">{title}</text>{drawn}'
        f'<text class="t m" x="20" y="{height - 14}">{legend}</text></svg>\n'
    )


def _row(slo: EnvironmentSlo, objective: Objective, top: int) -> str:
    middle = top + 12
    colour = _COLOURS[objective.verdict]
    name = html.escape(clean(f"{slo.environment}: {objective.name}", 40))
    words = f"{SIGNS[objective.verdict]} {percent(objective.rate)} of {objective.total}"
    parts = [
        f'<text class="t" x="20" y="{middle + 4}">{name}</text>',
        f'<line class="l" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{middle}" y2="{middle}"/>',
    ]
    span = objective.interval
    if span and objective.rate is not None:
        low, high = _x(span[0]), _x(span[1])
        width = max(high - low, 2.0)
        parts.append(
            f'<rect x="{low:.1f}" y="{middle - 5}" width="{width:.1f}" height="10" rx="5" fill="{colour}"'
            ' fill-opacity=".35"/>'
        )
        parts.append(f'<circle cx="{_x(float(objective.rate)):.1f}" cy="{middle}" r="5" fill="{colour}"/>')
    target = _x(float(objective.target))
    parts.append(
        f'<line class="g" x1="{target:.1f}" x2="{target:.1f}" y1="{middle - 9}" y2="{middle + 9}"/>'
    )
    parts.append(f'<text class="t" x="{WIDTH - _RIGHT + 16}" y="{middle + 4}">{html.escape(words)}</text>')
    return "".join(parts)


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _RIGHT - _LEFT)
