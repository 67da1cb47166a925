"""The matrix as Markdown for a job's summary: of a size that GitHub takes, urgent services first. Pure."""

from __future__ import annotations

from promote_actions.audit.record import format_time
from promote_actions.matrix.markup import code, markdown, markdown_link
from promote_actions.matrix.model import GLYPHS, WORDS, Cell, Matrix, Row
from promote_actions.matrix.render_text import by_urgency, health_text
from promote_actions.matrix.words import ago, drift_sentence, gap_text

LIMIT = 850_000
"""Bytes; GitHub drops a step summary over 1 MiB whole, and one just below it may vanish silently."""

_ALERTS = 20


def render(matrix: Matrix, limit: int = LIMIT) -> str:
    """The summary, at most ``limit`` bytes: services that don't fit are counted, not shown."""
    rows = by_urgency(matrix.rows)
    head = "\n".join([*_head(matrix), *_alerts(rows), "", *_table_head(matrix)]) + "\n"
    foot = "\n".join(_foot(matrix)) + "\n"
    room = limit - len(head.encode()) - len(foot.encode()) - 200
    lines = []
    for row in rows:
        line = _line(matrix, row) + "\n"
        room -= len(line.encode())
        if room < 0:
            break
        lines.append(line)
    left = len(rows) - len(lines)
    note = f"\n_{left} more services are not shown here; see the page or the JSON._\n" if left else ""
    return head + "".join(lines) + note + "\n" + foot


def _head(matrix: Matrix) -> list[str]:
    repository = markdown_link(matrix.web_url, markdown(matrix.repository))
    level = f"{GLYPHS[matrix.level]} {WORDS[matrix.level]}"
    count = len(matrix.rows)
    services = "1 service" if count == 1 else f"{count} services"
    facts = f"{services} in {repository} · branch {code(matrix.branch)} at {code(matrix.commit[:7])}"
    return ["## Version matrix", "", f"**{level}** · {facts} · {format_time(matrix.generated_at)}", ""]


def _alerts(rows: list[Row]) -> list[str]:
    alarming = [row for row in rows if row.drift.level in ("high", "medium")]
    lines = [
        f"- **{markdown(row.service)}**: {markdown(drift_sentence(row.drift))}"
        for row in alarming[:_ALERTS]
    ]
    if len(alarming) > _ALERTS:
        lines.append(f"- and {len(alarming) - _ALERTS} more")
    return ["**Drift Alert**", "", *lines] if lines else []


def _table_head(matrix: Matrix) -> list[str]:
    headings = ["Service", *map(markdown, matrix.environments), "Drift"]
    return ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]


def _line(matrix: Matrix, row: Row) -> str:
    cells = [_cell(matrix, row, cell) for cell in row.cells]
    drift = f"{GLYPHS[row.drift.level]} {gap_text(row.drift.gap)}"
    if row.drift.gap.days:
        drift += f", {row.drift.gap.days} d"
    compare = row.compare_url(row.cells[-1].version, row.cells[0].version)
    return f"| **{markdown(row.service)}** | {' | '.join(cells)} | {markdown_link(compare, drift)} |"


def _cell(matrix: Matrix, row: Row, cell: Cell) -> str:
    if not cell.version:
        return f"– {markdown(cell.problem, 80)}"
    change = cell.change
    facts = [ago(change.at, matrix.generated_at)] if change.at else []
    if change.who:
        facts.append(markdown(change.who, 40))
    if change.pr_url:
        facts.append(markdown_link(change.pr_url, "PR"))
    if cell.health:
        facts.append(markdown_link(cell.health_url, markdown(health_text(cell))))
    version = markdown_link(row.version_url(cell.version), code(cell.version))
    return f"{version}<br>{' · '.join(facts)}" if facts else version


def _foot(matrix: Matrix) -> list[str]:
    sources = sorted({row.counted_in for row in matrix.rows if row.counted_in})
    counted = f"Drift is counted in released versions, from {markdown(sources[0])}" if sources else ""
    if len(sources) > 1:
        counted += f" and {len(sources) - 1} other sources"
    return [*(f"> {markdown(note)}" for note in matrix.notes), f"<sub>{counted}.</sub>" if counted else ""]
