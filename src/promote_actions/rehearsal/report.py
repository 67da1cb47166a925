"""The rehearsal's report: one HTML page with every step, what it said, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from promote_actions.errors import PromoteError
from promote_actions.rehearsal.stage import Played

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #0072b2; --bad: #d55e00; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
ol { list-style: none; padding: 0 } li { border-top: 1px solid var(--line); padding: .5rem 0 }
summary { cursor: pointer; display: flex; gap: .75rem; align-items: baseline }
summary b { font-weight: 600; flex: 1 } summary code, summary span { opacity: .75; font-size: .85rem }
.good { color: var(--good) } .bad { color: var(--bad) }
pre { overflow: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; font-size: .8rem }
"""


_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_report(
    folder: Path,
    steps: Sequence[Played],
    words: Mapping[str, str],
    seconds: float,
    failure: PromoteError | None,
) -> Path:
    """Write ``report.html`` into ``folder`` and return its path."""
    path = folder / "report.html"
    path.write_text(_page(steps, words, seconds, failure), encoding="utf-8")
    return path


def _page(
    steps: Sequence[Played], words: Mapping[str, str], seconds: float, failure: PromoteError | None
) -> str:
    verdict = (
        f'<p class="good">✔ {len(steps)} steps in {seconds:.0f} s, each did what it should.</p>'
        if failure is None
        else f'<p class="bad">✘ {escape(str(failure))}</p>'
    )
    dashboard = '<p><a href="dashboard.html">The version matrix</a></p>' if failure is None else ""
    shown = "".join(_step(number, step) for number, step in enumerate(steps, 1))
    ends = "".join(f"<h2>{escape(title)}</h2><pre>{escape(text)}</pre>" for title, text in words.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>Rehearsal</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Rehearsal: one version from a commit to production</h1>{verdict}{dashboard}"
        f"<ol>{shown}</ol>{ends}</main></body></html>\n"
    )


def _step(number: int, step: Played) -> str:
    good = step.status == step.expected
    glyph, kind = ("✔", "good") if good else ("✘", "bad")
    status = f"exit {step.status}" + (", as it should" if good and step.status else "")
    said = escape(step.said.strip() or "(nothing)")
    return (
        f'<li><details><summary><span class="{kind}">{glyph} {number}</span><b>{escape(step.title)}</b>'
        f"<code>{escape(step.command)}</code><span>{status}, {step.seconds:.1f} s</span></summary>"
        f"<pre>{said}</pre></details></li>"
    )
