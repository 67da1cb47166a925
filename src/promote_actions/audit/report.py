"""What ``audit-log verify`` tells a person. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from promote_actions.audit.chain import canonical
from promote_actions.audit.verification import Report
from promote_actions.errors import one_line
from promote_actions.matrix.markup import markdown

_SHOWN = 50


def verified_text(report: Report) -> str:
    """The verdict in its first line, then each finding."""
    counted = f"{_count(report.records, 'record')} in {_count(len(report.links), 'chain')}"
    if report.unchained:
        counted += f" ({report.unchained} without a chain)"
    if report.verdict == "true":
        return f"verified: {counted}; nothing was changed, and nothing is missing between the records"
    if report.verdict != "false":
        return f"cannot verify: {report.why} ({counted}; the chains hold)"
    lines = [f"not verified: {_count(report.total, 'problem')} in {counted}; first: {_line(report, 0)}"]
    lines += [f"- {_line(report, index)}" for index in range(min(len(report.findings), _SHOWN))]
    if report.total > _SHOWN:
        lines.append(f"- and {report.total - _SHOWN} more")
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _line(report: Report, index: int) -> str:
    return one_line(str(report.findings[index]))


def verified_summary(report: Report, heads: Mapping[str, Any]) -> str:
    """The same for a job's page, with the digest of all heads: a witness outside the repository."""
    signs = {"true": "✅ verified", "false": "❌ not verified"}
    lines = [f"## Audit log: {signs.get(report.verdict, '❔ cannot verify')}", ""]
    first, *rest = verified_text(report).splitlines()
    lines += [markdown(first, 600), "", *(f"- {markdown(line[2:], 600)}" for line in rest)]
    digest = hashlib.sha256(canonical(dict(heads))).hexdigest()
    lines += [
        "",
        f"Heads of {_count(len(report.links), 'chain')} at `{heads['commit'][:12]}`: `sha256:{digest}`",
    ]
    return "\n".join(lines) + "\n"
