"""A repository whose version went wrong, and a cluster in which it is the green slot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from promote_actions.rehearsal.kubernetes import KubernetesEmulator
from tests.rollback.forked import command
from tests.rollback.pristine import went_wrong
from tests.support.gitops import Ran, git, write

BAD, GOOD = "2026.02.18", "2026.02.10"
VALUES = "helm/nexo-be/values-staging.yaml"
SPACE, INGRESS = "nexo-staging", "nexo-be-ingress"
IMAGE = "ghcr.io/nexo-org/nexo-be"
TOKEN = "a-right-and-secret-token"


class World:
    """``slot`` is what git's ``activeSlot`` says; empty: there is no such key."""

    def __init__(self, folder: Path, cluster: KubernetesEmulator, slot: str) -> None:
        self.cluster = cluster
        more = f"activeSlot: {slot} # live\n" if slot else ""
        self.bare = Path(shutil.copytree(went_wrong(VALUES, BAD, more), folder / "gitops.git"))
        green = "nexo-be-green"
        cluster.add_ingress(SPACE, INGRESS, [green, "admin", green], default=green)
        cluster.add_slot(SPACE, "nexo-be", "blue", f"{IMAGE}:{GOOD}", f"{IMAGE}:{GOOD}")
        cluster.add_slot(SPACE, "nexo-be", "green", f"{IMAGE}:{BAD}")

    @cached_property
    def work(self) -> Path:
        git(self.bare.parent, "clone", "-q", str(self.bare), "work")
        return self.bare.parent / "work"

    def commit(self, files: dict[str, str], message: str) -> str:
        """Somebody pushes ``files``."""
        git(self.work, "pull", "-q", "--rebase")
        write(self.work, files)
        git(self.work, "add", "-A")
        git(self.work, "commit", "-qm", message)
        git(self.work, "push", "-q")
        return git(self.work, "rev-parse", "HEAD")

    @property
    def backends(self) -> list[str]:
        return self.cluster.backends(SPACE, INGRESS)

    def show(self, path: str = VALUES) -> str:
        return git(self.bare, "show", f"main:{path}")

    def records(self) -> list[dict[str, Any]]:
        """The audit records, in order."""
        names = git(self.bare, "ls-tree", "-r", "--name-only", "main", "audit-logs/").splitlines()
        found = [json.loads(self.show(name)) for name in names]
        return sorted(found, key=lambda record: record["sequence"])

    def try_it(self, *more: str, kill_at: int = 0, env: Mapping[str, str] | None = None) -> Ran:
        named = ("--gitops", str(self.bare), "--service", "nexo-be", "--env", "staging")
        there = ("--method", "ingress", "--kube-server", self.cluster.url, "--stability", "0")
        surroundings = {"KUBE_TOKEN": TOKEN, "PROMOTE_ACTIONS_API_PAUSE": "0.01", **(env or {})}
        arguments = (*named, *there, "--namespace", "nexo-{environment}", *more)
        ran = command("rollback", *arguments, env=surroundings, kill_at=kill_at)
        assert TOKEN not in ran.stdout + ran.stderr
        return ran

    def roll_back(self, *more: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The outputs of a rollback that has to go well."""
        ran = self.try_it("--format", "json", *more, env=env)
        assert ran.status == 0, ran.stderr
        return dict(json.loads(ran.stdout))


@contextmanager
def a_world(folder: Path, slot: str = "") -> Iterator[World]:
    """A world, taken down afterwards."""
    folder.mkdir(exist_ok=True)
    with KubernetesEmulator(TOKEN) as cluster:
        yield World(folder, cluster, slot)
