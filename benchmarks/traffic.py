"""Counting what goes over a network: servers on loopback behind a proxy that counts bytes."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Traffic:
    """Bytes and connections since the last :meth:`take`; ``url`` is where git reaches the repositories."""

    url: str
    received: int = 0
    sent: int = 0
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, received: int = 0, sent: int = 0, connections: int = 0) -> None:
        with self.lock:
            self.received += received
            self.sent += sent
            self.connections += connections

    def take(self) -> tuple[int, int, int]:
        """Bytes received and sent by the client, and its connections, since the last time."""
        with self.lock:
            taken = (self.received, self.sent, self.connections)
            self.received = self.sent = self.connections = 0
        return taken


@contextmanager
def counted(port: int, scheme: str = "http") -> Iterator[Traffic]:
    """What goes to the server on this machine's ``port``, counted; ``url`` is the way that counts."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    traffic = Traffic(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
    threading.Thread(target=_accept, args=(listener, port, traffic), daemon=True).start()
    try:
        yield traffic
    finally:
        listener.close()


@contextmanager
def serve(folder: Path, env: Mapping[str, str]) -> Iterator[Traffic]:
    """Serve the bare repositories in ``folder`` for reading and writing, and count."""
    behind = _free_port()
    daemon = subprocess.Popen(
        ["git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1",
         f"--port={behind}", f"--base-path={folder}", str(folder)],
        env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(behind)
        with counted(behind, "git") as traffic:
            yield traffic
    finally:
        daemon.terminate()
        daemon.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("git daemon did not start")


def _accept(listener: socket.socket, port: int, traffic: Traffic) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            traffic.add(connections=1)
            threading.Thread(target=_pipe, args=(client, server, traffic, True), daemon=True).start()
            threading.Thread(target=_pipe, args=(server, client, traffic, False), daemon=True).start()


def _pipe(source: socket.socket, target: socket.socket, traffic: Traffic, sends: bool) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            traffic.add(sent=len(data) if sends else 0, received=0 if sends else len(data))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
