"""Every command, given empty, wrong-typed or hostile inputs, answers with one line and the right status."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from promote_actions.catalogue import ROOMS, load
from promote_actions.invoke import invoke
from promote_actions.runner import Runner
from promote_actions.spec import Input, inputs_of
from tests.support.gitops import git, make_bare, standard_files

HOSTILE = {
    "shell": '"; touch owned; x "',
    "substitution": "$(touch owned)`touch owned`",
    "path": "../../../../etc/passwd",
    "option": "--upload-pack=touch owned",
    "workflow command": "x\n::error::owned\n::add-mask::a",
    "expression": "${{ secrets.TOKEN }}",
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "bidi": "a\u202eb",
    "NUL": "a\0b",
    "long": "é" * 20_000,
    "surrogate": "a\udcffb",
    "markup": "<script>alert(1)</script>|`",
    "format": "{service.__class__} %s {0}",
    "slashes": "a/b/c//d",
}
WRONG = {"flag": "banana", "number": "1.5", "duration": "soon", "choice": "banana"}
SLOW = {"timeout": "1s", "request-timeout": "1s", "once": "true"}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bare(tmp_path_factory.mktemp("hostile"), standard_files(["app"]))


def minimal(name: str, bare: Path) -> dict[str, str]:
    """Inputs with which the command does something small and local."""
    head = git(bare, "rev-parse", "main")
    promotion = {"gitops": str(bare), "service": "app"}
    return {
        "calver": {"repo": str(bare), "sha": head, "reserve": "false"},
        "docker-tags": {"images": "ghcr.io/o/app", "version": "2026.02.1"},
        "promote": {**promotion, "to": "qa", "dry-run": "true"},
        "health-gate": {**promotion, "environment": "qa", "check": "soak", "soak": "1s", **SLOW},
        "audit-log": {"operation": "query", "gitops": str(bare)},
        "rollback": {**promotion, "environment": "qa", "dry-run": "true"},
        "version-matrix": {"gitops": str(bare)},
        "owners": {"paths": "helm/app/values-qa.yaml"},
        "guard": {"gitops": "nexo-org/nexo-gitops", "token": "t0ken-of-nobody", "dry-run": "true"},
        "rehearse": {"gitops": "/nope"},
        "init": {"folder": "made", "gitops": "nexo-org/nexo-gitops", "dry-run": "true"},
        "doctor": {"gitops": str(bare), "registry": "false"},
    }[name]


def run(name: str, given: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Exit status of the command, and what it printed to both streams."""
    said = io.StringIO()
    env = {
        "PATH": os.environ["PATH"],
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": "a" * 40,
        "GITHUB_REPOSITORY": "nexo-org/nexo-be",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "PROMOTE_ACTIONS_API_PAUSE": "0",
        "RUNNER_TEMP": str(folder),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }
    status = invoke(name, given, Runner(env=env, stdout=said, stderr=said))
    return status, said.getvalue()


def cases() -> list[tuple[str, str, str]]:
    """Command, input and kind of value; the common inputs once, with the first command."""
    found = []
    for index, name in enumerate(ROOMS):
        for spec in inputs_of(load(name).inputs):
            if index and spec.name in ("format", "dry-run", "token", "config"):
                continue
            if (name, spec.name) == ("rehearse", "gitops"):
                continue
            kinds = ["empty", *(["wrong type"] if spec.kind in WRONG else []), *HOSTILE]
            found += [(name, spec.name, kind) for kind in kinds]
    return found


def spec_of(name: str, wanted: str) -> Input:
    return next(spec for spec in inputs_of(load(name).inputs) if spec.name == wanted)


def check(name: str, spec: Input, kind: str, status: int, said: str) -> None:
    """One line of failure at the most, no traceback, nothing that a runner would obey."""
    what = (name, spec.name, kind, status, said[-600:])
    assert status in (0, 1, 2, 3), what
    assert "Traceback" not in said, what
    assert "unexpected" not in said, what
    commands = [line.strip() for line in said.split("\n") if line.lstrip().startswith("::")]
    errors = [line for line in commands if line.startswith("::error")]
    assert len(errors) == (1 if status else 0), what
    assert not {"::error::owned", "::add-mask::a"} & set(commands), what
    masked = [line for line in commands if line.startswith("::add-mask::")]
    assert "\x1b" not in said.replace("\n".join(masked), ""), what
    if kind == "wrong type" or (kind == "empty" and spec.required):
        assert status == 2, what
        assert spec.name in errors[0], what


@pytest.mark.parametrize("name", ROOMS)
def test_every_input(name: str, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each input in turn gets each bad value, the others staying good."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "CODEOWNERS").write_text("* @nexo-org/team\n")
    before = git(bare, "for-each-ref")
    for command, wanted, kind in cases():
        if command != name:
            continue
        spec = spec_of(name, wanted)
        value = {"empty": "", "wrong type": WRONG.get(spec.kind, ""), **HOSTILE}[kind]
        status, said = run(name, {**minimal(name, bare), wanted: value}, tmp_path)
        check(name, spec, kind, status, said)
    assert not (tmp_path / "owned").exists()
    if name != "calver":
        assert git(bare, "for-each-ref") == before
