"""One tag in values files of three sizes: time, and what else changed in the file."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks import repositories as repos
from benchmarks.context import Bench
from benchmarks.harness import ROOT, Contestant, Cost, Median, Run, in_process, interleave
from benchmarks.picture import Bar
from benchmarks.report import Section, Table, seconds, size, times

WORDS = """\
`image.tag` set to another version. *Ours* is the function that a promotion calls, and *ours, a process* the
same with a whole Python started for it alone, which no promotion does. *yq* can't be called but as a
process. *ruamel* is a round trip with `ruamel.yaml` (quotes preserved) in a running Python. *Changed
unasked* is the size of the lines, before and after, that are not the tag's and yet are not as they were."""

PROGRAM = """\
import sys
sys.path.insert(0, sys.argv[1])
from promote_actions.promotion.values import Edit, edit
with open(sys.argv[2], "r+b") as file:
    changed, _ = edit(file.read(), [Edit("image.tag", sys.argv[3])])
    file.seek(0)
    file.write(changed)
    file.truncate()
"""
Editor = Callable[[bytes], bytes]


def measure(bench: Bench) -> Section:
    """The section of the page."""
    folder = bench.folder("editing")
    rows: list[list[str]] = []
    bars: list[Bar] = []
    for lines in bench.sizes((50, 5000, 100_000), (50, 5000), (50,)):
        before = values_of(lines)
        file = folder / f"{lines}.yaml"
        found, after = _measured(bench, file, before, lines)
        ours = found["ours"]
        for name, each in found.items():
            mine = name.startswith("ours")
            unasked = size(changed_unasked(before, after[name]))
            rows.append(
                [
                    f"{lines:,}",
                    name,
                    seconds(each.wall),
                    "" if mine else times(each.wall, ours.wall),
                    unasked,
                ]
            )
        bars += [
            Bar(f"edit, {lines:,} lines: {name}", found[name].wall / ours.wall)
            for name in ("yq", "ruamel")
            if name in found
        ]
    columns = ["lines", "how", "wall", "÷ ours", "changed unasked"]
    notes = () if bench.yq else ("yq: rival not available.",)
    return Section("Editing a values file", WORDS, [Table(columns, rows)], bars, notes)


def values_of(lines: int) -> bytes:
    """A values file of ``lines`` lines: a service's, with more and more settings as people write them."""
    text = repos.values("service", "qa", repos.OLD)
    block = (
        "settings{n}:\n  # why this is so\n  name: 'setting {n}'\n\n"
        '  limits: {{cpu: "1", memory: 64Mi}}\n'
        '  steps:\n  - first   # indented as its key\n  - "second"\n  nested:\n      deep: {n}\n'
    )
    more = max(lines - text.count("\n"), 0) // 10 + 1
    blocks = [block.format(n=number) for number in range(more)]
    return "".join((text + "".join(blocks)).splitlines(keepends=True)[:lines]).encode()


def changed_unasked(before: bytes, after: bytes) -> int:
    """Bytes of lines of either text that the other has not, without the tag's own line."""
    was, now = (
        Counter(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith(b"tag:"))
        for text in (before, after)
    )
    return sum(len(line) * count for line, count in ((was - now) + (now - was)).items())


def _measured(
    bench: Bench, file: Path, before: bytes, lines: int
) -> tuple[dict[str, Median], dict[str, bytes]]:
    after: dict[str, bytes] = {}
    editors: dict[str, Editor] = {"ours": _ours, "ruamel": _ruamel}
    commands = {
        "ours, a process": [
            bench.python,
            "-I",
            "-S",
            "-c",
            PROGRAM,
            str(ROOT / "src"),
            str(file),
            repos.NEW,
        ]
    }
    if bench.yq:
        commands["yq"] = bench.yq.edit(f'.image.tag = "{repos.NEW}"', str(file))

    def edited(name: str) -> Contestant:
        def run(_: int) -> Cost:
            return in_process(lambda: after.__setitem__(name, editors[name](before)))

        return Contestant(name, run)

    def started(name: str) -> Contestant:
        def run(_: int) -> Cost:
            file.write_bytes(before)
            cost = bench.meter.run(Run(commands[name]))
            after[name] = file.read_bytes()
            return cost

        return Contestant(name, run)

    rounds = bench.rounds(9)
    found = interleave([edited("ours"), *map(started, commands)], rounds)
    slow = interleave([edited("ruamel")], 1 if lines > 10_000 else rounds, warm_up=lines < 10_000)
    for name, content in after.items():
        if f"{repos.NEW}".encode() not in content:
            raise RuntimeError(f"{name} did not edit the file")
    return {**found, **slow}, after


def _ours(data: bytes) -> bytes:
    from promote_actions.promotion.values import Edit, edit

    return edit(data, [Edit("image.tag", repos.NEW)])[0]


def _ruamel(data: bytes) -> bytes:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    document = yaml.load(data.decode())
    document["image"]["tag"] = repos.NEW
    out = io.BytesIO()
    yaml.dump(document, out)
    return out.getvalue()
