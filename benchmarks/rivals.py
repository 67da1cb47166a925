"""Finding what people use today: Mike Farah's yq (a Go program), or the wrapper of jq that has its name."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

YQ_MODULE = "github.com/mikefarah/yq/v4@v4.54.2"


@dataclass(frozen=True)
class Yq:
    """A yq: its path, what it calls itself, and whether it is the Go program or the wrapper of jq."""

    path: str
    version: str
    go: bool

    def read(self, expression: str, file: str) -> list[str]:
        return [self.path, expression, file] if self.go else [self.path, "-r", expression, file]

    def edit(self, expression: str, file: str) -> list[str]:
        return [self.path, "-i", expression, file] if self.go else [self.path, "-y", "-i", expression, file]


def find_yq(build: bool = True) -> Yq | None:
    """yq by ``BENCH_YQ``, on ``PATH``, or built from its Go module into the user's cache; else None."""
    others = []
    for path in _places():
        said = version_of([path, "--version"])
        if "mikefarah" in said:
            return Yq(path, said.removeprefix("yq (https://github.com/mikefarah/yq/) "), go=True)
        others.append(Yq(path, f"{said} (kislyuk)", go=False))
    made = _build() if build else None
    return made or (others[0] if others and shutil.which("jq") else None)


def _places() -> Iterator[str]:
    chosen = os.environ.get("BENCH_YQ") or shutil.which("yq")
    for path in (chosen, str(_cache() / "yq")):
        if path and os.access(path, os.X_OK):
            yield path


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "promote-actions-benchmarks"


def _build() -> Yq | None:
    go = shutil.which("go")
    if not go:
        return None
    _cache().mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "GOBIN": str(_cache())}
    try:
        subprocess.run([go, "install", YQ_MODULE], env=env, check=True, capture_output=True, timeout=600)
    except (subprocess.SubprocessError, OSError):
        return None
    return find_yq(build=False)


def version_of(command: list[str]) -> str:
    """The first line that ``command`` prints, or an empty string when it can't be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout or done.stderr).strip().partition("\n")[0]
