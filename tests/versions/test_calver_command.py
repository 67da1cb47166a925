"""The command: outputs, summary, months, labels, previews, crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from promote_actions.spec import inputs_of
from promote_actions.versions.command import COMMAND
from tests.command_files import parse_key_values
from tests.versions.tagged import FEBRUARY, SOURCE, bare, calver, isolated, tag, tags

OUTPUTS = [
    "version",
    "full-version",
    "short-sha",
    "year",
    "month",
    "build",
    "tag",
    "semver",
    "previous-version",
    "reused",
]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return bare(tmp_path / "r", 3)[0]


def shas(repo: Path) -> list[str]:
    done = subprocess.run(
        ["git", "-C", str(repo), "rev-list", "--reverse", "main"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_the_outputs_are_the_declared_ones(repo: Path) -> None:
    """Every output of the contract is there, and holds what the strategy's formula would give."""
    head = shas(repo)[-1]
    tag(repo, ["nexo-be/2026.02.16"], shas(repo)[0])
    made = calver(
        "--repo", repo, "--tag-prefix", "nexo-be/", "--metadata", "hotfix-auth", *FEBRUARY
    ).outputs
    assert made == {
        "version": "2026.02.17-hotfix-auth",
        "full-version": f"2026.02.17-hotfix-auth-{head[:7]}",
        "short-sha": head[:7],
        "year": "2026",
        "month": "02",
        "build": 17,
        "tag": "nexo-be/2026.02.17-hotfix-auth",
        "semver": "2026.2.17+hotfix-auth",
        "previous-version": "2026.02.16",
        "reused": False,
    }
    assert [output.name for output in COMMAND.outputs] == OUTPUTS == list(made)


def test_under_actions_outputs_and_summary_are_files(repo: Path, tmp_path: Path) -> None:
    """Outputs go to GITHUB_OUTPUT as texts, and the job's page shows version, commit and previous."""
    one, two, _ = shas(repo)
    calver("--repo", repo, "--sha", one, *FEBRUARY)
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "INPUT_REPO": str(repo),
        "INPUT_SHA": two,
        "INPUT_DATE": "2026-02-20",
    }
    assert calver(env=env).version == "2026.02.2"
    written = parse_key_values((tmp_path / "output").read_text())
    assert (written["version"], written["build"], written["month"], written["reused"]) == (
        "2026.02.2",
        "2",
        "02",
        "false",
    )
    summary = (tmp_path / "summary").read_text()
    assert all(word in summary for word in ("2026.02.2", two[:7], "2026.02.1", "reserved"))


def test_the_same_commit_gets_the_same_version(repo: Path) -> None:
    """Asked again: the same version, reused, and no second tag, whatever came in between."""
    one, two, _ = shas(repo)
    first = calver("--repo", repo, "--sha", one, *FEBRUARY).outputs
    calver("--repo", repo, "--sha", two, *FEBRUARY)
    again = calver("--repo", repo, "--sha", one, *FEBRUARY).outputs
    assert again == {**first, "reused": True}
    assert len(tags(repo)) == 2


@pytest.mark.parametrize(
    ("first", "later", "same"),
    [
        ("2026-01-31", "2026-02-01", True),
        ("2026-01-31", "2026-02-28", True),
        ("2025-12-31", "2026-01-01", True),
        ("2026-01-31", "2026-03-02", True),
        ("2026-01-31", "2026-03-20", False),
        ("2025-12-31", "2026-02-20", False),
    ],
)
def test_a_re_run_across_a_months_end_keeps_its_version(
    repo: Path, first: str, later: str, same: bool
) -> None:
    """Within GitHub's 30 days of re-runs a commit keeps the version of the month it was first built in."""
    made = calver("--repo", repo, "--date", first).outputs
    again = calver("--repo", repo, "--date", later).outputs
    assert (again["version"] == made["version"], again["reused"]) == (same, same)


def test_a_walk_across_months_and_years(tmp_path: Path) -> None:
    """Builds start at 1 each month, and the previous version crosses months and years."""
    repo, commits = bare(tmp_path / "walk", 7)
    days = [
        "2025-11-30",
        "2025-12-01",
        "2025-12-31",
        "2026-01-01",
        "2026-01-31",
        "2026-02-01",
        "2026-04-01",
    ]
    made = [
        calver("--repo", repo, "--sha", sha, "--date", day).outputs
        for sha, day in zip(commits, days, strict=True)
    ]
    versions = [each["version"] for each in made]
    assert versions == [
        "2025.11.1",
        "2025.12.1",
        "2025.12.2",
        "2026.01.1",
        "2026.01.2",
        "2026.02.1",
        "2026.04.1",
    ]
    assert [each["previous-version"] for each in made] == ["", *versions[:-1]]


@pytest.mark.parametrize(
    ("zone", "version"),
    [("UTC", "2026.03.1"), ("America/Sao_Paulo", "2026.02.1"), ("Asia/Tokyo", "2026.03.1")],
)
def test_the_zone_is_an_input(repo: Path, zone: str, version: str) -> None:
    """At 02:00 UTC on the first, it is still February in São Paulo."""
    moment = ("--date", "2026-03-01T02:00:00Z")
    assert calver("--repo", repo, "--timezone", zone, *moment).version == version


def test_the_clock_gives_the_month(repo: Path) -> None:
    """Without a date the version is of the current month in UTC."""
    before = f"{datetime.now(timezone.utc):%Y.%m.1}"
    version = calver("--repo", repo).version
    assert version in {before, f"{datetime.now(timezone.utc):%Y.%m.1}"}


@pytest.mark.parametrize("how", [["--no-reserve"], ["--dry-run"], ["--reserve", "--dry-run"]])
def test_a_preview_changes_nothing(repo: Path, how: list[str]) -> None:
    """A preview says the version that would be reserved and leaves the repository as it was."""
    tag(repo, ["2026.02.4"], shas(repo)[0])
    made = calver("--repo", repo, *how, *FEBRUARY).outputs
    assert (made["version"], made["previous-version"], made["reused"]) == ("2026.02.5", "2026.02.4", False)
    assert list(tags(repo)) == ["2026.02.4"]


def test_run_number_is_the_strategys_formula(repo: Path) -> None:
    """--build run-number takes the workflow's number, and reserves it."""
    one, two, _ = shas(repo)
    env = {"GITHUB_RUN_NUMBER": "42"}
    ask = ("--repo", repo, "--build", "run-number", *FEBRUARY)
    assert calver(*ask, "--sha", one, env=env).version == "2026.02.42"
    assert calver(*ask, "--sha", one, env=env).outputs["reused"] is True
    ran = calver(*ask, "--sha", two, env=env)
    assert ran.status == 1
    assert f"belongs to commit {one[:12]}" in ran.complaint
    assert calver("--repo", repo, "--sha", two, *FEBRUARY).version == "2026.02.43"


def test_a_re_run_with_the_run_number_keeps_its_month(repo: Path) -> None:
    """The same run number in the next month is the same version: it is the same run."""
    env = {"GITHUB_RUN_NUMBER": "42"}
    ask = ("--repo", repo, "--build", "run-number")
    assert calver(*ask, "--date", "2026-01-31", env=env).version == "2026.01.42"
    assert calver(*ask, "--date", "2026-02-01", env=env).version == "2026.01.42"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--build", "0"], "build is '0'"),
        (["--build", "-3"], "build is '-3'"),
        (["--build", "1.5"], "build is '1.5'"),
        (["--build", "²"], "build is '²'"),
        (["--build", "1" * 30], "build is '1"),
        (["--build", "run-number"], "GITHUB_RUN_NUMBER is ''"),
        (["--metadata", "a b"], "metadata 'a b'"),
        (["--metadata", "-x"], "metadata '-x'"),
        (["--metadata", "x..y"], "metadata 'x..y'"),
        (["--metadata", "x.lock"], "metadata 'x.lock'"),
        (["--metadata", "a\n::set-output name=x::y"], "metadata 'a\\n"),
        (["--metadata", "a" * 130], "too long"),
        (["--tag-prefix=--x"], "tag-prefix '--x'"),
        (["--tag-prefix", "a b/"], "tag-prefix 'a b/'"),
        (["--date", "soon"], "date 'soon'"),
        (["--timezone", "Mars"], "timezone 'Mars'"),
        (["--reserve=maybe"], "takes no value"),
        (["--colour", "red"], "no option '--colour'"),
    ],
)
def test_bad_input_is_one_line(repo: Path, arguments: list[str], words: str) -> None:
    """Every wrong input is exit status 2 and one line that names it, and nothing is reserved."""
    ran = calver("--repo", repo, *arguments)
    assert ran.status == 2
    assert words in ran.complaint
    assert tags(repo) == {}


def test_a_terminal_gets_words(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --format json a person reads the version first, then where it comes from."""
    from promote_actions.__main__ import run

    assert run(["calver", "--repo", str(repo), *FEBRUARY]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2026.02.1"
    assert [line.split()[0] for line in lines[1:]] == ["commit", "tag", "previous"]


def test_a_run_that_was_killed_after_reserving_gets_the_same_version(repo: Path, tmp_path: Path) -> None:
    """Killed between the tag and the report, and run again: the same version, and no build is lost."""
    head = shas(repo)[-1]
    fifo = tmp_path / "output"
    os.mkfifo(fifo)
    command = isolated("--repo", repo, *FEBRUARY)
    process = subprocess.Popen(command, env={**os.environ, "GITHUB_OUTPUT": str(fifo)})
    end = time.monotonic() + 60
    while tags(repo) != {"2026.02.1": head}:
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = calver("--repo", repo, *FEBRUARY).outputs
    assert (again["version"], again["reused"]) == ("2026.02.1", True)
    assert calver("--repo", repo, "--sha", shas(repo)[0], *FEBRUARY).version == "2026.02.2"


def test_an_output_file_that_fails_leaves_the_reservation(repo: Path) -> None:
    """The report can't be written: an error, and the next run recalls what was reserved."""
    ran = calver("--repo", repo, *FEBRUARY, env={"GITHUB_OUTPUT": "/nowhere/at/all"})
    assert ran.status == 2
    assert calver("--repo", repo, *FEBRUARY).outputs["reused"] is True


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        known = sys.stdlib_module_names | {'promote_actions', 'org'}  # copy asks for Jython's org
        if name.partition('.')[0] not in known:
            raise SystemExit(f'imported {name}')
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv.pop(1))
from promote_actions.__main__ import run
status = run(sys.argv[1:])
loaded = sorted({'click', 'requests', 'dis', 'typing', 'subprocess', 'urllib', 'http'} & set(sys.modules))
print(status, *loaded, file=sys.stderr)
"""


def test_the_standard_library_and_git_are_enough(repo: Path) -> None:
    """In an interpreter without site-packages it runs, and loads nothing that a start has no use for."""
    command = [sys.executable, "-I", "-S", "-c", BLOCKED, str(SOURCE), "calver", "--repo", str(repo)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.split() == ["0"], done.stderr
    assert len(tags(repo)) == 1


def test_the_help_is_made_from_the_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    """Each input is an option in the help."""
    from promote_actions.__main__ import run

    assert run(["calver", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"--{spec.name}" in text for spec in inputs_of(COMMAND.inputs))
