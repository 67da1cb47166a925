"""The matrix on a terminal: the strategy's box for a service, one table for many. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from promote_actions.matrix.model import Cell, Matrix, Row
from promote_actions.matrix.words import ago, clean, display_width, drift_sentence, gap_text, pad

BOXES = 3
"""Up to so many services each have the strategy's box."""

_HEADINGS = ("Environment", "Version", "Deployed At", "Health")
_WIDTHS = (11, 11, 14, 21)
_HEALTH = {
    "Healthy": "✅ Healthy",
    "Progressing": "⏳ Progressing",
    "Degraded": "❌ Degraded",
    "Suspended": "⏸ Suspended",
    "Missing": "🚫 Missing",
    "Unknown": "⚪ Unknown",
}


def render(matrix: Matrix) -> str:
    """The whole matrix as text."""
    few = len(matrix.rows) <= BOXES
    parts = [box(matrix, row) for row in matrix.rows] if few else [table(matrix)]
    notes = [f"Note: {clean(note)}" for note in matrix.notes]
    return "\n\n".join([*parts, *notes])


def box(matrix: Matrix, row: Row) -> str:
    """One service, drawn as in the strategy's "Dashboard de Promoção", with its drift alert."""
    lines = [[cell.environment, *_columns(matrix, cell)] for cell in row.cells]
    widths = _fit(_WIDTHS, lines)
    inner = sum(widths) + 3 * len(widths) - 1
    title = pad(clean(f"{row.service.upper()} VERSION MATRIX"), inner).rstrip()
    drawn = [
        f"┌{'─' * inner}┐",
        f"│{_centre(title, inner)}│",
        _rule("├┬┤", widths),
        _line(_HEADINGS, widths),
        _rule("├┼┤", widths),
        *(_line(line, widths) for line in lines),
        _rule("└┴┘", widths),
    ]
    return "\n".join([*drawn, "", f"Drift Alert: {drift_sentence(row.drift)}"])


def _columns(matrix: Matrix, cell: Cell) -> tuple[str, str, str]:
    if not cell.version:
        return "–", "–", clean(cell.problem) or "–"
    return clean(cell.version), ago(cell.change.at, matrix.generated_at), health_text(cell)


def health_text(cell: Cell) -> str:
    """Argo CD's word for the health with a sign, and its sync status when it is not synced."""
    if not cell.health:
        return "–"
    words = _HEALTH.get(cell.health, f"⚪ {clean(cell.health, 20)}")
    return words if cell.sync in ("", "Synced") else f"{words}, {clean(cell.sync, 20)}"


def table(matrix: Matrix) -> str:
    """All services in one table, those that drift most first."""
    lines = [
        [clean(row.service, 60), *(_short(cell) for cell in row.cells), _drift_column(row)]
        for row in by_urgency(matrix.rows)
    ]
    headings = ("Service", *matrix.environments, "Drift")
    widths = _fit([display_width(heading) for heading in headings], lines)
    drawn = [_rule("┌┬┐", widths), _line(headings, widths), _rule("├┼┤", widths)]
    drawn += [_line(line, widths) for line in lines]
    return "\n".join([*drawn, _rule("└┴┘", widths)])


def _short(cell: Cell) -> str:
    if not cell.version:
        return "–"
    mark = "" if cell.health in ("", "Healthy") else f" {health_text(cell)}"
    return clean(cell.version, 60) + mark


def _drift_column(row: Row) -> str:
    return gap_text(row.drift.gap)


def by_urgency(rows: Sequence[Row]) -> list[Row]:
    """``rows``, the furthest behind first, unknown ones after them, then by name."""
    return sorted(rows, key=lambda row: (-(row.drift.gap.behind or 0), row.drift.level, row.service))


def _fit(least: Sequence[int], lines: Sequence[Sequence[str]]) -> list[int]:
    return [
        max(width, *(display_width(line[index]) for line in lines), 0) if lines else width
        for index, width in enumerate(least)
    ]


def _centre(text: str, width: int) -> str:
    left = (width - display_width(text) + 1) // 2
    return pad(" " * left + text, width)


def _rule(corners: str, widths: Sequence[int]) -> str:
    return corners[0] + corners[1].join("─" * (width + 2) for width in widths) + corners[2]


def _line(values: Sequence[str], widths: Sequence[int]) -> str:
    return (
        "│" + "│".join(f" {pad(value, width)} " for value, width in zip(values, widths, strict=True)) + "│"
    )
