"""A repository whose version went wrong, the emulator of Argo CD that deployed it, and rollbacks of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from promote_actions.rehearsal.application import DemoApplication
from promote_actions.rehearsal.argocd import ArgoCDEmulator, Definition
from promote_actions.rehearsal.argocd.state import App
from tests.rehearsal.argocd_bench import FAST, IMAGE, NAME, VALUES
from tests.rollback.forked import command
from tests.rollback.pristine import went_wrong
from tests.support.gitops import Ran, git, values, write

BAD, GOOD = "2026.02.18", "2026.02.17"
DEFINITION = Definition(NAME, "nexo-be", "develop", VALUES, IMAGE)


class World:
    """Argo CD deployed :data:`GOOD` and then :data:`BAD`, which git names."""

    def __init__(self, folder: Path, definition: Definition) -> None:
        self.bare = Path(shutil.copytree(went_wrong(VALUES, BAD), folder / "gitops.git"))
        self.demo = DemoApplication().start()
        bad = git(self.bare, "rev-parse", "main")
        git(self.bare, "update-ref", "refs/heads/main", "main^")
        self.argocd = ArgoCDEmulator(
            str(self.bare), [definition], deploy=self.demo.deploy, health=self.demo.health, pace=FAST
        ).start()
        self.argocd.settle()
        git(self.bare, "update-ref", "refs/heads/main", bad)
        self.argocd.settle()

    @cached_property
    def work(self) -> Path:
        git(self.bare.parent, "clone", "-q", str(self.bare), "work")
        return self.bare.parent / "work"

    def deploy(self, version: str) -> str:
        """Somebody commits ``version``, and Argo CD looks at git."""
        git(self.work, "pull", "-q", "--rebase")
        write(self.work, {VALUES: values(version)})
        git(self.work, "commit", "-aqm", version)
        git(self.work, "push", "-q")
        self.argocd.settle()
        return git(self.work, "rev-parse", "HEAD")

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

    def try_it(self, *more: str, kill_at: int = 0, env: Mapping[str, str] | None = None) -> Ran:
        named = ("--gitops", str(self.bare), "--service", "nexo-be", "--env", "develop")
        there = ("--method", "argocd", "--argocd-server", self.argocd.url)
        return command("rollback", *named, *there, *more, kill_at=kill_at, env=env)

    def roll_back(self, *more: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The outputs of a rollback that has to go well."""
        ran = self.try_it("--format", "json", *more, env=env)
        assert ran.status == 0, ran.stderr
        return dict(json.loads(ran.stdout))

    def stop(self) -> None:
        self.argocd.stop()
        self.demo.stop()


@contextmanager
def a_world(folder: Path, definition: Definition = DEFINITION) -> Iterator[World]:
    """A world, taken down afterwards."""
    folder.mkdir(exist_ok=True)
    world = World(folder, definition)
    try:
        yield world
    finally:
        world.stop()
