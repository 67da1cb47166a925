"""Playing one step of the rehearsal: a command run as an action's step runs it, or a person's act."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import promote_actions
from promote_actions.errors import PromoteError

STEP_LIMIT = 60.0
"""Seconds that one step may take."""

SHOWN = 4
"""Lines of a step that went well that are shown; the report has them all. A gate's last ones say more."""

_OUTPUT = re.compile(
    r"^(?P<name>[^\n<]+)<<(?P<mark>[^\n]+)\n(?P<value>.*?)\n(?P=mark)$", re.DOTALL | re.MULTILINE
)


class StepFailed(PromoteError):
    """A step of the rehearsal did not do what it should."""

    exit_status = 1
    title = "rehearsal"


@dataclass(frozen=True)
class Played:
    """A step that was played: what was run, how it ended, what it said."""

    title: str
    command: str
    status: int
    expected: int
    seconds: float
    said: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass
class Stage:
    """Runs the steps and remembers them. ``env`` is what every command gets, as on a runner."""

    folder: Path
    env: Mapping[str, str]
    say: Callable[[str], None]
    played: list[Played] = field(default_factory=list)

    def action(
        self, title: str, name: str, inputs: Mapping[str, str], *, expect: int = 0, **more: str
    ) -> Played:
        """Run the action ``name`` with ``inputs`` alone, as its ``action.yml`` would, and check its status.

        ``more`` is added to the environment. Raises :class:`StepFailed` when the status isn't
        ``expect``.
        """
        number = len(self.played) + 1
        output, summary = (self.folder / f"step-{number}-{kind}" for kind in ("output", "summary"))
        output.touch()
        summary.touch()
        env = {
            **self.env,
            **more,
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            **{f"INPUT_{key.upper().replace('-', '_')}": value for key, value in inputs.items()},
        }
        begin = time.monotonic()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "promote_actions", "action", name],
                env=env, capture_output=True, text=True, errors="replace", timeout=STEP_LIMIT,
                check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise StepFailed(f"{title}: {name} did not end within {STEP_LIMIT:g} s") from None
        step = Played(
            title, name, done.returncode, expect, time.monotonic() - begin,
            readable(done.stdout + done.stderr), read_outputs(output.read_text(encoding="utf-8")),
            summary.read_text(encoding="utf-8"),
        )  # fmt: skip
        return self._finish(step)

    def act(self, title: str, who: str, do: Callable[[], str]) -> Played:
        """A person does something outside of our commands; ``do`` returns what to show."""
        begin = time.monotonic()
        said = do()
        return self._finish(Played(title, who, 0, 0, time.monotonic() - begin, said))

    def check(self, what: str, holds: bool) -> None:
        """Fail the rehearsal unless ``holds``."""
        if not holds:
            raise StepFailed(f"this does not hold: {what}", hint="this is a defect of promote-actions")

    def _finish(self, step: Played) -> Played:
        self.played.append(step)
        good = step.status == step.expected
        glyph = "✔" if good else "✘"
        status = f" (exit {step.status}, as it should)" if good and step.status else ""
        self.say(
            f"{glyph} {len(self.played):2} {step.title}  [{step.command}, {step.seconds:.1f} s]{status}"
        )
        shown = step.said.strip().splitlines()
        if good:
            shown = shown[-SHOWN:] if step.command == "health-gate" else shown[:SHOWN]
        for line in shown:
            self.say(f"       {line[:150]}")
        if not good:
            raise StepFailed(f"{step.title}: {step.command} ended with {step.status}, not {step.expected}")
        return step


def readable(text: str) -> str:
    """What a step printed, with workflow commands as a person sees them in a log."""
    lines = []
    for line in text.splitlines():
        found = re.match(r"::(\w[\w-]*)(?: [^:]*(?::(?!:)[^:]*)*)?::(.*)", line)
        if found is None:
            lines.append(line)
        elif found[1] in ("error", "warning", "notice"):
            lines.append(f"{found[1]}: {_unescape(found[2])}")
        elif found[1] == "group":
            lines.append(found[2])
    return "\n".join(lines)


def _unescape(data: str) -> str:
    return data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")


def read_outputs(text: str) -> dict[str, str]:
    """The step outputs in the runner's file format."""
    return {found["name"]: found["value"] for found in _OUTPUT.finditer(text)}


def runner_environment(github: str, repository: str, actor: str) -> dict[str, str]:
    """The variables of a job on a runner that our commands read, and the few that Python and git need."""
    kept = {
        key: os.environ[key]
        for key in ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
        if key in os.environ
    }
    package = str(Path(promote_actions.__file__).parents[1])
    return {
        **kept,
        "PYTHONPATH": package,
        "PYTHONDONTWRITEBYTECODE": "",
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": repository,
        "GITHUB_ACTOR": actor,
        "GITHUB_RUN_ID": "1001",
        "GITHUB_RUN_ATTEMPT": "1",
    }
