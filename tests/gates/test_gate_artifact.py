"""The check of reports that a workflow's run left behind."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import pytest

from promote_actions.adapters.forge import Artifact, ForgeRepository, WorkflowRun
from promote_actions.errors import DependencyError, InputError
from promote_actions.gates import archive
from promote_actions.gates.artifact import ArtifactCheck, parse
from promote_actions.gates.github import KNOWN
from promote_actions.gates.model import Moment, Reading
from promote_actions.gates.options import Options
from promote_actions.rehearsal.github import GitHubEmulator
from tests.support.gitops import command

T0 = datetime(2026, 2, 1, 10, 0, tzinfo=timezone.utc)
SHA = "a" * 40
NAME = "nexo-org/nexo-be"
E2E = ".github/workflows/e2e.yml"
GOOD = b'<testsuite><testcase name="a"/><testcase name="b"/></testsuite>'
BAD = b'<testsuite><testcase name="login"><failure/></testcase><testcase name="b"/></testsuite>'
CLEAN = b'{"runs": [{"results": []}]}'
Files = Mapping[str, bytes]


def packed(files: Files) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return stream.getvalue()


class Forge:
    """Runs, and artifacts by run in the order in which they were left."""

    def __init__(
        self, runs: Sequence[WorkflowRun], artifacts: Mapping[int, Sequence[tuple[str, Files | bytes]]]
    ) -> None:
        self.runs = list(runs)
        self.data: dict[int, bytes | None] = {}
        self.listed: dict[int, list[Artifact]] = {}
        self.read: list[int] = []
        for run, left in artifacts.items():
            for name, files in left:
                number = len(self.data) + 1
                data = files if isinstance(files, bytes) else packed(files)
                self.data[number] = data
                self.listed.setdefault(run, []).append(Artifact(number, name, len(data)))

    def workflow_runs(self, sha: str) -> Sequence[WorkflowRun]:
        assert sha == SHA
        return self.runs

    def artifacts(self, run: int) -> Sequence[Artifact]:
        return self.listed.get(run, [])

    def artifact_archive(self, artifact: int, limit: int) -> bytes | None:
        assert limit == archive.LIMIT
        self.read.append(artifact)
        return self.data[artifact]


class Repository:
    name = "Nexo-Org/nexo-be"

    def __init__(self, forge: Forge, tags: Mapping[str, str]) -> None:
        self.forge = forge
        self.all_tags = tags

    def tags(self, prefix: str = "") -> Mapping[str, str]:
        return {name: sha for name, sha in self.all_tags.items() if name.startswith(prefix)}


def run_of(number: int = 1, conclusion: str = "success", **more: Any) -> WorkflowRun:
    status = "completed" if conclusion else "in_progress"
    facts = {"workflow": "E2E", "path": E2E, "source": NAME, "url": "https://github.com/run", **more}
    return WorkflowRun(id=number, status=status, conclusion=conclusion, **facts)


def check_of(forge: Forge, tags: Mapping[str, str] | None = None, **values: Any) -> ArtifactCheck:
    options = {"artifact": "junit", "workflow": "e2e.yml", **values}
    settings = parse(Options("e2e", options, KNOWN), "2026.02.2", "nexo-be")
    repository = Repository(forge, {"2026.02.2": SHA} if tags is None else tags)
    return ArtifactCheck(settings, lambda: cast(ForgeRepository, repository))


def measure(forge: Forge, **values: Any) -> Reading:
    return check_of(forge, **values).measure(Moment(T0))


def left(*artifacts: tuple[str, Files | bytes], run: WorkflowRun | None = None) -> Forge:
    run = run or run_of()
    return Forge([run], {run.id: artifacts})


K6 = json.dumps({"metrics": {"http_reqs": {"count": 9000, "rate": 1000}}}).encode()
CASES: dict[str, tuple[Forge, dict[str, Any], str, str]] = {
    "tests that passed": (
        left(("junit", {"a.xml": GOOD})),
        {},
        "passed",
        "2 tests ran, 0 failed in junit/a.xml on aaaaaaa",
    ),
    "a test that failed": (
        left(("junit", {"a.xml": BAD})),
        {},
        "failed",
        "junit/a.xml: 1 of 2 tests failed",
    ),
    "no test in it": (left(("junit", {"a.xml": b"<testsuite/>"})), {}, "inconclusive", "only 0 tests ran"),
    "a scan": (left(("junit", {"a.sarif": CLEAN})), {}, "passed", "0 critical, 0 high"),
    "a load test": (
        left(("junit", {"k6.json": K6})),
        {"rate": ">= 1000"},
        "passed",
        "9000 requests, 1000 a second",
    ),
    "a load test by its format": (
        left(("junit", {"k6.json": K6})),
        {"format": "k6"},
        "inconclusive",
        "proves",
    ),
    "any JSON": (
        left(("junit", {"r.json": b'{"errors": 2}'})),
        {"json": "errors", "threshold": "<= 1"},
        "failed",
        "junit/r.json: errors is 2, wanted <= 1",
    ),
    "by the workflow's name": (
        left(("junit", {"a.xml": GOOD})),
        {"workflow": "E2E"},
        "passed",
        "2 tests ran",
    ),
    "by its whole path": (left(("junit", {"a.xml": GOOD})), {"workflow": E2E}, "passed", "2 tests ran"),
    "by the run": (
        left(("junit", {"a.xml": GOOD}), run=run_of(7)),
        {"workflow": "", "run": 7},
        "passed",
        "2 tests ran",
    ),
    "another run": (left(), {"workflow": "", "run": 8}, "waiting", "run 8 for aaaaaaa is not there yet"),
    "another workflow": (left(), {"workflow": "perf.yml"}, "waiting", "a run of perf.yml for aaaaaaa"),
    "under way": (
        left(("junit", {"a.xml": GOOD}), run=run_of(conclusion="")),
        {},
        "waiting",
        "E2E is in progress on aaaaaaa",
    ),
    "a run that failed, with a good report": (
        left(("junit", {"a.xml": GOOD}), run=run_of(conclusion="failure")),
        {},
        "failed",
        "E2E ended failure on aaaaaaa",
    ),
    "a run that may fail": (
        left(("junit", {"a.xml": GOOD}), run=run_of(conclusion="failure")),
        {"allow": "failure"},
        "passed",
        "2 tests ran",
    ),
    "a run that failed, with a bad report": (
        left(("junit", {"a.xml": BAD}), run=run_of(conclusion="failure")),
        {},
        "failed",
        "junit/a.xml: 1 of 2 tests failed",
    ),
    "a cancelled run": (
        left(("junit", {"a.xml": GOOD}), run=run_of(conclusion="cancelled")),
        {},
        "inconclusive",
        "E2E ended cancelled",
    ),
    "no artifact": (left(), {}, "inconclusive", "the run left no artifact like 'junit' (none)"),
    "another artifact": (left(("logs", {})), {}, "inconclusive", "no artifact like 'junit' ('logs')"),
    "a run that failed before its report": (
        left(run=run_of(conclusion="failure")),
        {},
        "failed",
        "E2E ended failure",
    ),
    "no archive": (left(("junit", b"<html>")), {}, "inconclusive", "junit: it is no ZIP archive"),
    "a path out of it": (left(("junit", {"../a.xml": GOOD})), {}, "inconclusive", "lies outside of it"),
    "several files, none named": (
        left(("junit", {"a.xml": GOOD, "b.png": b""})),
        {},
        "inconclusive",
        "it has 2 files",
    ),
    "the named one": (
        left(("junit", {"a.xml": GOOD, "b.png": b""})),
        {"file": "*.xml"},
        "passed",
        "2 tests ran",
    ),
    "several that hold": (
        left(("junit", {"a.xml": GOOD, "b.xml": GOOD})),
        {"file": "*.xml"},
        "passed",
        "2 files hold on aaaaaaa",
    ),
    "one of several fails": (
        left(("junit", {"a.xml": GOOD, "b.xml": BAD})),
        {"file": "*.xml"},
        "failed",
        "junit/b.xml: 1 of 2 tests failed",
    ),
    "several artifacts": (
        left(("junit-1", {"a.xml": GOOD}), ("junit-2", {"a.xml": BAD})),
        {"artifact": "junit-*"},
        "failed",
        "junit-2/a.xml: 1 of 2",
    ),
    "a report that is none": (
        left(("junit", {"a.xml": b"<html/>"})),
        {},
        "inconclusive",
        "begins with <html>",
    ),
    "a re-run's second artifact of the name": (
        left(("junit", {"a.xml": BAD}), ("junit", {"a.xml": GOOD})),
        {},
        "passed",
        "2 tests ran",
    ),
    "a good one before a re-run's bad one": (
        left(("junit", {"a.xml": GOOD}), ("junit", {"a.xml": BAD})),
        {},
        "failed",
        "1 of 2 tests failed",
    ),
}


@pytest.mark.parametrize(("forge", "values", "outcome", "words"), CASES.values(), ids=CASES)
def test_reports_of_a_run(forge: Forge, values: dict[str, Any], outcome: str, words: str) -> None:
    """A run that succeeded, and reports in it that hold: nothing else passes."""
    reading = measure(forge, **values)
    assert (reading.outcome, words in reading.reason) == (outcome, True), reading.reason


def test_a_strangers_run_proves_nothing() -> None:
    """A fork may open a pull request from our own commit, and its run may leave any report."""
    stranger = run_of(9, source="eve/nexo-be")
    forge = Forge([stranger, run_of(1)], {9: [("junit", {"a.xml": GOOD})], 1: [("junit", {"a.xml": BAD})]})
    assert measure(forge).outcome == "failed"
    assert measure(Forge([stranger, run_of(8, source="")], {})).outcome == "waiting"


def test_the_newest_run_counts() -> None:
    """An older one that was good doesn't, nor does one that is still to end."""
    good = ("junit", {"a.xml": GOOD})
    assert measure(Forge([run_of(2, ""), run_of(1)], {1: [good]})).outcome == "waiting"
    assert measure(Forge([run_of(2, "failure"), run_of(1)], {1: [good], 2: [good]})).outcome == "failed"


def test_an_artifact_is_read_once() -> None:
    """It doesn't change, and it may be large; a re-run's new one is read."""
    forge = left(("junit", {"a.xml": b"<testsuite/>"}))
    check = check_of(forge)
    assert [check.measure(Moment(T0)).outcome for _ in range(3)] == ["inconclusive"] * 3
    forge.data[2] = packed({"a.xml": GOOD})
    forge.listed[1].append(Artifact(2, "junit"))
    assert check.measure(Moment(T0)).outcome == "passed"
    assert forge.read == [1, 2]


@pytest.mark.parametrize(
    ("artifact", "words"),
    [
        (Artifact(1, "junit", 10, expired=True), "it has expired: run the workflow again"),
        (Artifact(1, "junit", archive.LIMIT + 1), f"at most {archive.LIMIT} are read"),
    ],
)
def test_what_cannot_be_had_is_not_asked_for(artifact: Artifact, words: str) -> None:
    """The list says so already."""
    forge = left()
    forge.listed[1] = [artifact]
    reading = measure(forge)
    assert (reading.outcome, words in reading.reason, forge.read) == ("inconclusive", True, [])


def test_an_artifact_that_expires_meanwhile_is_inconclusive() -> None:
    """Between the list and the download."""
    forge = left(("junit", {"a.xml": GOOD}))
    forge.data[1] = None
    assert "has expired" in measure(forge).reason


def test_another_content_than_the_digest_says_could_not_be_measured() -> None:
    """A damaged download is tried again, and not kept."""
    forge = left(("junit", {"a.xml": GOOD}))
    data = forge.data[1] or b""
    forge.listed[1] = [Artifact(1, "junit", digest="sha256:" + "0" * 64)]
    check = check_of(forge)
    with pytest.raises(DependencyError, match="the artifact junit is not what its digest says"):
        check.measure(Moment(T0))
    forge.listed[1] = [Artifact(1, "junit", digest="sha256:" + hashlib.sha256(data).hexdigest())]
    assert check.measure(Moment(T0)).outcome == "passed"


def test_more_artifacts_than_anyone_reads() -> None:
    """A matrix may be large, but not without end."""
    forge = left(*((f"junit-{n}", {"a.xml": GOOD}) for n in range(51)))
    reading = measure(forge, artifact="junit-*")
    assert (reading.outcome, "51 such artifacts" in reading.reason, forge.read) == (
        "inconclusive",
        True,
        [],
    )


def test_what_a_person_sees() -> None:
    """A link to the run, each file's result and the failed tests; nobody's control characters."""
    forge = left(("junit", {"a.xml": GOOD, "b\n.xml": BAD}))
    reading = measure(forge, file="*.xml")
    assert [(link.text, link.url) for link in reading.links] == [("run of E2E", "https://github.com/run")]
    assert reading.details == (
        "junit/a.xml: 2 tests ran, 0 failed",
        "junit/b\\n.xml: 1 of 2 tests failed",
        "login",
    )
    assert reading.value == 1.0


def test_the_commit_is_that_of_the_versions_tag() -> None:
    """Without one nothing is known."""
    reading = check_of(left(), tags={}).measure(Moment(T0))
    assert (reading.outcome, reading.reason) == ("inconclusive", "Nexo-Org/nexo-be has no tag of 2026.02.2")
    forge = left(("junit", {"a.xml": GOOD}))
    assert check_of(forge, tags={}, commit=SHA).measure(Moment(T0)).outcome == "passed"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"names": "e2e"}, "names both check runs and an artifact"),
        ({"workflow": ""}, "names no run, or two"),
        ({"run": 5}, "names no run, or two"),
        ({"commit": "main"}, "option 'commit' of check 'e2e' is 'main'; give all digits"),
        ({"allow": "startup_failure"}, "option 'allow' of check 'e2e' is 'startup_failure'"),
        ({"format": "html"}, "one of auto, junit, sarif, json, k6"),
        ({"p95": "fast"}, "the threshold of check 'e2e' is 'fast'"),
        ({"run": "x"}, "option 'run'"),
    ],
)
def test_options_that_make_no_sense(values: dict[str, Any], words: str) -> None:
    """Each is named."""
    with pytest.raises(InputError) as caught:
        check_of(left(), **values)
    assert words in str(caught.value)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubEmulator]:
    """A service's repository with the version's tag, and a job's token."""
    with GitHubEmulator(tmp_path) as github:
        github.add_user("bot[bot]", "job-token", bot=True)
        github.add_repository(NAME)
        sha = github.commit(NAME, {"a": "1"})
        github.repository(NAME).store.git.check("tag", "2026.02.2", sha)
        yield github
        assert github.crashes == []


def gate(github: GitHubEmulator, *arguments: str, **check: Any) -> tuple[int, Any, str]:
    asked = {"check": "github", "name": "e2e", "repository": NAME, "workflow": "e2e.yml", **check}
    ran = command(
        *("health-gate", "--environment", "qa", "--service", "nexo-be", "--version", "2026.02.2"),
        *("--check", json.dumps(asked), "--format", "json", *arguments),
        env={"GITHUB_API_URL": github.url, "GITHUB_TOKEN": "job-token"},
    )
    assert "job-token" not in ran.stdout + ran.stderr
    return ran.status, json.loads(ran.stdout) if ran.stdout.startswith("{") else None, ran.stderr


def test_the_gate_reads_the_artifact_of_the_released_commits_run(github: GitHubEmulator) -> None:
    """From GitHub to the outputs; the storage never sees the token."""
    sha = github.repository(NAME).store.head("main") or ""
    later = github.commit(NAME, {"a": "2"})
    github.add_run(NAME, sha, E2E, {"junit": {"a.xml": GOOD}})
    github.add_run(NAME, later, E2E, {"junit": {"a.xml": BAD}}, conclusion="failure")
    status, said, _ = gate(github, "--once", artifact="junit")
    assert (status, said["validation-results"]) == (0, {"e2e": "passed"})
    assert said["checks"][0]["reason"] == f"2 tests ran, 0 failed in junit/a.xml on {sha[:7]}"
    assert said["checks"][0]["links"][0]["url"].endswith("/actions/runs/" + str(first_run(github)))
    assert [("authorization" in asked) for asked in github.world.storage.asked] == [False]


def first_run(github: GitHubEmulator) -> int:
    return github.repository(NAME).runs[0].id


def test_the_gate_fails_by_an_artifact_and_says_which_test(github: GitHubEmulator) -> None:
    """The failed test is among the details."""
    sha = github.repository(NAME).store.head("main") or ""
    github.add_run(NAME, sha, E2E, {"junit": {"a.xml": BAD}}, conclusion="failure")
    status, said, error = gate(github, "--once", artifact="junit")
    assert (status, said["result"], said["checks"][0]["details"]) == (1, "failed", ["login"])
    assert "e2e failed: junit/a.xml: 1 of 2 tests failed" in error


def test_a_token_that_may_not_read_actions_is_no_failed_test(github: GitHubEmulator) -> None:
    """Could not be measured: 3, with what to grant."""
    github.add_user("bot[bot]", "job-token", bot=True, lacks=["actions"])
    status, said, error = gate(github, "--once", artifact="junit")
    assert (status, said["result"]) == (3, "inconclusive")
    assert "grant it `actions: read`" in error


def test_explain_says_which_artifact_of_which_run(github: GitHubEmulator) -> None:
    """And measures nothing; options without an artifact are a mistake."""
    status, _, error = gate(github, "--explain", names="e2e")
    assert (status, "has the option 'workflow', but no artifact" in error) == (2, True)
    ran = command(
        *(
            "health-gate",
            "--environment",
            "qa",
            "--service",
            "nexo-be",
            "--version",
            "2026.02.2",
            "--explain",
        ),
        *("--check", f"github:repository={NAME};workflow=e2e.yml;artifact=junit;file=*.xml"),
    )
    expected = f"*.xml in artifact junit holds, of a run of e2e.yml in {NAME} on the tag of 2026.02.2"
    assert (ran.status, expected in ran.stdout) == (0, True), ran.stdout
