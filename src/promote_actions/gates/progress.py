"""Saying what a gate waits for: one updating line on a terminal, one line for each change in a log."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from promote_actions.gates.engine import Watch
from promote_actions.gates.model import CheckState, Reading
from promote_actions.gates.report import change_key, progress_line, status_line
from promote_actions.runner import Runner

CLEAR = "\r\x1b[K"


class Progress:
    """Called with the watches of a gate after every reading."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._said: dict[str, str] = {}
        self._seen: dict[str, tuple[CheckState, Reading | None]] = {}

    def __call__(self, watches: Sequence[Watch], seconds: float) -> None:
        if self._runner.interactive:
            self._rewrite(watches, seconds)
            return
        for watch in watches:
            spec = watch.check.spec
            before = self._seen.get(spec.name)
            if before is not None and before[0] is watch.state and before[1] is watch.early:
                continue
            self._seen[spec.name] = (watch.state, watch.early)
            line = progress_line(spec.name, watch.state, watch.note, spec.success)
            untouched = watch.state.reading is None and watch.early is None
            if not untouched and self._said.get(spec.name) != change_key(line):
                self._said[spec.name] = change_key(line)
                self._runner.say(f"{seconds:6.1f} s  {line}")

    def end(self) -> None:
        """Leave the terminal's line empty for what follows."""
        if self._runner.interactive:
            self._runner.stderr.write(CLEAR)
            self._runner.stderr.flush()

    def _rewrite(self, watches: Sequence[Watch], seconds: float) -> None:
        # Hidden before it is cut: what is left of a secret would not be known for one.
        hide = self._runner.redact
        items = [(hide(watch.check.spec.name), watch.state, hide(watch.note)) for watch in watches]
        still = [watch for watch in watches if watch.state.verdict is None]
        now = time.monotonic()
        left = max((watch.deadline - now for watch in still), default=0.0)
        ready = max((watch.ready - now for watch in still if watch.ready is not None), default=0.0)
        line = status_line(items, seconds, ready, left, columns_of(self._runner.stderr))
        self._runner.stderr.write(CLEAR + line)
        self._runner.stderr.flush()


def columns_of(stream: TextIO) -> int:
    """The width of the terminal that ``stream`` is, or 80."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM end the gate as Ctrl-C does: a cancelled job gets it, and has seconds to write."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
