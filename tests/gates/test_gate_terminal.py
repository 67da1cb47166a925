"""`health-gate` in a real terminal: a pseudo-terminal whose keys and width are a person's."""

from __future__ import annotations

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.gitops import CLEAN

CTRL_C = b"\x03"
PATIENCE = 30.0
"""Seconds after which a test gives up."""

START = """
import fcntl, os, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the controlling one, so that Ctrl-C is a signal."""


class Terminal:
    """A process in a terminal of ``columns``; ``screen`` is what it wrote there so far."""

    def __init__(
        self, arguments: list[str], columns: int, stdout: int | None = None, cwd: str = "/"
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        python = [sys.executable, "-c", START, sys.executable, "-m", "promote_actions", *arguments]
        out = slave if stdout is None else stdout
        self.process = subprocess.Popen(
            python, stdin=slave, stdout=out, stderr=slave, start_new_session=True, env=CLEAN, cwd=cwd
        )
        os.close(slave)
        self.screen = b""
        self._end = time.monotonic() + PATIENCE

    def read(self) -> bool:
        """Take what is there; False when the process has closed its side."""
        left = self._end - time.monotonic()
        if left <= 0 or not select.select([self._master], [], [], left)[0]:
            raise AssertionError(f"it took too long: {self.screen[-2000:]!r}")
        try:
            more = os.read(self._master, 65536)
        except OSError:
            return False
        self.screen += more
        return bool(more)

    def until(self, text: str) -> None:
        while text.encode() not in self.screen:
            assert self.read(), self.screen

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> int:
        while self.read():
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@contextmanager
def terminal(*arguments: str, columns: int = 80, stdout: int | None = None) -> Iterator[Terminal]:
    """`health-gate` for qa with ``arguments``."""
    made = Terminal(["health-gate", "--environment", "qa", *arguments], columns, stdout)
    try:
        yield made
    finally:
        made.close()


def test_one_line_changes_while_it_waits(tmp_path: Path) -> None:
    """What is passed, what is missing and for how long; then the result takes its place."""
    report = tmp_path / "report.json"
    report.write_text('{"errors": 0}')
    late = tmp_path / "late.json"
    checks = [
        json.dumps({"check": "file", "name": name, "file": str(path), "json": "errors", "equals": "0"})
        for name, path in (("scan", report), ("e2e", late))
    ]
    with terminal("--check", checks[0], "--check", checks[1], "--interval", "100ms", columns=60) as shown:
        shown.until("⏳ e2e: there is no file")
        shown.until("\r\x1b[K1 s, ")
        late.write_text('{"errors": 0}')
        assert shown.end() == 0
    waiting, _, result = shown.screen.decode().rpartition("\r\x1b[K")
    lines = waiting.split("\r\x1b[K")[1:]
    assert "\n" not in "".join(lines)
    assert all(len(line) <= 59 for line in lines)
    assert " left  " in lines[0]
    assert "✅ scan" in lines[-2] or "✅ scan" in lines[-1]
    assert "passed after" in result.splitlines()[0]
    assert "✅ e2e: errors is '0', wanted '0'" in result


@dataclass
class Silent:
    """A server that takes requests and answers none until the test is over."""

    url: str
    told: list[str] = field(default_factory=list)


@pytest.fixture
def silent() -> Iterator[Silent]:
    """One on loopback; it remembers what it was told."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            over.wait(PATIENCE * 2)

        def do_POST(self) -> None:
            found.told.append(self.path)
            over.wait(PATIENCE * 2)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    found = Silent(f"http://127.0.0.1:{server.server_address[1]}")
    yield found
    over.set()
    server.shutdown()
    server.server_close()


def test_ctrl_c_ends_it_with_what_is_known_while_a_server_hangs(tmp_path: Path, silent: Silent) -> None:
    """The server never answers, so whoever waited for it would not end; the JSON is whole.

    Nobody is told in the chat: a cancelled job has no time for that.
    """
    report = tmp_path / "report.json"
    report.write_text('{"errors": 0}')
    check = {"check": "file", "name": "scan", "file": str(report), "json": "errors", "equals": "0"}
    asked = ["--check", json.dumps(check), "--check", "http", "--base-url", silent.url, "--format", "json"]
    asked += ["--webhook", silent.url + "/hook", "--slack-webhook", silent.url + "/slack"]
    output = tmp_path / "output.json"
    with (
        output.open("wb") as file,
        terminal(*asked, "--request-timeout", "5m", stdout=file.fileno()) as shown,
    ):
        shown.until("✅ scan")
        shown.press(CTRL_C)
        assert shown.end() == 130
    said = json.loads(output.read_text())
    assert (said["passed"], said["result"]) == (False, "inconclusive")
    assert said["validation-results"] == {"scan": "passed", "smoke_tests": "inconclusive"}
    assert "interrupted; the gate for qa did not pass: http inconclusive" in shown.screen.decode()
    assert silent.told == []
    assert "Traceback" not in shown.screen.decode()


def test_ctrl_c_while_the_chat_hangs_leaves_the_result(tmp_path: Path, silent: Silent) -> None:
    """The gate is decided; whoever is tired of waiting for the chat still gets its outputs and status."""
    check = {
        "check": "file",
        "name": "scan",
        "file": str(tmp_path / "r.json"),
        "json": "errors",
        "equals": "0",
    }
    (tmp_path / "r.json").write_text('{"errors": 1}')
    output = tmp_path / "output.json"
    asked = ["--check", json.dumps(check), "--format", "json", "--webhook", silent.url + "/hook"]
    with output.open("wb") as file, terminal(*asked, stdout=file.fileno()) as shown:
        for _ in range(600):
            if silent.told:
                break
            time.sleep(0.05)
        shown.press(CTRL_C)
        assert shown.end() == 1
    assert json.loads(output.read_text())["result"] == "failed"
    assert silent.told == ["/hook"]
