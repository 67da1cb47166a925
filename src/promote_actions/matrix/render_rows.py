"""The rows of the page: one a service, a cell an environment, each cell with its history. Pure."""

from __future__ import annotations

from promote_actions.audit.record import format_time
from promote_actions.matrix.document import commit_url
from promote_actions.matrix.markup import escape, link
from promote_actions.matrix.model import GLYPHS, WORDS, Cell, Change, Gap, Matrix, Row
from promote_actions.matrix.render_text import by_urgency, health_text
from promote_actions.matrix.words import ago, drift_sentence, gap_text

ENTRIES = 12_000
"""Entries of history on a page at most; with many cells each shows fewer."""

SHORT = 28
"""Characters of a service's name that is kept on one line."""

_HEALTH_LOOK = {"Healthy": "good", "Progressing": "info", "Degraded": "bad", "Missing": "bad"}
_LEVEL_LOOK = {"none": "good", "low": "good", "medium": "warn", "high": "bad", "unknown": "none"}
_GAP_LOOK = {"same": "good", "behind": "info", "ahead": "warn", "diverged": "warn"}


def table_body(matrix: Matrix) -> str:
    """All rows as HTML, the furthest behind first."""
    cells = max(1, len(matrix.rows) * len(matrix.environments))
    shown = max(2, ENTRIES // cells)
    return "\n".join(_row(matrix, row, shown) for row in by_urgency(matrix.rows))


def unhealthy(row: Row) -> bool:
    """Whether Argo CD says of one of its environments anything but Healthy."""
    return any(cell.health not in ("", "Healthy") for cell in row.cells)


def _row(matrix: Matrix, row: Row, shown: int) -> str:
    times = "".join(
        f' data-at{index}="{int(cell.change.at.timestamp())}"'
        for index, cell in enumerate(row.cells)
        if cell.change.at
    )
    words = " ".join([row.service, *(f"{cell.version} {cell.change.who}" for cell in row.cells)]).lower()
    behind = "" if row.drift.gap.behind is None else str(row.drift.gap.behind)
    whole = ' class="whole"' if len(row.service) <= SHORT else ""
    name = link(row.source_url, f"<bdi{whole}>{escape(row.service)}</bdi>")
    cells = "".join(_cell(matrix, row, cell, shown) for cell in row.cells)
    level, sick = row.drift.level, int(unhealthy(row))
    return (
        f'<tr data-name="{escape(row.service.lower())}" data-level="{level}" data-behind="{behind}"'
        f' data-unhealthy="{sick}" data-search="{escape(words, 2000)}"{times}>'
        f'<th scope="row">{name}</th>{cells}{_drift(matrix, row)}</tr>'
    )


def _cell(matrix: Matrix, row: Row, cell: Cell, shown: int) -> str:
    label = escape(cell.environment)
    if not cell.version:
        return f'<td data-label="{label}"><span class="muted">– {escape(cell.problem)}</span></td>'
    change = cell.change
    version = link(row.version_url(cell.version), f'<span class="version">{escape(cell.version)}</span>')
    facts = [_time(matrix, change)]
    if change.who:
        facts.append(f"<bdi>{escape(change.who, 60)}</bdi>")
    facts.append(
        link(change.pr_url, "PR") if change.pr_url else link(commit_url(matrix, change.commit), "commit")
    )
    facts = [fact for fact in facts if fact and fact != "commit"]
    return (
        f'<td data-label="{label}">{version}<div class="sub">{" · ".join(facts)}</div>'
        f'<div class="chips">{_chips(matrix, row, cell)}</div>{_past(matrix, row, cell, shown)}</td>'
    )


def _time(matrix: Matrix, change: Change) -> str:
    if change.at is None:
        return ""
    exact = format_time(change.at)
    return (
        f'<time class="ago" datetime="{exact}" title="{exact}">{ago(change.at, matrix.generated_at)}</time>'
    )


def _chips(matrix: Matrix, row: Row, cell: Cell) -> str:
    chips = []
    if cell.health:
        look = _HEALTH_LOOK.get(cell.health, "none")
        look = "warn" if look == "good" and cell.sync not in ("", "Synced") else look
        chips.append(link(cell.health_url, _chip(look, escape(health_text(cell)))))
    if cell.environment != matrix.environments[0]:
        chip = _chip(
            _GAP_LOOK.get(cell.gap.state, "none"), escape(gap_text(cell.gap)), _gap_title(cell.gap)
        )
        chips.append(link(row.compare_url(cell.version, row.cells[0].version), chip))
    if cell.change.rollback:
        chips.append(_chip("warn", "↩ rolled back"))
    return "".join(chips)


def _chip(look: str, inner: str, title: str = "") -> str:
    more = f' title="{escape(title)}"' if title else ""
    return f'<span class="chip {look}"{more}>{inner}</span>'


def _gap_title(gap: Gap) -> str:
    if gap.reason:
        return gap.reason
    days = f"{gap.days} days between the releases" if gap.days else ""
    waits = f"the oldest waits for {gap.waiting_days} days" if gap.waiting_days else ""
    return "; ".join(part for part in (days, waits) if part)


def _past(matrix: Matrix, row: Row, cell: Cell, shown: int) -> str:
    if len(cell.history) < 2:
        return ""
    items = []
    for index, change in enumerate(cell.history[:shown]):
        version = link(row.version_url(change.version), f"<code>{escape(change.version)}</code>")
        facts = [_time(matrix, change), f"<bdi>{escape(change.who, 60)}</bdi>" if change.who else ""]
        facts.append(link(change.pr_url, "PR") if change.pr_url else "")
        facts.append("↩ rollback" if change.rollback else "")
        rest = " · ".join(fact for fact in facts if fact)
        items.append(
            f'<li{" class=now" if index == 0 else ""}>{version} <span class="sub">{rest}</span></li>'
        )
    whose = f"{escape(row.service)} in {escape(cell.environment)}"
    summary = f'<summary>History<span class="visually-hidden"> of {whose}</span></summary>'
    return f'<details class="past">{summary}<ol class="past">{"".join(items)}</ol></details>'


def _drift(matrix: Matrix, row: Row) -> str:
    drift = row.drift
    chip = _chip(f"{_LEVEL_LOOK[drift.level]} wide", f"{GLYPHS[drift.level]} {WORDS[drift.level]}")
    sentence = drift_sentence(drift).rpartition(" (")[0]
    compare = row.compare_url(row.cells[-1].version, row.cells[0].version)
    more = f" · {link(compare, 'compare')}" if link(compare, "") else ""
    waiting = drift.gap.waiting_days
    waits = f'<div class="sub">the oldest waits for {waiting} days</div>' if waiting else ""
    said = f'<div class="sub">{escape(sentence, 400)}{more}</div>'
    return f'<td data-label="Drift">{chip}{_bar(matrix, row)}{said}{waits}</td>'


def _bar(matrix: Matrix, row: Row) -> str:
    """How far behind, beside the limit that makes it a risk; the words next to it say the same."""
    behind = row.drift.gap.behind
    limit = matrix.fail if matrix.fail is not None else matrix.warn
    if not behind or not limit:
        return ""
    full = max(behind, limit * 2)
    width, mark = 150 * behind / full, 150 * limit / full
    frame = 'viewBox="0 0 150 8" preserveAspectRatio="none" aria-hidden="true"'
    return (
        f'<svg class="bar {row.drift.level}" {frame}>'
        '<rect class="track" width="150" height="8" rx="4"/>'
        f'<rect class="fill" width="{width:.1f}" height="8" rx="4"/>'
        f'<rect class="limit" x="{mark:.1f}" width="1.5" height="8"/></svg>'
    )
