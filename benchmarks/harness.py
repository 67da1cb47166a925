"""Measuring contestants beside each other: interleaved rounds, medians, ratios.

A round runs every contestant once, in an order that turns with the round, so that whatever else the
machine does falls on all of them alike. What a contestant needs before its run is made outside the time.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEADLINE = 600.0
"""Seconds that one measured run may take."""


class Failure(Exception):
    """A measured command did not do its work: its time would mean nothing."""


@dataclass(frozen=True)
class Run:
    """A command: what to start, where, and variables beside the bench's own."""

    argv: Sequence[str]
    cwd: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)
    may_fail: bool = False


@dataclass(frozen=True)
class Cost:
    """What one run cost: wall and CPU seconds, peak MiB of its largest process (0: not measured)."""

    wall: float
    cpu: float = 0.0
    peak: float = 0.0
    status: int = 0
    said: str = ""


@dataclass(frozen=True)
class Together:
    """Several commands started at once: wall seconds until the last one ended, and each one's cost."""

    wall: float
    runs: tuple[Cost, ...]

    @property
    def cpu(self) -> float:
        return sum(run.cpu for run in self.runs)


@dataclass(frozen=True)
class Contestant:
    """Somebody who takes part: ``run`` gets the number of the round and returns what it cost."""

    name: str
    run: Callable[[int], Cost]


@dataclass(frozen=True)
class Median:
    """The median of several runs' costs, and the fastest and slowest wall."""

    wall: float
    cpu: float
    peak: float
    fastest: float
    slowest: float
    rounds: int


class Meter:
    """Starts measured commands (:mod:`benchmarks.meter`) with the environment ``env``."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = dict(env)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Meter:
        script = str(Path(__file__).with_name("meter.py"))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process and self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()

    def together(self, runs: Sequence[Run], deadline: float = DEADLINE) -> Together:
        """Start ``runs`` at once and wait for all; raises :class:`Failure`."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the meter is not running: use it as a context manager")
        orders = [{"argv": list(run.argv), "cwd": run.cwd, "env": {**self.env, **run.env}} for run in runs]
        process.stdin.write(json.dumps({"runs": orders, "deadline": deadline}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if answer.get("late"):
            raise Failure(f"{' '.join(runs[0].argv)[:200]} took longer than {deadline:g} s")
        costs = tuple(
            Cost(each["wall"], each["cpu"], each["peak_kib"] / 1024, each["status"], each["said"])
            for each in answer["runs"]
        )
        for run, cost in zip(runs, costs, strict=True):
            if cost.status and not run.may_fail:
                raise Failure(f"{' '.join(run.argv)[:200]} ended with {cost.status}: {cost.said[-1500:]}")
        return Together(answer["wall"], costs)

    def run(self, run: Run, deadline: float = DEADLINE) -> Cost:
        """Run one command; raises :class:`Failure` when it fails, unless it may."""
        return self.together([run], deadline).runs[0]


def in_process(work: Callable[[], object], least: float = 0.02) -> Cost:
    """The cost of ``work`` in this interpreter: repeated for ``least`` seconds, the mean of one."""
    count, began, cpu = 0, time.perf_counter(), time.process_time()
    while True:
        work()
        count += 1
        wall = time.perf_counter() - began
        if wall >= least:
            return Cost(wall / count, (time.process_time() - cpu) / count)


def interleave(contestants: Sequence[Contestant], rounds: int, warm_up: bool = True) -> dict[str, Median]:
    """Each contestant's median over ``rounds`` rounds; round 0, if there is one, warms up."""
    costs: dict[str, list[Cost]] = {each.name: [] for each in contestants}
    for number in range(0 if warm_up else 1, rounds + 1):
        turn = number % len(contestants)
        for each in (*contestants[turn:], *contestants[:turn]):
            cost = each.run(number)
            if number:
                costs[each.name].append(cost)
    return {name: median(runs) for name, runs in costs.items()}


def median(costs: Sequence[Cost]) -> Median:
    """The median of each part of ``costs``."""
    walls = [cost.wall for cost in costs]
    return Median(
        wall=statistics.median(walls),
        cpu=statistics.median(cost.cpu for cost in costs),
        peak=statistics.median(cost.peak for cost in costs),
        fastest=min(walls),
        slowest=max(walls),
        rounds=len(costs),
    )


def environment(python_folder: Path, work: Path) -> dict[str, str]:
    """The variables of every measured command: a runner's, without this user's git configuration.

    ``python_folder`` comes first on ``PATH``; it holds the interpreter itself as ``python3``, because a
    version manager's shim would cost more than what is measured.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("HOME", "LANG", "XDG_CACHE_HOME", "PROMOTE_ACTIONS_CACHE", "RUNNER_TOOL_CACHE")
    }
    return kept | {
        "PATH": f"{python_folder}:{os.environ.get('PATH', os.defpath)}",
        "TMPDIR": str(work),
        "GIT_CONFIG_GLOBAL": str(work / "gitconfig"),
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
    }
