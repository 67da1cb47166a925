"""Versions given out: in repositories with few and many tags, and to many askers at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import repositories as repos
from benchmarks.context import Bench
from benchmarks.harness import Contestant, Cost, Median, Run, interleave
from benchmarks.picture import Bar
from benchmarks.report import Section, Table, seconds, times
from benchmarks.scripts import tag

WORDS = """\
A version for a commit that has none, reserved at the remote of a checkout (`--depth 1`, without tags, as a
workflow's checkout is). *The script* fetches the tags, takes the highest of the month plus one, tags and
pushes, and gives up when another was faster. *By path* is our way where the repository itself is on the
machine. *Askers at once* all start at the same moment, each with a checkout and a commit of its own;
*versions* are how many different ones there are after that, and *all have one* is the time until everybody
has, when the script's failed jobs are started again together."""

_CHECKOUT = """\
set -eu
git init --quiet "$3"
cd "$3"
git remote add origin "$1"
git fetch --quiet --no-tags --depth=1 origin "$2"
git checkout --quiet "$2"
"""

Launch = Callable[[Path, str], Run]


def measure(bench: Bench) -> Section:
    """The section of the page."""
    folder = bench.folder("allocation")
    by_count, bars = _by_count(bench, folder)
    at_once, more = _at_once(bench, folder)
    columns = ["tags", "ours", "the script", "script ÷ ours", "ours by path"]
    columns_at_once = ["askers at once", "how", "versions", "failed", "first attempts", "all have one"]
    tables = [Table(columns, by_count, "By number of tags"), Table(columns_at_once, at_once, "At once")]
    return Section("A version for a commit", WORDS, tables, [*bars, *more])


def _ours(bench: Bench) -> Launch:
    return lambda where, commit: bench.action(
        "calver", {"repo": str(where), "sha": commit, "date": "2026-02-20"}
    )


def _script(folder: Path) -> Launch:
    return lambda where, commit: tag(folder, str(where), commit)


def _by_count(bench: Bench, folder: Path) -> tuple[list[list[str]], list[Bar]]:
    rows, bars = [], []
    for count in bench.sizes((10, 1000, 50_000), (10, 1000), (10,)):
        rounds = bench.rounds(9)
        template = repos.make_tagged(folder / f"{count}.git", count, rounds + 1)
        entrants = []
        for name, launch in (("ours", _ours(bench)), ("the script", _script(folder))):
            own = repos.copy(template, folder / f"{name}-{count}.git")
            entrants.append(Contestant(name, _asker(bench, folder, own, launch, clones=True)))
        own = repos.copy(template, folder / f"path-{count}.git")
        entrants.append(Contestant("by path", _asker(bench, folder, own, _ours(bench), clones=False)))
        found = interleave(entrants, rounds)
        rows.append(_row(count, found))
        ratio = found["the script"].wall / found["ours"].wall
        bars.append(Bar(f"a version, {count:,} tags: the script", ratio))
    return rows, bars


def _row(count: int, found: dict[str, Median]) -> list[str]:
    ours, script = found["ours"].wall, found["the script"].wall
    return [
        f"{count:,}", seconds(ours), seconds(script), times(script, ours), seconds(found["by path"].wall)
    ]  # fmt: skip


def _asker(
    bench: Bench, folder: Path, repository: Path, launch: Launch, clones: bool
) -> Callable[[int], Cost]:
    commits = repos.newest(repository, 50)

    def ask(number: int) -> Cost:
        where = _checkout(bench, folder, repository, commits[number], str(number)) if clones else repository
        run = launch(where, commits[number])
        return bench.meter.run(Run(run.argv, run.cwd, run.env))

    return ask


def _checkout(bench: Bench, folder: Path, repository: Path, commit: str, name: str) -> Path:
    to = folder / f"clone-{repository.stem}-{name}"
    bench.meter.run(Run(["sh", "-c", _CHECKOUT, "checkout", f"file://{repository}", commit, str(to)]))
    return to


def _at_once(bench: Bench, folder: Path) -> tuple[list[list[str]], list[Bar]]:
    rows, bars = [], []
    for count in bench.sizes((1, 10, 100), (1, 10), (2,)):
        template = repos.make_tagged(folder / f"many-{count}.git", 100, count)
        totals = {}
        for name, launch in (("ours", _ours(bench)), ("the script", _script(folder))):
            own = repos.copy(template, folder / f"{name}-many-{count}.git")
            askers = [
                (_checkout(bench, folder, own, commit, str(each)), commit)
                for each, commit in enumerate(repos.newest(own, count))
            ]
            versions, failed, wall, total = _race(bench, own, launch, askers)
            totals[name] = total
            said = "given up" if total is None else seconds(total)
            rows.append([str(count), name, str(versions), str(failed), seconds(wall), said])
        ours, theirs = totals["ours"], totals["the script"]
        if ours and theirs:
            bars.append(Bar(f"{count} askers at once: the script", theirs / ours))
    return rows, bars


def _race(
    bench: Bench, repository: Path, launch: Launch, askers: Sequence[tuple[Path, str]]
) -> tuple[int, int, float, float | None]:
    """Versions after the first attempts, how many failed, how long that took, and until all had one."""
    patience = 10 if bench.quick or bench.tiny else 60
    before = _tags(repository)
    began = time.perf_counter()
    first = bench.meter.together([launch(*asker) for asker in askers])
    spent = time.perf_counter() - began
    versions = len(_tags(repository)) - len(before)
    failed = left = [asker for asker, cost in zip(askers, first.runs, strict=True) if cost.status]
    while left and spent < patience:
        again = bench.meter.together([launch(*asker) for asker in left])
        spent += again.wall
        left = [asker for asker, cost in zip(left, again.runs, strict=True) if cost.status]
    return versions, len(failed), first.wall, None if left else spent


def _tags(repository: Path) -> list[str]:
    return repos.git_output(repository, "tag", "--list").split()
