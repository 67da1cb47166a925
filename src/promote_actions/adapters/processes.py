"""Running a program to its end: what ``subprocess.run`` does, without the time that importing it takes.

``calver`` runs git three or four times and is over in a few hundredths of a second, of which ``subprocess``
would be a sixth. POSIX only, as the package is.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Mapping, Sequence

_CHUNK = 65536
_SIGKILL = 9
_SIGPIPE = 13
"""Python ignores it, and a program would inherit that: git must end when nobody reads its output."""

_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


def run_program(
    command: Sequence[str], stdin: bytes, env: Mapping[str, str], deadline: float
) -> tuple[int, bytes, bytes]:
    """Run ``command`` with ``stdin`` and ``env``; returns its exit status, stdout and stderr.

    A program that a signal ended has the signal's negative number as its status.
    Raises :class:`TimeoutError` when it hasn't ended within ``deadline`` seconds (it is killed then), and
    :class:`OSError` when it can't be started.
    """
    end = time.monotonic() + deadline
    pipes = [os.pipe() for _ in range(3)]
    (theirs_in, ours_in), (ours_out, theirs_out), (ours_err, theirs_err) = pipes
    theirs = (theirs_in, theirs_out, theirs_err)
    ours = {ours_in, ours_out, ours_err}
    try:
        redirect = [(os.POSIX_SPAWN_DUP2, handle, number) for number, handle in enumerate(theirs)]
        child = os.posix_spawnp(
            command[0], list(command), dict(env), file_actions=redirect, setsigdef=[_SIGPIPE]
        )
    except BaseException:
        _close(*theirs, *ours)
        raise
    _close(*theirs)
    status: int | None = None
    try:
        out, err = _exchange(stdin, (ours_in, ours_out, ours_err), ours, end)
        while ours:
            os.close(ours.pop())
        status = _wait(child, end)
    finally:
        _close(*ours)
        if status is None:
            os.kill(child, _SIGKILL)
            os.waitpid(child, 0)
    return status, out, err


def start_program(command: Sequence[str], env: Mapping[str, str]) -> tuple[int, int, int]:
    """Start ``command`` to talk with: its process id, the handle that it reads and the one it writes.

    What it says on stderr is lost. Raises :class:`OSError` when it can't be started.
    """
    (theirs_in, ours_in), (ours_out, theirs_out) = os.pipe(), os.pipe()
    try:
        redirect = [
            (os.POSIX_SPAWN_DUP2, theirs_in, 0),
            (os.POSIX_SPAWN_DUP2, theirs_out, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        child = os.posix_spawnp(
            command[0], list(command), dict(env), file_actions=redirect, setsigdef=[_SIGPIPE]
        )
    except BaseException:
        _close(theirs_in, ours_in, ours_out, theirs_out)
        raise
    _close(theirs_in, theirs_out)
    return child, ours_in, ours_out


def _exchange(
    stdin: bytes, handles: tuple[int, int, int], still_open: set[int], end: float
) -> tuple[bytes, bytes]:
    """Feed the program and read what it says until it has closed both of its outputs."""
    into, *outputs = handles
    said: dict[int, list[bytes]] = {handle: [] for handle in outputs}
    poll = select.poll()
    for handle in outputs:
        poll.register(handle, _READABLE)
    os.set_blocking(into, False)
    left = memoryview(stdin)
    poll.register(into, select.POLLOUT)
    while still_open.intersection(outputs):
        for handle, _ in poll.poll(_milliseconds(end)):
            if handle == into:
                left = _feed(into, left)
                done = not left
            else:
                chunk = os.read(handle, _CHUNK)
                said[handle].append(chunk)
                done = not chunk
            if done:
                poll.unregister(handle)
                still_open.discard(handle)
                os.close(handle)
    return b"".join(said[outputs[0]]), b"".join(said[outputs[1]])


def _feed(handle: int, left: memoryview) -> memoryview:
    """Write what fits; a program that doesn't want the rest is its own affair."""
    try:
        return left[os.write(handle, left[:_CHUNK]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[len(left) :]


def _milliseconds(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left * 1000.0


def _wait(child: int, end: float) -> int:
    pause = 0.0005
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        _milliseconds(end)
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def _close(*handles: int) -> None:
    for handle in handles:
        os.close(handle)
