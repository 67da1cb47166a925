"""What reserving a version costs in repositories with few and with many old tags.

Whole processes, each for a commit that has no version yet. "packed" and "loose" are how a repository on
this machine keeps its old tags, "checkout" is a shallow one of such a repository, "HTTP" is a server that
speaks git's protocol, and "HTTP, by git" the same with ``ls-remote`` and ``push`` alone, as where git has
settings that only git heeds. For GitHub's API the number of calls and the tags in their answers are shown:
the time of the emulator's own look-ups is not GitHub's.

    python benchmarks/calver_allocation.py [RUNS] [TAGS…]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from promote_actions.rehearsal.github.emulator import GitHubEmulator  # noqa: E402
from tests.versions.smart_http import smart_http  # noqa: E402
from tests.versions.tagged import commits, git, isolated  # noqa: E402

RECENT = 40
"""Tags of this month, the same everywhere: they are what is looked at."""

TOKEN = "builder-token"


def fill(repo: Path, old: int, shas: list[str], packed: bool) -> None:
    """``old`` tags of past years and ``RECENT`` ones of this month, all on the first commit."""
    names = [f"{2025 - n // 1200}.{n // 100 % 12 + 1:02}.{n % 100 + 1}" for n in range(old)]
    names += [f"2026.02.{n}" for n in range(1, RECENT + 1)]
    if packed:
        lines = sorted(f"{shas[0]} refs/tags/{name}\n" for name in names)
        lines.sort(key=lambda line: line.split()[1])
        (repo / "packed-refs").write_text(
            "# pack-refs with: peeled fully-peeled sorted \n" + "".join(lines)
        )
    else:
        orders = "".join(f"create refs/tags/{name} {shas[0]}\n" for name in names)
        git(repo, "update-ref", "--stdin", stdin=orders.encode())


@contextmanager
def prepared(kind: str, old: int, runs: int) -> Iterator[tuple[list[str], Mapping[str, str], list[str]]]:
    """Arguments, environment and commits for ``runs`` allocations in a repository of that kind."""
    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder) / "r.git"
        repo.mkdir()
        git(repo, "init", "--quiet", "--bare", "--initial-branch=main", ".")
        shas = commits(repo, runs + 2)
        fill(repo, old, shas, kind != "loose")
        env = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
        if kind.startswith("HTTP"):
            env |= {"GIT_SSL_CAPATH": "/etc/ssl/certs"} if kind.endswith("git") else {}
            with smart_http(repo.parent, TOKEN) as server:
                yield ["--repo", f"{server.url}/r.git", "--token", TOKEN], env, shas[1:]
        elif kind == "checkout":
            work = Path(folder) / "w"
            git(repo, "clone", "--quiet", "--depth=1", "--no-tags", f"file://{repo}", str(work))
            yield ["--repo", str(work)], env, shas[1:]
        else:
            yield ["--repo", str(repo)], env, shas[1:]


def measure(kind: str, sizes: Sequence[int], runs: int) -> list[float]:
    """Median seconds of an allocation for each size; runs are interleaved, the first one warms up."""
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    with ExitStack() as stack:
        ready = {size: stack.enter_context(prepared(kind, size, runs)) for size in sizes}
        for number in range(runs + 1):
            for size, (where, env, shas) in ready.items():
                command = isolated(*where, "--sha", shas[number], "--date", "2026-02-15")
                began = time.perf_counter()
                done = subprocess.run(command, env=dict(env), capture_output=True, check=False)
                taken[size].append(time.perf_counter() - began)
                if done.returncode:
                    raise SystemExit(done.stderr.decode())
    return [statistics.median(taken[size][1:]) for size in sizes]


def calls(old: int) -> str:
    """How many calls of GitHub's API one reservation makes, and how many tags their answers hold."""
    with tempfile.TemporaryDirectory() as folder, GitHubEmulator(folder) as hub:
        hub.add_user("builder", TOKEN)
        repo = Path(hub.add_repository("nexo-org/nexo-be").store.path)
        shas = commits(repo, 2)
        fill(repo, old, shas, packed=True)
        env = {**os.environ, "GITHUB_API_URL": hub.url, "GITHUB_TOKEN": TOKEN}
        where = ("--repo", "nexo-org/nexo-be", "--sha", shas[1], "--date", "2026-02-15")
        subprocess.run(isolated(*where), env=env, check=True, capture_output=True)
        listed = sum(len(each.answer) for each in hub.exchanges if isinstance(each.answer, list))
        return f"{len(hub.exchanges)} calls, {listed} tags"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    sizes = [int(size) for size in sys.argv[2:]] or [10, 1_000, 50_000]
    print(f"one allocation, median of {runs} interleaved runs, in ms (and × the first column)")
    print(f"{'repository':<16}" + "".join(f"{f'{size:,} tags':>20}" for size in sizes))
    for kind in ("packed", "loose", "checkout", "HTTP", "HTTP, by git"):
        took = measure(kind, sizes, runs)
        cells = (f"{each * 1000:10.1f} ({each / took[0]:4.2f} ×)" for each in took)
        print(f"{kind:<16}" + "".join(f"{cell:>20}" for cell in cells), flush=True)
    print("GitHub's API    " + "".join(f"{calls(size):>20}" for size in sizes))


if __name__ == "__main__":
    main()
