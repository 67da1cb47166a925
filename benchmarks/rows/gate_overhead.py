"""What the health gate adds to its slowest check, and a hundred checks side by side."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from benchmarks.context import Bench
from benchmarks.harness import ROOT, Contestant, Cost, Failure, Median, Run, interleave
from benchmarks.report import Section, Table, seconds, times

sys.path[:0] = [path for path in (str(ROOT / "src"), str(ROOT)) if path not in sys.path]

WORDS = """\
The step of `health-gate`, with a server that answers after exactly the time shown: that is the slowest
check, and what is above it is the gate's. *Gate* is the output `duration`; *step* is the whole process,
with the launcher, the interpreter's start, git and the outputs. *All green* is Argo CD (emulated, its
revisions looked up in git), two smoke tests, the error rate with its chart, and the slow check; no delay,
no stability window and one good reading are asked. The aims: the gate adds less than 0.3 s, and a hundred
checks side by side take as long as one."""

_OUTPUT = re.compile(r"^([\w-]+)<<(\S+)\n(.*)\n\2$", re.MULTILINE)
AIM = 0.3
"""Seconds that the gate may add to its slowest check."""


@dataclass
class Gates:
    """What is measured: ``durations`` by contestant are the gate's own account of each run."""

    bench: Bench
    folder: Path
    slow: str
    durations: dict[str, list[float]] = field(default_factory=dict)

    def contestant(
        self, name: str, inputs: Mapping[str, str], checks: Sequence[Mapping[str, object]]
    ) -> Contestant:
        """A gate that must pass."""
        lines = "\n".join(json.dumps(check) for check in checks)
        output = self.folder / f"output-{len(self.durations)}"
        run = self.bench.action(
            "health-gate", {"environment": "develop", **inputs, "check": lines}, GITHUB_OUTPUT=str(output)
        )
        self.durations[name] = []

        def once(number: int) -> Cost:
            output.write_text("")
            cost = self.bench.meter.run(run)
            told = {key: value for key, _, value in _OUTPUT.findall(output.read_text())}
            if told.get("result") != "passed":
                raise Failure(f"the gate {name} did not pass: {cost.said[-1500:]}")
            if number:
                self.durations[name].append(float(told["duration"]))
            return cost

        return Contestant(name, once)

    def slow_check(self, delay: float, number: int = 0) -> dict[str, object]:
        return {"check": "http", "name": f"slow-{number}", "base-url": self.slow, "paths": [f"/{delay}"]}


def measure(bench: Bench) -> Section:
    """The section of the page."""
    delay = 0.2 if bench.tiny else 1.0
    counts = bench.sizes((1, 10, 100), (1, 10, 100), (1, 3))
    folder = bench.folder("gate")
    with slow_server() as slow, world(folder) as inputs:
        gates = Gates(bench, folder, slow)
        green: list[Mapping[str, object]] = [{"check": kind} for kind in ("argocd", "http", "prometheus")]
        entrants = {
            "a bare Python that asks once": _bare(bench, slow, delay),
            "all green, four checks": gates.contestant("green", inputs, [*green, gates.slow_check(delay)]),
        }
        for count in counts:
            checks = [gates.slow_check(delay, number) for number in range(count)]
            entrants[_slow(count)] = gates.contestant(f"{count}", {}, checks)
        found = interleave(list(entrants.values()), bench.rounds(15, 5))
    one = found["1"].wall
    rows = [
        _row(label, delay, found[entrant.name].wall, gates.durations.get(entrant.name, ()), one)
        for label, entrant in entrants.items()
    ]
    columns = ["", "slowest check", "gate", "gate adds", "step", "step adds", "step ÷ one check's"]
    return Section(
        "What a gate adds", WORDS, [Table(columns, rows)], notes=_notes(delay, counts, gates, found)
    )


def _slow(count: int) -> str:
    return f"{count} slow check{'s' if count > 1 else ''}"


def _bare(bench: Bench, slow: str, delay: float) -> Contestant:
    host = slow.partition("//")[2]
    ask = f"import http.client as h; c = h.HTTPConnection('{host}'); c.request('GET', '/{delay}')"
    run = Run([bench.python, "-I", "-S", "-c", f"{ask}; c.getresponse().read()"])
    return Contestant("bare", lambda _: bench.meter.run(run))


def _row(label: str, delay: float, wall: float, own: Sequence[float], one: float) -> list[str]:
    gate = [seconds(median(own)), seconds(median(own) - delay)] if own else ["", ""]
    return [label, seconds(delay), *gate, seconds(wall), seconds(wall - delay), times(wall, one)]


def _notes(
    delay: float, counts: Sequence[int], gates: Gates, found: Mapping[str, Median]
) -> tuple[str, str]:
    most = counts[-1]
    own, step = median(gates.durations["green"]) - delay, found["green"].wall - delay
    ratio = median(gates.durations[f"{most}"]) / median(gates.durations["1"])
    return (
        f"All green: the gate adds {seconds(own)} to the slowest check and the whole step {seconds(step)}; "
        f"the aim is less than {seconds(AIM)}.",
        f"{most} checks: the gate takes {ratio:.2f}× as long as with one; one after the other they would "
        f"take {seconds(most * delay)}.",
    )


@contextmanager
def slow_server() -> Iterator[str]:
    """A server that answers ``/0.5`` after half a second, to any number of clients at once."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(float(self.path[1:]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def world(folder: Path) -> Iterator[Mapping[str, str]]:
    """A version that is live and well: Argo CD, the application and its metrics, as a gate's inputs."""
    from promote_actions.rehearsal.metrics import MetricsServer
    from tests.rehearsal.argocd_bench import DEFINITION
    from tests.rehearsal.argocd_bench import Bench as Deployed

    deployed = Deployed(folder, DEFINITION)
    try:
        deployed.push("2026.02.18")
        deployed.argocd.settle()
        deployed.app.traffic(50)
        with MetricsServer(deployed.app.metrics, 0.2) as metrics:
            time.sleep(2)
            yield {
                "gitops": str(deployed.bare),
                "service": "nexo-be",
                "argocd-server": deployed.argocd.url,
                "base-url": deployed.app.url + "/{service}/{environment}",
                "prometheus-url": metrics.url,
                "window": "1s",
                "stability": "0",
            }
    finally:
        deployed.stop()
