"""Which version runs where, for many services: the matrix, beside one yq for each file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks import repositories as repos
from benchmarks.context import Bench
from benchmarks.harness import Contestant, Run, interleave
from benchmarks.picture import Bar
from benchmarks.report import Section, Table, seconds, times
from benchmarks.scripts import Scripts

WORDS = """\
The versions of all services in four environments, by URL. *Ours* is the whole `version-matrix`: versions,
since when, by whom, drift, and a page of HTML. *The script* is the strategy's `version-diff.sh` for every
service: a clone, one `yq` a file, and nothing of the past."""


def _contestant(name: str, bench: Bench, made: Callable[[], Run]) -> Contestant:
    return Contestant(name, lambda _: bench.meter.run(made()))


def measure(bench: Bench) -> Section:
    """The section of the page."""
    folder = bench.folder("matrix")
    rows, bars = [], []
    for count in bench.sizes((10, 100, 1000), (10, 100), (3,)):
        repository = repos.make_gitops(folder / f"{count}.git", count)
        asked = {"gitops": f"file://{repository}", "html": str(folder / "matrix.html"), "format": "json"}
        entrants = [_contestant("ours", bench, partial(bench.action, "version-matrix", asked))]
        if bench.yq:
            script = partial(Scripts(bench.folder(f"matrix-{count}"), bench.yq).matrix, asked["gitops"])
            entrants.append(_contestant("the script", bench, script))
        found = interleave(entrants, 1 if count >= 1000 else bench.rounds(5), warm_up=count < 1000)
        mine = found["ours"]
        for name, each in found.items():
            ratio = "" if name == "ours" else times(each.wall, mine.wall)
            rows.append(
                [f"{count:,}", name, seconds(each.wall), ratio, seconds(each.cpu), f"{each.peak:.0f} MiB"]
            )
        if "the script" in found:
            ratio_of = found["the script"].wall / mine.wall
            bars.append(Bar(f"matrix, {count:,} services: the script", ratio_of))
    columns = ["services", "how", "wall", "script ÷ ours", "CPU", "memory"]
    notes = () if bench.yq else ("The script: rival not available, no yq was found.",)
    return Section("The matrix", WORDS, [Table(columns, rows)], bars, notes)
