"""Rollbacks that nobody asked for: on a gate that failed, for the version that failed, once."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.audit.events import events
from promote_actions.audit.record import from_json, parse_time
from promote_actions.errors import InputError
from promote_actions.rollback.trigger import WORDS, GateSays, read_gate
from tests.adapters.scripted_server import fixed, serving
from tests.rollback.forked import command
from tests.support.gitops import Ran, git, make_bare, standard_files

QA = "helm/app/values-qa.yaml"
BAD, GOOD = "2026.02.18", "2026.02.15"
FAILED = json.dumps(
    {
        "passed": False,
        "result": "failed",
        "validation-results": {"argocd": "passed", "error_rate": "failed"},
        "checks": [
            {"name": "argocd", "result": "passed", "reason": "Healthy"},
            {"name": "prometheus", "result": "failed", "reason": "4 % of requests failed"},
        ],
    }
)


NESTED = {"result": "failed", "checks": '[{"name": "a", "reason": "b\\nc", "result": "failed"}]'}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qa has a version that will fail."""
    bare = make_bare(tmp_path_factory.mktemp("pristine"), standard_files(["app"]))
    for arguments in (("--to", "develop", "--version", BAD), ("--to", "qa")):
        ran = command("promote", "--gitops", str(bare), "--service", "app", *arguments)
        assert ran.status == 0, ran.stderr
    return bare


@pytest.fixture
def bare(tmp_path: Path, pristine: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "gitops.git"))


def react(bare: Path, *arguments: str, env: str = "qa", version: str = BAD) -> Ran:
    """What a workflow does when its gate is over."""
    named = ("--gitops", str(bare), "--service", "app", "--env", env, "--format", "json")
    failed = ("--failed-version", version) if version else ()
    return command("rollback", *named, *failed, *arguments)


def outcome(ran: Ran) -> tuple[int, object, str]:
    """Status, whether something changed, and the notice."""
    assert ran.status == 0, ran.stderr
    notice = [line for line in ran.stderr.splitlines() if line.startswith("notice: no rollback: ")]
    return ran.status, json.loads(ran.stdout)["changed"], "".join(notice)


def test_a_failed_gate_takes_its_version_back(bare: Path) -> None:
    """The record says why, that nobody asked, and how long it took from the failure."""
    failed_at = datetime.now(timezone.utc) - timedelta(seconds=40)
    stamp = failed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    # The promotion was recorded a moment ago; this failure has to be after it.
    edit_record_times(bare, failed_at - timedelta(seconds=60))
    ran = react(bare, "--on-gate-result", FAILED, "--failed-at", stamp)
    assert outcome(ran)[1] is True
    told = json.loads(ran.stdout)
    assert (told["restored-version"], told["method"], told["mode"]) == (GOOD, "revert", "direct")
    assert 40 <= int(told["time-to-recover"]) < 100
    record = newest_record(bare)
    assert record["reason"] == "the health gate failed: prometheus: 4 % of requests failed"
    assert (record["rollback"], record["automatic"], record["method"]) == (True, True, "revert")
    assert record["started_at"] == stamp
    began, ended = parse_time(record["started_at"]), parse_time(record["finished_at"])
    assert began is not None and ended is not None
    assert 40 <= (ended - began).total_seconds() < 100
    hold = json.loads(git(bare, "show", f"main:holds/app/{BAD}.json"))
    assert hold["reason"] == record["reason"]


def test_it_counts_in_the_objectives(bare: Path) -> None:
    """Once, as the end of the promotion that it undoes; and the chain of records holds."""
    assert outcome(react(bare, "--gate-result", "failed"))[1] is True
    paths = git(bare, "ls-tree", "-r", "--name-only", "main", "audit-logs").splitlines()
    records = [from_json(git(bare, "show", f"main:{path}").encode(), path) for path in paths]
    counted = {event.environment: event.undone is not None for event in events(records)}
    assert counted == {"develop": False, "qa": True}
    verified = command("audit-log", "verify", "--gitops", str(bare))
    assert verified.status == 0, verified.stderr


def newest_record(bare: Path) -> dict[str, object]:
    added = git(bare, "diff", "--name-only", "--diff-filter=A", "main^", "main", "--", "audit-logs")
    return dict(json.loads(git(bare, "show", f"main:{added}")))


def edit_record_times(bare: Path, moment: datetime) -> None:
    """Let the promotion into qa have been at ``moment``: a clock that tests don't wait for."""
    work = bare.parent / "edit"
    git(bare.parent, "clone", "-q", str(bare), "edit")
    for path in (work / "audit-logs").glob("*-app-qa*.json"):
        record = json.loads(path.read_text())
        for name in ("sequence", "schema_version", "previous_hash", "record_hash"):
            record.pop(name, None)
        for name in ("timestamp", "started_at", "finished_at"):
            record[name] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        path.write_text(json.dumps(record))
    git(work, "commit", "-qam", "times")
    git(work, "push", "-q")


@pytest.mark.parametrize("word", [word for word in WORDS if word != "failed"])
def test_a_prometheus_outage_is_not_a_bad_release(bare: Path, word: str) -> None:
    """Only *failed* takes a version back: what was not measured, or not in time, says nothing about it."""
    before = git(bare, "rev-parse", "main")
    said = outcome(react(bare, "--gate-result", word))
    assert said == (
        0,
        False,
        f"notice: no rollback: the gate is {word}, and only a gate that failed takes a version back",
    )
    assert git(bare, "rev-parse", "main") == before


@pytest.mark.parametrize("arguments", [("--gate-result", ""), ("--automatic",), ()])
def test_a_gate_that_crashed_is_no_order_to_roll_back(bare: Path, arguments: tuple[str, ...]) -> None:
    """An output that is empty because its step never ended leaves everything as it is."""
    status, changed, notice = outcome(react(bare, *arguments))
    assert (status, changed) == (0, False)
    assert "the gate said nothing" in notice


@pytest.mark.parametrize("word", ["failure", "success", "cancelled", "skipped", "true", "FAIL ED"])
def test_a_jobs_result_is_not_a_gates(bare: Path, word: str) -> None:
    """A job also fails when its runner does, so its ``failure`` is refused as an input."""
    ran = react(bare, "--gate-result", word)
    assert ran.status == 2
    assert "pass health-gate's output 'result'" in ran.error


def test_a_failure_of_a_version_that_is_gone(bare: Path) -> None:
    """A gate that ends late must not take back what came since."""
    said = outcome(react(bare, "--gate-result", "failed", version="2026.02.17"))
    assert said[1:] == (False, f"notice: no rollback: qa has app {BAD} now, not 2026.02.17, which failed")


@pytest.mark.parametrize(("env", "policy"), [("staging", "manual"), ("production", "pull-request")])
def test_where_people_roll_back_nothing_happens_by_itself(bare: Path, env: str, policy: str) -> None:
    """The environment's policy decides."""
    live = {"staging": "2026.02.10", "production": "2026.01.45"}[env]
    said = outcome(react(bare, "--gate-result", "failed", env=env, version=live))
    assert said[1:] == (False, f"notice: no rollback: {env} is rolled back by people (rollback: {policy})")


def test_the_version_that_failed_has_to_be_known(bare: Path) -> None:
    """Without it nobody can tell whether it is still live."""
    ran = react(bare, "--gate-result", "failed", version="")
    assert ran.status == 2
    assert "pass --failed-version" in ran.error


def test_once_and_not_again(bare: Path) -> None:
    """The same failure reported twice, by a job that is run again, is one rollback."""
    assert outcome(react(bare, "--gate-result", "failed"))[1] is True
    head = git(bare, "rev-parse", "main")
    said = outcome(react(bare, "--gate-result", "failed"))
    assert said[1:] == (False, f"notice: no rollback: qa has app {GOOD} now, not {BAD}, which failed")
    assert git(bare, "rev-parse", "main") == head


def test_no_rollback_of_a_rollback(bare: Path) -> None:
    """When the restored version fails as well, it is not the version: people have to look."""
    assert outcome(react(bare, "--gate-result", "failed"))[1] is True
    said = outcome(react(bare, "--gate-result", "failed", version=GOOD))
    assert said[1] is False
    assert f"app {GOOD} was restored by a rollback itself; a person has to decide" in said[2]


def test_what_a_person_brought_back_stays(bare: Path) -> None:
    """A quarantined version that somebody promoted on purpose is that person's affair."""
    assert outcome(react(bare, "--gate-result", "failed"))[1] is True
    again = command(
        "promote", "--gitops", str(bare), "--service", "app", "--to", "qa",
        "--override", "quarantine", "--reason", "the dashboard was wrong",
    )  # fmt: skip
    assert again.status == 0, again.stderr
    said = outcome(react(bare, "--gate-result", "failed"))
    assert said[1] is False
    assert f"app {BAD} was rolled back here before, and a person brought it back" in said[2]


def test_what_failed_elsewhere_may_fail_here_too(bare: Path) -> None:
    """A quarantine is for all environments, but each rolls back on its own gate."""
    assert outcome(react(bare, "--gate-result", "failed"))[1] is True
    assert outcome(react(bare, "--gate-result", "failed", env="develop"))[1] is True
    assert git(bare, "log", "-2", "--format=%s", "main").splitlines() == [
        "rollback(app): develop → 2026.02.17",
        f"rollback(app): qa → {GOOD}",
    ]


def test_a_failure_from_before_the_version_came_again(bare: Path) -> None:
    """An old report says nothing about a promotion that was made after it."""
    said = outcome(react(bare, "--gate-result", "failed", "--failed-at", "2026-01-01T00:00:00Z"))
    assert said[1:] == (False, f"notice: no rollback: app {BAD} was promoted again after that failure")


def test_a_slow_one_says_so(bare: Path) -> None:
    """The strategy gives develop and qa two minutes."""
    failed_at = datetime.now(timezone.utc) - timedelta(seconds=600)
    edit_record_times(bare, failed_at - timedelta(seconds=60))
    ran = react(bare, "--gate-result", "failed", "--failed-at", failed_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert ran.status == 0, ran.stderr
    assert "s from the failure to the rollback; the strategy's target is 120 s" in ran.stderr


@pytest.mark.parametrize("text", ["yesterday", "2999-01-01T00:00:00Z", "2026-02-01"])
def test_a_time_of_failure_that_is_none(bare: Path, text: str) -> None:
    """It is named before anything is done."""
    ran = react(bare, "--gate-result", "failed", "--failed-at", text)
    assert ran.status == 2
    assert "input 'failed-at' is" in ran.error


def test_people_are_told(bare: Path) -> None:
    """Of the rollback, and of one that was not possible; not of one that was not needed."""
    with serving(fixed(body=b"ok")) as chat:
        env = {"SLACK_WEBHOOK_URL": chat.url + "/services/T000/B000/secret", "GITHUB_ACTOR": "deploy-bot"}
        named = ("--gitops", str(bare), "--service", "app", "--env", "qa", "--failed-version")
        for version, result in ((BAD, "failed"), (BAD, "failed"), (BAD, "inconclusive")):
            command("rollback", *named, version, "--gate-result", result, env=env)
        first = [json.loads(asked.body)["text"] for asked in chat.asked]
        assert first == [f"⏪ Auto-rolled back app in QA to {GOOD}"]
        impossible = command(
            "rollback", "--gitops", str(bare), "--service", "app", "--env", "develop", "--failed-version",
            BAD, "--gate-result", "failed", "--steps", "5", env=env,
        )  # fmt: skip
        assert impossible.status == 1
        last = json.loads(chat.asked[-1].body)
        assert last["text"] == "🚨 Could not roll back app in develop"
        assert "there are only 1 earlier good versions" in json.dumps(last)


def test_a_chat_that_is_down_does_not_keep_a_rollback_from_happening(bare: Path) -> None:
    """It is a warning, without the secret address."""
    ran = react(
        bare,
        "--gate-result",
        "failed",
        "--slack-webhook",
        "http://127.0.0.1:9/services/T0/B0/s3cr3t-s3cr3t",
    )
    assert outcome(ran)[1] is True
    assert "warning: Slack was not told" in ran.stderr
    assert "s3cr3t" not in ran.stderr + ran.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("failed", GateSays("failed")),
        (" Timed_Out\n", GateSays("timed-out")),
        ("", GateSays()),
        ('{"result": "passed"}', GateSays("passed")),
        (FAILED, GateSays("failed", ("prometheus: 4 % of requests failed",))),
        (json.dumps(NESTED), GateSays("failed", ("a: b\\nc",))),
        ('{"result": "failed", "checks": "nonsense"}', GateSays("failed")),
        ('{"result": "failed", "checks": [1, null, {"result": "x"}]}', GateSays("failed")),
    ],
)
def test_what_a_gate_says(text: str, says: GateSays) -> None:
    """A word, or the JSON of the command, whose checks give the reason."""
    assert read_gate(text) == says


@pytest.mark.parametrize(
    "text", ["{", '{"a": 1}', '{"result": 1}', '{"result": "nope"}', "[" * 50, "{" * 5000]
)
def test_what_no_gate_says(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InputError):
        read_gate(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.dictionaries(st.text(max_size=8), st.text(max_size=8)).map(json.dumps))
def test_only_failed_is_failed(text: str) -> None:
    """No text but the one word acts as it."""
    try:
        says = read_gate(text)
    except InputError:
        return
    assert says.result in ("", *WORDS)
    assert (says.result == "failed") == ("failed" in text.lower())
