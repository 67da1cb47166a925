"""Histories as they are: the right version comes back, and only its bytes change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

import pytest

from promote_actions.adapters.git import open_path
from promote_actions.adapters.git_history import history_of
from promote_actions.adapters.gitops import FileChange
from promote_actions.adapters.renames import renames_of
from promote_actions.config.model import Config, Service, Values
from promote_actions.errors import Refused
from promote_actions.promotion.model import Live, Request
from promote_actions.rehearsal.github import GitHubEmulator
from promote_actions.rollback.case import Order
from promote_actions.rollback.choose import Past, search
from promote_actions.rollback.past import DEPTHS, PastReader, Sources
from promote_actions.rollback.session import Session
from tests.audit.memory_repository import MemoryRepository
from tests.rollback.forked import command
from tests.support.gitops import git, make_bare, standard_files, values, write

QA = "helm/app/values-qa.yaml"
OLD = "deploy/app-qa.yml"
HUB = "nexo-org/nexo-gitops"


class Work:
    """A working copy in which a history is made, and the bare repository that it is pushed to."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.bare = make_bare(folder, files)
        self.folder = folder / "gitops.git-work"

    def commit(self, message: str, file: str = QA, tag: str = "", replicas: int = 1) -> str:
        if tag:
            write(self.folder, {file: values(tag).replace("replicas: 1", f"replicas: {replicas}")})
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-qm", message)
        return git(self.folder, "rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)

    def push(self) -> None:
        self.git("push", "-q", "--force", str(self.bare), "main")

    def roll_back(self, *arguments: str, where: str = "") -> str:
        """The version that comes back in qa; exactly one line of one values file changes."""
        self.push()
        before = git(self.bare, "rev-parse", "main")
        gitops = where or str(self.bare)
        ran = command(
            "rollback",
            "--gitops",
            gitops,
            "--service",
            "app",
            "--env",
            "qa",
            "--format",
            "json",
            *arguments,
        )
        assert ran.status == 0, ran.stderr
        told = json.loads(ran.stdout)
        changed = git(self.bare, "diff", "--numstat", before, "main", "--", ".", ":!audit-logs", ":!holds")
        assert changed.split()[:2] == ["1", "1"]
        return str(told["restored-version"])


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path, standard_files(["app"]))


def test_a_version_that_only_a_branch_had_was_never_live(work: Work) -> None:
    """A pull request's own commits came to the branch all at once: the merge's outcome counts."""
    work.commit("promote(app): qa → 2026.02.16", tag="2026.02.16")
    work.git("switch", "-qc", "side")
    work.commit("oops", tag="2026.02.17")
    work.commit("promote(app): qa → 2026.02.18", tag="2026.02.18")
    work.git("switch", "-q", "main")
    work.git("merge", "-q", "--no-ff", "-m", "Merge pull request #1", "side")
    assert work.roll_back() == "2026.02.16"


def test_a_squashed_branch(work: Work) -> None:
    """One commit on the branch, whatever the pull request had."""
    work.git("switch", "-qc", "side")
    work.commit("one", tag="2026.02.16")
    work.commit("two", tag="2026.02.17")
    work.git("switch", "-q", "main")
    work.git("merge", "-q", "--squash", "side")
    work.git("commit", "-qm", "promote(app): qa → 2026.02.17 (#1)")
    assert work.roll_back() == "2026.02.15"


def test_a_rebased_branch(work: Work) -> None:
    """Commits that were rebased keep their order of the branch, whatever their times say."""
    work.git("switch", "-qc", "side")
    work.commit("promote(app): qa → 2026.02.17", tag="2026.02.17")
    work.git("switch", "-q", "main")
    work.commit("docs", file="README.md", tag="1")
    work.git("rebase", "-q", "main", "side")
    work.git("switch", "-q", "main")
    work.git("merge", "-q", "--ff-only", "side")
    work.commit("promote(app): qa → 2026.02.18", tag="2026.02.18")
    assert work.roll_back() == "2026.02.17"


def test_a_branch_that_was_written_anew(work: Work) -> None:
    """After a forced push the history is the one that there is now."""
    work.commit("promote(app): qa → 2026.02.16", tag="2026.02.16")
    work.commit("promote(app): qa → 2026.02.17", tag="2026.02.17")
    work.push()
    work.git("reset", "-q", "--hard", "HEAD~2")
    work.commit("promote(app): qa → 2026.02.18", tag="2026.02.18")
    assert work.roll_back() == "2026.02.15"


def test_a_revert_of_a_revert_by_hand(work: Work) -> None:
    """What is live counts, not how it came: the version before the present row of the same."""
    work.commit("promote(app): qa → 2026.02.16", tag="2026.02.16")
    work.commit("promote(app): qa → 2026.02.17", tag="2026.02.17")
    work.git("revert", "--no-edit", "HEAD")
    work.git("revert", "--no-edit", "HEAD")
    assert work.roll_back() == "2026.02.16"


def test_what_was_edited_since_stays(work: Work) -> None:
    """The version goes back; replicas that were raised meanwhile don't."""
    work.commit("promote(app): qa → 2026.02.17", tag="2026.02.17")
    work.commit("more", tag="2026.02.17", replicas=7)
    assert work.roll_back() == "2026.02.15"
    assert "replicas: 7" in git(work.bare, "show", f"main:{QA}")


@pytest.mark.parametrize("also_edited", [False, True])
def test_a_file_that_was_moved(tmp_path: Path, also_edited: bool) -> None:
    """The history goes on under the name that the file had before, whatever that was."""
    files = standard_files(["app"])
    files[OLD] = files.pop(QA)
    work = Work(tmp_path, files)
    work.commit("promote(app): qa → 2026.02.16", file=OLD, tag="2026.02.16")
    work.commit("promote(app): qa → 2026.02.17", file=OLD, tag="2026.02.17")
    work.git("mv", OLD, QA)
    work.commit("move", tag="2026.02.17", replicas=3 if also_edited else 1)
    assert work.roll_back() == "2026.02.16"


def test_a_file_that_was_moved_twice(tmp_path: Path) -> None:
    """Each move leads to the name before; also by URL, where the history has to be fetched."""
    files = standard_files(["app"])
    files["a.yml"] = files.pop(QA)
    work = Work(tmp_path, files)
    work.git("mv", "a.yml", "b.yml")
    work.commit("move once")
    work.git("mv", "b.yml", "helm/app/values-qa.yaml")
    work.commit("move twice")
    work.commit("promote(app): qa → 2026.02.17", tag="2026.02.17")
    assert work.roll_back(where=work.bare.as_uri()) == "2026.02.15"


def test_a_copy_is_no_move(tmp_path: Path) -> None:
    """A file that was made from another one has no past in it."""
    work = Work(tmp_path, {"helm/app/values-develop.yaml": values("2026.02.16"), "x": "x"})
    work.commit("new environment", tag="2026.02.17")
    work.push()
    ran = command("rollback", "--gitops", str(work.bare), "--service", "app", "--env", "qa")
    assert ran.status == 1
    assert "only 0 earlier good versions" in ran.error


PINNED = """\
version: 1
values: {image-tag: image.tag, image-digest: image.digest}
"""


def pinned(tag: str, digest: str) -> str:
    return f'image:\n  tag: "{tag}"\n  digest: "sha256:{digest * 64}"\n'


def test_a_pinned_digest_goes_back_with_its_version(tmp_path: Path) -> None:
    """A digest wins over a tag: left as it is, the bad image would go on running."""
    work = Work(
        tmp_path, {**standard_files(["app"]), QA: pinned("2026.02.15", "a"), "promotion.yaml": PINNED}
    )
    write(work.folder, {QA: pinned("2026.02.17", "b")})
    work.commit("promote(app): qa → 2026.02.17")
    work.push()
    ran = command("rollback", "--gitops", str(work.bare), "--service", "app", "--env", "qa")
    assert ran.status == 0, ran.stderr
    assert git(work.bare, "show", f"main:{QA}") == pinned("2026.02.15", "a").strip()


def test_a_digest_that_is_not_known_is_not_guessed(tmp_path: Path) -> None:
    """A version that never stood in the file has no known digest: nothing is half rolled back."""
    work = Work(
        tmp_path, {**standard_files(["app"]), QA: pinned("2026.02.15", "a"), "promotion.yaml": PINNED}
    )
    ran = command(
        "rollback", "--gitops", str(work.bare), "--service", "app", "--env", "qa",
        "--to-version", "2026.02.1", "--reason", "known to be good",
    )  # fmt: skip
    assert ran.status == 2
    assert "image.digest pins the old image, and the digest of 2026.02.1 is not known" in ran.error


# -- through an API ------------------------------------------------------------------------------


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubEmulator]:
    with GitHubEmulator(tmp_path) as github:
        github.add_user("promoter", "promoter-token")
        yield github
        assert github.crashes == []


def test_a_moved_file_on_github(github: GitHubEmulator) -> None:
    """GitHub says in the commit what a file was called before."""
    github.add_repository(HUB)
    github.commit(HUB, {OLD: values("2026.02.15")})
    github.commit(HUB, {OLD: values("2026.02.17")})
    github.commit(HUB, {QA: values("2026.02.17"), OLD: None})
    env = {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": "promoter-token"}
    ran = command("rollback", "--gitops", HUB, "--service", "app", "--env", "qa", env=env)
    assert ran.status == 0, ran.stderr
    assert "rolled back app to 2026.02.15 in qa by direct commit" in ran.stdout


def reader(repository: MemoryRepository, tag: str) -> PastReader:
    """The past of ``app`` in qa, read commit by commit."""
    snapshot = repository.snapshot()
    here = Live("qa", QA, values(tag).encode(), tag)
    return PastReader(Sources(repository), snapshot, Config(values=Values()), Service("app"), here)


def test_an_api_is_asked_no_more_than_needed(tmp_path: Path) -> None:
    """A hundred versions on, the last good one is found among the newest twelve commits."""
    repository = memory([f"2026.02.{build}" for build in range(1, 101)])
    past = reader(repository, "2026.02.100")
    reads: list[str] = []
    read_at = repository.read_at
    repository.read_at = lambda commit, path: reads.append(commit) or read_at(commit, path)  # type: ignore[method-assign, func-returns-value]
    version, _ = search(past.read, DEPTHS, held=lambda _: False)
    assert version == "2026.02.99"
    assert len(reads) == DEPTHS[0]


def memory(tags: Sequence[str]) -> MemoryRepository:
    repository = MemoryRepository()
    for tag in tags:
        repository.write([FileChange(QA, values(tag).encode())], f"promote(app): qa → {tag}")
    return repository


def test_what_is_deeper_is_found_when_it_is_asked_for() -> None:
    """Steps, quarantines and names reach as far as needed, and a limit is admitted."""
    past = reader(memory([f"2026.02.{build}" for build in range(1, 201)]), "2026.02.200")
    assert search(past.read, DEPTHS, held=lambda _: False, steps=30)[0] == "2026.02.170"
    held = {f"2026.02.{build}" for build in range(150, 201)}
    assert search(past.read, DEPTHS, held=held.__contains__)[0] == "2026.02.149"
    assert search(past.read, DEPTHS, held=lambda _: False, to_version="2026.02.100")[0] == "2026.02.100"
    with pytest.raises(Refused, match=r"2026\.02\.1 was never live there as far as the history was read"):
        search(past.read, DEPTHS, held=lambda _: False, to_version="2026.02.1")


def test_a_gap_in_the_history_is_passed_over() -> None:
    """A commit whose file can't be read is no version, and no reason to stop."""
    repository = memory(["2026.02.1", "2026.02.2"])
    repository.write([FileChange(QA, b"\xff: [")], "broken")
    repository.write([FileChange(QA, values("2026.02.3").encode())], "mended")
    assert reader(repository, "2026.02.3").read(12).versions == ["2026.02.3", "2026.02.2", "2026.02.1"]


def test_a_record_that_can_not_be_read_is_passed_over() -> None:
    """Somebody's broken file in the audit log must not keep anybody from rolling back."""
    repository = memory(["2026.02.1", "2026.02.2"])
    repository.write([FileChange("audit-logs/2026-02-01-app-qa.json", b"{")], "broken")
    past = reader(repository, "2026.02.2")
    assert list(past.records) == []
    assert search(past.read, DEPTHS, held=lambda _: False)[0] == "2026.02.1"


def test_both_ways_of_reading_agree(work: Work) -> None:
    """In one pass or commit by commit: a linear history has the same versions."""
    for number, build in enumerate((16, 18, 17, 17, 19)):
        work.commit(f"to {build}", tag=f"2026.02.{build}", replicas=number + 2)
        work.commit("other", file="README.md", tag=f"2026.02.{number}")
        write(work.folder, {QA: values(f"2026.02.{build}") + "# end\n"})
        work.commit("comment")
    work.push()
    repository = open_path(str(work.bare), "", {})
    snapshot = repository.snapshot()
    here = Live("qa", QA, values("2026.02.19").encode(), "2026.02.19")
    found: list[Past] = []
    for open_bulk in (lambda: history_of(repository, snapshot), lambda: None):
        sources = Sources(repository, open_bulk, renames_of(repository))
        found.append(PastReader(sources, snapshot, Config(), Service("app"), here).read(50))
    assert found[0] == found[1]
    assert found[0].versions == [f"2026.02.{build}" for build in (19, 17, 18, 16, 15)]


@pytest.mark.parametrize(("asked_for", "expected"), [("", "2026.02.2"), ("2026.02.1", "2026.02.1")])
def test_two_people_press_at_the_same_time(asked_for: str, expected: str) -> None:
    """The second one's plan is made anew after the first one's rollback: it must not go a version further,
    unless it named the version."""
    repository = memory(["2026.02.1", "2026.02.2", "2026.02.3"])
    repository.rivals = [[FileChange(QA, values("2026.02.2").encode())]]
    request = Request(("app",), "qa", datetime.now(timezone.utc), version=asked_for, kind="rollback")
    order = Order(request, "promotion.yaml", request.now)
    said: list[str] = []
    session = Session(
        order, repository, "", lambda snapshot: Sources(repository), lambda environment: False, said.append
    )
    landing = session.revert()
    assert len(said) == 1, "it lost the race once"
    assert (repository.snapshot().read(QA) or b"").decode() == values(expected)
    assert landing.changed is bool(asked_for)
    if not asked_for:
        assert landing.notes == ("qa went from 2026.02.3 to 2026.02.2 meanwhile, so this was left alone",)
