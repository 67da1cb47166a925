"""The metric check: what each kind of answer means, and which time it speaks of."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.gates import threshold
from promote_actions.gates.model import Moment, Outcome
from promote_actions.gates.options import Options
from promote_actions.gates.prometheus import (
    KNOWN,
    Answer,
    MetricCheck,
    Sample,
    Settings,
    fill,
    judge,
    parse,
    with_window,
)

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
NAMES = {"service": "nexo-be", "environment": "develop", "version": "2026.02.2"}
SETTINGS = Settings("ratio[{window}]", threshold.parse("<= 0.01", "x"), traffic="t[{window}]", newest="n")


def answer(*values: float, warnings: tuple[str, ...] = ()) -> Answer:
    samples = (Sample(f'{{pod="{index}"}}', value, 1000.0) for index, value in enumerate(values))
    return Answer(tuple(samples), warnings)


TRAFFIC, FRESH = answer(500), answer(990)
ANSWERS: dict[str, tuple[Answer, Answer | None, Answer | None, Outcome, str]] = {
    "good": (answer(0.005), TRAFFIC, FRESH, "passed", "0.005, wanted <= 0.01 over 5 min, 500 requests"),
    "at the limit": (answer(0.01), TRAFFIC, FRESH, "passed", "0.01, wanted"),
    "bad": (answer(0.02), TRAFFIC, FRESH, "failed", "0.02, wanted <= 0.01"),
    "no series": (answer(), TRAFFIC, FRESH, "inconclusive", "no data: the query gives no series"),
    "NaN": (answer(math.nan), TRAFFIC, FRESH, "inconclusive", "NaN, which is 0/0"),
    "+Inf": (answer(math.inf), TRAFFIC, FRESH, "inconclusive", "the query gives +Inf"),
    "-Inf": (answer(-math.inf), TRAFFIC, FRESH, "inconclusive", "the query gives -Inf"),
    "several, all good": (answer(0.001, 0.002), TRAFFIC, FRESH, "passed", '0.001 of {pod="0"}'),
    "several, the last good": (answer(0.02, 0.0), TRAFFIC, FRESH, "failed", '0.02 of {pod="0"}'),
    "several, the first good": (answer(0.0, 0.02), TRAFFIC, FRESH, "failed", '0.02 of {pod="1"}'),
    "several, one NaN": (answer(0.0, math.nan), TRAFFIC, FRESH, "inconclusive", "NaN"),
    "too few requests": (
        answer(0.5),
        answer(9),
        FRESH,
        "inconclusive",
        "only 9 requests in 5 min, 10 needed",
    ),
    "just enough requests": (answer(0.0), answer(10), FRESH, "passed", "10 requests"),
    "no traffic series": (answer(0.0), answer(), FRESH, "inconclusive", "no series of requests"),
    "NaN traffic": (answer(0.0), answer(math.nan), FRESH, "inconclusive", "no series of requests"),
    "traffic over several series": (answer(0.0), answer(6, 6), FRESH, "passed", "12 requests"),
    "stale": (answer(0.0), TRAFFIC, answer(800), "inconclusive", "the newest sample is 3 min 20 s old"),
    "warnings": (answer(0.0, warnings=("one store is down",)), TRAFFIC, FRESH, "inconclusive", "one store"),
    "nothing but the value": (answer(0.0), None, None, "passed", "0, wanted <= 0.01"),
}


@pytest.mark.parametrize(("value", "traffic", "newest", "outcome", "words"), ANSWERS.values(), ids=ANSWERS)
def test_each_answer_has_its_outcome(
    value: Answer, traffic: Answer | None, newest: Answer | None, outcome: Outcome, words: str
) -> None:
    """Only a number within the threshold, with traffic behind it, passes."""
    found, reason, _ = judge(SETTINGS, 300.0, value, traffic, newest)
    assert (found, words in reason) == (outcome, True), reason


@pytest.mark.parametrize(
    ("word", "outcome"), [("fail", "failed"), ("pass", "passed"), ("", "inconclusive")]
)
def test_no_data_means_what_the_caller_says(word: str, outcome: Outcome) -> None:
    """And the reason says that it was his choice."""
    settings = parse(Options("metric", {"on-no-data": word}, KNOWN), NAMES)
    found, reason, value = judge(settings, 300.0, answer(), None, None)
    assert (found, value) == (outcome, None)
    assert (
        reason
        == {
            "failed": "no data: the query gives no series (fails by on-no-data)",
            "passed": "no data: the query gives no series (passes by on-no-data)",
            "inconclusive": "no data: the query gives no series",
        }[outcome]
    )


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["<=", "<", ">=", ">", "==", "!="]))
@hypothesis_settings(max_examples=100, deadline=None)
def test_what_is_no_number_never_holds(value: float, sign: str) -> None:
    """`NaN >= 0.01` is false, so a failure condition would let it pass, and `+Inf > 1` is true."""
    held = threshold.parse(f"{sign} 0.5", "x").holds(value)
    assert not held or math.isfinite(value)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("<= 0.01", 0.01, True),
        ("<0.01", 0.01, False),
        ("< 1%", 0.009, True),
        (">= 99.9%", 0.998, False),
        ("== 0", 0.0, True),
        ("= 0", 1.0, False),
        ("!= 0", 1.0, True),
        ("> -1.5e-3", 0.0, True),
        ("<= .5", 0.5, True),
    ],
)
def test_thresholds(text: str, value: float, holds: bool) -> None:
    """Comparisons as people write them; a per cent sign divides by a hundred."""
    assert threshold.parse(text, "x").holds(value) is holds


@pytest.mark.parametrize("text", ["", "  ", "0.01", "<= a", "<=> 1", "< 1 2", "<= NaN", "< 1e999", "`rm`"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    """Without a condition nothing may pass."""
    with pytest.raises(InputError, match="threshold"):
        threshold.parse(text, "check 'metric'")


def grown(series: str) -> str:
    before = f"{series} offset {{window}}"
    return f"sum((increase({series}[{{window}}]) and {before}) or ({series} unless {before}))"


def test_the_default_query_is_the_strategys_error_rate_as_a_ratio() -> None:
    """5xx over all, of one service and environment; without 5xx series it is 0, not nothing."""
    settings = parse(Options("metric", {}, KNOWN), NAMES)
    series = 'http_requests_total{service="nexo-be",environment="develop"}'
    errors = 'http_requests_total{status=~"5..",service="nexo-be",environment="develop"}'
    assert settings.query == f"({grown(errors)} or vector(0)) / {grown(series)}"
    assert settings.traffic == grown(series)
    assert settings.newest == f"max(timestamp({series}))"
    assert (settings.threshold.limit, settings.window, settings.min_requests) == (0.01, 300.0, 10.0)


def test_series_can_be_called_otherwise() -> None:
    """Metric, labels and status label are options."""
    values = {"metric": "requests", "selector": 'app="{service}"', "status-label": "code"}
    settings = parse(Options("metric", values, KNOWN), NAMES)
    assert 'requests{code=~"5..",app="nexo-be"}' in settings.query


def test_a_query_of_ones_own_needs_a_threshold() -> None:
    """And asks nothing else unless told to."""
    with pytest.raises(InputError, match="has no threshold"):
        parse(Options("metric", {"query": "up"}, KNOWN), NAMES)
    settings = parse(Options("metric", {"query": 'x{v="{version}"}', "threshold": "> 0"}, KNOWN), NAMES)
    assert (settings.query, settings.traffic, settings.newest) == ('x{v="2026.02.2"}', "", "")


def test_a_hostile_name_stays_inside_its_string() -> None:
    """Quotes in a service's name don't end the label's value."""
    assert (
        fill('x{s="{service}"}', {"service": 'a"} or vector(1) #\\'}) == 'x{s="a\\"} or vector(1) #\\\\"}'
    )


class Source:
    """Prometheus with one answer; remembers what was asked."""

    def __init__(self, value: float = 0.0, baseline: Answer | None = None) -> None:
        self.asked: list[str] = []
        self.moments: list[datetime | None] = []
        self.value = value
        self.baseline = baseline or Answer(())

    def query(self, text: str, at: datetime | None = None) -> Answer:
        self.asked.append(text)
        self.moments.append(at)
        if text.startswith("ratio"):
            return self.baseline if at is not None or "qa" in text else answer(self.value)
        return answer(995.0)

    def course(
        self, text: str, begin: datetime, end: datetime, step: float
    ) -> tuple[tuple[datetime, float], ...]:
        return ((begin, 0.5),)

    def page(self, text: str) -> str:
        return f"http://prometheus/graph?{text}"


@pytest.mark.parametrize(
    ("age", "outcome", "window"),
    [
        (None, "passed", "300s"),
        (3600.0, "passed", "300s"),
        (300.0, "passed", "300s"),
        (90.5, "passed", "90s"),
        (60.0, "passed", "60s"),
        (59.0, "waiting", ""),
        (-5.0, "waiting", ""),
    ],
)
def test_the_window_never_reaches_back_before_the_rollout(
    age: float | None, outcome: Outcome, window: str
) -> None:
    """Or the old version's errors are judged; for a while there is too little to judge."""
    source = Source()
    rollout = None if age is None else T0 - timedelta(seconds=age)
    reading = MetricCheck(SETTINGS, source).measure(Moment(T0, rollout))
    assert reading.outcome == outcome
    assert [text for text in source.asked if "ratio" in text] == ([f"ratio[{window}]"] if window else [])
    if window:
        assert reading.begins is not None
        assert rollout is None or reading.begins >= rollout


def test_a_fixed_window_must_lie_after_the_rollout() -> None:
    """A query that says [5m] itself can't be cut, so the gate waits until five minutes have gone."""
    fixed = replace(SETTINGS, query="ratio[5m]", traffic="", newest="")
    check = MetricCheck(fixed, Source())
    assert check.measure(Moment(T0, T0 - timedelta(seconds=299))).outcome == "waiting"
    assert check.measure(Moment(T0, T0 - timedelta(seconds=300))).outcome == "passed"


def test_a_reading_has_its_value_and_a_link() -> None:
    """For the chart and for a person."""
    reading = MetricCheck(SETTINGS, Source(0.02)).measure(Moment(T0))
    assert (reading.outcome, reading.value) == ("failed", 0.02)
    assert reading.links[0].url == "http://prometheus/graph?ratio[300s]"
    assert reading.course == ((T0 - timedelta(seconds=240), 0.5),)
    assert MetricCheck(SETTINGS, Source(math.nan)).measure(Moment(T0)).course == ()


@pytest.mark.parametrize(
    ("seconds", "text"), [(300.0, "300s"), (90.9, "90s"), (1.5, "1500ms"), (0.0, "1ms")]
)
def test_windows_in_promql(seconds: float, text: str) -> None:
    """Whole seconds, or milliseconds for short ones; never zero."""
    assert with_window("x[{window}]", seconds) == f"x[{text}]"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"thresold": "<= 1"}, "did you mean 'threshold'?"),
        ({"window": "soon"}, "option 'window'"),
        ({"min-requests": "-1"}, "option 'min-requests'"),
        ({"min-requests": "NaN"}, "option 'min-requests'"),
        ({"on-no-data": "maybe"}, "one of inconclusive, fail, pass"),
        ({"metric": ["a"]}, "option 'metric'"),
    ],
)
def test_options_that_make_no_sense(values: dict[str, Any], words: str) -> None:
    """Each is named."""
    with pytest.raises(InputError) as caught:
        parse(Options("metric", values, KNOWN), NAMES)
    assert words in str(caught.value)


# -- comparison ------------------------------------------------------------------------------------

BEFORE = replace(SETTINGS, compare="before", threshold=threshold.parse("<= 0.005", "x"))


@pytest.mark.parametrize(
    ("value", "baseline", "outcome", "words"),
    [
        (
            0.02,
            answer(0.018),
            "passed",
            "0.02 against 0.018 before the rollout: difference 0.002, wanted <= 0.005",
        ),
        (0.02, answer(0.01), "failed", "difference 0.01, wanted <= 0.005"),
        (0.0, answer(0.5), "passed", "difference -0.5"),
        (0.0, answer(), "inconclusive", "no data before the rollout to compare with"),
        (0.0, answer(math.nan), "inconclusive", "no data before"),
        (0.0, answer(0.0, 0.0), "inconclusive", "no data before"),
    ],
)
def test_compared_with_the_time_before_the_rollout(
    value: float, baseline: Answer, outcome: Outcome, words: str
) -> None:
    """The threshold is for the difference; a service that was always bad is not made worse."""
    source = Source(value, baseline)
    rollout = T0 - timedelta(minutes=10)
    reading = MetricCheck(BEFORE, source).measure(Moment(T0, rollout))
    assert (reading.outcome, words in reading.reason) == (outcome, True), reading.reason
    assert source.moments[-1] == rollout - timedelta(seconds=1)
    assert source.asked[-1] == "ratio[300s]"


def test_without_a_known_rollout_there_is_no_time_before_it() -> None:
    """So nothing is compared, and nothing passes."""
    reading = MetricCheck(BEFORE, Source(0.0, answer(0.0))).measure(Moment(T0))
    assert (reading.outcome, "no data before the rollout" in reading.reason) == ("inconclusive", True)


def test_compared_with_the_source_environment() -> None:
    """The same question, asked of the environment that the version came from."""
    values = {"query": 'ratio{e="{environment}"}[{window}]', "threshold": "<= 0.005", "compare": "source"}
    options = Options("metric", {**values, "min-requests": "0"}, KNOWN)
    settings = parse(options, {**NAMES, "environment": "staging"}, "qa")
    source = Source(0.02, answer(0.019))
    reading = MetricCheck(settings, source).measure(Moment(T0))
    assert reading.outcome == "passed"
    assert "in the source environment" in reading.reason
    assert source.asked == ['ratio{e="staging"}[300s]', 'ratio{e="qa"}[300s]']
    with pytest.raises(InputError, match="no source environment"):
        parse(options, NAMES, "")


def test_no_data_is_no_data_before_anything_is_compared() -> None:
    """Too few requests, for instance."""
    settings = replace(BEFORE, min_requests=10**6)
    rollout = T0 - timedelta(minutes=10)
    reading = MetricCheck(settings, Source(0.0, answer(0.0))).measure(Moment(T0, rollout))
    assert (reading.outcome, "needed" in reading.reason) == ("inconclusive", True)
