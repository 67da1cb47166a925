"""The application that the rehearsal deploys, and the stand-in for Prometheus that scrapes it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from promote_actions.rehearsal.application import Behaviour, DemoApplication
from promote_actions.rehearsal.metrics import MetricsServer, Unsupported

GROWN = "sum((increase({0}[10s]) and {0} offset 10s) or ({0} unless {0} offset 10s))"
ALL = 'http_requests_total{service="a",environment="qa"}'
ERRORS = 'http_requests_total{status=~"5..",service="a",environment="qa"}'


@pytest.fixture
def app() -> Iterator[DemoApplication]:
    with DemoApplication(
        {"bad": Behaviour(healthy=False, error_ratio=0.25), "dead": Behaviour(starts=False)}
    ) as app:
        yield app


def get(url: str) -> tuple[int, bytes]:
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_each_version_behaves_as_it_is_told(app: DemoApplication) -> None:
    """Health, status with the version, and errors at an exact ratio."""
    base = app.base_url("a", "qa")
    assert get(f"{base}/health")[0] == 503
    assert app.health("a", "qa")[0] == "Missing"
    app.deploy("a", "qa", "good")
    assert get(f"{base}/health")[0] == 200
    assert json.loads(get(f"{base}/api/status")[1])["version"] == "good"
    app.deploy("a", "qa", "bad")
    assert get(f"{base}/health")[0] == 503
    assert sum(app.request("a", "qa")[0] == 500 for _ in range(100)) == 25
    app.deploy("a", "qa", "dead")
    assert app.health("a", "qa")[0] == "Degraded"
    assert get(f"{base}/api/status")[0] == 503


def test_metrics_begin_again_with_a_deployment(app: DemoApplication) -> None:
    """As a new process does; the same version again is no deployment."""
    app.deploy("a", "qa", "good")
    app.request("a", "qa")
    app.deploy("a", "qa", "good")
    line = 'http_requests_total{service="a",environment="qa",status="200"} 1'
    assert line in get(f"{app.url}/metrics")[1].decode()
    app.deploy("a", "qa", "bad")
    assert line not in app.metrics()


def scraped(*totals: tuple[int, int]) -> MetricsServer:
    """A second apart: good and bad requests so far; an absent series is written as -1."""
    texts = []
    for good, bad in totals:
        lines = [(200, good), (500, bad)]
        labels = 'http_requests_total{{service="a",environment="qa",status="{}"}} {}'
        texts.append("\n".join(labels.format(status, count) for status, count in lines if count >= 0))
    server = MetricsServer(lambda: "")
    for second, text in enumerate(texts):
        server._scrape = lambda text=text: text
        server.scrape_once(1000.0 + second)
    return server


@pytest.mark.parametrize(
    ("totals", "errors", "everything"),
    [
        ([(10, 0), (20, 1), (30, 2)], 2, 32),
        ([(10, -1), (20, -1), (30, 5)], 5, 35),
        ([(10, 9), (3, 0), (5, 1)], 1, 6),
    ],
)
def test_growth_with_new_series_and_resets(
    totals: list[tuple[int, int]], errors: float, everything: float
) -> None:
    """All series are new in a window that reaches back before them, so their value is their growth."""
    server = scraped(*totals)
    assert server.query(GROWN.format(ERRORS), 1002.0) == errors
    assert server.query(GROWN.format(ALL), 1002.0) == everything


def test_growth_within_a_window() -> None:
    """A series that was there before counts only what it grew by; a reset is a new beginning."""
    server = scraped((100, 0), (110, 0), (120, 0), (5, 0), (10, 0))
    assert server.query(GROWN.format(ALL).replace("10s", "2s"), 1004.0) == 10
    assert server.query(f"sum(increase({ALL}[10s]))", 1004.0) == 30
    assert server.query(f"sum(rate({ALL}[2s]))", 1002.0) == 10
    assert server.query(f"max(timestamp({ALL}))", 1004.0) == 1004.0


def test_quotients() -> None:
    """Nothing is nothing, 0/0 is NaN, and missing errors can be made a 0."""
    server = scraped((10, -1), (10, -1))
    assert server.query(GROWN.format(ERRORS), 1001.0) is None
    ratio = f"({GROWN.format(ERRORS)} or vector(0)) / {GROWN.format(ALL)}"
    assert server.query(ratio, 1001.0) == 0
    still = server.query(f"sum(rate({ALL}[5s])) / sum(rate({ALL}[5s]))", 1001.0)
    assert still is not None and math.isnan(still)
    assert server.query(ratio.replace('"a"', '"nobody"'), 1001.0) is None


def test_other_queries_are_refused(app: DemoApplication) -> None:
    """In Prometheus' words for a query that it can't read."""
    with MetricsServer(app.metrics) as server:
        status, body = get(f"{server.url}/api/v1/query?query=up")
        assert (status, json.loads(body)["errorType"]) == (400, "bad_data")
        assert get(f"{server.url}/api/v1/labels")[0] == 404
        with pytest.raises(Unsupported):
            server.query("histogram_quantile(0.9, x)", 0.0)
