"""Fifty promotions at once into one repository: how many land, how many are lost, how long it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import repositories as repos
from benchmarks.context import Bench
from benchmarks.harness import Together
from benchmarks.picture import Bar
from benchmarks.report import Section, Table, seconds, times
from benchmarks.rows.promotion import Launch, contestants

WORDS = """\
So many promotions of different services, started at the same moment, into one repository by URL. *Landed*
is how many values files name the new version after the first attempt of each; the script's other pushes
were rejected, and its jobs failed. *All there* is the time until every promotion has landed when failed
jobs are started again together, as people do by hand; it is given up after a while."""


def measure(bench: Bench) -> Section:
    """The section of the page."""
    count = 3 if bench.tiny else 20 if bench.quick else 50
    services = max(count, 4 if bench.tiny else 500)
    folder = bench.folder("races")
    template = repos.make_gitops(folder / "template.git", services)
    rows, totals = [], {}
    for name, launch in contestants(bench, folder).items():
        own = repos.copy(template, folder / f"{name}.git")
        landed, first, total = _race(bench, own, launch, [repos.service(each) for each in range(count)])
        totals[name] = total
        whole = "given up" if total is None else seconds(total)
        cpu = seconds(first.cpu)
        rows.append([name, str(count), str(landed), str(count - landed), seconds(first.wall), cpu, whole])
    columns = ["how", "at once", "landed", "lost", "first attempts", "CPU of them", "all there"]
    ours = totals["ours"]
    bars = [
        Bar(f"{count} promotions at once: {name}", total / ours)
        for name, total in totals.items()
        if name != "ours" and total and ours
    ]
    notes = [
        f"All there: {name} takes {times(total, ours)} our time."
        for name, total in totals.items()
        if name != "ours" and total and ours
    ]
    return Section("Fifty promotions at once", WORDS, [Table(columns, rows)], bars, notes)


def _race(
    bench: Bench, repository: Path, launch: Launch, services: Sequence[str]
) -> tuple[int, Together, float | None]:
    """How many landed at first, what that cost, and the seconds until all had (None: given up)."""
    patience = 10 if bench.tiny or bench.quick else 90
    began = time.perf_counter()
    where = f"file://{repository}"
    first = bench.meter.together([launch(where, each) for each in services])
    spent = time.perf_counter() - began
    landed = len(services) - len(left := _left(repository, services))
    while left and spent < patience:
        again = bench.meter.together([launch(where, each) for each in left])
        spent += again.wall
        left = _left(repository, left)
    return landed, first, None if left else spent


def _left(repository: Path, services: Sequence[str]) -> list[str]:
    found = repos.tags_in_git(repository, [f"helm/{each}/values-qa.yaml" for each in services])
    return [each for each, tag in zip(services, found, strict=True) if tag != repos.NEW]
