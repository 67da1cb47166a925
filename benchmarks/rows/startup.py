"""Start-up: every action through its launcher, asked the least, beside a bare Python and a bare node."""

from __future__ import annotations

import shutil

from benchmarks.context import Bench
from benchmarks.harness import Contestant, Median, Run, interleave
from benchmarks.imports import BUDGETS, Imports, bare, imports_of
from benchmarks.least import Asked, least
from benchmarks.picture import Bar
from benchmarks.report import Section, Table, seconds, times

WORDS = """\
Every action as its step runs it (`bin/promote-actions action NAME`, inputs in `INPUT_*`, the environment
already made), asked the least that it can be asked. *Same imports* is a bare `python3 -I -S` that imports
the same modules of the standard library and does nothing: what is above it is this project's own code,
git's processes and the launcher. Memory is the peak of the largest process."""


def measure(bench: Bench) -> Section:
    """The section of the page."""
    asked = least(bench.folder("startup"))
    imported = {
        name: imports_of(name, each.inputs, bench.meter.env, bench.python) for name, each in asked.items()
    }
    for name, run in imported.items():
        if run.status:
            raise RuntimeError(f"{name} ended with {run.status}: {run.said[-1000:]}")
    contestants = [_process("python3 -c pass", [bench.python, "-c", "pass"], bench)]
    if shutil.which("node"):
        contestants.append(_process("node -e 0", ["node", "-e", "0"], bench))
    for name, each in asked.items():
        contestants.append(_run(name, bench.action(name, each.inputs), bench))
        program = [bench.python, "-I", "-S", "-c", bare(imported[name])]
        contestants.append(_process(f"{name}, bare", program, bench))
    found = interleave(contestants, bench.rounds(25, 7))
    return Section(
        title="Start-up",
        words=WORDS,
        tables=[_times(asked, found), _imports(imported)],
        bars=_bars(found),
    )


def _process(name: str, argv: list[str], bench: Bench) -> Contestant:
    return _run(name, Run(argv), bench)


def _run(name: str, run: Run, bench: Bench) -> Contestant:
    return Contestant(name, lambda _: bench.meter.run(run))


def _times(asked: dict[str, Asked], found: dict[str, Median]) -> Table:
    node = found.get("node -e 0")
    python = found["python3 -c pass"]
    rows = [
        [f"`{name}`", "", seconds(each.wall), f"{each.peak:.0f} MiB", "", "", ""]
        for name, each in (("python3 -c pass", python), ("node -e 0", node))
        if each
    ]
    for name, each in asked.items():
        ours, same = found[name], found[f"{name}, bare"]
        rows.append(
            [
                f"`{name}`",
                each.words,
                seconds(ours.wall),
                f"{ours.peak:.0f} MiB",
                seconds(same.wall),
                times(ours.wall, same.wall),
                times(node.wall, ours.wall) if node else "not available",
            ]
        )
    columns = ["", "asked", "wall", "memory", "same imports", "ours ÷ same imports", "node ÷ ours"]
    return Table(columns, rows)


def _imports(imported: dict[str, Imports]) -> Table:
    rows = []
    for name, each in imported.items():
        budget = BUDGETS[name]
        packages = ", ".join(sorted(each.packages)) or "none"
        rows.append(
            [
                f"`{name}`",
                f"{len(each.standard)} of {budget.standard}",
                f"{len(each.own)} of {budget.own}",
                packages,
            ]
        )
    columns = ["imports, of how many may be", "standard library", "promote-actions", "packages"]
    return Table(columns, rows)


def _bars(found: dict[str, Median]) -> list[Bar]:
    node = found.get("node -e 0")
    if node is None:
        return []
    return [
        Bar(f"start of {name}: node -e 0", node.wall / found[name].wall)
        for name in ("calver", "docker-tags")
    ]
