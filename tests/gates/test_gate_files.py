"""The checks of other tools' reports: tests, scans, load tests."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.gates import file_formats
from promote_actions.gates.file import KNOWN, KNOWN_LOAD, File, FileCheck, parse, parse_load
from promote_actions.gates.model import Moment, Reading
from promote_actions.gates.options import Options

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)


def measure(path: str, data: bytes | None, age: float = 0.0, load: bool = False, **values: Any) -> Reading:
    known, make = (KNOWN_LOAD, parse_load) if load else (KNOWN, parse)
    named = {key.replace("_", "-"): value for key, value in values.items()}
    found = None if data is None else File(data, T0 - timedelta(seconds=age))
    check = FileCheck(make(Options("file", {"file": path, **named}, known)), lambda asked: found)
    return check.measure(Moment(T0))


def check(reading: Reading, outcome: str, words: str) -> None:
    assert (reading.outcome, words in reading.reason) == (outcome, True), reading


# -- tests -----------------------------------------------------------------------------------------

CASE = '<testcase classname="a.B" name="works"/>'
BAD = '<testcase classname="a.B" name="fails"><failure>no</failure></testcase>'
SKIP = '<testcase name="later"><skipped/></testcase>'


@pytest.mark.parametrize(
    ("xml", "values", "outcome", "words"),
    [
        (f"<testsuite>{CASE}</testsuite>", {}, "passed", "1 tests ran, 0 failed"),
        (f"<testsuites><testsuite>{CASE}{CASE}</testsuite></testsuites>", {}, "passed", "2 tests ran"),
        (
            f"<testsuites><testsuite>{CASE}{BAD}</testsuite></testsuites>",
            {},
            "failed",
            "1 of 2 tests failed",
        ),
        ('<testsuite><testcase name="x"><error/></testcase></testsuite>', {}, "failed", "1 of 1"),
        ('<testsuite errors="1" failures="0"/>', {}, "failed", "1 of 0 tests failed"),
        ("<testsuites/>", {}, "inconclusive", "only 0 tests ran, 1 needed"),
        (f"<testsuite>{SKIP}</testsuite>", {}, "inconclusive", "only 0 tests ran"),
        (
            f"<testsuite>{CASE}</testsuite>",
            {"min_tests": 10},
            "inconclusive",
            "only 1 tests ran, 10 needed",
        ),
        (f"<testsuite>{CASE}{BAD}</testsuite>", {"max": 1}, "passed", "2 tests ran, 1 failed"),
        ("", {}, "inconclusive", "it is empty"),
        ("<html></html>", {}, "inconclusive", "it begins with <html>"),
        ("<testsuite>", {}, "inconclusive", "it is no XML"),
        ("not xml", {}, "inconclusive", "it is no XML"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite/>', {}, "inconclusive", "a document type"),
    ],
)
def test_junit(xml: str, values: dict[str, Any], outcome: str, words: str) -> None:
    """No test failed, and there were some."""
    check(measure("report.xml", xml.encode(), **values), outcome, words)


def test_the_first_failed_tests_are_named() -> None:
    """So that the summary says which."""
    assert measure("r.xml", f"<testsuite>{CASE}{BAD}</testsuite>".encode()).details == ("a.B fails",)


# -- scans -----------------------------------------------------------------------------------------


def sarif(*results: dict[str, Any], rules: list[dict[str, Any]] | None = None) -> bytes:
    tool = {"driver": {"name": "scan", "rules": rules or []}}
    return json.dumps({"version": "2.1.0", "runs": [{"tool": tool, "results": list(results)}]}).encode()


def rule(name: str, score: str) -> dict[str, Any]:
    return {"id": name, "properties": {"security-severity": score}}


TRIVY = {
    "SchemaVersion": 2,
    "Results": [{"Vulnerabilities": [{"VulnerabilityID": "CVE-1", "Severity": "HIGH"}]}],
}
GRYPE = {"matches": [{"vulnerability": {"id": "CVE-2", "severity": "Critical"}}]}


@pytest.mark.parametrize(
    ("data", "values", "outcome", "words"),
    [
        (sarif(), {}, "passed", "0 critical, 0 high, at most 0"),
        (sarif({"ruleId": "A"}, rules=[rule("A", "9.8")]), {}, "failed", "1 critical, 0 high"),
        (sarif({"ruleIndex": 0}, rules=[rule("A", "7.0")]), {}, "failed", "0 critical, 1 high"),
        (sarif({"ruleId": "A"}, rules=[rule("A", "6.9")]), {}, "passed", "0 critical, 0 high"),
        (sarif({"ruleId": "A"}, rules=[rule("A", "6.9")]), {"severity": "medium"}, "failed", "1 medium"),
        (sarif({"ruleId": "A", "level": "error"}), {}, "failed", "1 high"),
        (sarif({"ruleId": "A", "level": "warning"}), {}, "passed", "0 high"),
        (sarif({"ruleId": "A", "level": "error"}, rules=[rule("A", "2.0")]), {}, "passed", "0 high"),
        (sarif({"ruleId": "A", "level": "error"}, rules=[rule("A", "NaN")]), {}, "failed", "1 high"),
        (sarif({"ruleId": "A", "level": "error", "suppressions": [{"kind": "x"}]}), {}, "passed", "0 high"),
        (sarif({"level": "error"}, {"level": "error"}), {"max": 2}, "passed", "2 high, at most 2"),
        (sarif({"ruleIndex": 99, "level": "error"}), {}, "failed", "1 high"),
        (b'{"version":"2.1.0","runs":[]}', {}, "inconclusive", "no tool ran"),
        (json.dumps(TRIVY).encode(), {}, "failed", "0 critical, 1 high"),
        (json.dumps(TRIVY).encode(), {"severity": "CRITICAL"}, "passed", "0 critical"),
        (b'{"SchemaVersion":2}', {}, "passed", "0 critical, 0 high"),
        (json.dumps(GRYPE).encode(), {}, "failed", "1 critical"),
        (b"{}", {}, "inconclusive", "neither SARIF nor Trivy's nor Grype's"),
        (b"[]", {}, "inconclusive", "no report that is known"),
        (b"", {}, "inconclusive", "it is empty"),
        (b"<html>", {}, "inconclusive", "it is no JSON"),
        (b"[" * 100000, {}, "inconclusive", "it is no JSON"),
    ],
)
def test_scans(data: bytes, values: dict[str, Any], outcome: str, words: str) -> None:
    """No finding that is high or critical; a report that says nothing passes nothing."""
    check(measure("scan.sarif", data, **values), outcome, words)


def test_the_worst_findings_are_named() -> None:
    """By severity."""
    data = sarif({"ruleId": "B", "level": "error"}, {"ruleId": "A"}, rules=[rule("A", "9.8")])
    assert measure("scan.sarif", data).details == ("critical: A", "high: B")


WORDS = (
    "runs results tool driver rules ruleIndex ruleId level suppressions properties security-severity "
    "Results Vulnerabilities Severity matches vulnerability severity metrics http_reqs values "
    "thresholds count"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4)
    ),
    max_leaves=25,
)


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_no_document_breaks_a_reader(document: Any) -> None:
    """It is a result or unreadable, and nothing else."""
    for read in (file_formats.findings, file_formats.k6):
        try:
            read(document)
        except file_formats.Unreadable as error:
            assert str(error)


# -- any JSON --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "values", "outcome", "words"),
    [
        (b'{"a":{"b":3}}', {"json": "a.b", "threshold": "<= 3"}, "passed", "a.b is 3, wanted <= 3"),
        (b'{"a":{"b":4}}', {"json": "a.b", "threshold": "<= 3"}, "failed", "a.b is 4"),
        (b'{"a":"ok"}', {"json": "a", "equals": "ok"}, "passed", "a is 'ok'"),
        (b'{"a":"no"}', {"json": "a", "equals": "ok"}, "failed", "a is 'no', wanted 'ok'"),
        (b"{}", {"json": "a", "equals": "ok"}, "inconclusive", "the JSON has no 'a'"),
        (b'{"a":"3"}', {"json": "a", "threshold": "<= 3"}, "inconclusive", "is no number"),
        (b'{"a":true}', {"json": "a", "threshold": "<= 3"}, "inconclusive", "is no number"),
        (b'{"a":NaN}', {"json": "a", "threshold": "<= 3"}, "failed", "a is nan"),
    ],
)
def test_any_json(data: bytes, values: dict[str, Any], outcome: str, words: str) -> None:
    """A path and what must be there."""
    check(measure("result.json", data, **values), outcome, words)


# -- files -----------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_waited_for() -> None:
    """Another step may still be writing it."""
    check(measure("scan.sarif", None), "waiting", "there is no file scan.sarif yet")


def test_an_old_file_is_another_runs() -> None:
    """Left on a self-hosted runner, for instance."""
    check(
        measure("scan.sarif", sarif(), age=7200, max_age="1h"),
        "inconclusive",
        "2 h old, wanted at most 60 min",
    )
    check(measure("scan.sarif", sarif(), age=60, max_age="1h"), "passed", "")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "has no file"),
        ({"file": "x", "severity": "terrible"}, "option 'severity'"),
        ({"file": "x", "format": "yaml"}, "option 'format'"),
        ({"file": "x", "json": "a"}, "has no threshold"),
        ({"file": "x", "json": "a[", "equals": "1"}, "JSON path"),
        ({"file": "x", "min-tests": "0", "format": "junit"}, "option 'min-tests'"),
    ],
)
def test_options_that_make_no_sense(values: dict[str, str], words: str) -> None:
    """Without a condition nothing may pass."""
    with pytest.raises(InputError) as caught:
        parse(Options("file", values, KNOWN))
    assert words in str(caught.value)


# -- load tests ------------------------------------------------------------------------------------


def exported(crossed: bool | None = False, count: int = 60000, failed: float = 0.001) -> bytes:
    """`k6 run --summary-export`: here *true* means that a threshold was crossed."""
    duration: dict[str, Any] = {"avg": 100.0, "p(95)": 250.0}
    if crossed is not None:
        duration["thresholds"] = {"p(95)<300": crossed}
    metrics = {
        "http_reqs": {"count": count, "rate": 1000.0},
        "http_req_failed": {"value": failed, "passes": 60, "fails": count},
        "http_req_duration": duration,
    }
    return json.dumps({"metrics": metrics}).encode()


def handled(ok: bool) -> bytes:
    """`handleSummary(data)`: values are one level deeper, and *ok* means what it says."""
    metrics = {
        "http_reqs": {"type": "counter", "values": {"count": 60000, "rate": 1000.0}},
        "http_req_failed": {"type": "rate", "values": {"rate": 0.001}},
        "http_req_duration": {"values": {"p(95)": 250.0}, "thresholds": {"p(95)<300": {"ok": ok}}},
    }
    return json.dumps({"metrics": metrics}).encode()


@pytest.mark.parametrize(
    ("data", "values", "outcome", "words"),
    [
        (exported(False), {}, "passed", "60000 requests, 1000 a second; all thresholds held"),
        (exported(True), {}, "failed", "crossed http_req_duration: p(95)<300"),
        (handled(True), {}, "passed", "all thresholds held"),
        (handled(False), {}, "failed", "crossed http_req_duration"),
        (exported(None), {}, "inconclusive", "no threshold, so it proves nothing"),
        (exported(None), {"rate": ">= 1000"}, "passed", "1000 a second"),
        (exported(None), {"rate": ">= 1001"}, "failed", "rate is 1000, wanted >= 1001"),
        (exported(None), {"error_rate": "<= 1%"}, "passed", ""),
        (exported(None, failed=0.05), {"error_rate": "<= 1%"}, "failed", "error-rate is 0.05"),
        (handled(True), {"p95": "<= 200"}, "failed", "p95 is 250, wanted <= 200"),
        (exported(False, count=0), {}, "inconclusive", "only 0 requests were made, 1 needed"),
        (exported(False), {"min_requests": 10**6}, "inconclusive", "only 60000 requests"),
        (
            b'{"metrics":{"http_reqs":{"count":9}}}',
            {"p95": "< 1"},
            "inconclusive",
            "the summary has no p95",
        ),
        (b'{"metrics":{}}', {}, "inconclusive", "only 0 requests"),
        (b"{}", {}, "inconclusive", "no summary of k6"),
        (b"", {}, "inconclusive", "it is empty"),
    ],
)
def test_load_tests(data: bytes, values: dict[str, Any], outcome: str, words: str) -> None:
    """Its own thresholds and ours, over a real number of requests."""
    check(measure("k6.json", data, load=True, **values), outcome, words)
