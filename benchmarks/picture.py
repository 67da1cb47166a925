"""The picture: one bar a rival, as long as the number of times that it takes as much, on a log scale.

An SVG of its own that follows the reader's light or dark theme. Blue and orange of Okabe and Ito's
palette, which colour-blind people tell apart; the number beside each bar says the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LEFT, _WIDE, _ROW, _TOP, _RIGHT = 330, 420, 24, 64, 130
_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.quiet { fill: #59636e; font-size: 12px } .title { font-weight: 600; font-size: 15px }
.grid { stroke: #d1d9e0 } .one { stroke: #1f2328; stroke-width: 1.5 }
.ahead { fill: #0072b2 } .behind { fill: #d55e00 } .ground { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .quiet { fill: #9198a1 } .grid { stroke: #3d444d } .one { stroke: #f0f6fc }
  .ahead { fill: #56b4e9 } .behind { fill: #e69f00 } .ground { fill: #0d1117 }
}
"""


@dataclass(frozen=True)
class Bar:
    """What was measured and against whom; ``ratio`` is theirs divided by ours, above 1 we are ahead."""

    label: str
    ratio: float


def draw(bars: Sequence[Bar]) -> str:
    """The picture of ``bars``, in their order."""
    low = min([0.5, *(bar.ratio for bar in bars)])
    high = max([10.0, *(bar.ratio for bar in bars)])
    span = (math.log10(low) - 0.05, math.log10(high) + 0.05)
    width, height = _LEFT + _WIDE + _RIGHT, _TOP + _ROW * len(bars) + 34
    title = "How many times as much the rival takes"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="t d">',
        f'<title id="t">{title}</title>',
        f'<desc id="d">{escape(_described(bars))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
        f'<text class="title" x="16" y="26">{title}</text>',
        '<text class="quiet" x="16" y="46">right of 1×: promote-actions is ahead (log scale)</text>',
        *_grid(span, height),
        *(part for index, bar in enumerate(bars) for part in _bar(bar, index, span)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _described(bars: Sequence[Bar]) -> str:
    return "; ".join(f"{bar.label}: {_words(bar.ratio)}" for bar in bars)


def _words(ratio: float) -> str:
    return f"{ratio:,.0f}×" if ratio >= 20 else f"{ratio:.1f}×" if ratio >= 2 else f"{ratio:.2f}×"


def _x(ratio: float, span: tuple[float, float]) -> float:
    return _LEFT + _WIDE * (math.log10(ratio) - span[0]) / (span[1] - span[0])


def _grid(span: tuple[float, float], height: int) -> list[str]:
    parts = []
    for power in range(math.ceil(span[0]), math.floor(span[1]) + 1):
        x = _x(10.0**power, span)
        kind = "one" if power == 0 else "grid"
        parts += [
            f'<line class="{kind}" x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{height - 24}"/>',
            f'<text class="quiet" x="{x:.1f}" y="{height - 8}" text-anchor="middle">'
            f"{10.0**power:g}×</text>",
        ]
    return parts


def _bar(bar: Bar, index: int, span: tuple[float, float]) -> list[str]:
    y = _TOP + index * _ROW
    one, end = _x(1.0, span), _x(max(bar.ratio, 1e-6), span)
    kind = "ahead" if bar.ratio >= 1 else "behind"
    return [
        f'<text x="{_LEFT - 10}" y="{y + 13}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{kind}" x="{min(one, end):.1f}" y="{y + 1}" width="{max(abs(end - one), 1):.1f}" '
        f'height="{_ROW - 8}" rx="2"/>',
        f'<text x="{max(one, end) + 6:.1f}" y="{y + 13}">{_words(bar.ratio)}</text>',
    ]
