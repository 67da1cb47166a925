"""What ``init`` does to each file, and the differences that it shows. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Deed = Literal["written", "kept", "replaced", "unchanged"]

SHOWN = 200
"""Lines of one file's difference that are shown."""


@dataclass(frozen=True)
class File:
    """One file: its path in the repository, its text, and whether it can be run."""

    path: str
    text: str
    executable: bool = False


@dataclass(frozen=True)
class Step:
    """What happens to ``file``. ``diff`` is between what is there and the example, if they differ."""

    file: File
    deed: Deed
    diff: str = ""


def plan(wanted: list[File], present: Mapping[str, str], force: bool) -> list[Step]:
    """A step for each of ``wanted``; ``present`` maps paths to the text that is there. Nothing that is
    there is replaced without ``force``."""
    return [
        _step(file, present.get(file.path), force) for file in sorted(wanted, key=lambda each: each.path)
    ]


def _step(file: File, there: str | None, force: bool) -> Step:
    if there is None:
        return Step(file, "written")
    if there == file.text:
        return Step(file, "unchanged")
    return Step(file, "replaced" if force else "kept", difference(file, there))


def difference(file: File, there: str) -> str:
    """What would change in the file that is there, as a unified diff."""
    lines = list(
        difflib.unified_diff(
            there.splitlines(),
            file.text.splitlines(),
            file.path,
            f"{file.path} (example)",
            lineterm="",
            n=2,
        )
    )
    left = len(lines) - SHOWN
    return "\n".join([*lines[:SHOWN], *([f"… and {left} more lines"] if left > 0 else [])])


def words(steps: list[Step], dry_run: bool) -> str:
    """What was done, file by file, with the differences of what was there already."""
    lines = []
    for step in steps:
        deed = f"would be {step.deed}" if dry_run and step.deed in ("written", "replaced") else step.deed
        lines.append(f"{deed}: {step.file.path}")
        lines += [f"    {line}" for line in step.diff.splitlines()]
    if any(step.deed == "kept" for step in steps):
        lines.append("kept files are yours: take over what you want, or let --force replace them")
    return "\n".join(lines)
