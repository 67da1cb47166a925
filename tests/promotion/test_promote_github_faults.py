"""Every request of a promotion spoiled, once and for good: it ends done, or undone with status 3."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import pytest

from promote_actions.adapters import github as adapter
from promote_actions.adapters.github_api import GitHubApi, Patience
from tests.promotion.github_bench import GITOPS, GitHubBench
from tests.support.gitops import values

KINDS = ("500", "502", "rate", "reset", "lost answer", "timeout", "truncated")
OLDER = "promote/nexo-be-prod-2026.02.9"
CONFIGURATION = "version: 1\nservices: {nexo-be: {repository: nexo-org/nexo-be}}\n"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries, a second for an answer, and no pauses."""
    patience = Patience(timeout=1, tries=2, pause=0.0, rate_limit=1000.0)
    hasty = partial(GitHubApi, patience=patience, sleep=lambda _: None)
    monkeypatch.setattr(adapter, "GitHubApi", hasty)


@dataclass(frozen=True)
class Spoiled:
    """The ``nth`` request with this method and path is spoiled: once, or it and all later ones."""

    method: str
    path: str
    nth: int
    kind: str
    always: bool


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the repositories as every case finds them: an older promotion is open."""
    folder = tmp_path_factory.mktemp("template")
    with GitHubBench(folder, files={"promotion.yaml": CONFIGURATION}) as bench:
        bench.add_source([("start", "2026.01.45"), ("feat: more", "2026.02.10")])
        bench.commit({"helm/nexo-be/values-prod.yaml": values("2026.02.9")}, branch=OLDER)
    for hooks in folder.rglob("hooks"):
        shutil.rmtree(hooks)
    return folder


class Case:
    """A GitHub on a copy of the template, whose branches are put back to where they began."""

    def __init__(self, folder: Path) -> None:
        bare = folder / f"{GITOPS}.git"
        for ref in (bare / "refs/heads").rglob("*"):
            name = ref.relative_to(bare / "refs/heads").as_posix()
            if ref.is_file() and name not in ("main", OLDER):
                ref.unlink()
        for name in ("main", OLDER):
            began = bare / "began" / name
            if not began.exists():
                began.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(bare / "refs/heads" / name, began)
            (bare / "refs/heads" / name).parent.mkdir(exist_ok=True)
            shutil.copy(began, bare / "refs/heads" / name)
        self.bench = GitHubBench(folder, bare=bare)
        self.bench.github.add_repository("nexo-org/nexo-be")
        self.bench.github.hang = 2.5
        self.start = self.bench.store.head("main") or ""

    def __enter__(self) -> GitHubBench:
        self.bench.__enter__()
        title = "promote(nexo-be): production → 2026.02.9"
        self.bench.ask("POST", "pulls", "ben", title=title, head=OLDER, base="main")
        self.bench.github.exchanges.clear()
        return self.bench

    def __exit__(self, *_: object) -> None:
        self.bench.__exit__()

    def clean(self, bench: GitHubBench) -> bool:
        """Whether nothing has changed."""
        branches = [name for name, _, _ in bench.store.refs("refs/heads/")]
        return (bench.store.head("main"), branches, bench.open_pulls) == (
            self.start, ["refs/heads/main", f"refs/heads/{OLDER}"], [1],
        )  # fmt: skip


def direct_is_done(bench: GitHubBench, start: str) -> bool:
    """Exactly one commit with exactly one record."""
    head = bench.store.commit(bench.store.head("main") or "")
    records = [entry for entry in bench.store.tree(head.sha, True) if entry.path.startswith("audit-logs/2")]
    return (head.parents, len(records), bench.open_pulls) == ((start,), 1, [1])


def pull_is_done(bench: GitHubBench, start: str) -> bool:
    """Exactly one new pull request, with the change, and nothing on main."""
    pulls = bench.github.repository(GITOPS).pulls
    new = [pull for pull in pulls.values() if pull.head != OLDER]
    if len(new) != 1 or new[0].state != "open" or bench.store.head("main") != start:
        return False
    entry = bench.store.entry(bench.store.head(new[0].head) or "", "helm/nexo-be/values-prod.yaml")
    return entry is not None and b"2026.02.10" in bench.store.blob(entry.sha)


WAYS = {"direct": ("qa", direct_is_done), "pull request": ("production", pull_is_done)}


def requests_of(folder: Path, to: str) -> Iterator[tuple[str, str, int]]:
    """Method, path and number among equals of every request that an undisturbed promotion makes."""
    seen: list[tuple[str, str]] = []
    with Case(folder) as bench:
        assert bench.run("promote", service="nexo-be", to=to).status == 0
        for exchange in bench.github.exchanges:
            path = re.sub(r"[0-9a-f]{40}", "SHA", exchange.path)
            yield exchange.method, path, seen.count((exchange.method, path))
            seen.append((exchange.method, path))


def trouble(folder: Path, way: str, spoiled: Spoiled) -> str:
    """What is wrong after a promotion with ``spoiled``, and after the next run; empty when nothing is."""
    to, is_done = WAYS[way]
    case = Case(folder)
    with case as bench:
        path = re.escape(spoiled.path).replace("SHA", "[0-9a-f]{40}") + r"(\?|$)"
        lost = spoiled.kind == "lost answer"
        fault = bench.github.fail(
            spoiled.method, path, "reset" if lost else spoiled.kind, times=-1 if spoiled.always else 1,
            after=spoiled.nth, applied=lost, retry_after=0,
        )  # fmt: skip
        ended = bench.run("promote", service="nexo-be", to=to)
        done, clean = is_done(bench, case.start), case.clean(bench)
        if not fault.hits:
            return "the request was not made"
        if (ended.status, done) != (0, True) and (ended.status, clean) != (3, True):
            return f"status {ended.status}, done {done}, unchanged {clean}: {ended.stderr}"
        if ended.status and len(ended.error.splitlines()) != 1:
            return f"not one line: {ended.stderr}"
        if not spoiled.always and ended.status:
            return f"one fault was enough to give up: {ended.stderr}"
        if lost:
            bench.github.faults.clear()
            again = bench.run("promote", service="nexo-be", to=to)
            if again.status or not is_done(bench, case.start) or again.outputs["changed"] == done:
                return f"the next run: status {again.status}, {again.outputs}, {again.stderr}"
    return ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_every_request_may_fail(template: Path, tmp_path: Path, way: str, kind: str) -> None:
    """Each request, once and for good: done once, or nothing was changed and the status is 3.

    Where a request was carried out and only its answer was lost, the next run finds what was done.
    """
    workers = 12 if kind == "timeout" else 3
    folders: SimpleQueue[Path] = SimpleQueue()
    for number in range(workers):
        folders.put(Path(shutil.copytree(template, tmp_path / str(number))))
    asked = list(requests_of(Path(shutil.copytree(template, tmp_path / "first")), WAYS[way][0]))
    assert len(asked) > 8
    cases = [Spoiled(*request, kind, always) for request in asked for always in (False, True)]

    def judged(spoiled: Spoiled) -> str:
        folder = folders.get()
        said = trouble(folder, way, spoiled)
        folders.put(folder)
        return f"{spoiled}: {said}" if said else ""

    with ThreadPoolExecutor(workers) as pool:
        assert [said for said in pool.map(judged, cases) if said] == []
