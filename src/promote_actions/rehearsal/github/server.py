"""The emulator's HTTP side: connections, tokens, rate limits, faults, pages, entity tags."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from promote_actions.rehearsal.github.faults import Fault, refusal
from promote_actions.rehearsal.github.routing import ApiError, Call, Reply, Route, not_found
from promote_actions.rehearsal.github.state import Repository, User

if TYPE_CHECKING:
    from promote_actions.rehearsal.github.emulator import GitHubEmulator


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as observers see them. ``template`` is the route's, or empty."""

    method: str
    path: str
    template: str
    login: str
    status: int
    sent: Any
    answer: Any
    query: Mapping[str, str]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, emulator: GitHubEmulator, port: int) -> None:
        self.emulator = emulator
        self.stopping = threading.Event()
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""

    def close_all(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "GitHub.com"
    sys_version = ""
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are kept in ``emulator.exchanges``, not printed."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length) if length else b""
        fault = self.server.emulator.fault_for(self.command, self.path)
        if fault is None:
            self._send(*self._answer(sent))
        else:
            self._spoil(fault, sent)

    # -- answering ---------------------------------------------------------------------------

    def _answer(self, sent: bytes) -> tuple[int, dict[str, str], bytes]:
        emulator = self.server.emulator
        parts = urlsplit(self.path)
        found = emulator.router.find(self.command, parts.path)
        with emulator.world.lock:
            user = self._user()
            body, reply = _parsed(sent)
            try:
                reply = reply or self._handle(user, found, body)
            except ApiError as error:
                reply = Reply(error.body, error.status, headers=error.headers)
            except Exception as error:  # noqa: BLE001 - as a server does; kept for whoever looks
                emulator.crashes.append(error)
                reply = Reply({"message": "Server Error"}, 500)
            status, headers, data = self._encode(reply)
            emulator.observe(
                Exchange(
                    method=self.command,
                    path=parts.path,
                    template=found[0].template if found else "",
                    login=user.login if user else "",
                    status=status,
                    sent=body,
                    answer=None if status in (204, 304) else reply.body,
                    query=dict(parse_qsl(parts.query)),
                )
            )
        return status, headers, data

    def _handle(self, user: User | None, found: tuple[Route, dict[str, str]] | None, body: Any) -> Reply:
        if user is None:
            given = "Authorization" in self.headers
            raise ApiError(401, "Bad credentials" if given else "Requires authentication")
        self._count()
        if found is None:
            raise not_found()
        call = self._call(user, *found, body)
        return self._page(call, found[0].handler(call))

    def _user(self) -> User | None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        known = scheme.lower() in ("bearer", "token")
        return self.server.emulator.world.user_of_token(token.strip()) if known else None

    def _count(self) -> None:
        rate = self.server.emulator.world.rate
        if rate.remaining <= 0:
            raise ApiError(403, "API rate limit exceeded for user ID 1.")
        rate.remaining -= 1

    def _call(self, user: User, route: Route, params: Mapping[str, str], body: Any) -> Call:
        emulator = self.server.emulator
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        accept = self.headers.get("Accept", "")
        call = Call(emulator.world, user, emulator.url, params, query, body, accept)
        if "{repo}" in route.template:
            repository = self._repository(f"{params['owner']}/{params['repo']}", user)
            call = replace(call, repository=repository)
            _check_role(call, route)
        _check_token(call, route)
        return call

    def _repository(self, name: str, user: User) -> Repository:
        world = self.server.emulator.world
        repository = world.repository(name)
        moved = world.repositories.get(world.moved.get(name.lower(), ""))
        if repository is None and moved is not None:
            rest = self.path.split("/", 4)[4:]
            where = f"{self.server.emulator.url}/" + "/".join(["repos", moved.name, *rest])
            status = 301 if self.command == "GET" else 307
            raise ApiError(status, "Moved Permanently", headers={"Location": where})
        if repository is None or world.role(user, repository) == "none":
            raise not_found()
        return repository

    def _page(self, call: Call, reply: Reply) -> Reply:
        if not reply.paged:
            return reply
        try:
            page, per_page = (
                int(call.query.get(name, default)) for name, default in (("page", 1), ("per_page", 30))
            )
        except ValueError:
            raise ApiError(400, "Bad Request") from None
        page, per_page = max(page, 1), min(max(per_page, 1), 100)
        rows = reply.body[reply.key] if reply.key else reply.body
        last = max(1, -(-len(rows) // per_page))
        cut = rows[(page - 1) * per_page : page * per_page]
        links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [name for name in links if (page > 1 if name in ("prev", "first") else page < last)]
        parts = urlsplit(self.path)
        base = self.server.emulator.url + parts.path
        header = ", ".join(
            f'<{base}?{urlencode({**call.query, "page": links[name]})}>; rel="{name}"' for name in wanted
        )
        headers = {**reply.headers, **({"Link": header} if header else {})}
        body = {**reply.body, reply.key: cut} if reply.key else cut
        return replace(reply, body=body, headers=headers)

    def _encode(self, reply: Reply) -> tuple[int, dict[str, str], bytes]:
        empty = reply.status in (204, 302)
        status, data = reply.status, b"" if empty else json.dumps(reply.body).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", **reply.headers}
        accept = self.headers.get("Accept", "")
        if reply.raw is not None and (".raw" in accept or ".sha" in accept):
            headers["Content-Type"], data = "application/octet-stream", reply.raw
        elif self.command == "GET" and status == 200:
            headers["ETag"] = f'W/"{hashlib.sha256(data).hexdigest()}"'
            if self.headers.get("If-None-Match") == headers["ETag"]:
                self.server.emulator.world.rate.remaining += 1
                status, data = 304, b""
        return status, headers | self._limits(), data

    def _limits(self) -> dict[str, str]:
        rate = self.server.emulator.world.rate
        return {
            "X-RateLimit-Limit": str(rate.limit),
            "X-RateLimit-Remaining": str(rate.remaining),
            "X-RateLimit-Used": str(rate.limit - rate.remaining),
            "X-RateLimit-Reset": str(int(rate.reset.timestamp())),
            "X-RateLimit-Resource": "core",
            "X-GitHub-Media-Type": "github.v3; format=json",
        }

    def _send(self, status: int, headers: dict[str, str], data: bytes, cut: int = 0) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - cut] if cut else data)
        self.wfile.flush()

    # -- spoiling ----------------------------------------------------------------------------

    def _spoil(self, fault: Fault, sent: bytes) -> None:
        answer = self._answer(sent) if fault.applied else None
        if fault.kind == "truncated" and answer is not None:
            self.close_connection = True
            self._send(*answer, cut=max(1, len(answer[2]) // 2))
        elif fault.kind == "reset":
            self.close_connection = True
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        elif fault.kind == "timeout":
            self.close_connection = True
            self.server.stopping.wait(self.server.emulator.hang)
        else:
            self._send(*refusal(fault, self.server.emulator.world.clock()))


def _parsed(sent: bytes) -> tuple[Any, Reply | None]:
    try:
        return json.loads(sent) if sent else None, None
    except ValueError:
        return None, Reply({"message": "Problems parsing JSON"}, 400)


def _check_role(call: Call, route: Route) -> None:
    if call.repo.archived and route.method != "GET":
        raise ApiError(403, "Repository was archived so is read-only.")
    if not call.world.may(call.user, call.repo, route.role):
        raise _forbidden(call.user, route)


def _check_token(call: Call, route: Route) -> None:
    name, _, level = route.permission.partition(":")
    if {name, f"{name}:{level}"} & call.user.lacks:
        raise _forbidden(call.user, route)


def _forbidden(user: User, route: Route) -> ApiError:
    if user.classic:
        return not_found()
    kind = "integration" if user.bot else "personal access token"
    headers = {"X-Accepted-GitHub-Permissions": route.permission.replace(":", "=")}
    return ApiError(403, f"Resource not accessible by {kind}", headers=headers)
