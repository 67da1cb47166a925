"""The check ``prometheus``: a number from a query, held against a threshold. Pure but for its source.

The default query is the strategy's "error rate < 1%" made a ratio: 5xx requests over all requests in a
window, of one service in one environment. A window never reaches back before the rollout, a traffic
floor comes before the ratio, and what is no number is never good:

==========================  ==================================================================
the answer                  the reading
==========================  ==================================================================
a number                    passed or failed by the threshold
no series                   no data
NaN (0/0: no traffic)       no data
+Inf, -Inf                  no data: something was divided by nothing
fewer requests than asked   no data
newest sample too old       no data
several series              the worst of them, since each must hold
warnings (partial answer)   inconclusive: some of the data was not there
a matrix or a string        errored: not a query for one moment
==========================  ==================================================================

"No data" is ``inconclusive``, ``failed`` or ``passed`` by ``on-no-data``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, cast

from promote_actions.gates import chart
from promote_actions.gates.model import Link, Moment, Outcome, Reading
from promote_actions.gates.options import COMMON, OptionError, Options
from promote_actions.gates.soak import words
from promote_actions.gates.threshold import Threshold
from promote_actions.gates.threshold import parse as parse_threshold

KNOWN = (
    *COMMON, "url", "query", "threshold", "window", "min-window", "metric", "selector", "status-label",
    "min-requests", "traffic-query", "max-age", "on-no-data", "user", "tenant", "compare",
)  # fmt: skip
DEFAULT_THRESHOLD = "<= 0.01"
DEFAULT_SELECTOR = 'service="{service}",environment="{environment}"'


@dataclass(frozen=True)
class Sample:
    """One series of an answer: its labels for people, its value, and the moment it was evaluated for."""

    labels: str
    value: float
    at: float


@dataclass(frozen=True)
class Answer:
    """What one instant query gave."""

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()


class Queries(chart.Courses, Protocol):
    """Prometheus, as much of it as the gate needs (``adapters.prometheus.Prometheus``)."""

    def query(self, text: str, at: datetime | None = None) -> Answer:
        """The answer to an instant query, as of ``at`` (None: now)."""

    def page(self, text: str) -> str:
        """Where a person can see the query's graph."""


@dataclass(frozen=True)
class Settings:
    """What to ask. ``traffic`` and ``newest`` are queries, empty when they are not asked; times are
    seconds. ``{window}`` in a query is the time to look back over. With ``compare`` (``before`` the
    rollout, or the ``source`` environment) the threshold is for the difference from ``baseline``."""

    query: str
    threshold: Threshold
    window: float = 300.0
    min_window: float = 60.0
    traffic: str = ""
    min_requests: float = 10.0
    newest: str = ""
    max_age: float = 120.0
    on_no_data: Outcome = "inconclusive"
    compare: str = ""
    baseline: str = ""


def parse(options: Options, names: Mapping[str, str], source: str = "") -> Settings:
    """The settings; ``names`` has ``service``, ``environment`` and ``version`` for the placeholders, and
    ``source`` is the environment that ``compare: source`` compares with."""
    settings = _parse(options, names)
    if settings.compare != "source":
        return settings
    if not source:
        hint = "compare with `before`, or check a later environment"
        message = f"check '{options.name}' has no source environment to compare with"
        raise OptionError(message, key="compare", hint=hint)
    there = _parse(options, {**names, "environment": source})
    return replace(settings, baseline=there.query)


def _parse(options: Options, names: Mapping[str, str]) -> Settings:
    own = options.text("query")
    series = _series(options, names)
    with options.reading("threshold"):
        default = "" if own else DEFAULT_THRESHOLD
        threshold = parse_threshold(options.text("threshold", default), f"check '{options.name}'")
    traffic = options.text("traffic-query") or ("" if own else _grown(series))
    window = options.seconds("window", 300.0)
    return Settings(
        query=fill(own, names) if own else _error_ratio(options, series),
        threshold=threshold,
        window=window,
        min_window=min(options.seconds("min-window", 60.0), window),
        traffic=fill(traffic, names),
        min_requests=options.number("min-requests", 10.0),
        newest="" if own else f"max(timestamp({series}))",
        max_age=options.seconds("max-age", 120.0),
        on_no_data=no_data_outcome(options),
        compare=options.choice("compare", ("before", "source", ""), ""),
    )


def no_data_outcome(options: Options) -> Outcome:
    """What ``on-no-data`` makes of no data."""
    word = options.choice("on-no-data", ("inconclusive", "fail", "pass"), "inconclusive")
    return cast(Outcome, {"fail": "failed", "pass": "passed"}.get(word, word))


def _series(options: Options, names: Mapping[str, str]) -> str:
    selector = fill(options.text("selector", DEFAULT_SELECTOR), names)
    return f"{options.text('metric', 'http_requests_total')}{{{selector}}}"


def _error_ratio(options: Options, series: str) -> str:
    """Without errors there is no 5xx series, which must read as 0 and not as no data."""
    head, _, tail = series.partition("{")
    errors = f'{head}{{{options.text("status-label", "status")}=~"5..",{tail}'
    return f"({_grown(errors)} or vector(0)) / {_grown(series)}"


def _grown(series: str) -> str:
    """By how much counters grew in the window. ``increase()`` alone doesn't see what a series had when it
    appeared, and a new version's first errors are just that: a new series, perhaps of one sample."""
    before = f"{series} offset {{window}}"
    return f"sum((increase({series}[{{window}}]) and {before}) or ({series} unless {before}))"


def fill(text: str, names: Mapping[str, str]) -> str:
    """``text`` with the placeholders (``{service}`` and others) filled in, safe in PromQL strings."""
    for name, value in names.items():
        safe = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        text = text.replace(f"{{{name}}}", safe)
    return text


def span(settings: Settings, moment: Moment) -> float | None:
    """Seconds to look back over: the window, cut at the rollout; None while that is too short a time."""
    if moment.rollout is None:
        return settings.window
    age = age_of(moment)
    looks_back = "{window}" in settings.query
    if not looks_back:
        return settings.window if age >= settings.window else None
    found = min(settings.window, age)
    return found if found >= settings.min_window else None


def age_of(moment: Moment) -> float:
    """Seconds since the rollout; 0 when it is not known."""
    return (moment.now - (moment.rollout or moment.now)).total_seconds()


def with_window(query: str, seconds: float) -> str:
    """``query`` with ``{window}`` filled in, as whole seconds or milliseconds."""
    text = f"{int(seconds)}s" if seconds >= 2 else f"{max(int(seconds * 1000), 1)}ms"
    return query.replace("{window}", text)


class MetricCheck:
    """Takes the readings."""

    def __init__(self, settings: Settings, source: Queries) -> None:
        self._settings = settings
        self._source = source

    def measure(self, moment: Moment) -> Reading:
        settings = self._settings
        seconds = span(settings, moment)
        if seconds is None:
            needed = settings.min_window if "{window}" in settings.query else settings.window
            reason = f"less than {words(needed)} since the rollout"
            return Reading("waiting", reason, moment.now, left=needed - age_of(moment))
        query = with_window(settings.query, seconds)
        page = self._source.page(query)
        begins = moment.now - timedelta(seconds=seconds)
        traffic = self._ask(settings.traffic, seconds) if settings.min_requests > 0 else None
        newest = self._ask(settings.newest, seconds)
        answer = self._source.query(query)
        baseline = self._baseline(moment) if settings.compare else None
        outcome, reason, value = judge(settings, seconds, answer, traffic, newest)
        if baseline is not None:
            outcome, reason, value = compared(settings, (outcome, reason, value), answer, baseline)
        links = (Link("the query in Prometheus", page),) if page else ()
        found = Reading(outcome, reason, moment.now, value, begins, links=links)
        return found if value is None else replace(found, course=self._course(begins, moment.now))

    def _course(self, begin: datetime, end: datetime) -> chart.Course:
        return chart.drawn(self._source, lambda back: with_window(self._settings.query, back), begin, end)

    def _ask(self, query: str, seconds: float) -> Answer | None:
        return self._source.query(with_window(query, seconds)) if query else None

    def _baseline(self, moment: Moment) -> Answer:
        """The same question of the time before the rollout, or of the source environment."""
        settings = self._settings
        if settings.compare == "source":
            return self._source.query(with_window(settings.baseline, settings.window))
        if moment.rollout is None:
            return Answer(())
        before = moment.rollout - timedelta(seconds=1)
        return self._source.query(with_window(settings.query, settings.window), before)


def judge(
    settings: Settings, seconds: float, answer: Answer, traffic: Answer | None, newest: Answer | None
) -> tuple[Outcome, str, float | None]:
    """Outcome, reason and value; the floor and the age of the data come before the threshold."""
    warned = [text for one in (answer, traffic, newest) if one for text in one.warnings]
    if warned:
        return "inconclusive", f"Prometheus warns: {warned[0][:200]}", None
    missing = _no_data(settings, seconds, answer, traffic, newest)
    if missing:
        word = {"passed": " (passes by on-no-data)", "failed": " (fails by on-no-data)"}
        return settings.on_no_data, missing + word.get(settings.on_no_data, ""), None
    bad = [sample for sample in answer.samples if not settings.threshold.holds(sample.value)]
    shown = bad[0] if bad else answer.samples[0]
    label = f" of {shown.labels}" if len(answer.samples) > 1 and shown.labels else ""
    over = f" over {words(seconds)}" if "{window}" in settings.query else ""
    count = f", {_total(traffic):.0f} requests" if traffic and traffic.samples else ""
    reason = f"{number(shown.value)}{label}, wanted {settings.threshold}{over}{count}"
    return ("failed" if bad else "passed"), reason, shown.value


def compared(
    settings: Settings, found: tuple[Outcome, str, float | None], answer: Answer, baseline: Answer
) -> tuple[Outcome, str, float | None]:
    """``found`` against ``baseline``: the threshold is for the difference, and both must be one number."""
    value = found[2]
    if value is None:
        return found
    place = "before the rollout" if settings.compare == "before" else "in the source environment"
    others = [sample.value for sample in baseline.samples]
    if len(others) != 1 or len(answer.samples) != 1 or not math.isfinite(others[0]):
        return settings.on_no_data, f"no data {place} to compare with", None
    difference = value - others[0]
    good = settings.threshold.holds(difference)
    reason = (
        f"{number(value)} against {number(others[0])} {place}: "
        f"difference {number(difference)}, wanted {settings.threshold}"
    )
    return ("passed" if good else "failed"), reason, value


def _no_data(
    settings: Settings, seconds: float, answer: Answer, traffic: Answer | None, newest: Answer | None
) -> str:
    if traffic is not None:
        total = _total(traffic)
        if not traffic.samples or not math.isfinite(total):
            return "no data: there is no series of requests"
        if total < settings.min_requests:
            return f"only {total:.0f} requests in {words(seconds)}, {settings.min_requests:g} needed"
    if newest is not None and newest.samples:
        age = newest.samples[0].at - max(sample.value for sample in newest.samples)
        if age > settings.max_age:
            return f"stale: the newest sample is {words(age)} old"
    if not answer.samples:
        return "no data: the query gives no series"
    for sample in answer.samples:
        if not math.isfinite(sample.value):
            what = "NaN, which is 0/0" if math.isnan(sample.value) else f"{sample.value:+}".title()
            return f"no data: the query gives {what}"
    return ""


def _total(traffic: Answer) -> float:
    return sum(sample.value for sample in traffic.samples)


def number(value: float) -> str:
    """A value for a person: six digits at most."""
    return f"{value:.6g}"
