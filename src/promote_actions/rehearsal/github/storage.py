"""Where artifacts lie: another server than the API, reached by links that carry their own signature.

GitHub's is Azure's blob storage, which refuses a request that brings an Authorization header beside the
link's signature; so does this one, and a token that follows the redirect is noticed.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Storage:
    """Blobs by signed link, from the first link on; ``asked`` are the headers of each request."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, str]] = []
        self._blobs: dict[str, bytes] = {}
        self._server: ThreadingHTTPServer | None = None

    def link(self, data: bytes) -> str:
        """An address for ``data``, on another host and port than the API's."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", 0), _handler(self))
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        path = f"/artifacts/{len(self._blobs) + 1}.zip?sig={secrets.token_hex(16)}"
        self._blobs[path] = data
        return f"http://localhost:{self._server.server_address[1]}{path}"

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body for a request."""
        self.asked.append(headers)
        if "authorization" in headers:
            return 400, b"<Error><Code>InvalidAuthenticationInfo</Code></Error>"
        data = self._blobs.get(path)
        return (
            (200, data) if data is not None else (403, b"<Error><Code>AuthenticationFailed</Code></Error>")
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""


def _handler(storage: Storage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Requests are kept, not printed."""

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, data = storage.answer(self.path, headers)
            self.send_response(status)
            self.send_header("Content-Type", "application/zip" if status == 200 else "application/xml")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(data)

    return Handler
