"""Runs commands and says what they cost: a process of its own, started as ``python -I -S meter.py``.

Reads one order a line (JSON: ``runs``, each with ``argv``, ``cwd``, ``env``; ``deadline`` in seconds) and
answers with one line: for each run its status, wall and CPU seconds (its children's included), the peak
memory of its largest process in KiB and the end of what it said; and the wall seconds of all together.
The runs of one order are started at once.

It is a process of its own because Linux counts the memory of the process that starts a program as that
program's: nothing measured here can seem smaller than this interpreter, about 10 MiB.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from typing import IO, Any

SAID = 4000
"""Bytes of the end of what a command printed that are handed on."""


class Late(Exception):
    """The deadline of an order has passed."""


def _late(*_: object) -> None:
    raise Late


def measure(order: dict[str, Any]) -> dict[str, Any]:
    """Carry out one order."""
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, float(order["deadline"]))
    running: dict[int, tuple[int, float, IO[bytes]]] = {}
    results: list[dict[str, Any] | None] = [None] * len(order["runs"])
    began = time.perf_counter()
    try:
        for index, run in enumerate(order["runs"]):
            said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the run has ended
            running[_start(run, said.fileno())] = (index, time.perf_counter(), said)
        while running:
            pid, status, usage = os.wait4(-1, 0)
            if pid in running:
                index, start, said = running.pop(pid)
                results[index] = {
                    "wall": time.perf_counter() - start,
                    "cpu": usage.ru_utime + usage.ru_stime,
                    "peak_kib": usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1),
                    "status": os.waitstatus_to_exitcode(status),
                    "said": _end_of(said),
                }
    except Late:
        for pid in running:
            os.killpg(pid, signal.SIGKILL)
        return {"late": True}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {"wall": time.perf_counter() - began, "runs": results}


def _start(run: dict[str, Any], out: int) -> int:
    os.chdir(run["cwd"])
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, out, 1),
        (os.POSIX_SPAWN_DUP2, out, 2),
    ]
    return os.posix_spawnp(run["argv"][0], run["argv"], run["env"], file_actions=actions, setpgroup=0)


def _end_of(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - SAID))
    text = said.read().decode(errors="replace")
    said.close()
    return text


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(measure(json.loads(line))) + "\n")
        sys.stdout.flush()
