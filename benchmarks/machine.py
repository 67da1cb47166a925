"""What the numbers were measured on: machine, load and versions."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.harness import ROOT
from benchmarks.rivals import Yq, version_of


def facts(yq: Yq | None, python: str) -> dict[str, str]:
    """Name and value of everything that a reader needs to judge or repeat the numbers."""
    head = version_of(["git", "-C", str(ROOT), "log", "-1", "--format=%h of %cs"])
    return {
        "promote-actions": f"commit {head}",
        "machine": f"{os.cpu_count()} cores of {_processor()}, {_memory()} GiB of memory",
        "system": f"{_system()}, Linux {platform.release()}" if _is_linux() else platform.platform(),
        "load before": f"{os.getloadavg()[0]:.1f}" + ("" if is_quiet() else " (other work ran beside)"),
        "Python": version_of([python, "--version"]).removeprefix("Python "),
        "git": version_of(["git", "--version"]).removeprefix("git version "),
        "node": version_of(["node", "--version"]) or "not available",
        "yq": yq.version if yq else "not available",
        "jq": version_of(["jq", "--version"]) or "not available",
        "measured": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }


def is_quiet() -> bool:
    """Whether the machine had little else to do in the last minute."""
    return os.getloadavg()[0] < 0.5 * (os.cpu_count() or 1)


def _is_linux() -> bool:
    return platform.system() == "Linux"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"
