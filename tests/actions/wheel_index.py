"""A package index on this machine: real wheels, served by the simple repository API."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def wheel(name: str, content: str) -> bytes:
    """A wheel that installs the module ``name``."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    return _zip({**files, f"{info}/RECORD": record})


def pip_wheel() -> tuple[str, bytes]:
    """The name and the bytes of a wheel of the pip that the tests run with."""
    import pip

    folder = Path(pip.__file__).parent
    files = {
        f"pip/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()
    }
    made = _zip({name: path.read_bytes() for name, path in files.items() if "__pycache__" not in name})
    return f"pip-{pip.__version__}-py3-none-any.whl", made


def _zip(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Index:
    """What the index serves and what was asked of it."""

    files: dict[str, bytes]
    url: str = ""
    user: str = ""
    json: bool = False
    delay: float = 0.0
    requests: list[str] = field(default_factory=list)

    @property
    def downloads(self) -> list[str]:
        return [path for path in self.requests if path.endswith(".whl")]


@contextmanager
def serve(index: Index) -> Iterator[Index]:
    """Serve ``index`` on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.requests.append(self.path)
            expected = "Basic " + base64.b64encode(index.user.encode()).decode()
            if index.user and self.headers.get("Authorization") != expected:
                self._answer(401, "text/plain", b"who?")
            elif self.path.startswith("/files/") and self.path[7:] in index.files:
                time.sleep(index.delay)
                self._answer(200, "application/octet-stream", index.files[self.path[7:]])
            elif self.path.startswith("/simple/"):
                self._page(self.path.split("/")[2])
            else:
                self._answer(404, "text/plain", b"none")

        def _page(self, project: str) -> None:
            names = [name for name in index.files if name.startswith(project + "-")]
            if index.json:
                files = [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in names]
                page = {"meta": {"api-version": "1.0"}, "name": project, "files": files}
                self._answer(200, "application/vnd.pypi.simple.v1+json", json.dumps(page).encode())
            else:
                links = "".join(f'<a href="../../files/{name}">{name}</a>' for name in names)
                self._answer(
                    200 if names else 404, "text/html", f"<!DOCTYPE html><html>{links}</html>".encode()
                )

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
