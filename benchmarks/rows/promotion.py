"""One promotion in GitOps repositories of several sizes, beside the strategy's script."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks import repositories as repos
from benchmarks.context import Bench
from benchmarks.harness import Contestant, Cost, Failure, Median, Run, interleave
from benchmarks.picture import Bar
from benchmarks.report import Section, Table, seconds, size, times
from benchmarks.scripts import Scripts
from benchmarks.traffic import serve

WORDS = """\
A promotion from develop to qa in a GitOps repository of so many services in four environments: read,
planned, checked, committed with its audit record, landed. *The script* is the strategy's: clone
(`--depth 1`, as a workflow's checkout does), `yq -i`, commit, push; it knows no policy and writes no
record. *Sparse* is the same by somebody who clones nothing but that service's files. Each contestant has a
bare repository of its own; CPU counts git's and yq's processes too. Bytes are counted between git and a git
daemon."""

Launch = Callable[[str, str], Run]


def measure(bench: Bench) -> Section:
    """The section of the page."""
    folder = bench.folder("promotion")
    rows, moved, bars = [], [], []
    for count in bench.sizes((10, 500, 5000), (10, 500), (3,)):
        template = repos.make_gitops(folder / f"{count}.git", count)
        found = _times(bench, folder / f"times-{count}", template, count)
        rows += _rows(count, found)
        bars += _bars(count, found)
        moved += _moved(bench, folder / f"moved-{count}", template, count)
    columns = ["services", "how", "wall", "script ÷ ours", "CPU", "script ÷ ours", "memory"]
    tables = [
        Table(columns, rows, "Time"),
        Table(["services", "how", "received", "sent", "connections"], moved, "Bytes over the network"),
    ]
    notes = () if bench.yq else ("The script: rival not available, no yq was found.",)
    return Section("A promotion", WORDS, tables, bars, notes)


def contestants(bench: Bench, folder: Path) -> dict[str, Launch]:
    """How each contestant promotes a service in the repository at an address."""
    ours = {"ours": lambda where, service: ours_run(bench, where, service)}
    if bench.yq is None:
        return ours
    scripts = Scripts(folder, bench.yq)
    return {**ours, "the script": scripts.promote, "the script, sparse": scripts.promote_sparse}


def ours_run(bench: Bench, where: str, service: str) -> Run:
    return bench.action("promote", {"gitops": where, "service": service, "to": "qa", "mode": "direct"})


def _times(bench: Bench, folder: Path, template: Path, count: int) -> dict[str, Median]:
    folder.mkdir()
    ways = contestants(bench, folder)
    entrants = []
    for address in ("path", "URL"):
        for name, launch in ways.items():
            if address == "path" and name == "the script, sparse":
                continue  # git clones a path whole, by links
            own = repos.copy(template, folder / f"{name}-{address}.git")
            where = str(own) if address == "path" else f"file://{own}"
            entrants.append(
                Contestant(f"{name}, by {address}", _promoter(bench, own, where, launch, count))
            )
    rounds = min(bench.rounds(9 if count < 5000 else 5), count - 1)
    found = interleave(entrants, rounds)
    shutil.rmtree(folder)
    return found


def _promoter(bench: Bench, own: Path, where: str, launch: Launch, count: int) -> Callable[[int], Cost]:
    def promote(number: int) -> Cost:
        service = repos.service(number * 7 % count if count % 7 else number)
        cost = bench.meter.run(launch(where, service))
        check(own, service, cost)
        return cost

    return promote


def check(repository: Path, service: str, cost: Cost) -> None:
    """Raise unless qa names the new version of ``service``: a time without its work means nothing."""
    if repos.tags_in_git(repository, [f"helm/{service}/values-qa.yaml"]) != [repos.NEW]:
        raise Failure(f"{service} was not promoted (status {cost.status}): {cost.said[-1000:]}")


def _rows(count: int, found: dict[str, Median]) -> list[list[str]]:
    rows = []
    for name, each in found.items():
        ours = found[f"ours, by {name.rpartition(' ')[2]}"]
        mine = name.startswith("ours")
        rows.append(
            [
                f"{count:,}",
                name,
                seconds(each.wall),
                "" if mine else times(each.wall, ours.wall),
                seconds(each.cpu),
                "" if mine else times(each.cpu, ours.cpu),
                f"{each.peak:.0f} MiB",
            ]
        )
    return rows


def _bars(count: int, found: dict[str, Median]) -> list[Bar]:
    ours = found["ours, by URL"]
    label = f"promotion, {count:,} services: "
    return [
        Bar(label + name, found[f"{name}, by URL"].wall / ours.wall)
        for name in ("the script", "the script, sparse")
        if f"{name}, by URL" in found
    ]


def _moved(bench: Bench, folder: Path, template: Path, count: int) -> list[list[str]]:
    folder.mkdir()
    rows = []
    with serve(folder, bench.meter.env) as traffic:
        for name, launch in contestants(bench, folder).items():
            own = repos.copy(template, folder / "gitops.git")
            traffic.take()
            cost = bench.meter.run(launch(f"{traffic.url}/gitops.git", repos.service(0)))
            check(own, repos.service(0), cost)
            received, sent, connections = traffic.take()
            rows.append([f"{count:,}", name, size(received), size(sent), str(connections)])
            shutil.rmtree(own)
    shutil.rmtree(folder)
    return rows
