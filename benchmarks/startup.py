"""Start to outputs, as a whole process: calver and docker-tags beside an empty Python and an empty Node.

Both commands are in every build, so what they cost is mostly what starting costs. Each is run as the
launcher runs it, in an isolated interpreter without site-packages. Runs are interleaved, so that a busy
machine slows all alike; what counts are the ratios.

    python benchmarks/startup.py [RUNS]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
PYTHON = str(getattr(sys, "_base_executable", sys.executable))
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from promote_actions.__main__ import main; "
MEMORY = """
import sys
def peak():
    try:
        status = open('/proc/self/status').read()
    except OSError:
        return 0
    return int(status.partition('VmHWM:')[2].split()[0])
"""
WHO = {
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.com",
}
EVENT = {
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": "8b842d3c1f0e4a5b6c7d8e9f0a1b2c3d4e5f6a7b",
    "GITHUB_REPOSITORY": "nexo-org/nexo-be",
}
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "INPUT_"))}


def launched(*arguments: str) -> list[str]:
    return [PYTHON, "-I", "-S", "-c", START + "main()", str(SOURCE), *arguments]


def make_repository(folder: str) -> str:
    """A bare repository with one commit and a month of tags."""
    env = {**CLEAN, **WHO}
    repo = os.path.join(folder, "r.git")
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", repo], check=True)
    stream = b"commit refs/heads/main\ncommitter Ana <ana@example.com> 1770000000 +0000\ndata 1\nx\n" * 2
    subprocess.run(["git", "-C", repo, "fast-import", "--quiet"], input=stream, env=env, check=True)
    orders = "".join(f"create refs/tags/2026.02.{n} refs/heads/main~1\n" for n in range(1, 31)).encode()
    subprocess.run(["git", "-C", repo, "update-ref", "--stdin"], input=orders, check=True)
    return repo


def cases(repo: str) -> dict[str, tuple[Sequence[str], Mapping[str, str]]]:
    node = shutil.which("node")
    calver = ("calver", "--no-reserve", "--repo", repo, "--date", "2026-02-15")
    tags = ("docker-tags", "--images", "ghcr.io/nexo-org/nexo-be", "--version", "2026.02.1")
    found: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
        "python -c pass": ([PYTHON, "-c", "pass"], CLEAN),
        "python -I -S -c pass": ([PYTHON, "-I", "-S", "-c", "pass"], CLEAN),
        "calver --no-reserve": (launched(*calver), CLEAN),
        "docker-tags": (launched(*tags), {**CLEAN, **EVENT}),
    }
    return {"node -e 0": ([node, "-e", "0"], CLEAN), **found} if node else found


def seconds(command: Sequence[str], env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, env=dict(env), capture_output=True, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{command[-1]} failed: {done.stderr.decode()}")
    return took


def memory(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Peak resident memory in MiB, as the process itself sees it (0: it can't be told here)."""
    if "node" in os.path.basename(command[0]):
        command = [command[0], "-e", "console.error(process.resourceUsage().maxRSS)"]
    else:
        at = command.index("-c") + 1
        code = command[at].replace("import main; main()", "import run; run(sys.argv[1:])")
        command = [*command[:at], f"{MEMORY}{code}\nprint(peak(), file=sys.stderr)", *command[at + 1 :]]
    done = subprocess.run(command, env=dict(env), capture_output=True, check=False, text=True)
    return int(done.stderr.split()[-1]) / 1024


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    with tempfile.TemporaryDirectory() as folder:
        todo = cases(make_repository(folder))
        taken: dict[str, list[float]] = {name: [] for name in todo}
        for command, env in todo.values():
            seconds(command, env)
        for _ in range(runs):
            for name, (command, env) in todo.items():
                taken[name].append(seconds(command, env))
        peaks = {name: memory(command, env) for name, (command, env) in todo.items()}
    median = {name: statistics.median(times) for name, times in taken.items()}
    node, python = median.get("node -e 0", float("nan")), median["python -c pass"]
    print(f"median of {runs} interleaved runs, Python {sys.version.split()[0]}")
    print(f"{'process':<22}{'ms':>8}{'fastest':>9}{'× node':>8}{'× python':>10}{'peak MiB':>10}")
    for name, value in median.items():
        fastest = min(taken[name]) * 1000
        print(
            f"{name:<22}{value * 1000:8.1f}{fastest:9.1f}{value / node:8.2f}{value / python:10.2f}"
            f"{peaks[name]:10.1f}"
        )
    print("aims: calver and docker-tags at most 0.5 × node, 3 × python, 20 MiB")


if __name__ == "__main__":
    main()
