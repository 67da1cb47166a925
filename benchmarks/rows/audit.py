"""The audit log: verifying it and computing objectives from it, for many records, with peak memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from benchmarks import repositories as repos
from benchmarks.context import Bench
from benchmarks.harness import Contestant, Median, Run, interleave
from benchmarks.picture import Bar
from benchmarks.report import Section, Table, seconds

WORDS = """\
An audit log of so many records: chains of a hundred, one a day, a commit a day. `verify` reads every
record, checks each hash and link, and git's own history for records that were changed after they were
written. `slo` computes success rates with intervals, times, budgets and the DORA measures over three
windows. *Reading alone* is `git archive | tar | sha256sum`: every record read and hashed once, nothing
parsed. *jq* is `git archive | tar | jq -s` with one success rate for each environment. The time of a record
should not grow with the log, nor memory much."""

START = datetime(2026, 7, 1, 10, tzinfo=timezone.utc)
DAYS = 100
RATES = (
    "group_by(.to_environment) | map({environment: .[0].to_environment, all: length, "
    'good: (map(select(.outcome == "success")) | length)})'
)


def measure(bench: Bench) -> Section:
    """The section of the page."""
    folder = bench.folder("audit")
    rows, bars = [], []
    for count in bench.sizes((1000, 10_000, 100_000), (1000, 5000), (400,)):
        bench.say(f"  {count:,} records")
        repository = make_log(folder / f"{count}.git", count // DAYS)
        rounds = 1 if count >= 50_000 else bench.rounds(3, 1)
        found = interleave(_entrants(bench, repository), rounds, warm_up=count < 50_000)
        rows += [_row(count, name, each) for name, each in found.items()]
        if "jq" in found:
            bars.append(Bar(f"objectives, {count:,} records: jq", found["jq"].wall / found["slo"].wall))
    columns = ["records", "how", "wall", "a record", "CPU", "memory"]
    return Section("The audit log", WORDS, [Table(columns, rows)], bars)


def _row(count: int, name: str, each: Median) -> list[str]:
    cells = [seconds(each.wall), seconds(each.wall / count), seconds(each.cpu), f"{each.peak:.0f} MiB"]
    return [f"{count:,}", name, *cells]


def _entrants(bench: Bench, repository: Path) -> list[Contestant]:
    runs = {
        operation: bench.action("audit-log", {"operation": operation, "gitops": str(repository)})
        for operation in ("verify", "slo")
    }
    pipe = f"git -C '{repository}' archive main audit-logs | tar -xO | "
    runs["reading alone"] = Run(["sh", "-c", pipe + "sha256sum"])
    if shutil.which("jq"):
        runs["jq"] = Run(["sh", "-c", pipe + f"jq -s '{RATES}'"])
    return [_contestant(name, run, bench) for name, run in runs.items()]


def _contestant(name: str, run: Run, bench: Bench) -> Contestant:
    return Contestant(name, lambda _: bench.meter.run(run))


def make_log(folder: Path, chains: int) -> Path:
    """A bare repository with ``chains`` chains of :data:`DAYS` records, one a day."""
    repos.init(folder)
    repos.fast_import(folder, _days(chains))
    return folder


def _days(chains: int) -> Iterator[str]:
    from promote_actions.audit.chain import Head, append, head_of
    from promote_actions.audit.record import Record, to_json

    pairs = [(repos.service(number // 4), repos.LONG[number % 4]) for number in range(chains)]
    heads: dict[tuple[str, str], Head] = {}
    for day in range(DAYS):
        files = []
        for number, (service, environment) in enumerate(pairs):
            at = START + timedelta(days=day, seconds=number)
            name = f"{at:%Y-%m-%d}-{service}-{repos.SUFFIX[environment]}"
            record = Record(
                event="promotion",
                service=service,
                version=f"{at:%Y.%m}.{day + 1}",
                from_environment="staging",
                to_environment=environment,
                timestamp=f"{at:%Y-%m-%dT%H:%M:%SZ}",
                initiator="octocat",
                approvers=("alice-sre", "carlos-sre"),
                validation_results={"smoke_tests": "passed", "error_rate": "passed"},
                record_id=name,
                outcome="failure" if (day + number) % 50 == 0 else "success",
                started_at=f"{at - timedelta(minutes=9):%Y-%m-%dT%H:%M:%SZ}",
                finished_at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
                image_digest="sha256:" + "0" * 64,
            )
            linked = append(heads.get((service, environment)), record)
            heads[service, environment] = head_of(linked)
            files.append((f"audit-logs/{name}.json", to_json(linked).decode()))
        moment = int((START + timedelta(days=day, hours=8)).timestamp())
        yield from repos.commit("refs/heads/main", "record", files, moment)
