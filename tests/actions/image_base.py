"""A small base image out of this machine's own Python and git, to build the Dockerfile anywhere.

Its ``apt-get`` does nothing, because what it would install is there already. It proves the Dockerfile's
steps, not the behaviour of the real base image.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

PYTHON = Path("/usr/bin/python3")
TOOLS = ("/bin/sh", "/usr/bin/env", "/bin/rm", "/bin/cat", "/usr/bin/git")
SETTINGS = ("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/hosts")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "test", "tests", "idlelib", "tkinter", "ensurepip", "config-3*"
)


def missing() -> list[str]:
    """What this machine lacks for making the base image."""
    library = f"/usr/lib/{Path(os.path.realpath(PYTHON)).name}"
    there = [*TOOLS, str(PYTHON), library, CERTIFICATES]
    return [path for path in there if not Path(path).exists()] + ([] if shutil.which("ldd") else ["ldd"])


def make(root: Path) -> None:
    """Fill the folder ``root`` with the base image's files."""
    python = Path(os.path.realpath(PYTHON))
    library = Path("/usr/lib") / python.name
    for tool in (*TOOLS, str(python)):
        _put(root, tool)
    (root / "usr/bin/python3").symlink_to(python.name)
    shutil.copytree(library, root / str(library)[1:], ignore=_LEFT_OUT)
    binaries = [*TOOLS, str(python), *map(str, (library / "lib-dynload").glob("*.so"))]
    for path in _libraries(binaries):
        _put(root, path)
    for path in (*SETTINGS, CERTIFICATES, *Path("/lib").glob("*-linux-gnu/libnss_*.so*")):
        if Path(path).exists():
            _put(root, str(path))
    for folder in ("tmp", "var/lib/apt/lists", "github/workspace"):
        (root / folder).mkdir(parents=True)
    (root / "usr/bin/apt-get").write_text("#!/bin/sh\nexit 0\n")
    (root / "usr/bin/apt-get").chmod(0o755)


def _libraries(binaries: Iterable[str]) -> set[str]:
    found = set()
    for binary in binaries:
        said = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
        found |= set(re.findall(r"(/\S+\.so\S*)", said))
    return found


def _put(root: Path, path: str) -> None:
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(os.path.realpath(path), target)
