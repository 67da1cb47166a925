"""What promotions, gates and the matrix ask of GitHub's API: requests and bytes, by repository size."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import repositories as repos
from benchmarks.context import Bench
from benchmarks.harness import Failure
from benchmarks.picture import Bar
from benchmarks.report import Section, Table, size

if TYPE_CHECKING:
    from benchmarks.api_calls import Cost

WORDS = """\
Against the GitHub emulator, which answers as GitHub's published API description has it; no time is shown,
because its git is not GitHub's. Bytes are those of the JSON. *Contents API* is what a script with `gh api`
does: one request for each file that it reads, and one that writes; it is not atomic over several files,
and reads no configuration, policy or owners."""

ONE = "service-0000"
MATRIX_AT_MOST = 500
"""Services of the largest matrix: the emulator's own work for larger ones takes minutes."""


def measure(bench: Bench) -> Section:
    """The section of the page."""
    sizes = bench.sizes((10, 500, 5000), (10, 100), (5,))
    found = {count: _costs(bench, bench.folder(f"api-{count}"), count) for count in sizes}
    rows = []
    for title in found[sizes[0]]:
        asked = [found[count].get(title) for count in sizes]
        rows.append([title, *(_cell(each) for each in asked)])
    columns = ["requests · sent · received", *(f"{count:,} services" for count in sizes)]
    common = [count for count in sizes if "matrix, contents API" in found[count]]
    largest = found[common[-1]]
    ratio = largest["matrix, contents API"].calls / largest["matrix"].calls
    bar = Bar(f"matrix by API, {common[-1]:,} services: requests", ratio)
    return Section("Requests to GitHub's API", WORDS, [Table(columns, rows)], [bar])


def _cell(asked: Cost | None) -> str:
    if asked is None:
        return ""
    return f"{asked.calls:,} · {size(asked.sent)} · {size(asked.received)}"


def _costs(bench: Bench, folder: Path, services: int) -> dict[str, Cost]:
    """The cost of each step in a repository of ``services`` services."""
    from benchmarks.api_calls import measured
    from tests.promotion.github_bench import CODEOWNERS, GITOPS, GitHubBench

    bare = repos.make_gitops(folder / "gitops.git", services, {".github/CODEOWNERS": CODEOWNERS})
    train = ",".join(map(repos.service, range(1, 5)))
    with GitHubBench(folder, bare=bare) as github:
        api = _Api(f"{github.github.url}/repos/{GITOPS}", "bot-token")
        gate = {"environment": "staging", "pull_request": "1", "check": "approvals"}
        environment = {"PATH": bench.meter.env["PATH"]}
        steps: dict[str, Callable[[], object]] = {
            "promotion, direct commit": lambda: github.promote(service=ONE, to="qa"),
            "promotion, the same again": lambda: github.promote(service=ONE, to="qa"),
            "promotion, contents API": lambda: _promote(api, repos.service(services - 1)),
            "promotion, pull request": lambda: github.promote(service=ONE, to="production"),
            "gate of the pull request": lambda: github.run(
                "health-gate", "once", "publish", env=environment, **gate
            ),
            "four services in one commit": lambda: github.promote(service=train, to="qa"),
        }
        if services <= MATRIX_AT_MOST:
            steps["matrix"] = lambda: github.run("version-matrix")
            steps["matrix, contents API"] = lambda: _matrix(api, services)
        return {title: measured(github, step) for title, step in steps.items()}


@dataclass(frozen=True)
class _Api:
    """A repository's part of the API, as a script reaches it."""

    url: str
    token: str

    def call(self, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/{path}",
            json.dumps(body).encode() if body else None,
            {"Authorization": f"Bearer {self.token}"},
            method="PUT" if body else "GET",
        )
        for attempt in range(3):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    found: dict[str, Any] = json.load(answer)
                    return found
            except ConnectionError:
                time.sleep(attempt)
        raise Failure(f"{self.url}/{path} can't be reached")


def _promote(api: _Api, service: str) -> None:
    api.call(f"contents/helm/{service}/values-develop.yaml")
    path = f"contents/helm/{service}/values-qa.yaml"
    target = api.call(path)
    content = base64.b64decode(target["content"]).replace(repos.OLD.encode(), repos.NEW.encode())
    body = {"message": f"auto-promote({service}): qa", "sha": target["sha"]}
    api.call(path, {**body, "content": base64.b64encode(content).decode()})


def _matrix(api: _Api, services: int) -> None:
    for number in range(services):
        for environment in repos.ENVIRONMENTS:
            api.call(f"contents/helm/{repos.service(number)}/values-{environment}.yaml")
