"""Runs of the command in processes that are forked from one that has imported everything: fast enough to
kill a run after each of its steps, one after the other.

A run is killed (SIGKILL, nothing is cleaned up) right after its n-th effect on the world: a git command
that writes, or the answer to a request that does. What only reads leaves the world as it was before.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.gitops import CLEAN, SRC, Ran

ROOT = str(Path(__file__).parents[2])


KILLED = -signal.SIGKILL

READS = {
    "cat-file",
    "config",
    "diff-tree",
    "log",
    "ls-remote",
    "ls-tree",
    "merge-base",
    "rev-list",
    "rev-parse",
}
READS |= {"symbolic-ref", "remote"}


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
    status is :data:`KILLED`."""
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    asked = {"arguments": arguments, "env": {**CLEAN, **(env or {})}, "kill": kill_at}
    server.stdin.write(json.dumps(asked) + "\n")
    server.stdin.flush()
    told = json.loads(server.stdout.readline())
    return Ran(told["status"], told["stdout"], told["stderr"])


def _serve() -> None:
    _import_everything()
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


def _import_everything() -> None:
    """What a run would import when it needs it is here already, also what a library imports late."""
    import github.Requester
    import jsonschema
    import requests
    import ruamel.yaml

    import promote_actions

    del github, jsonschema, requests, ruamel
    for module in pkgutil.walk_packages(promote_actions.__path__, "promote_actions."):
        if "__main__" not in module.name and ".rehearsal" not in module.name:
            importlib.import_module(module.name)


def _run(arguments: list[str]) -> int:
    from promote_actions.__main__ import run

    sys.stdin.close()
    status = run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _kill_after(count: int) -> None:
    """Kill this process once ``count`` writes are done."""
    from http.client import HTTPConnection

    from promote_actions.adapters.git_process import Git

    left = count

    def counted(call: Any, writes: Callable[..., bool]) -> Any:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            found = call(*arguments, **options)
            left -= writes(*arguments)
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return wrapper

    def by_git(git: Git, *words: str) -> bool:
        return not READS.intersection(words)

    def by_http(connection: Any) -> bool:
        return connection._method != "GET"

    Git.run = counted(Git.run, by_git)  # type: ignore[method-assign]
    HTTPConnection.getresponse = counted(HTTPConnection.getresponse, by_http)  # type: ignore[method-assign]


if __name__ == "__main__":
    _serve()
