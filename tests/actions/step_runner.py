"""Runs the steps of an ``action.yml`` as GitHub's runner does for a composite action.

Unlike the local runner ``act``, and like GitHub's (actions/runner#665), it sets no ``INPUT_*`` of its
own: a step sees what its ``env:`` maps and what a runner always sets.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.command_files import parse_key_values

ROOT = Path(__file__).resolve().parents[2]
_EXPRESSION = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")


@dataclass(frozen=True)
class Ran:
    """What an action left behind: exit status, its outputs as a caller sees them, summary and logs."""

    status: int
    outputs: Mapping[str, str]
    summary: str
    stdout: str
    stderr: str


def load(path: Path) -> dict[str, Any]:
    """The content of a YAML file, as plain values."""
    return dict(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))


def run_action(
    action: Path,
    inputs: Mapping[str, str],
    workspace: Path,
    scratch: Path,
    extra: Mapping[str, str] | None = None,
) -> Ran:
    """Run the composite action in the folder ``action`` with ``inputs``, in ``workspace``.

    ``scratch`` is an empty folder for the runner's own files; ``extra`` are variables of the job.
    """
    spec = load(action / "action.yml")
    given = {name: str(each.get("default", "")) for name, each in spec["inputs"].items()}
    unknown = set(inputs) - set(given)
    assert not unknown, f"unexpected inputs {unknown}"
    given = {name: evaluate(value, {}) for name, value in given.items()} | dict(inputs)
    env = runner_variables(workspace, scratch) | {"GITHUB_ACTION_PATH": str(action)} | dict(extra or {})
    contexts = {f"inputs.{name}": value for name, value in given.items()}
    log: dict[str, str] = {"stdout": "", "stderr": ""}
    status = 0
    for number, step in enumerate(spec["runs"]["steps"]):
        assert step["shell"] == "bash"
        script = scratch / f"step {number}.sh"
        script.write_text(step["run"], encoding="utf-8")
        output = scratch / f"output {number}"
        output.touch()
        mapped = {name: evaluate(str(value), contexts) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            [shutil.which("bash") or "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            env=env | mapped | {"GITHUB_OUTPUT": str(output)},
            cwd=workspace,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        log = {"stdout": log["stdout"] + done.stdout, "stderr": log["stderr"] + done.stderr}
        written = parse_key_values(output.read_bytes().decode())
        contexts |= {f"steps.{step['id']}.outputs.{name}": value for name, value in written.items()}
        status = done.returncode
        if status:
            break
    outputs = {name: evaluate(each["value"], contexts) for name, each in spec.get("outputs", {}).items()}
    summary = (scratch / "summary").read_text(encoding="utf-8")
    return Ran(status, outputs, summary, log["stdout"], log["stderr"])


def evaluate(text: str, contexts: Mapping[str, str]) -> str:
    """``text`` with each expression replaced once by its value; an unknown name is empty, as on GitHub."""
    return _EXPRESSION.sub(lambda match: contexts.get(match[1], ""), text)


def runner_variables(workspace: Path, scratch: Path) -> dict[str, str]:
    """The variables that every step has on a runner, and those that keep this machine out of it."""
    event = scratch / "event.json"
    event.write_text('{"repository": {"default_branch": "main"}}', encoding="utf-8")
    (scratch / "summary").touch()
    (scratch / "home").mkdir(exist_ok=True)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    kept = {name: os.environ[name] for name in os.environ if _is_network(name)}
    return kept | {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch / "home"),
        "XDG_CACHE_HOME": cache,
        "CI": "true",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": "octocat",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_REPOSITORY": "nexo-org/nexo-be",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "4711",
        "GITHUB_RUN_NUMBER": "7",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_SHA": "8b842d3c1f0e4b5aa6d7c8e9f00112233445566a",
        "GITHUB_STEP_SUMMARY": str(scratch / "summary"),
        "GITHUB_WORKSPACE": str(workspace),
        "RUNNER_ARCH": "X64",
        "RUNNER_OS": "Linux",
        "RUNNER_TEMP": str(scratch),
    }


def _is_network(name: str) -> bool:
    """Whether a variable says how to reach a package index from here."""
    return bool(re.fullmatch(r"(PIP|UV)_.*|.*_(PROXY|proxy)|.*(CA_BUNDLE|SSL_CERT).*", name))
