"""A GitOps repository, a demo application and the emulator of Argo CD between them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

from promote_actions.rehearsal.application import DemoApplication
from promote_actions.rehearsal.argocd import ArgoCDEmulator, Definition, Pace
from tests.rehearsal import argocd_swagger as swagger
from tests.support import gitops as support

NAME = "nexo-be-develop"
VALUES = "helm/nexo-be/values-develop.yaml"
IMAGE = "ghcr.io/nexo-org/nexo-be"
FAST = Pace(poll=60.0, operation=0.02, reconcile=0.02, rollout=0.05)


def until(true: Callable[[], bool]) -> None:
    """Wait for something that is about to happen."""
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


class Bench:
    """A repository, a demo application and the emulator between them."""

    def __init__(self, folder: Path, definition: Definition, pace: Pace = FAST, token: str = "") -> None:
        self.work = folder / "gitops.git-work"
        self.bare = support.make_bare(folder, support.standard_files(["nexo-be"]))
        self.app = DemoApplication().start()
        self.argocd = ArgoCDEmulator(
            str(self.bare),
            [definition],
            deploy=self.app.deploy,
            health=self.app.health,
            token=token,
            pace=pace,
        ).start()

    def push(self, version: str) -> str:
        """Commit ``version`` and return the commit."""
        support.write(self.work, {VALUES: support.values(version)})
        support.git(self.work, "commit", "-aqm", version)
        support.git(self.work, "push", "-q", str(self.bare), "HEAD:main")
        return str(support.git(self.work, "rev-parse", "HEAD"))

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """Status and JSON; request and answer are held against the description."""
        parts = urlsplit(path)
        swagger.check_request(method, parts.path, list(parse_qs(parts.query)), body)
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = Request(self.argocd.url + path, data, headers, method=method)
        try:
            with urlopen(request, timeout=10) as answer:
                status, document = answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                status, document = error.code, json.load(error)
        swagger.check_answer(method, parts.path, status, document)
        return status, document

    def get(self, refresh: bool = False) -> Any:
        status, document = self.ask("GET", f"/api/v1/applications/{NAME}" + ("?refresh=normal" * refresh))
        assert status == 200
        return document["status"]

    def stop(self) -> None:
        self.argocd.stop()
        self.app.stop()


DEFINITION = Definition(NAME, "nexo-be", "develop", VALUES, IMAGE)
