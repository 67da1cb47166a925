"""The checks ``file`` and ``load``: what other tools wrote down. Pure but for the reading of the file.

``file`` takes a JUnit report (no test failed, and there were tests), a scan in SARIF or in Trivy's or
Grype's JSON ("0 HIGH/CRITICAL" in the strategy), or any JSON with ``json`` and ``threshold`` or ``equals``.
``load`` takes a k6 summary ("Load test passed (1000 RPS)"): its own thresholds hold, and ``error-rate``,
``p95``, ``rate`` and ``min-requests``. Options of both: ``file``, ``max-age``; of ``file``: ``format``,
``severity``, ``max``, ``min-tests``, ``json``, ``threshold``, ``equals``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from promote_actions.errors import one_line
from promote_actions.gates import file_formats as formats
from promote_actions.gates import jsonpath, threshold
from promote_actions.gates.model import Moment, Outcome, Reading
from promote_actions.gates.options import COMMON, Options
from promote_actions.gates.prometheus import number
from promote_actions.gates.soak import words
from promote_actions.gates.threshold import Threshold

KNOWN = (
    *COMMON, "file", "max-age", "format", "severity", "max", "min-tests", "json", "threshold", "equals",
)  # fmt: skip
LOAD_LIMITS = ("error-rate", "p95", "rate")
KNOWN_LOAD = (*COMMON, "file", "max-age", *LOAD_LIMITS, "min-requests")
Verdict = tuple[Outcome, str, "float | None", tuple[str, ...]]
"""Outcome, reason, value and details."""

Judge = Callable[[bytes], Verdict]
"""Says what a file's bytes mean; raises ``formats.Unreadable``."""


@dataclass(frozen=True)
class File:
    """A file and when it was last written."""

    data: bytes
    written: datetime


ReadFile = Callable[[str], "File | None"]
"""The file at a path, or None when there is none."""


@dataclass(frozen=True)
class Settings:
    """Which file, and what must hold; ``judge`` says so of its bytes. ``max_age`` 0: no bound."""

    path: str
    judge: Judge
    max_age: float = 0.0


class FileCheck:
    """Takes the readings."""

    def __init__(self, settings: Settings, read: ReadFile) -> None:
        self._settings = settings
        self._read = read

    def measure(self, moment: Moment) -> Reading:
        settings = self._settings
        found = self._read(settings.path)
        if found is None:
            return Reading("waiting", f"there is no file {settings.path} yet", moment.now)
        age = (moment.now - found.written).total_seconds()
        if settings.max_age and age > settings.max_age:
            reason = f"{settings.path} is {words(age)} old, wanted at most {words(settings.max_age)}"
            return Reading("inconclusive", reason, moment.now)
        try:
            outcome, reason, value, details = settings.judge(found.data)
        except formats.Unreadable as error:
            return Reading("inconclusive", f"{settings.path}: {error}", moment.now)
        return Reading(outcome, reason, moment.now, value, details=details)


def parse(options: Options) -> Settings:
    """The settings of ``file``; the format is told by the name unless it is given."""
    path = options.required("file", "file")
    judge_of = judges(options, ("junit", "sarif", "json"))
    return Settings(path, judge_of(path), options.seconds("max-age", 0.0))


def judges(options: Options, formats_allowed: Sequence[str]) -> Callable[[str], Judge]:
    """How a file of a name is judged: as ``format`` says, or the other options, else by its name."""
    kind = options.choice("format", ("auto", *formats_allowed), "auto")
    if kind == "auto" and options.given("json"):
        kind = "json"
    elif kind == "auto" and any(map(options.given, LOAD_LIMITS)):
        kind = "k6"
    if kind != "auto":
        makers = {"junit": _junit, "sarif": _findings, "json": _json, "k6": _k6}
        judge = makers[kind](options)
        return lambda _name: judge
    tests, scan = _junit(options), _findings(options)
    return lambda name: tests if name.lower().endswith(".xml") else scan


def _junit(options: Options) -> Judge:
    least = options.whole("min-tests", 1, 1)
    most = options.whole("max", 0)

    def judge(data: bytes) -> Verdict:
        tests = formats.junit(data)
        ran = tests.total - tests.skipped
        details = tuple(one_line(name)[:200] for name in tests.names)
        if tests.failed > most:
            return "failed", f"{tests.failed} of {tests.total} tests failed", float(tests.failed), details
        if ran < least:
            return "inconclusive", f"only {ran} tests ran, {least} needed", 0.0, ()
        return "passed", f"{ran} tests ran, {tests.failed} failed", float(tests.failed), details

    return judge


def _findings(options: Options) -> Judge:
    severities = tuple(word.lower() for word in options.texts("severity", ("critical", "high")))
    most = options.whole("max", 0)
    for word in severities:
        if word not in formats.SEVERITIES:
            raise options.wrong("severity", word[:40], "some of " + ", ".join(formats.SEVERITIES))

    def judge(data: bytes) -> Verdict:
        found = formats.findings(formats.read_json(data))
        if not found.runs:
            return "inconclusive", "no tool ran", None, ()
        bad = sum(found.counts[word] for word in severities)
        counts = ", ".join(f"{found.counts[word]} {word}" for word in severities)
        details = tuple(
            f"{word}: {one_line(name)[:120]}" for word, name in found.names if word in severities
        )
        return ("failed" if bad > most else "passed"), f"{counts}, at most {most}", float(bad), details

    return judge


def _json(options: Options) -> Judge:
    where = f"check '{options.name}'"
    path = options.required("json", "JSON path")
    with options.reading("json"):
        steps = jsonpath.steps(path, where)
    wanted = options.text("equals")
    with options.reading("threshold"):
        limit = None if wanted else threshold.parse(options.text("threshold"), where)

    def judge(data: bytes) -> Verdict:
        value = jsonpath.find(formats.read_json(data), steps)
        if value is jsonpath.MISSING:
            return "inconclusive", f"the JSON has no '{path}'", None, ()
        text = one_line(jsonpath.as_text(value)[:60])
        if limit is None:
            outcome: Outcome = "passed" if text == wanted else "failed"
            return outcome, f"{path} is '{text}', wanted '{wanted}'", None, ()
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "inconclusive", f"{path} is '{text}', which is no number", None, ()
        outcome = "passed" if limit.holds(value) else "failed"
        return outcome, f"{path} is {number(value)}, wanted {limit}", float(value), ()

    return judge


def parse_load(options: Options) -> Settings:
    """The settings of ``load``."""
    return Settings(options.required("file", "file"), _k6(options), options.seconds("max-age", 0.0))


def _k6(options: Options) -> Judge:
    limits: dict[str, Threshold] = {}
    for key in LOAD_LIMITS:
        with options.reading(key):
            if text := options.text(key):
                limits[key] = threshold.parse(text, f"check '{options.name}'")
    least = options.number("min-requests", 1.0, 1.0)

    def judge(data: bytes) -> Verdict:
        return judge_load(formats.k6(formats.read_json(data)), limits, least)

    return judge


def judge_load(load: formats.Load, limits: dict[str, Threshold], least: float) -> Verdict:
    """The load test's own thresholds and ours; without any, or without requests, nothing was measured."""
    details = tuple(
        f"{'held' if held else 'crossed'}: {one_line(text)[:120]}" for text, held in load.thresholds
    )
    if load.requests < least:
        return (
            "inconclusive",
            f"only {load.requests:.0f} requests were made, {least:g} needed",
            None,
            details,
        )
    crossed = [one_line(text) for text, held in load.thresholds if not held]
    if crossed:
        return "failed", f"crossed {', '.join(crossed[:3])}", load.p95, details
    values = {"error-rate": load.error_rate, "p95": load.p95, "rate": load.rate}
    for key, limit in limits.items():
        value = values[key]
        if value is None:
            return "inconclusive", f"the summary has no {key}", None, details
        if not limit.holds(value):
            return "failed", f"{key} is {number(value)}, wanted {limit}", value, details
    if not limits and not load.thresholds:
        return "inconclusive", "the load test has no threshold, so it proves nothing", None, details
    rate = f", {number(load.rate)} a second" if load.rate is not None else ""
    return "passed", f"{load.requests:.0f} requests{rate}; all thresholds held", load.p95, details
