"""The GitOps example's branch rules, and the script that sets them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from promote_actions.gates.publish import CONTEXTS
from tests.actions.step_runner import ROOT

FOLDER = ROOT / "workflows-examples/gitops-repo"
GH = """\
#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in *--method*) cat > "$SENT" ;; *) printf '%s' "$EXISTING" ;; esac
"""


def protect(folder: Path, *words: str, existing: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script with a ``gh`` that keeps what it is told."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin/gh").write_text(GH)
    (folder / "bin/gh").chmod(0o755)
    env = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(folder / "calls"),
        "SENT": str(folder / "sent"),
        "EXISTING": existing,
    }
    command = ["bash", str(FOLDER / "protect-main.sh"), *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def required(rules: dict[str, Any]) -> list[dict[str, Any]]:
    (rule,) = (each for each in rules["rules"] if each["type"] == "required_status_checks")
    return list(rule["parameters"]["required_status_checks"])


def test_it_requires_every_status_that_is_published() -> None:
    """The ruleset's contexts are those of the guard."""
    rules = json.loads((FOLDER / "ruleset.json").read_text(encoding="utf-8"))
    assert {each["context"] for each in required(rules)} == set(CONTEXTS.values())
    assert {each["type"] for each in rules["rules"]} >= {"deletion", "non_fast_forward", "pull_request"}


def test_the_apps_statuses_alone_count(tmp_path: Path) -> None:
    """With the App's ID: it may push promotions, and nobody else may say that one is approved."""
    done = protect(tmp_path, "nexo-org/nexo-gitops", "4711")
    assert done.returncode == 0, done.stderr
    assert "--method POST repos/nexo-org/nexo-gitops/rulesets" in (tmp_path / "calls").read_text()
    sent = json.loads((tmp_path / "sent").read_text())
    assert {each["integration_id"] for each in required(sent)} == {4711}
    assert [each["actor_id"] for each in sent["bypass_actors"]] == [4711]


def test_without_an_app_nobody_may_pass(tmp_path: Path) -> None:
    """No bypass, and no App named that doesn't exist."""
    assert protect(tmp_path, "nexo-org/nexo-gitops", "0").returncode == 0
    sent = json.loads((tmp_path / "sent").read_text())
    assert sent["bypass_actors"] == []
    assert [set(each) for each in required(sent)] == [{"context"}] * 3


def test_a_second_time_it_updates(tmp_path: Path) -> None:
    """There is one ruleset, however often it is run."""
    assert protect(tmp_path, "nexo-org/nexo-gitops", "4711", existing="99").returncode == 0
    assert "--method PUT repos/nexo-org/nexo-gitops/rulesets/99" in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("words", [[], ["nexo-org/nexo-gitops"], ["nexo-org/nexo-gitops", "4711; rm"]])
def test_what_makes_no_sense_reaches_nobody(tmp_path: Path, words: list[str]) -> None:
    """Nothing is sent without a repository and the number of an App."""
    assert protect(tmp_path, *words).returncode != 0
    assert not (tmp_path / "calls").exists()
