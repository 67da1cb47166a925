"""Runs of the command in processes that are forked from one that has imported everything: fast enough to
kill a run after each of its steps, one after the other.

A run is killed (SIGKILL, nothing is cleaned up) right after its n-th effect on the world: a git command
that ended, or an answer that arrived.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.gitops import CLEAN, SRC, Ran

ROOT = str(Path(__file__).parents[2])


@cache
def _server() -> subprocess.Popen[str]:
    """The process that forks for each run, started by the first one and ended with the tests."""
    made = subprocess.Popen(
        [sys.executable, "-m", "tests.rollback.forked"],
        env={**CLEAN, "PYTHONPATH": f"{SRC}:{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(made.communicate)
    return made


def command(*arguments: str, env: Mapping[str, str] | None = None, kill_at: int = 0) -> Ran:
    """Run ``promote-actions ARGUMENTS``; with ``kill_at`` it is killed after that many effects, and its
    status is -9."""
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    asked = {"arguments": arguments, "env": {**CLEAN, **(env or {})}, "kill": kill_at}
    server.stdin.write(json.dumps(asked) + "\n")
    server.stdin.flush()
    told = json.loads(server.stdout.readline())
    return Ran(told["status"], told["stdout"], told["stderr"])


def _serve() -> None:
    import github
    import requests
    import ruamel.yaml

    from promote_actions.catalogue import load

    del github, requests, ruamel
    for name in ("rollback", "promote", "audit-log"):
        load(name)
    for line in sys.stdin:
        asked = json.loads(line)
        files = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115 - closed below
        child = os.fork()
        if not child:
            os.environ.clear()
            os.environ.update(asked["env"])
            for number, file in enumerate(files, 1):
                os.dup2(file.fileno(), number)
            if asked["kill"]:
                _kill_after(asked["kill"])
            os._exit(_run(asked["arguments"]))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told: dict[str, Any] = {"status": status}
        for name, file in zip(("stdout", "stderr"), files, strict=True):
            file.seek(0)
            told[name] = file.read()
            file.close()
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _run(arguments: list[str]) -> int:
    from promote_actions.__main__ import run

    sys.stdin.close()
    status = run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _kill_after(count: int) -> None:
    """Kill this process once ``count`` git commands have ended or answers have come."""
    from http.client import HTTPConnection

    from promote_actions.adapters.git_process import Git

    left = count

    def counted(call: Any) -> Any:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            found = call(*arguments, **options)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return wrapper

    Git.run = counted(Git.run)  # type: ignore[method-assign]
    HTTPConnection.getresponse = counted(HTTPConnection.getresponse)  # type: ignore[method-assign]


if __name__ == "__main__":
    _serve()
