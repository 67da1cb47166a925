"""Builds a virtual environment from a lock file: the slow path of :mod:`environment`.

The caller's settings of uv and pip say where packages come from; settings that say what to install, or
where to put it, don't hold here. The wheels' hashes in the lock decide what is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import pip_wheel
from environment import LONGEST_WAIT, READY, Failure, base_python, is_ready, python_in

_HARMFUL = re.compile(
    r"PYTHON.*|VIRTUAL_ENV|__PYVENV_LAUNCHER__"
    r"|PIP_(USER|TARGET|PREFIX|ROOT|PYTHON|CONSTRAINT|BUILD_CONSTRAINT|REQUIREMENT|EDITABLE|PRE|NO_BINARY"
    r"|ONLY_BINARY|PLATFORM|PYTHON_VERSION|IMPLEMENTATION|ABI|DRY_RUN|REPORT|QUIET|VERBOSE|NO_DEPS|REQUIRE_.*"
    r"|UPGRADE.*|SRC|COMPILE|USE_PEP517|USE_FEATURE)"
    r"|UV_(SYSTEM_PYTHON|BREAK_SYSTEM_PACKAGES|PYTHON.*|PROJECT.*|CONSTRAINT|BUILD_CONSTRAINT|OVERRIDE|EXCLUDE.*"
    r"|RESOLUTION|PRERELEASE|NO_BINARY.*|TARGET|PREFIX|WORKING_DIR.*|COMPILE_BYTECODE|REQUIRE_HASHES"
    r"|VERIFY_HASHES|NO_VERIFY_HASHES|TORCH_BACKEND)"
)
_SCRIPT_LIMIT = 1_000_000
_ABANDONED = 3600.0


def build(lock: str, key: str, places: list[str], env: dict[str, str], verbose: bool) -> str:
    """Make the environment ``key`` in the first of ``places`` that can be written; returns that place."""
    reason = "there is no RUNNER_TOOL_CACHE, XDG_CACHE_HOME or HOME"
    for place in places:
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with _alone(place + ".lock"):
                if not is_ready(place, key):
                    _build_at(place, lock, key, env, verbose)
                return place
        except OSError as error:
            reason = f"{error.filename or place}: {error.strerror or error}"
    raise Failure(
        f"no folder to keep Python packages in ({reason})",
        "set PROMOTE_ACTIONS_CACHE to one that can be written",
    )


@contextmanager
def _alone(lock_file: str) -> Iterator[None]:
    """Hold ``lock_file``. Where files can't be locked, the rename at the end still decides."""
    import fcntl

    with open(lock_file, "a", encoding="utf-8") as file:
        deadline = time.monotonic() + LONGEST_WAIT
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Failure(
                        f"another process has prepared Python packages for {LONGEST_WAIT:.0f} s",
                        f"end it, or remove {lock_file}",
                    ) from None
                if not told:
                    _say("another step is preparing the Python packages; waiting for it")
                told = True
                time.sleep(0.05)
            except OSError:
                break
        yield


def _build_at(place: str, lock: str, key: str, env: dict[str, str], verbose: bool) -> None:
    _sweep(place)
    new = f"{place}.new-{os.getpid()}-{os.urandom(4).hex()}"
    os.mkdir(new)
    started = time.monotonic()
    try:
        _virtual_environment(new)
        how = _install(new, lock, _cleaned(env), verbose)
        _repoint(new, place)
        with open(os.path.join(new, READY), "w", encoding="utf-8") as file:
            file.write(key)
        _put(new, place, key)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    _say(f"Python packages ready after {time.monotonic() - started:.1f} s ({how}); kept in {place}")


def _sweep(place: str) -> None:
    """Remove what killed builders left behind long ago."""
    folder, name = os.path.split(place)
    for entry in os.listdir(folder):
        path = os.path.join(folder, entry)
        if (
            entry.startswith((name + ".new-", name + ".old-"))
            and time.time() - os.stat(path).st_mtime > _ABANDONED
        ):
            shutil.rmtree(path, ignore_errors=True)


def _virtual_environment(folder: str) -> None:
    """An empty virtual environment, without pip: a twentieth of a second instead of six."""
    import venv

    sys._base_executable = base_python()  # type: ignore[attr-defined]  # noqa: SLF001 - venv's own name for it
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)


def _put(new: str, place: str, key: str) -> None:
    """Rename ``new`` to ``place``; what stood there is removed, unless it is just what we made."""
    if is_ready(place, key):
        return
    old = f"{place}.old-{os.path.basename(new)[-8:]}"
    with suppress(FileNotFoundError):
        os.rename(place, old)
    try:
        os.rename(new, place)
    except OSError:
        if not is_ready(place, key):
            raise
    shutil.rmtree(old, ignore_errors=True)


def _repoint(new: str, place: str) -> None:
    """Make the scripts in ``new`` name the folder that it is about to become."""
    folder = os.path.join(new, "bin")
    scripts = [os.path.join(folder, name) for name in os.listdir(folder)]
    for path in [*scripts, os.path.join(new, "pyvenv.cfg")]:
        if os.path.islink(path) or os.path.getsize(path) > _SCRIPT_LIMIT:
            continue
        with open(path, "rb") as file:
            content = file.read()
        if new.encode() in content:
            with open(path, "wb") as file:
                file.write(content.replace(new.encode(), place.encode()))


# -- installers ----------------------------------------------------------------------------------


def _install(folder: str, lock: str, env: dict[str, str], verbose: bool) -> str:
    """Install ``lock`` into the environment ``folder``; returns the name of what did it."""
    python = python_in(folder)
    uv = shutil.which("uv", path=env.get("PATH", ""))
    if uv:
        _say("preparing the Python packages with uv, once")
        failed = _run(_uv_command(uv, python, lock), _uv_settings(env), folder, verbose)
        if not failed:
            return "uv"
        _say(f"uv could not ({failed}); trying pip")
    pip, name = _host_pip(folder, env), "pip"
    if not pip:
        _say("this Python has no pip: fetching one, pinned by its hash")
        pip, name = pip_wheel.fetch(folder, env), "pip from its wheel"
    _say(f"preparing the Python packages with {name}, once")
    failed = _run(_pip_command(python, pip, lock), env, folder, verbose)
    if failed:
        raise Failure(
            f"pip could not install the Python packages: {failed}",
            "check the network, the proxy (HTTPS_PROXY) and the index (PIP_INDEX_URL), and that it has"
            " wheels for this machine",
        )
    if pip.startswith(folder):
        os.remove(os.path.dirname(pip))
    return name


def _uv_command(uv: str, python: str, lock: str) -> list[str]:
    flags = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    return [uv, "pip", "install", "--python", python, *flags, "-r", lock]


def _uv_settings(env: Mapping[str, str]) -> dict[str, str]:
    """The variables for uv, which doesn't know of pip's index: told of it where uv has none of its own."""
    told = dict(env)
    if not {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL"} & set(env):
        index, *more = pip_wheel.pip_indexes(env) or [""]
        told |= {"UV_DEFAULT_INDEX": index} if index else {}
        told |= {"UV_INDEX": " ".join(more), "UV_INDEX_STRATEGY": "unsafe-best-match"} if more else {}
    if env.get("PIP_CERT"):
        told.setdefault("SSL_CERT_FILE", env["PIP_CERT"])
    return told


def _pip_command(python: str, pip: str, lock: str) -> list[str]:
    flags = [
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--no-compile",
        "--ignore-installed",
    ]
    quiet = [
        "--no-input",
        "--disable-pip-version-check",
        "--no-warn-script-location",
        "--progress-bar",
        "off",
    ]
    return [python, "-I", pip, "install", *flags, *quiet, "-r", lock]


def _host_pip(folder: str, env: Mapping[str, str]) -> str:
    """The folder of this interpreter's own pip, or an empty string."""
    code = "import os, pip; print(os.path.dirname(os.path.abspath(pip.__file__)))"
    try:
        found = subprocess.run(
            [sys.executable, "-c", code],
            env=env,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def _run(command: list[str], env: Mapping[str, str], folder: str, verbose: bool) -> str:
    """Run an installer; returns what it said last when it failed, else an empty string."""
    out = sys.stderr if verbose else subprocess.PIPE
    try:
        done = subprocess.run(
            command,
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=LONGEST_WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {LONGEST_WAIT:.0f} s"
    except OSError as error:
        return str(error)
    return _last_words(done.stdout or "", done.returncode) if done.returncode else ""


def _last_words(output: str, status: int) -> str:
    lines = [line.strip(" ×╰─▶\t") for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    said = (errors or lines or [f"exit status {status}"])[-1]
    return pip_wheel.without_credentials(said)[:300]


def _cleaned(env: Mapping[str, str]) -> dict[str, str]:
    """The caller's variables without those that change what is installed, or where."""
    return {name: value for name, value in env.items() if not _HARMFUL.fullmatch(name)}


def _say(text: str) -> None:
    sys.stderr.write(f"promote-actions: {text}\n")
    sys.stderr.flush()
