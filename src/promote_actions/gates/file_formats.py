"""Results of other tools, read from their files: JUnit, SARIF, Trivy and Grype, k6. Pure.

Sources: JUnit's XML as CI systems read it; SARIF 2.1.0, with GitHub's ``security-severity`` (CVSS scores);
Trivy's and Grype's JSON; k6's summary, whose two forms say a threshold's result the other way round
(grafana/k6 issue 1498).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SEVERITIES = ("critical", "high", "medium", "low", "unknown")
_LEVELS = {"error": "high", "warning": "medium", "note": "low", "none": "unknown"}


class Unreadable(ValueError):
    """The file is not what it should be; the text says what it is."""


@dataclass(frozen=True)
class Tests:
    """A test report. ``names`` are those of the first that failed."""

    total: int
    failed: int
    skipped: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """A scan: how many findings of each severity, and the names of the worst; ``runs`` of tools."""

    counts: Mapping[str, int]
    runs: int = 1
    names: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True)
class Load:
    """A load test. ``thresholds`` are its own, with whether each held. Rates are 0 to 1, times are
    milliseconds; None: not measured."""

    requests: float
    rate: float | None = None
    error_rate: float | None = None
    p95: float | None = None
    thresholds: tuple[tuple[str, bool], ...] = ()


def read_json(data: bytes) -> Any:
    """The JSON in ``data``; raises :class:`Unreadable`."""
    if not data.strip():
        raise Unreadable("it is empty")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None


def junit(data: bytes) -> Tests:
    """The tests in a JUnit report: one ``testsuite``, or ``testsuites``."""
    if not data.strip():
        raise Unreadable("it is empty")
    # A document type can define entities that grow without end; no test tool writes one.
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data:
        raise Unreadable("it has a document type, which no JUnit report needs")
    from xml.etree import ElementTree as Tree

    try:
        root = Tree.fromstring(data)  # noqa: S314 - without a document type there are no entities
    except (Tree.ParseError, ValueError):
        raise Unreadable("it is no XML") from None
    if root.tag not in ("testsuites", "testsuite"):
        raise Unreadable(f"it begins with <{root.tag[:40]}>, not <testsuites>")
    cases = list(root.iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    # An error outside of any test (a suite that could not start) is in the counters alone.
    suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    counted = sum(
        _count(suite, "failures") + _count(suite, "errors")
        for suite in suites
        if not suite.findall("testsuite")
    )
    names = tuple(f"{case.get('classname', '')} {case.get('name', '')}".strip() for case in failed[:5])
    return Tests(len(cases), max(len(failed), counted), skipped, names)


def _count(suite: Any, name: str) -> int:
    text = suite.get(name) or "0"
    return int(text) if text.isdigit() else 0


def findings(document: Any) -> Findings:
    """The findings of a scan, in SARIF, Trivy's JSON or Grype's."""
    if not isinstance(document, dict):
        raise Unreadable("it is no report that is known")
    if isinstance(document.get("runs"), list):
        return _collect(_sarif(document["runs"]), len(document["runs"]))
    if "SchemaVersion" in document or "Results" in document:
        return _collect(_trivy(_list(document, "Results")), 1)
    if isinstance(document.get("matches"), list):
        return _collect(_grype(document["matches"]), 1)
    raise Unreadable("it is neither SARIF nor Trivy's nor Grype's JSON")


def _collect(found: Iterator[tuple[str, str]], runs: int) -> Findings:
    items = list(found)
    counts = Counter(severity for severity, _ in items)
    ordered = sorted(items, key=lambda item: SEVERITIES.index(item[0]))
    return Findings({name: counts[name] for name in SEVERITIES}, runs, tuple(ordered[:10]))


def _sarif(runs: list[Any]) -> Iterator[tuple[str, str]]:
    for run in runs:
        driver = run["tool"]["driver"] if _has(run, "tool", "driver") else {}
        rules = [rule for rule in _list(driver, "rules") if isinstance(rule, dict)]
        by_id = {str(rule.get("id")): rule for rule in rules}
        for result in _list(run, "results"):
            if not isinstance(result, dict) or _list(result, "suppressions"):
                continue
            index = result.get("ruleIndex")
            indexed = isinstance(index, int) and 0 <= index < len(rules)
            name = str(result.get("ruleId") or (rules[index].get("id") if indexed else ""))  # type: ignore[index]
            rule = rules[index] if indexed else by_id.get(name, {})  # type: ignore[index]
            yield _sarif_severity(result, rule), name


def _sarif_severity(result: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    for holder in (result, rule):
        score = _score(holder)
        if score is not None:
            bounds = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"))
            return next((word for bound, word in bounds if score >= bound), "low")
    default = rule.get("defaultConfiguration")
    fallback = default.get("level") if isinstance(default, dict) else None
    return _LEVELS.get(str(result.get("level") or fallback or "warning"), "unknown")


def _score(holder: Mapping[str, Any]) -> float | None:
    properties = holder.get("properties")
    text = properties.get("security-severity") if isinstance(properties, dict) else None
    try:
        score = float(str(text))
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def _trivy(results: list[Any]) -> Iterator[tuple[str, str]]:
    for result in results:
        for kind in ("Vulnerabilities", "Misconfigurations", "Secrets"):
            for item in _list(result, kind):
                if isinstance(item, dict) and item.get("Status") != "PASS":
                    name = item.get("VulnerabilityID") or item.get("ID") or item.get("RuleID")
                    yield _severity(item.get("Severity")), str(name or "")


def _grype(matches: list[Any]) -> Iterator[tuple[str, str]]:
    for match in matches:
        found = match.get("vulnerability") if isinstance(match, dict) else None
        if isinstance(found, dict):
            yield _severity(found.get("severity")), str(found.get("id") or "")


def _severity(value: object) -> str:
    word = str(value).lower()
    return {"negligible": "low"}.get(word, word if word in SEVERITIES else "unknown")


def k6(document: Any) -> Load:
    """A k6 summary: of ``handleSummary()`` (``values`` inside a metric) or ``--summary-export``."""
    metrics = document.get("metrics") if isinstance(document, dict) else None
    if not isinstance(metrics, dict):
        raise Unreadable("it is no summary of k6")
    requests = _values(metrics, "http_reqs")
    failed = _values(metrics, "http_req_failed")
    durations = _values(metrics, "http_req_duration")
    thresholds = [
        (f"{name}: {text}", held)
        for name, metric in metrics.items()
        if isinstance(metric, dict) and isinstance(metric.get("thresholds"), dict)
        for text, result in metric["thresholds"].items()
        if (held := _held(result)) is not None
    ]
    return Load(
        requests=_number(requests, "count") or 0.0,
        rate=_number(requests, "rate"),
        error_rate=_number(failed, "rate", "value"),
        p95=_number(durations, "p(95)"),
        thresholds=tuple(thresholds),
    )


def _held(result: object) -> bool | None:
    """``{"ok": true}`` of the newer form; in ``--summary-export`` *true* means that it was crossed."""
    if isinstance(result, dict) and isinstance(result.get("ok"), bool):
        return bool(result["ok"])
    return not result if isinstance(result, bool) else None


def _values(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    metric = metrics.get(name)
    if not isinstance(metric, dict):
        return {}
    inner = metric.get("values")
    return inner if isinstance(inner, dict) else metric


def _number(values: Mapping[str, Any], *keys: str) -> float | None:
    for key in keys:
        value = values.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None


def _list(holder: Any, key: str) -> list[Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, list) else []


def _has(holder: Any, *keys: str) -> bool:
    for key in keys:
        if not isinstance(holder, dict) or not isinstance(holder.get(key), dict):
            return False
        holder = holder[key]
    return True
