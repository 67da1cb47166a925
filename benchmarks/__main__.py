"""``python -m benchmarks [--quick] [--only ROW …] [--dry-run]``: measure, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence

from benchmarks import machine, report
from benchmarks.context import Bench, open_bench
from benchmarks.harness import ROOT, Failure

ROWS = (
    "startup",
    "promotion",
    "races",
    "api_calls",
    "allocation",
    "editing",
    "matrix",
    "audit",
    "gate_overhead",
)
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; returns the exit status."""
    options = _parse(arguments)
    if not machine.is_quiet():
        _say("other work runs on this machine: the numbers will be worse than they should")
    with open_bench(options.quick, options.tiny, _say) as bench:
        facts = machine.facts(bench.yq, bench.python)
        sections = [_measured(bench, row) for row in options.only or ROWS]
    if options.dry_run or options.only:
        _say(report.page(sections, facts, options.quick, "benchmarks.svg"))
    else:
        report.write(DOCUMENT, sections, facts, options.quick)
        _say(f"wrote {DOCUMENT.relative_to(ROOT)} and its picture")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds")
    parser.add_argument("--tiny", action="store_true", help="the smallest sizes: does the harness work?")
    parser.add_argument("--only", action="append", choices=ROWS, help="this row; written nowhere")
    parser.add_argument("--dry-run", action="store_true", help="print the page instead of writing it")
    return parser.parse_args(arguments)


def _measured(bench: Bench, row: str) -> report.Section:
    began = time.monotonic()
    _say(f"- {row}")
    try:
        section: report.Section = importlib.import_module(f"benchmarks.rows.{row}").measure(bench)
    except Failure as failure:
        raise SystemExit(f"error: {row}: {failure}") from None
    _say(f"  {time.monotonic() - began:.0f} s")
    return section


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
