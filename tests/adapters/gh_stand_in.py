"""A stand-in for ``gh``: an executable of that name that records how it was called and answers as told."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

VERIFIED = json.dumps([{"attestation": {}, "verificationResult": {"statement": {"subject": []}}}])
UNVERIFIED = (
    "Loaded digest sha256:1 for oci://app\nX Loading attestations failed\n\nError: HTTP 404: Not Found\n"
)

_PROGRAM = """\
#!{python} -SE
import json, os, sys
with open({calls!r}, "a") as file:
    file.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
sys.stdout.write({out!r})
sys.stderr.write({said!r})
sys.stdout.flush()
if {status!r} == "hang":
    os.execv("/bin/sleep", ["sleep", "60"])
if {status!r} == "killed":
    os.kill(os.getpid(), 9)
sys.exit({status!r})
"""


class StandIn:
    """``path`` is a PATH on which there are git and, once :meth:`answers` was called, this ``gh``."""

    def __init__(self, folder: Path) -> None:
        self._programs = folder / "programs"
        self._programs.mkdir()
        self._calls = folder / "calls"
        self.path = str(self._programs)
        (self._programs / "git").symlink_to(shutil.which("git") or "git")

    def answers(self, status: int | str, out: str = "", said: str = "") -> None:
        """Say ``out``, and ``said`` on stderr; end with ``status``, or ``hang``, or be ``killed``."""
        gh = self._programs / "gh"
        gh.write_text(
            _PROGRAM.format(
                python=sys.executable, calls=str(self._calls), out=out, said=said, status=status
            ),
            encoding="utf-8",
        )
        gh.chmod(0o755)

    @property
    def calls(self) -> list[tuple[list[str], dict[str, Any]]]:
        """Arguments and environment of every call."""
        lines = self._calls.read_text(encoding="utf-8").splitlines() if self._calls.exists() else []
        return [(arguments, env) for arguments, env in map(json.loads, lines)]
