"""git over HTTP on loopback: ``git http-backend`` behind a small server that wants a token."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class SmartServer:
    """``url`` is where the repositories of a folder are served; ``headers`` are those that arrived.

    ``old`` makes it a server that knows nothing of version 2 of the protocol.
    """

    url: str
    old: bool = False
    paths: list[str] = field(default_factory=list)
    headers: list[list[str]] = field(default_factory=list)
    received: int = 0


@contextmanager
def smart_http(root: Path, token: str) -> Iterator[SmartServer]:
    """Serve the bare repositories in ``root`` to whoever has ``token``, for reading and pushing."""
    seen = SmartServer("")
    server = _Threads(("127.0.0.1", 0), _handler(root, token, seen))
    seen.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _handler(root: Path, token: str, seen: SmartServer) -> type[BaseHTTPRequestHandler]:
    expected = "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            given = self.headers.get_all("Authorization") or []
            seen.headers.append(given)
            seen.paths.append(self.path.partition("/r.git/")[2])
            body = self._body()
            if given != [expected]:
                self.send_response(400 if len(given) > 1 else 401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            if path.endswith("git-receive-pack"):
                seen.received += len(body)
            env = {
                **os.environ,
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": "robot",
                "REMOTE_ADDR": "127.0.0.1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "GIT_PROTOCOL": "" if seen.old else self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, env=env, capture_output=True, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = [line.split(": ", 1) for line in head.decode().splitlines()]
            status = next((value for name, value in headers if name == "Status"), "200 OK")
            self.send_response(int(status.split()[0]))
            for name, value in headers:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline().strip() or b"0", 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:
            """Stay silent."""

    return Handler
