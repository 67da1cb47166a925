"""The metric check against a real Prometheus that scrapes a small application."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from promote_actions.adapters.prometheus import Prometheus
from promote_actions.errors import InputError
from promote_actions.gates.model import Moment, Reading
from promote_actions.gates.options import Options
from promote_actions.gates.prometheus import KNOWN, MetricCheck, parse
from promote_actions.rehearsal.application import Behaviour, DemoApplication
from promote_actions.rehearsal.metrics import MetricsServer

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        shutil.which("prometheus") is None,
        reason="NOT TESTED: there is no prometheus here (apt-get install prometheus)",
    ),
]

CONFIG = """
global: {{scrape_interval: 250ms, evaluation_interval: 250ms}}
scrape_configs:
  - job_name: demo
    static_configs: [{{targets: ["{target}"]}}]
"""
OPTIONS = {"window": "2s", "min-window": "1s", "min-requests": 20, "max-age": "3s"}


@dataclass
class Bench:
    """An application, and a Prometheus that scrapes it."""

    app: DemoApplication
    prometheus: Prometheus

    def check(self, service: str, **options: object) -> MetricCheck:
        names = {"service": service, "environment": "develop", "version": "1"}
        return MetricCheck(parse(Options("metric", {**OPTIONS, **options}, KNOWN), names), self.prometheus)

    def measure(self, service: str, **options: object) -> Reading:
        return self.check(service, **options).measure(Moment(datetime.now(timezone.utc)))

    def becomes(self, service: str, true: Callable[[Reading], bool], **options: object) -> Reading:
        """The first reading that is as wanted; the last one when none is."""
        for _ in range(80):
            reading = self.measure(service, **options)
            if true(reading):
                return reading
            time.sleep(0.15)
        return reading


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("prometheus")
    port = free_port()
    with DemoApplication({"half": Behaviour(error_ratio=0.005), "two": Behaviour(error_ratio=0.02)}) as app:
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(target=app.url.removeprefix("http://")))
        for service, version in (
            ("good", "half"),
            ("bad", "two"),
            ("changing", "shaky"),
            ("clean", "fine"),
        ):
            app.deploy(service, "develop", version)
        app.traffic(400.0)
        arguments = [f"--config.file={config}", f"--storage.tsdb.path={folder}/data", "--log.level=error"]
        process = subprocess.Popen(
            ["prometheus", *arguments, f"--web.listen-address=127.0.0.1:{port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_ready(port)
            yield Bench(app, Prometheus(f"http://127.0.0.1:{port}"))
        finally:
            process.terminate()
            process.wait(10)


def wait_until_ready(port: int) -> None:
    for _ in range(200):
        try:
            with urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise AssertionError("Prometheus did not become ready")


def test_half_a_per_cent_of_errors_passes(bench: Bench) -> None:
    """Below the strategy's 1 %."""
    reading = bench.becomes("good", lambda found: found.outcome == "passed" and bool(found.value))
    assert reading.outcome == "passed", reading
    assert reading.value is not None and 0 < reading.value < 0.01


def test_two_per_cent_of_errors_stop_the_gate(bench: Bench) -> None:
    """Above it."""
    reading = bench.becomes("bad", lambda found: found.outcome == "failed")
    assert reading.outcome == "failed", reading
    assert reading.value == pytest.approx(0.02, abs=0.008)


def test_without_the_series_it_is_inconclusive(bench: Bench) -> None:
    """A service that nobody scrapes."""
    reading = bench.measure("nobody")
    assert (reading.outcome, "no series of requests" in reading.reason) == ("inconclusive", True)


def test_without_traffic_it_is_inconclusive(bench: Bench) -> None:
    """Counters that stand still give 0/0, which Prometheus answers as NaN by HTTP 200."""
    reading = bench.measure("good", selector='service="good",status="200"', **{"min-requests": 10**9})
    assert (reading.outcome, "only " in reading.reason) == ("inconclusive", True)
    ratio = "sum(rate(up[2s])) / sum(rate(up[2s]))"
    reading = bench.becomes("good", lambda found: "0/0" in found.reason, query=ratio, threshold="<= 1")
    assert (reading.outcome, "0/0" in reading.reason) == ("inconclusive", True), reading


def test_it_follows_a_service_that_gets_worse_and_better_and_is_restarted(bench: Bench) -> None:
    """A restart begins the counters again, which is neither a failure nor a negative rate."""
    assert bench.becomes("changing", lambda found: found.outcome == "passed").outcome == "passed"
    bench.app.behave("shaky", Behaviour(error_ratio=0.05))
    assert bench.becomes("changing", lambda found: found.outcome == "failed").outcome == "failed"
    bench.app.deploy("changing", "develop", "fixed")
    reading = bench.becomes("changing", lambda found: found.outcome == "passed")
    assert reading.outcome == "passed", reading
    assert reading.value is not None and 0 <= reading.value <= 0.01


def test_errors_that_came_before_the_second_scrape_count(bench: Bench) -> None:
    """A burst right after the rollout, then silence: the series appears with all its errors in it, and
    `increase()` alone would say that it never grew."""
    bench.app.quiet.add("quiet")
    bench.app.behave("burst", Behaviour(error_ratio=0.5))
    bench.app.deploy("quiet", "develop", "burst")
    for _ in range(60):
        bench.app.request("quiet", "develop")
    reading = bench.becomes("quiet", lambda found: found.outcome == "failed")
    assert reading.outcome == "failed", reading
    assert reading.value is not None and reading.value > 0.3


def test_a_target_that_went_away_is_no_good_news_and_comes_back(bench: Bench) -> None:
    """Without samples there is no data; when they come again, so does the verdict."""
    bench.app.metrics_paused = True
    reading = bench.becomes("clean", lambda found: found.outcome != "passed")
    assert reading.outcome == "inconclusive", reading
    bench.app.metrics_paused = False
    assert bench.becomes("clean", lambda found: found.outcome == "passed").outcome == "passed"


@pytest.mark.parametrize(
    ("query", "outcome", "words"),
    [
        ("vector(0)", "passed", "0, wanted"),
        ("scalar(vector(0))", "passed", "0, wanted"),
        ("0", "passed", "0, wanted"),
        ("vector(1)/0", "inconclusive", "+Inf"),
        ("vector(0)/0", "inconclusive", "NaN"),
        ("no_such_metric", "inconclusive", "no series"),
        ("scalar(no_such_metric)", "inconclusive", "NaN"),
    ],
)
def test_kinds_of_answers(bench: Bench, query: str, outcome: str, words: str) -> None:
    """As Prometheus itself gives them."""
    reading = bench.measure("good", query=query, threshold="<= 0.01")
    assert (reading.outcome, words in reading.reason) == (outcome, True), reading


@pytest.mark.parametrize(
    ("query", "words"), [("up[5s]", "gives a matrix"), ("sum(", "can't read the query")]
)
def test_queries_that_give_no_value(bench: Bench, query: str, words: str) -> None:
    """A range, and what can't be parsed."""
    with pytest.raises(InputError) as caught:
        bench.measure("good", query=query, threshold="<= 0.01")
    assert words in str(caught.value)


def test_the_chart_is_of_the_windows_values(bench: Bench) -> None:
    """Many points around the reading's own value; none for several series, or none."""
    bench.becomes("bad", lambda found: found.outcome == "failed")
    reading = bench.becomes("bad", lambda found: len(found.course) > 15)
    assert reading.value is not None
    values = [value for _, value in reading.course]
    assert sum(values) / len(values) == pytest.approx(reading.value, abs=0.012)
    assert [at for at, _ in reading.course] == sorted(at for at, _ in reading.course)
    assert reading.course[-1][0] <= reading.at
    several = bench.measure("good", query="http_requests_total", threshold=">= 0")
    assert (several.outcome, several.course) == ("passed", ())


def test_the_stand_in_agrees_with_prometheus(bench: Bench) -> None:
    """Where there is no Prometheus the rehearsal has a stand-in: same questions, same answers."""
    with MetricsServer(bench.app.metrics, 0.25) as server:
        real, bench.prometheus = bench.prometheus, Prometheus(server.url)
        try:
            stand_in = bench.becomes("bad", lambda found: found.outcome == "failed")
            course = bench.becomes("bad", lambda found: len(found.course) > 15).course
            nobody = bench.measure("nobody")
        finally:
            bench.prometheus = real
    assert stand_in.value == pytest.approx(0.02, abs=0.008)
    assert sum(value for _, value in course) / len(course) == pytest.approx(0.02, abs=0.012)
    assert (nobody.outcome, "no series of requests" in nobody.reason) == ("inconclusive", True)
