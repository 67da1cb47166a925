"""The world in which workflows run: emulators, real git, and checkouts of the examples."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from promote_actions.rehearsal.sample import GITOPS, ORGANISATION
from promote_actions.rehearsal.world import ARGOCD_TOKEN, BOT_TOKEN, World, build
from tests.actions.step_runner import ROOT
from tests.support.gitops import git, write
from tests.workflows.act_runner import Act, Ran, as_act_knows_it, find_act

SERVICE = "nexo-web"
GATE = (
    "[{check: argocd, stability: 300ms, interval: 200ms}, {check: http, interval: 200ms}, "
    "{check: prometheus, window: 2s, min-requests: 5, interval: 200ms}]"
)
CONFIG = f"""\
version: 1
services:
  nexo-be: {{repository: {ORGANISATION}/nexo-be, image: HOST/{ORGANISATION}/nexo-be}}
  nexo-web: {{repository: {ORGANISATION}/nexo-web, image: HOST/{ORGANISATION}/nexo-web}}
environments:
  develop:
  qa: {{gates: {GATE}}}
  staging: {{gates: {GATE}}}
  production: {{gates: {GATE}, soak: 1h}}
"""
EXAMPLE_HOST = "https://{service}-{environment}.example.com"


@dataclass
class Stage:
    """The world, and a machine with act whose repository secrets and variables lead into it."""

    world: World
    act: Act
    folder: Path

    def gitops(self, workflow: str, event: str, payload: dict[str, Any] | None = None) -> Ran:
        """Run a workflow of the GitOps repository's example."""
        return self.act.run(
            self.checkout("gitops-repo"), workflow, event, {**repository(GITOPS), **(payload or {})}
        )

    def checkout(self, example: str) -> Path:
        """A checkout that holds the workflows of ``example``, with this world's addresses in them."""
        folder = self.folder / example
        if not folder.exists():
            shutil.copytree(ROOT / "workflows-examples" / example, folder)
            for workflow in (folder / ".github/workflows").iterdir():
                self.adapt(workflow)
            remember(folder, GITOPS)
        return folder

    def adapt(self, workflow: Path) -> None:
        """Put this world's addresses into a workflow."""
        text = as_act_knows_it(workflow.read_text(encoding="utf-8"))
        text = text.replace(EXAMPLE_HOST, self.world.application.url + "/{service}/{environment}")
        text = text.replace("ghcr.io/", f"{self.world.registry.host}/")
        workflow.write_text(text, encoding="utf-8")

    def service(self, name: str, workflow: Path) -> Path:
        """A clone of a service's repository, with a workflow that is not in its history."""
        folder = self.folder / f"clone of {name}".replace(" ", "-")
        git(self.folder, "clone", "-q", str(self.world.folder / f"{name}.git"), str(folder))
        git(folder, "remote", "set-url", "origin", f"https://github.com/{ORGANISATION}/{name}.git")
        (folder / ".github/workflows").mkdir(parents=True)
        shutil.copy(workflow, folder / ".github/workflows")
        self.adapt(folder / ".github/workflows" / workflow.name)
        return folder

    def commit(self, message: str, name: str = "nexo-be") -> str:
        """A commit on the main branch of a service's repository."""
        slug = f"{ORGANISATION}/{name}"
        return self.world.github.commit(slug, {"src/app.py": f"# {message}\n".encode()}, message)

    # -- looking ---------------------------------------------------------------------------------

    def version(self, environment: str, service: str = SERVICE) -> str:
        """What the values file says now."""
        place = self.world.config.environment(environment)
        text = git(self.world.bare, "show", f"main:{self.world.values_path(place, service)}")
        return next(line.split("'")[1] for line in text.splitlines() if "tag:" in line)

    def subjects(self) -> list[str]:
        return git(self.world.bare, "log", "--format=%s", "main").splitlines()

    def records(self) -> list[str]:
        """The audit records, newest commit last, as their JSON."""
        names = git(self.world.bare, "ls-tree", "-r", "--name-only", "main", "audit-logs/").splitlines()
        return [git(self.world.bare, "show", f"main:{name}") for name in names]

    def call(self, method: str, path: str, login: str, body: Any = None) -> Any:
        """A person's call of GitHub's API."""
        token = self.world.github.world.users[login].token
        answer = requests.request(
            method,
            f"{self.world.github.url}/repos/{GITOPS}/{path}",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=10,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def statuses(self, number: int) -> dict[str, str]:
        """The statuses on a pull request's head, by their short names."""
        sha = self.call("GET", f"pulls/{number}", "dora-dev")["head"]["sha"]
        found = self.call("GET", f"commits/{sha}/status", "dora-dev")["statuses"]
        return {each["context"].removeprefix("promotion/"): each["state"] for each in found}

    def set_version(self, environment: str, version: str, service: str = SERVICE) -> None:
        """A version comes into an environment by somebody's commit."""
        place = self.world.config.environment(environment)
        path = self.world.values_path(place, service)
        text = git(self.world.bare, "show", f"main:{path}") + "\n"
        new = text.replace(self.version(environment, service), version)
        self.world.github.commit(GITOPS, {path: new}, f"promote({service}): {environment} → {version}")
        self.push_image(version, service)

    def push_image(self, version: str, service: str = SERVICE) -> None:
        self.world.registry.push_image(f"{ORGANISATION}/{service}", [version], version.encode())


def repository(name: str) -> dict[str, Any]:
    """The part of every event's payload that says which repository it is about."""
    owner, _, short = name.partition("/")
    return {
        "repository": {
            "full_name": name,
            "name": short,
            "default_branch": "main",
            "owner": {"login": owner},
        }
    }


def remember(folder: Path, name: str) -> None:
    """Make ``folder`` a checkout of the repository ``name``, with all that is in it committed."""
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Workflows")
    git(folder, "remote", "add", "origin", f"https://github.com/{name}.git")


def open_stage(stack: ExitStack, folder: Path, cache: Path) -> Stage:
    """Build the world and the machine; ``stack`` ends them, ``cache`` holds the commands' environment."""
    act = find_act()
    world = build(stack, folder / "world", "", (SERVICE, "nexo-be"))
    config = CONFIG.replace("HOST", world.registry.host)
    world.github.commit(GITOPS, {"promotion.yaml": config}, "Configure")
    machine = Act(act, folder / "machine")
    machine.env |= {
        "GITHUB_API_URL": world.github.url,
        "PROMOTE_ACTIONS_CACHE": str(cache),
        "PROMOTE_ACTIONS_PYTHON": sys.executable,
    }
    machine.secrets |= {"GITHUB_TOKEN": BOT_TOKEN, "GITOPS_TOKEN": BOT_TOKEN, "ARGOCD_TOKEN": ARGOCD_TOKEN}
    machine.variables |= {"ARGOCD_SERVER": world.argocd.url, "PROMETHEUS_URL": world.metrics.url}
    stage = Stage(world, machine, folder)
    for version in ("2026.02.17", "2026.02.15", "2026.02.10", "2026.01.45"):
        stage.push_image(version)
    return stage


__all__ = ["SERVICE", "Stage", "open_stage", "remember", "repository", "write"]
