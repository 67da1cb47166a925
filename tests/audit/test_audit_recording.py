"""`audit-log record`: from inputs to a landed record."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from promote_actions.__main__ import run as promote_actions
from promote_actions.adapters.gitops import FileChange
from promote_actions.audit.describe import (
    identity,
    moment_or_ago,
    pull_request_url,
    records_from,
    validation_results,
)
from promote_actions.audit.inputs import AuditLogInputs
from promote_actions.audit.log import Sealed, seal
from promote_actions.audit.record import Record, from_json
from promote_actions.audit.recording import ATTEMPTS, land_records, message, same_event
from promote_actions.config.model import Config
from promote_actions.errors import Conflict, InputError
from promote_actions.spec import resolve
from tests.audit.memory_repository import MemoryRepository

NOW = datetime(2026, 2, 1, 10, 30, tzinfo=timezone.utc)
RECORD = Record(
    "promotion", "nexo-be", "2026.02.1", "staging", "production", "2026-02-01T10:30:00Z", "alice"
)
GIVEN = {"operation": "record", "service": "nexo-be", "environment": "prod", "version": "2026.02.1"}


def described(**more):
    """The record that these inputs describe."""
    given = {**GIVEN, **{key.replace("_", "-"): value for key, value in more.items()}}
    inputs = resolve(AuditLogInputs, given, {})
    web = "https://github.com/nexo-org/nexo-gitops"
    return records_from(inputs, Config(), NOW, "https://ci/1", web_url=web)[0]


@pytest.fixture
def gitops(tmp_path, monkeypatch):
    """A bare GitOps repository with one commit."""
    for name, value in (("NAME", "Alice"), ("EMAIL", "alice@nexo.com")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    work = tmp_path / "work"
    git = ["git", "-C", str(work)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "begin"], check=True)
    bare = tmp_path / "gitops.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
    return bare


def test_inputs_become_the_strategys_record():
    """The strategy's example, said through the options."""
    record = described(
        initiator="alice@nexo.com",
        approvers=["bob@nexo.com,charlie@nexo.com"],
        pr="123",
        argocd_sync_id="abc123",
        validation_results='{"smoke_tests": "passed", "load_test": true}',
    )
    assert record == replace(
        RECORD,
        initiator="alice@nexo.com",
        approvers=("bob@nexo.com", "charlie@nexo.com"),
        pr_url="https://github.com/nexo-org/nexo-gitops/pull/123",
        argocd_sync_id="abc123",
        validation_results={"smoke_tests": "passed", "load_test": "passed"},
        outcome="success",
        run_url="https://ci/1",
    )


def test_a_rollback_says_so_in_both_fields():
    """Naming what was rolled back makes the event a rollback, from nowhere."""
    record = described(rollback_of="2026-02-01-nexo-be-prod")
    assert (record.event, record.rollback, record.from_environment) == ("rollback", True, "")
    assert described(amends="2026-02-01-nexo-be-prod").event == "amendment"


def test_a_start_without_an_end_ends_now():
    """Duration needs both; the record is made when the promotion is over."""
    record = described(started_at="2026-02-01T12:00:00+02:00")
    assert (record.started_at, record.finished_at) == ("2026-02-01T10:00:00Z", "2026-02-01T10:30:00Z")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"service": ""}, "'service' is required"),
        ({"service": "a,b"}, "'service' names 2"),
        ({"environment": "mars"}, "no environment 'mars'"),
        ({"version": ""}, "'version' is required"),
        ({"outcome": "great"}, "'outcome' is 'great'"),
        ({"validation_results": "{"}, "not JSON"),
        ({"validation_results": "[]"}, "not an object"),
        ({"validation_results": '{"a": 1}'}, "'a' is no text"),
        ({"pr": "12x"}, "'pr' is '12x'"),
        ({"started_at": "yesterday"}, "'started-at' is 'yesterday'"),
        ({"started_at": "2030-01-01T00:00:00Z"}, "in the future"),
    ],
)
def test_a_wrong_input_is_named(change, words):
    """Each wrong input is one line that names it."""
    with pytest.raises(InputError, match=words):
        described(**change)


def test_people_and_links():
    """Private addresses become logins, at signs go, numbers become links."""
    assert identity("49699333+dependabot[bot]@users.noreply.github.com") == "dependabot[bot]"
    assert identity("@alice-sre") == "alice-sre"
    assert pull_request_url("#7", "https://github.com/o/r") == "https://github.com/o/r/pull/7"
    assert validation_results("") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("2026-01-30", datetime(2026, 1, 30, tzinfo=timezone.utc)),
        ("2026-01-30T12:00:00Z", datetime(2026, 1, 30, 12, tzinfo=timezone.utc)),
        ("2d", datetime(2026, 1, 30, 10, 30, tzinfo=timezone.utc)),
    ],
)
def test_times_may_be_days_or_lengths(text, expected):
    """since and until take a day, a time, or so long ago."""
    assert moment_or_ago(text, "since", NOW) == expected


@pytest.mark.parametrize("text", ["last week", "2026-02-30", "99999999999d"])
def test_a_time_that_is_none(text):
    """Anything else is refused, however large."""
    with pytest.raises(InputError, match="'since' is"):
        moment_or_ago(text, "since", NOW)


def land(repository, record, run=("4711", "1"), **more):
    """Land one record without waiting between attempts."""
    return land_records(repository, lambda _: Config(), [record], run, pause=lambda _: None, **more)


def test_rivals_only_cost_attempts():
    """Others who land first push the record further down the chain; none is lost."""
    repository = MemoryRepository()
    for number in range(3):
        rival = replace(RECORD, version=f"2026.02.{number + 5}")
        planned = seal(repository.snapshot(), Config(), [rival], f"r{number}", "1")[0].change
        repository.rivals.append(
            [replace(planned, path=planned.path.replace(".json", f".r{number}-1.json"))]
        )
    recorded = land(repository, RECORD)
    assert recorded.commit
    assert recorded.sealed[0].record.sequence == 2
    assert len(repository.trees[-1]) == 4


def test_endless_rivals_end_in_a_conflict():
    """After so many attempts it says that others are always first."""
    repository = MemoryRepository(rivals=[[] for _ in range(ATTEMPTS)])
    with pytest.raises(Conflict):
        land(repository, RECORD)


def test_a_step_that_runs_twice_records_once():
    """The same facts from the same workflow run are one event; from another run they are another."""
    repository = MemoryRepository()
    record = replace(RECORD, run_url="https://ci/1")
    first = land(repository, record)
    again = land(repository, replace(record, timestamp="2026-02-01T10:31:00Z"))
    assert again.already
    assert again.already[0].record == first.sealed[0].record
    assert not land(repository, replace(record, run_url="https://ci/2")).already
    assert not same_event(RECORD, RECORD)


def test_a_dry_run_lands_nothing():
    """It shows the record that it would land."""
    repository = MemoryRepository()
    recorded = land(repository, RECORD, dry_run=True)
    assert recorded.sealed[0].record.sequence == 1
    assert len(repository.trees) == 1


def test_the_last_event_may_be_amended_without_knowing_its_name():
    """`last` is the promotion, also when it was amended before; another version is another event."""
    repository = MemoryRepository()
    land(repository, RECORD)
    late = replace(RECORD, event="amendment", amends="last", argocd_sync_id="abc123")
    for _ in range(2):
        assert land(repository, late).sealed[0].record.amends == "2026-02-01-nexo-be-prod"
    with pytest.raises(InputError, match=r"is of 2026\.02\.1, not of 2026\.02\.9"):
        land(repository, replace(late, version="2026.02.9"))
    with pytest.raises(InputError, match="no record of other in production"):
        land(repository, replace(late, service="other"))


def test_a_secret_does_not_stay_in_the_log(gitops, monkeypatch, capsys):
    """What the run masks is masked in the record, and so are credentials in an address."""
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secretsecret")
    words = ["audit-log", "record", "--gitops", str(gitops), "--service", "a", "--environment", "qa"]
    words += ["--version", "1", "--reason", "token ghs_secretsecret", "--format", "json"]
    words += ["--pr", "https://bob:hunter22@github.com/o/r/pull/1"]
    assert promote_actions(words) == 0
    path = json.loads(capsys.readouterr().out)["path"]
    shown = subprocess.run(
        ["git", "-C", str(gitops), "show", f"main:{path}"], capture_output=True, check=True
    )
    record = from_json(shown.stdout)
    assert (record.reason, record.pr_url) == ("token ***", "https://***@github.com/o/r/pull/1")


def test_writers_at_once_make_one_chain(gitops):
    """Six writers on one bare repository: six records, one after the other, none lost."""
    from promote_actions.adapters.repositories import open_repository

    def write(number):
        repository = open_repository(str(gitops), "", {})
        record = replace(RECORD, version=f"2026.02.{number}")
        return land_records(repository, lambda _: Config(), [record], (str(number), "1"))

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(write, range(1, 7)))
    assert sorted(each.sealed[0].record.sequence for each in done) == [1, 2, 3, 4, 5, 6]
    assert promote_actions(["audit-log", "verify", "--gitops", str(gitops)]) == 0


def test_the_commit_message_promotes_nothing():
    """A record's own commit has no promotion trailers, and its subject is one line."""
    record = replace(RECORD, version="1\nPromotion-Version: 6", record_id="x")
    text = message([Sealed(record, FileChange("x", b""))])
    assert text.splitlines()[0].startswith("audit(nexo-be): promotion of 1\\nPromotion")
    assert not any(line.startswith("Promotion-") for line in text.splitlines())


def test_record_lands_in_git_and_tells_the_step(gitops, tmp_path, monkeypatch, capsys):
    """Through the front door, as an action would call it: a commit, and the outputs."""
    output = tmp_path / "output"
    for name, value in {
        "INPUT_OPERATION": "record",
        "INPUT_GITOPS": str(gitops),
        "INPUT_SERVICE": "nexo-be",
        "INPUT_ENVIRONMENT": "production",
        "INPUT_VERSION": "2026.02.1",
        "INPUT_OUTCOME": "failure",
        "GITHUB_ACTOR": "alice",
        "GITHUB_OUTPUT": str(output),
    }.items():
        monkeypatch.setenv(name, value)
    assert promote_actions(["action", "audit-log"]) == 0
    written = output.read_text()
    path = next(line for line in written.splitlines() if line.startswith("audit-logs/"))
    shown = subprocess.run(
        ["git", "-C", str(gitops), "show", f"main:{path}"], capture_output=True, check=True
    )
    record = from_json(shown.stdout)
    assert (record.outcome, record.initiator, record.sequence) == ("failure", "alice", 1)
    assert record.record_hash in written
    assert "recorded audit-logs/" in capsys.readouterr().out


def test_json_output_has_the_outputs_names(gitops, capsys):
    """`--format json` prints one object whose keys are the outputs."""
    words = ["audit-log", "record", "--gitops", str(gitops), "--format", "json", "--dry-run"]
    words += ["--service", "nexo-be", "--environment", "qa", "--version", "2026.02.1"]
    assert promote_actions(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"path", "record", "record-hash"} <= set(document)
    assert document["record"]["from_environment"] == "develop"
    log = subprocess.run(["git", "-C", str(gitops), "log", "--oneline"], capture_output=True, check=True)
    assert len(log.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ([], 2),
        (["erase"], 2),
        (["record"], 2),
        (["record", "--service", "a", "--environment", "mars", "--version", "1"], 2),
        (["record", "--gitops", "/nowhere", "--service", "a"], 2),
        (["record", "--branch", "none", "--service", "a", "--environment", "qa", "--version", "1"], 2),
    ],
)
def test_bad_input_is_one_line_and_status_two(gitops, words, status, capsys):
    """Missing, unknown and impossible inputs."""
    if "--gitops" not in words:
        words = [*words, "--gitops", str(gitops)]
    assert promote_actions(["audit-log", *words]) == status
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
