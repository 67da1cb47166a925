"""What every row of the benchmarks is given, and how it starts promote-actions."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.harness import ROOT, Meter, Run, environment
from benchmarks.rivals import Yq, find_yq

GIT_CONFIG = """\
[user]
    name = Bench
    email = bench@example.com
[init]
    defaultBranch = main
[safe]
    directory = *
[protocol "file"]
    allow = always
"""
LAUNCHER = str(ROOT / "bin" / "promote-actions")


@dataclass(frozen=True)
class Bench:
    """``work`` is a folder of the bench's own; ``tiny`` is for tests of the harness itself."""

    meter: Meter
    work: Path
    python: str
    yq: Yq | None
    quick: bool = False
    tiny: bool = False
    say: Callable[[str], None] = print

    def rounds(self, full: int, quick: int = 3) -> int:
        """How often a contestant runs."""
        return 1 if self.tiny else quick if self.quick else full

    def sizes(
        self, full: tuple[int, ...], quick: tuple[int, ...], tiny: tuple[int, ...]
    ) -> tuple[int, ...]:
        return tiny if self.tiny else quick if self.quick else full

    def folder(self, name: str) -> Path:
        """A new folder under ``work``."""
        made = self.work / name
        made.mkdir(parents=True)
        return made

    def action(self, command: str, inputs: Mapping[str, str], **env: str) -> Run:
        """An action's step: the launcher, and inputs as ``INPUT_*``."""
        given = {f"INPUT_{name.upper().replace('-', '_')}": value for name, value in inputs.items()}
        runner = {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat", "GITHUB_OUTPUT": "/dev/null"}
        argv = [LAUNCHER, "action", command]
        return Run(argv, cwd=str(self.work), env={**runner, **given, **env})


@contextmanager
def open_bench(
    quick: bool = False, tiny: bool = False, say: Callable[[str], None] = print, yq: bool = True
) -> Iterator[Bench]:
    """A bench in a temporary folder, with the launcher's environment made beforehand."""
    work = Path(mkdtemp(prefix="promote-actions-bench-"))
    try:
        (work / "gitconfig").write_text(GIT_CONFIG, encoding="utf-8")
        python = _interpreter(work / "bin")
        with Meter(environment(work / "bin", work)) as meter:
            bench = Bench(meter, work, python, find_yq() if yq else None, quick, tiny, say)
            meter.run(Run([LAUNCHER, "--help"]))
            yield bench
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _interpreter(folder: Path) -> str:
    """``python3`` in ``folder``: a link to the interpreter itself, without a virtual environment."""
    folder.mkdir()
    real = getattr(sys, "_base_executable", "") or sys.executable
    link = folder / "python3"
    link.symlink_to(Path(real).resolve())
    return str(link)
