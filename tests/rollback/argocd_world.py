"""A repository whose version went wrong, the emulator of Argo CD that deployed it, and rollbacks of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from promote_actions.rehearsal.argocd import Definition
from promote_actions.rehearsal.argocd.state import App
from tests.rehearsal.argocd_bench import IMAGE, NAME, VALUES, Bench
from tests.rollback.forked import command
from tests.support.gitops import Ran, git

BAD, GOOD = "2026.02.18", "2026.02.17"
DEFINITION = Definition(NAME, "nexo-be", "develop", VALUES, IMAGE)


class World(Bench):
    """The bench, after :data:`BAD` has been deployed over :data:`GOOD`."""

    def __init__(self, folder: Path, definition: Definition = DEFINITION) -> None:
        super().__init__(folder, definition)
        self.argocd.settle()
        self.deploy(BAD)

    def deploy(self, version: str) -> str:
        """Somebody commits ``version``, and Argo CD deploys it."""
        commit = self.push(version)
        self.argocd.settle()
        return commit

    def push(self, version: str) -> str:
        git(self.work, "pull", "-q", "--rebase", str(self.bare), "main")
        return super().push(version)

    @property
    def live(self) -> App:
        """The application, as Argo CD has it."""
        return self.argocd.app(NAME)

    def named(self) -> str:
        """The version that git names."""
        return git(self.bare, "show", f"main:{VALUES}").partition('tag: "')[2].partition('"')[0]

    def records(self) -> list[dict[str, Any]]:
        """The audit records, in order."""
        names = git(self.bare, "ls-tree", "-r", "--name-only", "main", "audit-logs/").splitlines()
        found = [json.loads(git(self.bare, "show", f"main:{name}")) for name in names]
        return sorted(found, key=lambda record: record["sequence"])

    def arguments(self, *more: str) -> tuple[str, ...]:
        named = ("--gitops", str(self.bare), "--service", "nexo-be", "--env", "develop")
        return ("rollback", *named, "--method", "argocd", "--argocd-server", self.argocd.url, *more)

    def try_it(self, *more: str, kill_at: int = 0) -> Ran:
        return command(*self.arguments(*more), kill_at=kill_at)

    def roll_back(self, *more: str) -> dict[str, Any]:
        """The outputs of a rollback that has to go well."""
        ran = self.try_it("--format", "json", *more)
        assert ran.status == 0, ran.stderr
        return dict(json.loads(ran.stdout))


@contextmanager
def a_world(folder: Path, definition: Definition = DEFINITION) -> Iterator[World]:
    """A world, taken down afterwards."""
    world = World(folder, definition)
    try:
        yield world
    finally:
        world.stop()
