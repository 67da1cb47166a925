"""Makes the private virtual environment of a lock file, once, and finds it ever after.

    python3 -I -S bin/environment.py LOCK [FOLDER]

prints the environment's interpreter. Without FOLDER it is kept in a cache under a key made of the lock
and of the interpreter. It is built beside its place and renamed into it, so that a half-made one is
never used; whoever comes while another builds it waits for that one. Neither the caller's Python nor
``PATH`` nor the working directory is touched. Standard library only, and nothing but ``os`` and ``sys``
is imported when the environment is there.

Packages come from the caller's index (uv's and pip's own settings, proxies and certificates), only as
wheels whose hashes are in the lock, by the first of: uv, this Python's pip, pip's own pinned wheel.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

READY = "ready"
"""The file, written last, whose content is the key: an environment without it is half-made."""

LONGEST_WAIT = 900.0
"""Seconds after which an installer, or another process's, is given up."""


class Failure(Exception):
    """The environment can't be made; ``message`` is what went wrong and ``hint`` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}; {hint}")
        self.message = message
        self.hint = hint


def ensure(lock: str, env: Mapping[str, str], at: str = "", verbose: bool = False) -> str:
    """The folder of the environment of the lock file ``lock``, made if it is not there.

    ``env`` holds the caller's variables, ``at`` a fixed place for it. Raises :class:`Failure`.
    """
    key = key_of(lock)
    places = [at] if at else [os.path.join(folder, key) for folder in caches(env)]
    for place in places:
        if is_ready(place, key):
            return place
    import build_environment

    return build_environment.build(lock, key, places, dict(env), verbose)


def key_of(lock: str) -> str:
    """The name of an environment: a digest of the lock, of the interpreter and of where it is."""
    import hashlib

    digest = hashlib.sha256()
    with open(lock, "rb") as file:
        digest.update(file.read())
    facts = (sys.version, sys.platform, os.uname().machine, base_python(), _libc())
    digest.update("\0".join(facts).encode(errors="surrogateescape"))
    return f"py{sys.version_info[0]}.{sys.version_info[1]}-{digest.hexdigest()[:20]}"


def _libc() -> str:
    return str(getattr(sys.implementation, "_multiarch", ""))


def base_python() -> str:
    """The interpreter behind this one: the same path from inside and outside of a virtual environment."""
    python: str = getattr(sys, "_base_executable", "") or sys.executable
    for _ in range(8):
        settings = os.path.join(os.path.dirname(os.path.dirname(python)), "pyvenv.cfg")
        if not os.path.isfile(settings):
            break
        with open(settings, encoding="utf-8") as file:
            pairs = (line.partition("=") for line in file)
            home = next((value.strip() for name, _, value in pairs if name.strip() == "home"), "")
        python = os.path.join(home, f"python{sys.version_info[0]}.{sys.version_info[1]}")
    return python


def caches(env: Mapping[str, str]) -> list[str]:
    """The folders that may hold environments, the preferred one first."""
    found = []
    if env.get("PROMOTE_ACTIONS_CACHE"):
        return [env["PROMOTE_ACTIONS_CACHE"]]
    for variable, below in (
        ("RUNNER_TOOL_CACHE", "promote-actions"),
        ("XDG_CACHE_HOME", "promote-actions"),
        ("HOME", ".cache/promote-actions"),
        ("RUNNER_TEMP", "promote-actions"),
    ):
        if os.path.isabs(env.get(variable, "")):
            found.append(os.path.join(env[variable], below))
    return found


def is_ready(folder: str, key: str) -> bool:
    """Whether ``folder`` holds the whole environment called ``key``, with its interpreter still there."""
    try:
        with open(os.path.join(folder, READY), encoding="utf-8") as file:
            return file.read() == key and os.access(python_in(folder), os.X_OK)
    except OSError:
        return False


def python_in(folder: str) -> str:
    """The interpreter of the environment in ``folder``."""
    return os.path.join(folder, "bin", "python")


def packages_in(folder: str) -> str:
    """The folder of the packages of the environment in ``folder``, for the interpreter that runs."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return os.path.join(folder, "lib", version, "site-packages")


def main(arguments: list[str]) -> int:
    """The command line: a lock file and, if wanted, a folder; returns the exit status."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import environment  # this file under the name by which build_environment knows it

    lock, at = (os.path.abspath(path) if path else "" for path in [*arguments, ""][:2])
    try:
        folder = environment.ensure(lock, os.environ, at, verbose=True)
    except environment.Failure as failure:
        sys.stderr.write(f"error: {failure}\n")
        return 3
    sys.stdout.write(python_in(folder) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
