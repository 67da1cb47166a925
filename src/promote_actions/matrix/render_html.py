"""The matrix as one self-contained page: no network, light and dark, usable without scripts. Pure.

The content security policy allows this page's own style and script by their hashes and nothing else,
so that even a mistake in escaping could not run or load anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from promote_actions.audit.record import format_time
from promote_actions.matrix.document import commit_url, fitted, matrix_document
from promote_actions.matrix.markup import escape, link
from promote_actions.matrix.model import Matrix
from promote_actions.matrix.render_rows import table_body, unhealthy

DATA = 1_500_000
"""Characters of the data inside a page, if it can be so short."""

_ESCAPED = re.compile("[<>&\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def render(matrix: Matrix, sections: Sequence[str] = ()) -> str:
    """The page. ``sections`` are further parts in HTML that is safe already, such as charts."""
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}"
    )
    services = "1 service" if len(matrix.rows) == 1 else f"{len(matrix.rows)} services"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Version matrix · {escape(matrix.repository)}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>Version matrix</h1>
<div class="facts">{_facts(matrix)}</div>
<p class="stale" id="stale" role="status" hidden></p>
</header>
<main>
{_tiles(matrix)}
{_tools()}
<div class="frame">
<table class="matrix">
<caption class="visually-hidden">Version of each of {services} in each environment</caption>
{_head(matrix)}
<tbody id="rows">
{table_body(matrix)}
</tbody>
</table>
<p class="empty" id="empty" hidden>No service fits this search.</p>
</div>
{"".join(sections)}
</main>
<footer>
{_foot(matrix)}
</footer>
<script type="application/json" id="data">{_data(matrix)}</script>
<script>{script}</script>
</body>
</html>
"""


@cache
def _asset(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _data(matrix: Matrix) -> str:
    """JSON inside a script element: what could end it is escaped, and so is what can't be seen."""
    document = fitted(matrix_document(matrix), DATA)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _facts(matrix: Matrix) -> str:
    commit = link(commit_url(matrix, matrix.commit), f"<code>{escape(matrix.commit[:7])}</code>")
    made = format_time(matrix.generated_at)
    parts = [
        link(matrix.web_url, f"<bdi>{escape(matrix.repository)}</bdi>"),
        f"branch <code>{escape(matrix.branch)}</code> at {commit}",
        f'made <time id="made" datetime="{made}">{made.replace("T", " ").replace("Z", " UTC")}</time>',
    ]
    return "".join(f"<span>{part}</span>" for part in parts)


def _tiles(matrix: Matrix) -> str:
    rows = matrix.rows
    levels = [row.drift.level for row in rows]
    drifted = sum(level in ("medium", "high") for level in levels)
    sick = sum(map(unhealthy, rows))
    behind = max((row.drift.gap.behind or 0 for row in rows), default=0)
    tiles = [
        ("none", len(rows), "service" if len(rows) == 1 else "services"),
        ("good", levels.count("none"), "✓ in step"),
        (
            "warn" if drifted else "good",
            drifted,
            "▼ drifting too far" if drifted else "▼ none drifts too far",
        ),
        ("info", behind, "versions behind at most"),
    ]
    if levels.count("unknown"):
        tiles.append(("none", levels.count("unknown"), "? drift not known"))
    if any(cell.health for row in rows for cell in row.cells):
        tiles.append(("bad" if sick else "good", sick, "✗ not healthy"))
    items = "".join(
        f'<li class="tile {look}"><b>{count}</b><span class="muted">{words}</span></li>'
        for look, count, words in tiles
    )
    return f'<ul class="tiles" aria-label="Overview">{items}</ul>'


def _tools() -> str:
    return """<div class="tools" id="tools" role="search" hidden>
<label><span class="visually-hidden">Search services, versions and people</span>
<input type="search" id="search" placeholder="Search services, versions, people" autocomplete="off"></label>
<label>Show <select id="only"><option value="">all services</option>
<option value="drifted">only drifting</option><option value="unhealthy">only not healthy</option>
<option value="unknown">only unknown drift</option></select></label>
<button class="tool" type="button" id="csv">Save CSV</button>
<button class="tool" type="button" id="json">Save JSON</button>
<span class="count" id="count" role="status" aria-live="polite"></span>
</div>"""


def _head(matrix: Matrix) -> str:
    heads = ['<th scope="col" data-key="name" aria-sort="none">Service</th>']
    for index, name in enumerate(matrix.environments):
        heads.append(f'<th scope="col" data-key="at{index}" aria-sort="none">{escape(name)}</th>')
    heads.append('<th scope="col" data-key="behind" aria-sort="none">Drift</th>')
    return f"<thead><tr>{''.join(heads)}</tr></thead>"


def _foot(matrix: Matrix) -> str:
    sources = sorted({row.counted_in for row in matrix.rows if row.counted_in})
    notes = [escape(note, 400) for note in matrix.notes]
    if sources:
        shown = "; ".join(escape(source) for source in sources[:5])
        notes.append(
            f"Drift is counted in released versions, from {shown}. Build numbers are never subtracted."
        )
    if matrix.warn is not None:
        notes.append(
            f"More than {matrix.warn} versions behind is a medium risk; the mark in a bar is the limit."
        )
    return "".join(f"<p>{note}</p>" for note in notes)
