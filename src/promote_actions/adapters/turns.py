"""Taking turns with other processes on this machine, so that they don't spend their time losing races.

Nothing is made safe by it: a turn that can't be had in time, or at all, is done without. A process that
dies gives its turn back, because the lock is the open file's (``flock``).
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 60.0
"""Seconds to wait for a turn at most."""


@contextmanager
def turn(folder: str = "", key: str = "", patience: float = PATIENCE) -> Iterator[None]:
    """Hold the turn at ``folder``, which exists, or at ``key``, any text, among this user's processes."""
    handle = _open(folder, key)
    try:
        if handle is not None:
            _wait(handle, time.monotonic() + patience)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _open(folder: str, key: str) -> int | None:
    try:
        if folder:
            return os.open(folder, os.O_RDONLY)
        name = f"promote-actions-{os.getuid()}-{zlib.crc32(key.encode(errors='replace')):08x}.lock"
        path = os.path.join(os.environ.get("TMPDIR") or "/tmp", name)  # noqa: S108 - checked below
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except (OSError, AttributeError):
        return None
    if os.fstat(handle).st_uid != os.getuid():
        os.close(handle)
        return None
    return handle


def _wait(handle: int, end: float) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:
        return
    nap = 0.002
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return
            time.sleep(nap * (0.5 + os.urandom(1)[0] / 256))
            nap = min(nap * 1.5, 0.03)
        except OSError:
            return
        else:
            return
