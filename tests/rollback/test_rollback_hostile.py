"""Hostile values in inputs that only some methods read: one line of failure at most, nothing done."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from promote_actions.invoke import invoke
from promote_actions.runner import Runner
from tests.rollback import argocd_world, ingress_world
from tests.support.gitops import git

HOSTILE = [
    '"; touch owned; x "',
    "../../../../etc/passwd",
    "--upload-pack=touch owned",
    "x\n::error::owned\n::add-mask::a",
    "\x1b[2J\x1b]0;owned\x07",
    "a\0b",
    "é" * 20_000,
    "a\udcffb",
    "{service.__class__} %s {0}",
    "a/b/c//d?e=f#g",
    "http://user:hunter2-hunter2@127.0.0.1:9/x",
    "file:///etc/passwd",
]
BY_ARGOCD = ["argocd-server", "argocd-token", "argocd-namespace", "argocd-ca", "history-id", "revision"]
BY_ARGOCD += ["failed-at", "failed-version", "gate-result"]
BY_INGRESS = ["ingress", "backend", "namespace", "slot-key", "slot", "via", "kubeconfig", "kube-context"]
BY_INGRESS += ["kube-server", "kube-token", "kube-ca", "stability", "slack-webhook", "webhook"]


def check(given: dict[str, str], folder: Path) -> None:
    """Run it as an action would, and look at everything that it said."""
    said = io.StringIO()
    env = {"GITHUB_ACTIONS": "true", "PROMOTE_ACTIONS_API_PAUSE": "0.001", "HOME": str(folder)}
    status = invoke("rollback", given, Runner(env=env, stdout=said, stderr=said))
    text = said.getvalue()
    assert status in (0, 1, 2, 3)
    assert "Traceback" not in text and "unexpected" not in text, text
    errors = [line for line in text.split("\n") if line.startswith("::error")]
    assert len(errors) == (1 if status else 0), text
    shown = "\n".join(line for line in text.split("\n") if not line.startswith("::add-mask::"))
    assert "\n::error::owned" not in shown
    assert "\x1b" not in shown
    assert "hunter2" not in shown


@pytest.fixture(scope="module")
def argocd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[argocd_world.World]:
    with argocd_world.a_world(tmp_path_factory.mktemp("argocd")) as world:
        yield world


@pytest.fixture(scope="module")
def ingress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ingress_world.World]:
    with ingress_world.a_world(tmp_path_factory.mktemp("ingress")) as world:
        yield world


@pytest.mark.parametrize("name", BY_ARGOCD)
def test_inputs_of_argocd(argocd: argocd_world.World, tmp_path: Path, name: str) -> None:
    """Nothing is changed in the cluster or in git."""
    head = git(argocd.bare, "rev-parse", "main")
    for value in HOSTILE:
        given = {
            "gitops": str(argocd.bare), "service": "nexo-be", "environment": "develop", "dry-run": "true",
            "method": "argocd", "argocd-server": argocd.argocd.url, "timeout": "100ms", name: value,
        }  # fmt: skip
        check(given, tmp_path)
    assert git(argocd.bare, "rev-parse", "main") == head
    assert argocd.live.auto_sync
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("name", BY_INGRESS)
def test_inputs_of_ingress(ingress: ingress_world.World, tmp_path: Path, name: str) -> None:
    """Nothing is changed in the cluster or in git."""
    head = git(ingress.bare, "rev-parse", "main")
    for value in HOSTILE:
        given = {
            "gitops": str(ingress.bare), "service": "nexo-be", "environment": "staging", "dry-run": "true",
            "method": "ingress", "namespace": "nexo-staging", "kube-server": ingress.cluster.url,
            "kube-token": ingress_world.TOKEN, name: value,
        }  # fmt: skip
        if name.startswith("kubeconfig") or name == "kube-context":
            given["kube-server"] = ""
        check(given, tmp_path)
    assert git(ingress.bare, "rev-parse", "main") == head
    assert ingress.backends[0] == "nexo-be-green"
    assert not (tmp_path / "owned").exists()
