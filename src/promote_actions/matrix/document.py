"""The matrix as JSON, for machines: the ``matrix`` output, the data of the page, and a badge. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from promote_actions.audit.record import format_time
from promote_actions.matrix.model import Cell, Change, Drift, Gap, Matrix, Row
from promote_actions.matrix.words import drift_sentence

_BADGE = {
    "none": ("in step", "brightgreen"),
    "low": ("low", "green"),
    "medium": ("medium", "yellow"),
    "high": ("high", "red"),
    "unknown": ("unknown", "lightgrey"),
}


def matrix_document(matrix: Matrix) -> dict[str, Any]:
    """The JSON object of ``matrix``. Times are RFC 3339 texts in UTC, unknown values null."""
    return {
        "repository": matrix.repository,
        "branch": matrix.branch,
        "commit": matrix.commit,
        "generated_at": format_time(matrix.generated_at),
        "environments": list(matrix.environments),
        "drift_level": matrix.level,
        "services": [_row(matrix, row) for row in matrix.rows],
        "notes": list(matrix.notes),
    }


def fitted(document: dict[str, Any], limit: int) -> dict[str, Any]:
    """``document`` so that its JSON has at most ``limit`` characters where that is possible.

    First the histories go, then everything of a cell but version, time, health and distance; ``shortened``
    says so.
    """
    if len(json.dumps(document, ensure_ascii=False)) <= limit:
        return document
    shorter = _with_cells(document, lambda cell: {**cell, "history": []})
    if len(json.dumps(shorter, ensure_ascii=False)) <= limit:
        return shorter
    kept = ("version", "deployed_at", "health")
    return _with_cells(
        document, lambda cell: {name: cell[name] for name in kept} | {"behind": cell["drift"]["behind"]}
    )


def drifts(document: dict[str, Any], limit: int | None) -> dict[str, Any]:
    """The drift of each service in ``document``; over ``limit`` characters of JSON only its numbers."""
    found = {row["service"]: row["drift"] for row in document["services"]}
    if limit is None or len(json.dumps(found, ensure_ascii=False)) <= limit:
        return found
    kept = ("state", "behind", "ahead", "level")
    return {service: {name: drift[name] for name in kept} for service, drift in found.items()}


def _with_cells(
    document: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    services = [
        {**row, "environments": {name: change(cell) for name, cell in row["environments"].items()}}
        for row in document["services"]
    ]
    return {**document, "services": services, "shortened": True}


def _row(matrix: Matrix, row: Row) -> dict[str, Any]:
    reference = row.cells[0].version
    return {
        "service": row.service,
        "drift": drift_document(row.drift, row.counted_in),
        "environments": {cell.environment: _cell(matrix, row, cell, reference) for cell in row.cells},
    }


def drift_document(drift: Drift, counted_in: str = "") -> dict[str, Any]:
    """A drift: how far, in which state, at which level, and the sentence that people read."""
    return {
        "environment": drift.environment,
        "reference": drift.reference,
        **_gap(drift.gap),
        "level": drift.level,
        "counted_in": counted_in,
        "text": drift_sentence(drift),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "state": gap.state,
        "behind": gap.behind,
        "ahead": gap.ahead,
        "days": gap.days,
        "waiting_days": gap.waiting_days,
        "reason": gap.reason,
    }


def _cell(matrix: Matrix, row: Row, cell: Cell, reference: str) -> dict[str, Any]:
    change = cell.change
    return {
        "version": cell.version or None,
        "deployed_at": format_time(change.at) if change.at else None,
        "who": change.who or None,
        "approvers": list(change.approvers),
        "pr_url": change.pr_url or None,
        "commit": change.commit or None,
        "commit_url": commit_url(matrix, change.commit) or None,
        "health": cell.health or None,
        "sync": cell.sync or None,
        "health_url": cell.health_url or None,
        "version_url": row.version_url(cell.version) or None,
        "compare_url": row.compare_url(cell.version, reference) or None,
        "drift": _gap(cell.gap),
        "problem": cell.problem or None,
        "file": cell.file or None,
        "history": [_change(each) for each in cell.history],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "version": change.version,
        "at": format_time(change.at) if change.at else None,
        "who": change.who or None,
        "commit": change.commit or None,
        "subject": change.subject or None,
        "pr_url": change.pr_url or None,
        "rollback": change.rollback,
    }


def commit_url(matrix: Matrix, commit: str) -> str:
    """The page of a commit of the GitOps repository, or an empty string."""
    return f"{matrix.web_url}/commit/{commit}" if matrix.web_url and commit else ""


def badge(matrix: Matrix) -> str:
    """The worst drift in the JSON form that shields.io's endpoint badge reads.

    Source: https://shields.io/badges/endpoint-badge
    """
    words, color = _BADGE[matrix.level]
    behind = max((row.drift.gap.behind or 0 for row in matrix.rows), default=0)
    message = f"{words} ({behind} behind)" if behind else words
    return json.dumps({"schemaVersion": 1, "label": "drift", "message": message, "color": color}) + "\n"
