"""``rollback`` on real git repositories: exactly one service and environment goes back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.rollback.forked import command
from tests.support.gitops import Ran, git, make_bare, standard_files, values

QA = "helm/app/values-qa.yaml"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two services whose qa went 2026.02.15 → .18 → .19, interleaved, then an unrelated commit."""
    folder = tmp_path_factory.mktemp("pristine")
    bare = make_bare(folder, standard_files(["app", "web"]))
    for version in ("2026.02.18", "2026.02.19"):
        for service in ("app", "web"):
            step(bare, "promote", "--service", service, "--to", "develop", "--version", version)
            step(bare, "promote", "--service", service, "--to", "qa")
    work = folder / "gitops.git-work"
    git(work, "pull", "-q", str(bare), "main")
    (work / "README.md").write_text("unrelated\n")
    git(work, "add", "-A")
    git(work, "commit", "-qm", "docs: unrelated")
    git(work, "push", "-q", str(bare), "main")
    return bare


@pytest.fixture
def bare(tmp_path: Path, pristine: Path) -> Path:
    """A copy of it for one test."""
    copied = shutil.copytree(pristine, tmp_path / "gitops.git")
    return Path(copied)


def step(bare: Path, name: str, *arguments: str) -> Ran:
    ran = command(name, "--gitops", str(bare), *arguments)
    assert ran.status == 0, ran.stderr
    return ran


def show(bare: Path, path: str) -> str:
    return git(bare, "show", f"main:{path}")


def test_one_service_goes_back(bare: Path) -> None:
    """The last good version of that service returns; every other file stays as it is."""
    before = git(bare, "rev-parse", "main")
    ran = step(bare, "rollback", "--service", "app", "--env", "qa", "--reason", "500s", "--format", "json")
    out = json.loads(ran.stdout)
    assert (out["restored-version"], out["previous-version"], out["method"]) == (
        "2026.02.18",
        "2026.02.19",
        "revert",
    )
    assert git(bare, "diff", "--numstat", before, "main", "--", "helm", "README.md") == f"1\t1\t{QA}"
    assert "2026.02.19" in show(bare, "helm/web/values-qa.yaml")
    assert git(bare, "log", "-1", "--format=%s", "main") == "rollback(app): qa → 2026.02.18"


def test_the_record_says_what_was_undone(bare: Path) -> None:
    """The audit record of a rollback names the promotion that it undoes, and the old record stays."""
    step(bare, "rollback", "--service", "app", "--env", "qa", "--reason", "500s")
    added = git(bare, "diff", "--name-only", "--diff-filter=A", "main^", "main", "--", "audit-logs")
    record = json.loads(show(bare, added))
    undone = json.loads(show(bare, f"audit-logs/{record['rollback_of']}.json"))
    assert (record["event"], record["rollback"], record["reason"]) == ("rollback", True, "500s")
    assert (undone["version"], undone["to_environment"]) == ("2026.02.19", "qa")
    assert git(bare, "diff", "--name-only", "--diff-filter=MD", "main^", "main", "--", "audit-logs") == ""


def test_a_second_rollback_goes_further_back(bare: Path) -> None:
    """No ping-pong: the version that was rolled back is quarantined and is not restored."""
    step(bare, "rollback", "--service", "app", "--env", "qa")
    step(bare, "rollback", "--service", "app", "--env", "qa")
    assert "2026.02.15" in show(bare, QA)
    ran = command("rollback", "--gitops", str(bare), "--service", "app", "--env", "qa")
    assert ran.status == 1
    assert "only 0 earlier good versions" in ran.error


def test_the_bad_version_is_not_promoted_again(bare: Path) -> None:
    """Automation can't bring back what was rolled back; a newer version or a person with a reason can."""
    step(bare, "rollback", "--service", "app", "--env", "qa", "--reason", "500s")
    ran = command("promote", "--gitops", str(bare), "--service", "app", "--to", "qa", "--automatic")
    assert ran.status == 1
    assert "app 2026.02.19 is quarantined: 500s" in ran.error
    step(
        bare,
        "promote",
        "--service",
        "app",
        "--to",
        "qa",
        "--override",
        "quarantine",
        "--reason",
        "was a red herring",
    )
    assert "2026.02.19" in show(bare, QA)


def test_to_a_named_version(bare: Path) -> None:
    """``--to-version`` restores exactly that one, if it was live there."""
    step(bare, "rollback", "--service", "app", "--env", "qa", "--to-version", "2026.02.15")
    assert "2026.02.15" in show(bare, QA)
    ran = command(
        "rollback", "--gitops", str(bare), "--service", "app", "--env", "qa", "--to-version", "2026.02.3"
    )
    assert ran.status == 1
    assert "2026.02.3 was never live there" in ran.error


def test_history_with_merges_reverts_and_other_edits(tmp_path: Path) -> None:
    """Squashes, merges, reverts of reverts and edits of other lines: the version before is still found."""
    bare = make_bare(tmp_path, standard_files(["app"]))
    work = tmp_path / "gitops.git-work"
    file = work / QA

    def commit(tag: str, replicas: int, message: str) -> None:
        file.write_text(values(tag).replace("replicas: 1", f"replicas: {replicas}"))
        git(work, "commit", "-qam", message)

    commit("2026.02.16", 1, "promote(app): qa → 2026.02.16")
    commit("2026.02.16", 2, "scale up")
    git(work, "switch", "-qc", "side")
    commit("2026.02.17", 2, "promote(app): qa → 2026.02.17")
    git(work, "switch", "-q", "main")
    git(work, "merge", "-q", "--no-ff", "-m", "Merge pull request #1", "side")
    git(work, "revert", "--no-edit", "-m", "1", "HEAD")
    git(work, "revert", "--no-edit", "HEAD")
    commit("2026.02.17", 5, "scale more")
    git(work, "push", "-q", str(bare), "main")
    step(bare, "rollback", "--service", "app", "--env", "qa")
    assert show(bare, QA) == values("2026.02.16").replace("replicas: 1", "replicas: 5").strip()


def test_a_renamed_values_file(tmp_path: Path) -> None:
    """The history of a file goes on under its former name."""
    files = standard_files(["app"])
    files["helm/app/values-production.yaml"] = files.pop("helm/app/values-prod.yaml")
    bare = make_bare(tmp_path, files)
    work = tmp_path / "gitops.git-work"
    (work / "helm/app/values-production.yaml").write_text(values("2026.02.1"))
    git(work, "commit", "-qam", "promote(app): production → 2026.02.1")
    git(work, "mv", "helm/app/values-production.yaml", "helm/app/values-prod.yaml")
    git(work, "commit", "-qam", "rename")
    git(work, "push", "-q", str(bare), "main")
    step(bare, "rollback", "--service", "app", "--env", "production", "--mode", "direct", "--reason", "r")
    assert "2026.01.45" in show(bare, "helm/app/values-prod.yaml")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (
            ["--env", "production"],
            2,
            "rolled back by pull request, which a plain git repository doesn't have",
        ),
        (["--env", "production", "--mode", "direct"], 2, "say why not with --reason"),
        (["--env", "moon"], 2, "there is no environment 'moon'"),
        (["--env", "qa", "--steps", "0"], 2, "at least 1"),
        (["--env", "qa", "--steps", "9"], 1, "there are only 2 earlier good versions"),
        (["--env", "qa", "--to-version", "a b"], 2, "is not a version"),
        (["--env", "qa", "--method", "prayer"], 2, "input 'method' is 'prayer'"),
        ([], 2, "input 'environment' is required"),
    ],
)
def test_refusals(bare: Path, arguments: list[str], status: int, words: str) -> None:
    """Each is one line, and nothing changes."""
    before = git(bare, "rev-parse", "main")
    ran = command("rollback", "--gitops", str(bare), "--service", "app", *arguments)
    assert ran.status == status, ran.stderr
    assert words in ran.error
    assert git(bare, "rev-parse", "main") == before


def test_dry_run(bare: Path) -> None:
    """The plan is shown and nothing is written."""
    before = git(bare, "rev-parse", "main")
    ran = step(bare, "rollback", "--service", "app", "--env", "qa", "--dry-run")
    assert "would roll back app to 2026.02.18 in qa" in ran.stdout
    assert '+  tag: "2026.02.18" # here' in ran.stdout
    assert git(bare, "rev-parse", "main") == before


def test_the_version_that_runs_is_nothing_to_do(bare: Path) -> None:
    """Restoring what is live already changes nothing."""
    ran = step(bare, "rollback", "--service", "app", "--env", "qa", "--to-version", "2026.02.19")
    assert "nothing to do" in ran.stdout
