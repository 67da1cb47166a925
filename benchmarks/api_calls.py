"""What a promotion costs GitHub's API: requests and bytes, in a small and in a large GitOps repository.

Against the emulator, which answers as GitHub's published API description has it. Bytes are those of the
JSON that is sent and answered. The time of the emulator's own git is not GitHub's, so none is shown.

    python benchmarks/api_calls.py [SERVICES…]        (10 and 5000 by default)
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from tests.promotion.github_bench import CODEOWNERS, GitHubBench, fast_import  # noqa: E402
from tests.support.gitops import standard_files  # noqa: E402

ONE = "svc-0000"


@dataclass(frozen=True)
class Cost:
    """Requests, bytes sent and bytes received."""

    calls: int
    sent: int
    received: int


def repository(folder: Path, services: int) -> Path:
    """A bare GitOps repository with ``services`` services and owners."""
    files = standard_files([f"svc-{number:04}" for number in range(services)])
    return fast_import(folder, {**files, ".github/CODEOWNERS": CODEOWNERS})


def measured(bench: GitHubBench, act: Callable[[], object]) -> Cost:
    """What ``act`` asks of the API."""
    begin = len(bench.github.exchanges)
    act()
    made = bench.github.exchanges[begin:]
    sent = sum(len(json.dumps(each.sent)) for each in made if each.sent is not None)
    return Cost(len(made), sent, sum(len(json.dumps(each.answer)) for each in made))


def costs(services: int) -> dict[str, Cost]:
    """The cost of each kind of promotion, and of its gate, in a repository of ``services`` services."""
    train = ",".join(f"svc-{number:04}" for number in range(5))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with GitHubBench(folder, bare=repository(folder, services)) as bench:
            gate = {
                "environment": "staging",
                "pull_request": "1",
                "check": "approvals,policy",
                "publish": "true",
            }
            steps: dict[str, Callable[[], object]] = {
                "direct commit": lambda: bench.promote(service=ONE, to="qa"),
                "the same again": lambda: bench.promote(service=ONE, to="qa"),
                "pull request": lambda: bench.promote(service=ONE, to="production"),
                "pull request, the same again": lambda: bench.promote(service=ONE, to="production"),
                "gate of the pull request": lambda: bench.run("health-gate", "once", **gate),
                "five services, direct commit": lambda: bench.promote(service=train, to="qa"),
            }
            return {title: measured(bench, step) for title, step in steps.items()}


def main(arguments: Sequence[str]) -> int:
    """Print a table: a row for each step, requests and kilobytes for each size."""
    sizes = [int(each) for each in arguments] or [10, 5000]
    found = {size: costs(size) for size in sizes}
    head = "".join(f"{f'{size} services':>26}" for size in sizes)
    print(f"{'':32}{head}\n{'':32}" + f"{'calls  kB sent/received':>26}" * len(sizes))
    for title in found[sizes[0]]:
        row = ""
        for size in sizes:
            cost = found[size][title]
            row += f"{cost.calls:>8}{cost.sent / 1000:>8.1f} / {cost.received / 1000:>7.1f}"
        print(f"{title:32}{row}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
