"""What a gate tells people: lines while it waits, a table at the end. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from unicodedata import east_asian_width

from promote_actions.errors import one_line
from promote_actions.gates.judge import blame
from promote_actions.gates.model import Check, CheckResult, CheckState, GateResult
from promote_actions.gates.soak import words

MARKS = {
    "passed": "✅",
    "failed": "❌",
    "errored": "⚠️",
    "inconclusive": "❔",
    "timed-out": "⌛",
    "waiting": "⏳",
}
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 24


def state_word(state: CheckState) -> str:
    """The verdict, or what the last reading was."""
    if state.verdict is not None:
        return state.verdict
    return state.reading.outcome if state.reading is not None else "waiting"


def progress_line(name: str, state: CheckState, note: str, needed: int) -> str:
    """One check in a runner's log: ``✅ argocd passed: Synced and Healthy …``."""
    word = state_word(state)
    row = f" ({state.good} of {needed} good readings)" if state.verdict is None and state.good else ""
    return f"{MARKS[word]} {name} {word}: {one_line(note)}{row}"


def change_key(line: str) -> str:
    """What must differ for a line to be news: anything but its numbers."""
    return re.sub(r"[\d.,]+", "#", line)


def status_line(
    items: Sequence[tuple[str, CheckState, str]], seconds: float, ready: float, left: float, width: int
) -> str:
    """The whole gate on one line of a terminal: it may pass in ``ready`` seconds, and has ``left``."""
    parts = [f"{MARKS[state_word(state)]} {name}" for name, state, _ in items if state.verdict is not None]
    still = [f"{name}: {one_line(note)}" for name, state, note in items if state.verdict is None]
    least = f"{words(ready)} to " if ready > 0 else "at most "
    text = f"{words(seconds)}, {least}{words(max(left, 0))} left  {' '.join(parts)}"
    text += ("  ⏳ " + " | ".join(still)) if still else ""
    return fitted(text, max(width - 1, 20))


def fitted(text: str, columns: int) -> str:
    """``text`` cut to ``columns`` of a terminal, where an emoji takes two."""
    taken = 0
    for index, char in enumerate(text):
        taken += 2 if east_asian_width(char) in "WF" else 1
        if taken > columns:
            return text[:index]
    return text


def headline(result: GateResult, subject: str) -> str:
    """The gate in one sentence."""
    mark = MARKS[result.verdict]
    stopped = "; interrupted" if result.interrupted else ""
    return f"{mark} {subject}: {result.result} after {words(result.seconds)}{stopped}"


def refusal(result: GateResult, subject: str) -> str:
    """Why the gate is shut: which checks, and what each said."""
    why = blame([(check.spec.name, check.verdict, check.reason) for check in result.checks])
    return f"the gate for {subject} did not pass: {why or 'nothing was measured'}"


def text(result: GateResult, subject: str) -> str:
    """The result for a terminal."""
    lines = [headline(result, subject)]
    for check in result.checks:
        chart = f"  {sparkline(check.samples)}" if len(check.samples) > 1 else ""
        lines.append(f"  {MARKS[check.verdict]} {check.spec.name}: {one_line(check.reason)}{chart}")
        lines += [f"       {one_line(detail)}" for detail in check.details if check.verdict != "passed"]
    return "\n".join(lines)


def summary(result: GateResult, subject: str) -> str:
    """The result as Markdown for a job's page."""
    lines = [
        f"### {MARKS[result.verdict]} Health gate: {_cell(subject)}",
        "",
        f"**{result.result}** after {words(result.seconds)}"
        + (", interrupted" if result.interrupted else ""),
        "",
        "| check | result | value | wanted | over time | what it says | links |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_row(check) for check in result.checks]
    details = [
        f"- **{_cell(check.spec.name)}** {_cell(detail)}"
        for check in result.checks
        if check.verdict != "passed"
        for detail in check.details
    ]
    if details:
        lines += ["", *details]
    return "\n".join(lines) + "\n"


def _row(check: CheckResult) -> str:
    value = "" if check.value is None else f"{check.value:.6g}"
    links = " ".join(f"[{_cell(link.text)}]({_url(link.url)})" for link in check.links)
    verdict = f"{MARKS[check.verdict]} {check.verdict}"
    cells = (_cell(check.spec.name), verdict, value, _cell(check.threshold), _chart(check.samples))
    return "| " + " | ".join((*cells, _cell(check.reason), links)) + " |"


def _chart(samples: Sequence[tuple[datetime, float]]) -> str:
    """Bars, and from where to where they go: without that a small noise looks like a mountain."""
    bars, values = sparkline(samples), [value for _, value in samples[-_WIDTH:]]
    return f"{bars} {min(values):.3g} to {max(values):.3g}" if bars else ""


def sparkline(samples: Sequence[tuple[datetime, float]]) -> str:
    """The last values as bars, scaled between their least and greatest; empty for fewer than two."""
    values = [value for _, value in samples[-_WIDTH:]]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[round((value - low) * scale)] for value in values)


def explain(checks: Sequence[Check], subject: str) -> str:
    """What would be checked, and from where (``--explain``)."""
    lines = [f"The gate for {subject} has {len(checks)} check{'s' * (len(checks) != 1)}:"]
    for check in checks:
        spec = check.spec
        lines.append(f"- {spec.name} ({spec.kind}), from {spec.source}; result `{spec.key}`")
        lines += [f"    {one_line(line)}" for line in check.explain]
        lines.append(
            f"    first after {words(spec.initial_delay)}, then every {spec.interval:g} s for at most "
            f"{words(spec.timeout)}; passes after {spec.success} good in a row, fails after more than "
            f"{spec.failure_limit} bad, gives up after more than {spec.error_limit} errors in a row"
        )
        if check.after_rollout:
            lines.append("    counts only what was measured after the rollout, when that is checked too")
    return "\n".join(lines)


def as_json(check: CheckResult) -> dict[str, object]:
    """One check for the output ``checks``."""
    return {
        "name": check.spec.name,
        "kind": check.spec.kind,
        "key": check.spec.key,
        "result": check.verdict,
        "reason": one_line(check.reason),
        "value": check.value,
        "threshold": check.threshold,
        "readings": check.readings,
        "seconds": check.seconds,
        "details": [one_line(detail) for detail in check.details],
        "links": [{"text": link.text, "url": link.url} for link in check.links],
    }


def _cell(value: str) -> str:
    """Text of strangers in a table's cell: one line in which nothing is markup or a mention."""
    safe = one_line(value[:400])
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), ("|", "&#124;"), ("@", "&#64;"), ("`", "&#96;")):
        safe = safe.replace(char, entity)
    return re.sub(r"([*_\[\]\\~])", r"\\\1", safe)


def _url(url: str) -> str:
    safe = one_line(url).replace(" ", "%20").replace(")", "%29").replace("|", "%7C").replace("<", "%3C")
    return safe if safe.startswith(("http://", "https://")) else ""
