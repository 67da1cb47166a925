"""The emulator's clock, its reading of git, and its HTTP server. The API is in the package's text."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from promote_actions.adapters.git_process import Git
from promote_actions.errors import PromoteError
from promote_actions.promotion.values import read_scalar
from promote_actions.rehearsal.argocd import documents
from promote_actions.rehearsal.argocd.routes import HANDLERS, Refusal, json_object, now_utc
from promote_actions.rehearsal.argocd.state import App, Definition, Deploy, Desired, Health, Pace

TICK = 0.03
"""Seconds between two looks at what is due."""


@dataclass
class Fault:
    """Spoils answers while set: ``down`` (the connection is closed), ``html`` (a login page with 200),
    ``status`` (that status with JSON), ``redirect``, ``slow`` (``seconds`` before the answer)."""

    kind: Literal["", "down", "html", "status", "redirect", "slow"] = ""
    status: int = 500
    seconds: float = 0.0


class ArgoCDEmulator:
    """See the package's text."""

    def __init__(
        self,
        repository: str,
        applications: Sequence[Definition],
        *,
        deploy: Deploy,
        health: Health,
        token: str = "",
        pace: Pace | None = None,
        port: int = 0,
    ) -> None:
        pace = pace or Pace()
        self.token = token
        self.fault = Fault()
        self.requests: list[str] = []
        self._git = Git(str(repository))
        self._pace = pace
        self._apps = {item.name: App(item, pace, deploy, health) for item in applications}
        self._versions: dict[tuple[str, str], Desired] = {}
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))

    # -- life --------------------------------------------------------------------------------

    def start(self) -> ArgoCDEmulator:
        self.look()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> ArgoCDEmulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def app(self, name: str) -> App:
        """The state of one application, to read or to bend."""
        return self._apps[name]

    def settle(self, timeout: float = 10.0) -> None:
        """Wait until git has been looked at and nothing is under way any more."""
        self.look()
        for _ in range(int(timeout / TICK)):
            with self._lock:
                still = all(
                    not app.busy and app.look_again_at is None and app.rolled_out_at is None
                    for app in self._apps.values()
                )
            if still:
                return
            self._stopped.wait(TICK)
        raise TimeoutError("the applications did not settle")

    def look(self, name: str = "") -> None:
        """Look at git now, for one application or for all."""
        for app in [self._apps[name]] if name else list(self._apps.values()):
            desired = self._desired(app.definition)
            with self._lock:
                app.compare(desired, now_utc())

    def _run(self) -> None:
        looked = now_utc()
        while not self._stopped.wait(TICK):
            now = now_utc()
            if (now - looked).total_seconds() >= self._pace.poll:
                self.look()
                looked = now
            with self._lock:
                for app in self._apps.values():
                    app.tick(now)

    def _desired(self, definition: Definition) -> Desired:
        done = self._git.run(
            "rev-parse", "--verify", "--quiet", f"refs/heads/{definition.branch}^{{commit}}"
        )
        if done.status:
            return Desired("", error=f"failed to resolve revision {definition.branch}")
        return self.at(definition, done.text.strip())

    def at(self, definition: Definition, revision: str) -> Desired:
        """What git asks for at ``revision``."""
        key = (definition.name, revision)
        if key not in self._versions:
            blob = self._git.run("cat-file", "blob", f"{revision}:{definition.values_path}")
            error = f"{definition.values_path}: no such file" if blob.status else ""
            version = ""
            try:
                if not error:
                    version = read_scalar(blob.stdout, definition.tag_path, images=(definition.image,))
            except PromoteError as wrong:
                error = str(wrong)
            why = f"failed to generate manifest: {error}" if error else ""
            self._versions[key] = Desired(revision, version, why)
        return self._versions[key]

    # -- requests ----------------------------------------------------------------------------

    def answer(self, method: str, target: str, body: bytes, authorization: str) -> tuple[int, Any]:
        """Status and JSON document of one request."""
        parts = urlsplit(target)
        try:
            if parts.path == "/api/version":
                return 200, {"Version": "v3.1.0+emulated"}
            self._authenticate(authorization)
            return 200, self._route(method, parts.path, parse_qs(parts.query), json_object(body))
        except Refusal as refusal:
            text = str(refusal)
            return refusal.status, {"error": text, "code": refusal.code, "message": text}

    def _authenticate(self, authorization: str) -> None:
        if not self.token:
            return
        if not authorization:
            raise Refusal(401, 16, "no session information")
        if authorization != f"Bearer {self.token}":
            raise Refusal(401, 16, "invalid session: signature is invalid")

    def _route(
        self, method: str, path: str, query: Mapping[str, list[str]], body: Mapping[str, Any]
    ) -> Any:
        if path == "/api/v1/session/userinfo" and method == "GET":
            return {"loggedIn": True, "username": "promote", "iss": "argocd"}
        if path == "/api/v1/applications" and method == "GET":
            with self._lock:
                return {"metadata": {}, "items": [documents.application(a) for a in self._apps.values()]}
        steps = path.removeprefix("/api/v1/applications/").split("/")
        handler = HANDLERS.get((method, steps[1] if len(steps) == 2 else ""))
        if not path.startswith("/api/v1/applications/") or len(steps) > 2 or handler is None:
            raise Refusal(404, 5, "Not Found")
        name = unquote(steps[0])
        if name not in self._apps:
            # Argo CD doesn't tell a stranger which applications there are.
            raise Refusal(403, 7, "permission denied")
        if method == "GET" and query.get("refresh"):
            self.look(name)
        with self._lock:
            return handler(self.at, self._apps[name], body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no event."""


def _handler(emulator: ArgoCDEmulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            emulator.requests.append(f"{self.command} {self.path}")
            fault = emulator.fault
            if fault.kind == "down":
                self.close_connection = True
                self.connection.close()
                return
            if fault.kind == "slow":
                threading.Event().wait(fault.seconds)
            if fault.kind == "html":
                self._send(200, b"<!doctype html><title>Argo CD</title>", "text/html")
                return
            if fault.kind == "redirect":
                self._send(302, b"", "text/html", {"Location": "http://127.0.0.1:9/login"})
                return
            if fault.kind == "status":
                refusal = {"error": "made up", "code": 13, "message": "made up"}
                self._send(fault.status, json.dumps(refusal).encode(), "application/json")
                return
            authorization = self.headers.get("Authorization", "")
            status, document = emulator.answer(self.command, self.path, body, authorization)
            self._send(status, json.dumps(document).encode(), "application/json")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

        def _send(
            self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None
        ) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Stay silent: the rehearsal speaks for itself."""

    return Handler
