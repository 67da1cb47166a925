"""An application to deploy: ``/health``, ``/api/status`` and Prometheus metrics of every service and
environment on one loopback server.

API: ``DemoApplication(behaviours)`` maps a version to how it behaves; ``start()`` and ``stop()`` (also a
context manager); ``url``; ``base_url(service, environment)``; ``deploy(service, environment, version)``
replaces what runs; ``version(service, environment)``; ``behave(version, behaviour)`` changes a version's
behaviour; ``health(service, environment)`` is what Argo CD would find; ``request(service, environment)``
is one customer's request; ``traffic(rate)`` makes ``rate`` of them a second for everything deployed, in
the background, but for the services in ``quiet``. Metrics are at ``/metrics`` (503 while
``metrics_paused``); a deployment starts its counters again, as a new process does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass(frozen=True)
class Behaviour:
    """How a version behaves: does it start, does ``/health`` say so, and which share of the requests
    (0 to 1) end with status 500. ``delay`` is seconds before an answer."""

    starts: bool = True
    healthy: bool = True
    error_ratio: float = 0.0
    delay: float = 0.0


GOOD = Behaviour()


@dataclass
class _Running:
    version: str
    counts: dict[int, int] = field(default_factory=dict)
    asked: int = 0


class DemoApplication:
    """Every service in every environment; see the module's text for the API."""

    def __init__(self, behaviours: Mapping[str, Behaviour] | None = None, port: int = 0) -> None:
        self._behaviours = dict(behaviours or {})
        self._running: dict[tuple[str, str], _Running] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self.metrics_paused = False
        self.quiet: set[str] = set()
        self._server = _Server(("127.0.0.1", port), _handler(self))

    # -- life --------------------------------------------------------------------------------

    def start(self) -> DemoApplication:
        serve = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        serve.start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> DemoApplication:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def base_url(self, service: str, environment: str) -> str:
        """The address under which ``/health`` and ``/api/status`` of one deployment are."""
        return f"{self.url}/{service}/{environment}"

    # -- deployments -------------------------------------------------------------------------

    def deploy(self, service: str, environment: str, version: str) -> None:
        """Replace what runs of ``service`` in ``environment``; the same version again changes nothing."""
        with self._lock:
            running = self._running.get((service, environment))
            if running is None or running.version != version:
                self._running[service, environment] = _Running(version)

    def version(self, service: str, environment: str) -> str:
        """What runs, or an empty string."""
        with self._lock:
            running = self._running.get((service, environment))
            return running.version if running else ""

    def behave(self, version: str, behaviour: Behaviour) -> None:
        """Let every deployment of ``version`` behave like this from now on."""
        with self._lock:
            self._behaviours[version] = behaviour

    def health(self, service: str, environment: str) -> tuple[str, str]:
        """Argo CD's word for the deployment and a message: Missing, Healthy or Degraded."""
        version = self.version(service, environment)
        if not version:
            return "Missing", "nothing is deployed"
        behaviour = self._behaviours.get(version, GOOD)
        if not behaviour.starts:
            return "Degraded", f"{service} {version}: back-off restarting failed container"
        return "Healthy", ""

    # -- requests ----------------------------------------------------------------------------

    def request(self, service: str, environment: str, path: str = "/") -> tuple[int, bytes, str]:
        """One request: status, body and content type. All but ``/health`` are counted in the metrics."""
        with self._lock:
            running = self._running.get((service, environment))
            behaviour = self._behaviours.get(running.version, GOOD) if running else GOOD
            if running is None or not behaviour.starts:
                return 503, b"no such deployment\n", "text/plain"
            if path == "/health":
                word = "ok" if behaviour.healthy else "unhealthy"
                return (200 if behaviour.healthy else 503), _json({"status": word}), "application/json"
            status = self._next_status(running, behaviour.error_ratio)
            if status == 500:
                return 500, b"internal error\n", "text/plain"
        body = {"service": service, "environment": environment, "version": running.version, "status": "ok"}
        return 200, _json(body), "application/json"

    def delay(self, service: str, environment: str) -> float:
        return self._behaviours.get(self.version(service, environment), GOOD).delay

    @staticmethod
    def _next_status(running: _Running, ratio: float) -> int:
        """Errors spread evenly, so that a ratio is exact after few requests."""
        before = int(running.asked * ratio)
        running.asked += 1
        status = 500 if int(running.asked * ratio) > before else 200
        running.counts[status] = running.counts.get(status, 0) + 1
        return status

    def traffic(self, rate: float = 50.0) -> None:
        """Ask everything deployed ``rate`` times a second, in the background, until ``stop``."""
        threading.Thread(target=self._make_traffic, args=(rate,), daemon=True).start()

    def _make_traffic(self, rate: float) -> None:
        pause = 0.1
        while not self._stopped.wait(pause):
            with self._lock:
                deployed = list(self._running)
            for service, environment in deployed:
                if service in self.quiet:
                    continue
                for _ in range(max(int(rate * pause), 1)):
                    self.request(service, environment, "/api/orders")

    def metrics(self) -> str:
        """The counters in Prometheus' text format."""
        lines = ["# HELP http_requests_total Requests by status.", "# TYPE http_requests_total counter"]
        with self._lock:
            for (service, environment), running in sorted(self._running.items()):
                for status, count in sorted(running.counts.items()):
                    labels = f'service="{service}",environment="{environment}",status="{status}"'
                    lines.append(f"http_requests_total{{{labels}}} {count}")
        return "\n".join(lines) + "\n"


def _json(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


def _handler(app: DemoApplication) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics" and app.metrics_paused:
                self._answer(503, b"no metrics\n", "text/plain")
                return
            if path == "/metrics":
                self._answer(200, app.metrics().encode(), "text/plain; version=0.0.4")
                return
            _, service, environment, *rest = [*path.split("/"), "", ""]
            wait = app.delay(service, environment)
            if wait:
                threading.Event().wait(wait)
            inner = "/" + "/".join(part for part in rest if part)
            self._answer(*app.request(service, environment, inner))

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Stay silent: the rehearsal speaks for itself."""

    return Handler
