"""A container registry in memory, for machines that have none, reached over HTTP on loopback.

It behaves as Debian's ``docker-registry`` does where promotions can tell: one test suite runs against
both. What it holds and answers is in :mod:`.registry_store`.
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from promote_actions.rehearsal.registry_store import OCI_MANIFEST, Answer, Refusal, Store, Stored, digest_of

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


class RegistryEmulator:
    """A registry on loopback while the ``with`` block lasts; ``host`` is its address with port.

    ``users`` maps names to passwords: with any, every request needs one of them (basic).
    ``requests`` lists what was asked.
    """

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        self._users = dict(users or {})
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._store = Store(self.host)
        self.requests: list[str] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> RegistryEmulator:
        serve = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        serve.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def push_image(self, repository: str, tags: Sequence[str], content: bytes) -> str:
        """Store an image of one layer, ``content``, under ``tags``; returns its digest."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers"}}).encode()
        blobs = ((CONFIG_TYPE, config), (LAYER_TYPE, content))
        parts = [{"mediaType": kind, "digest": digest_of(blob), "size": len(blob)} for kind, blob in blobs]
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": parts[0], "layers": parts[1:]}
        manifest = json.dumps(document).encode()
        digest = digest_of(manifest)
        with self._lock:
            stored = self._store.repositories.setdefault(repository, Stored())
            stored.blobs.update({digest_of(blob): blob for _, blob in blobs})
            stored.manifests[digest] = (OCI_MANIFEST, manifest)
            stored.tags.update(dict.fromkeys(tags, digest))
        return digest

    def tags(self, repository: str) -> Mapping[str, str]:
        """Every tag of ``repository`` and the digest that it points at."""
        with self._lock:
            return dict(self._store.repositories.get(repository, Stored()).tags)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the registry says to one request."""
        parts = urlsplit(target)
        with self._lock:
            self.requests.append(f"{method} {parts.path}")
            try:
                self._authenticate(headers.get("authorization", ""))
                return self._store.answer(method, unquote(parts.path), parse_qs(parts.query), headers, body)
            except Refusal as refusal:
                return refusal.answer

    def _authenticate(self, authorization: str) -> None:
        if not self._users:
            return
        scheme, _, encoded = authorization.partition(" ")
        for user, password in self._users.items():
            right = base64.b64encode(f"{user}:{password}".encode())
            if scheme.lower() == "basic" and hmac.compare_digest(right, encoded.strip().encode()):
                return
        realm = {"WWW-Authenticate": 'Basic realm="Registry"'}
        raise Refusal(401, "UNAUTHORIZED", "authentication required", headers=realm)


def _handler(emulator: RegistryEmulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = emulator.answer(self.command, self.path, headers, body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _respond  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Keep the rehearsal's own output clean."""

    return Handler
