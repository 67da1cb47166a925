"""What a command imports, by Python's own account (``-X importtime``), and how much of it there may be.

The budgets are held by a test: they count modules, so that they hold on any machine.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.harness import ROOT

PROGRAM = """\
import sys
sys.path[:0] = sys.argv[1:3]
from promote_actions.__main__ import run
sys.exit(run(["action", sys.argv[3]]))
"""


SLOW = frozenset(
    {"inspect", "subprocess", "asyncio", "urllib.request", "ssl", "unittest", "logging", "multiprocessing"}
)
"""Modules of the standard library each of which costs as much as a tenth of a short action."""


@dataclass(frozen=True)
class Budget:
    """What a command may import at most: modules of the standard library, of our own, and packages.

    ``slow`` are those of :data:`SLOW` that it may.
    """

    standard: int
    own: int
    slow: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()


BUDGETS: Mapping[str, Budget] = {
    "calver": Budget(46, 22),
    "docker-tags": Budget(48, 32),
    "promote": Budget(66, 66),
    "health-gate": Budget(60, 36),
    "audit-log": Budget(90, 46, frozenset({"subprocess"})),
    "rollback": Budget(66, 94),
    "version-matrix": Budget(100, 68, frozenset({"logging"})),
    "owners": Budget(50, 20),
}
"""By action, for the least that it can be asked, on plain git and without a configuration. (``guard`` works
with GitHub alone.)"""


@dataclass(frozen=True)
class Imports:
    """Modules that a run imported, in the order in which their import ended."""

    standard: tuple[str, ...]
    own: tuple[str, ...]
    others: tuple[str, ...]
    status: int
    said: str = ""

    @property
    def packages(self) -> frozenset[str]:
        """The top names of what comes from neither Python nor this repository."""
        return frozenset(name.partition(".")[0] for name in self.others)


def imports_of(action: str, inputs: Mapping[str, str], env: Mapping[str, str], python: str) -> Imports:
    """What the step of ``action`` imports when it is given ``inputs``, beside what every Python does."""
    given = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in inputs.items()}
    runner = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "/dev/null"}
    nothing = _traced(python, ["-c", "pass"], env)
    where = [str(ROOT / "src"), sysconfig.get_paths()["purelib"]]
    done = _traced(python, ["-c", PROGRAM, *where, action], {**env, **runner, **given})
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    always = set(_names(nothing.stderr))
    names = [name for name in _names(done.stderr) if name not in always]
    return sort(names, done.returncode, "\n".join([done.stdout, *said]))


def _traced(
    python: str, arguments: Sequence[str], env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [python, "-I", "-S", "-X", "importtime", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def _names(said: str) -> list[str]:
    lines = (line for line in said.splitlines() if line.startswith("import time:"))
    return [line.rpartition("|")[2].strip() for line in lines][1:]


def sort(names: Sequence[str], status: int = 0, said: str = "") -> Imports:
    """``names`` by where they come from."""
    standard, own, others = [], [], []
    for name in names:
        top = name.partition(".")[0]
        if top == "org":  # what the pickle and copy modules look for under Jython
            continue
        if top in sys.stdlib_module_names or top.startswith("_sysconfigdata"):
            standard.append(name)
        elif top in ("promote_actions", "environment", "build_environment"):
            own.append(name)
        else:
            others.append(name)
    return Imports(tuple(standard), tuple(own), tuple(others), status, said)


def bare(imports: Imports) -> str:
    """A program that imports the same modules of the standard library and does nothing."""
    lines = (f"try: import {name}\nexcept ImportError: pass" for name in imports.standard)
    return "\n".join(["import os", *lines])  # os first: its parts import it back
