"""`audit-log query`, `slo` and `import`, through the front door and in parts."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from promote_actions.__main__ import run as promote_actions
from promote_actions.adapters.gitops import Commit, FileChange
from promote_actions.audit.adopt import adopt
from promote_actions.audit.query import COLUMNS, Filter, newest, render
from promote_actions.audit.reading import read_records
from promote_actions.audit.record import Record, format_time, to_json
from promote_actions.audit.recording import land_records
from promote_actions.config.model import Config
from tests.audit.git_log import GitLog
from tests.audit.memory_repository import MemoryRepository

RECORD = Record(
    "promotion", "nexo-be", "2026.02.1", "staging", "production", "2026-02-01T10:30:00Z", "alice",
    ("Bob", "carol"), outcome="success",
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(), True),
        (Filter(services=["nexo-be"]), True),
        (Filter(services=["nexo-fe"]), False),
        (Filter(environments=["production"]), True),
        (Filter(environments=["qa"]), False),
        (Filter(outcomes=["failure"]), False),
        (Filter(people=["bob"]), True),
        (Filter(people=["ALICE"]), True),
        (Filter(people=["dave"]), False),
        (Filter(version="2026.02.1"), True),
        (Filter(version="2026.02.2"), False),
        (Filter(since=datetime(2026, 2, 1, tzinfo=timezone.utc)), True),
        (Filter(since=datetime(2026, 2, 2, tzinfo=timezone.utc)), False),
        (Filter(until=datetime(2026, 2, 1, 10, 30, tzinfo=timezone.utc)), False),
        (Filter(until=datetime(2026, 2, 1, 10, 31, tzinfo=timezone.utc)), True),
    ],
)
def test_filters(wanted, fits):
    """Each condition alone; the beginning is inside a span of time, the end is not."""
    assert wanted.fits(RECORD) is fits


def test_the_newest_come_first_whatever_their_zone():
    """Order is that of the moments, not of the texts."""
    early = replace(RECORD, timestamp="2026-02-01T11:00:00+02:00")
    assert newest([early, RECORD], None) == [RECORD, early]
    assert newest([early, RECORD], 1) == [RECORD]


def test_csv_holds_every_text_and_no_formula():
    """Commas, quotes and line breaks stay in their cell; what begins a formula is made a text."""
    record = replace(
        RECORD, initiator='=HYPERLINK("http://evil")', reason='a,"b"\nc', approvers=("@x", "y")
    )
    rows = list(csv.DictReader(io.StringIO(render([record], "csv"))))
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["initiator"] == '\'=HYPERLINK("http://evil")'
    assert rows[0]["reason"] == 'a,"b"\\nc'
    assert rows[0]["approvers"] == "'@x; y"
    assert rows[0]["rollback"] == "false"


def test_json_and_table_and_markdown():
    """The record as it is; a line for a person; a row with a link that is one."""
    record = replace(RECORD, rollback=True, pr_url="https://github.com/o/r/pull/1", version="<b>|`x`")
    assert json.loads(render([record], "json"))[0]["version"] == "<b>|`x`"
    assert "↩ success" in render([record], "table").splitlines()[2]
    row = render([record, replace(record, pr_url="javascript:x")], "markdown").splitlines()[2:]
    assert "[PR](https://github.com/o/r/pull/1)" in row[0]
    assert "<b>" not in row[0]
    assert "javascript" not in row[1]
    assert render([], "table") == "no records"


def logged(*records):
    """A repository with these records, each landed by itself."""
    repository = MemoryRepository()
    for number, record in enumerate(records):
        land_records(repository, lambda _: Config(), [record], (str(number), "1"))
    return repository


def test_reading_leaves_out_other_days_and_services_without_opening_them():
    """Names say enough to leave a file closed; the record decides."""
    days = [replace(RECORD, timestamp=f"2026-02-{day:02}T10:00:00Z") for day in (1, 10, 20)]
    repository = logged(*days, replace(RECORD, service="nexo-fe", timestamp="2026-02-20T10:00:00Z"))
    snapshot = repository.snapshot()
    since = datetime(2026, 2, 9, tzinfo=timezone.utc)
    found = [path for path, _ in read_records(snapshot, "audit-logs", since=since, services=["nexo-be"])]
    assert found == ["audit-logs/2026-02-10-nexo-be-prod.json", "audit-logs/2026-02-20-nexo-be-prod.json"]
    assert snapshot.reads == found


def test_an_unreadable_record_is_a_warning():
    """One spoilt file does not hide the others."""
    repository = logged(RECORD)
    repository.write([FileChange("audit-logs/2026-02-02-x-prod.json", b"{")], "spoilt")
    warnings = []
    found = list(read_records(repository.snapshot(), "audit-logs", warn=warnings.append))
    assert len(found) == 1
    assert "audit-logs/2026-02-02-x-prod.json" in warnings[0]


WHEN = datetime(2026, 1, 1, 10, 0, tzinfo=timezone.utc)


def commit(number, message, author="Alice", email="alice@nexo.com"):
    """The commit number `number`, an hour after the one before."""
    return Commit(f"{number:040x}", message, author, email, WHEN + timedelta(hours=number))


def adopted(*messages, config=None, repository=None):
    """The records that commits with these messages become, newest commit given first."""
    commits = [commit(number, message) for number, message in enumerate(messages)]
    snapshot = (repository or MemoryRepository()).snapshot()
    return [each.record for each in adopt(snapshot, config or Config(), reversed(commits), "https://g/o/r")]


def test_the_strategys_subjects_become_records():
    """The strategy's own git log, read into chains; each record says where it comes from."""
    records = adopted(
        "promote(nexo-be): production → 2026.01.32",
        "promote(nexo-be): production -> 2026.01.45 (#12)",
        "fix: typo",
        "auto-promote(nexo-be): qa → 2026.02.1\n\nAuto-promoted from develop after health checks passed",
    )
    assert [(each.to_environment, each.version, each.sequence) for each in records] == [
        ("production", "2026.01.32", 1),
        ("production", "2026.01.45", 2),
        ("qa", "2026.02.1", 1),
    ]
    assert records[1].previous_version == "2026.01.32"
    assert records[1].pr_url == "https://g/o/r/pull/12"
    assert records[1].from_environment == "staging"
    assert {each.imported_from for each in records} == {"git-history"}
    assert records[0].timestamp == format_time(WHEN)
    assert records[0].git_commit == "0" * 40


def test_trailers_become_records_for_each_service():
    """A train of two services, with environments by their aliases."""
    trailers = "Promotion-Service: {0}\nPromotion-To: prod\nPromotion-Version: 2026.02.{1}"
    message = "train\n\n" + trailers.format("a", 1) + "\n" + trailers.format("b", 2)
    assert [(each.service, each.version) for each in adopted(message)] == [
        ("a", "2026.02.1"),
        ("b", "2026.02.2"),
    ]


def test_reverts_become_rollbacks():
    """`git revert` of the last promotion, and our own subject: what came back, and what it undid."""
    records = adopted(
        "promote(a): qa → 1",
        "promote(a): qa → 2",
        'Revert "promote(a): qa → 2"',
        "promote(a): qa → 3",
        "rollback(a): qa → 1",
    )
    assert [(each.event, each.version) for each in records] == [
        ("promotion", "1"),
        ("promotion", "2"),
        ("rollback", "1"),
        ("promotion", "3"),
        ("rollback", "1"),
    ]
    assert records[2].rollback_of == records[1].record_id
    assert records[4].rollback_of == records[3].record_id


def test_importing_twice_adds_nothing():
    """A service and environment that has a chain keeps it."""
    repository = logged(RECORD)
    records = adopted("promote(nexo-be): production → 1", "promote(nexo-be): qa → 1", repository=repository)
    assert [each.to_environment for each in records] == ["qa"]


def test_nonsense_in_history_is_left_out():
    """Environments that nobody configured and messages that look alike."""
    assert (
        adopted("promote(a): mars → 1", "promote: qa → 1", "promote(a): qa", 'Revert "promote(a): qa → 9"')
        == []
    )


def test_identity_is_what_the_configuration_asks_for():
    """Login or address; a private address of GitHub is always the login."""
    private = [commit(0, "promote(a): qa → 1", email="1+bob@users.noreply.github.com")]
    plain = [commit(0, "promote(a): qa → 1")]

    def who(commits, identity):
        return adopt(MemoryRepository().snapshot(), Config(identity=identity), commits, "")[
            0
        ].record.initiator

    assert [who(plain, "login"), who(plain, "email"), who(private, "email")] == [
        "Alice",
        "alice@nexo.com",
        "bob",
    ]


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A real repository with the strategy's history and no records."""
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_RUN_ID", "GITHUB_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    made = GitLog(tmp_path / "gitops.git")
    made.commit({"helm/nexo-be/values-prod.yaml": b"image:\n  tag: 1\n"}, WHEN)
    return made


def audit_log(*words):
    """Run the command."""
    return promote_actions(["audit-log", *words])


def test_query_by_person_as_csv(log, capsys):
    """A question through the front door, with the records as output too."""
    log.promotions(3)
    path = log.close()
    assert audit_log("query", "--gitops", path, "--person", "alice", "--limit", "2", "--output", "csv") == 0
    assert len(capsys.readouterr().out.strip().splitlines()) == 3
    assert audit_log("query", "--gitops", path, "--environment", "prod", "--format", "json") == 0
    assert len(json.loads(capsys.readouterr().out)["record"]) == 3
    assert audit_log("query", "--gitops", path, "--environment", "mars") == 2


def test_slo_through_the_front_door(log, tmp_path, capsys):
    """A report, a picture, a refusal with status 1, and a person who overrides it."""
    now = datetime.now(timezone.utc)
    for number in range(6):
        moment = format_time(now - timedelta(days=5, hours=-number))
        log.record(replace(RECORD, timestamp=moment, outcome="failure"))
    path, drawing = log.close(), tmp_path / "slo.svg"
    assert audit_log("slo", "--gitops", path, "--picture", str(drawing), "--output", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["records"]) == ("missed", 6)
    assert drawing.read_text(encoding="utf-8").startswith("<svg")
    assert audit_log("slo", "--gitops", path, "--fail-on", "budget,missed") == 1
    assert "the error budget is spent" in capsys.readouterr().err
    assert audit_log("slo", "--gitops", path, "--fail-on", "budget", "--override", "alice: fix is out") == 0
    assert "overridden (alice: fix is out)" in capsys.readouterr().err
    assert audit_log("slo", "--gitops", path, "--window", "soon") == 2
    assert audit_log("slo", "--gitops", path, "--fail-on", "x") == 2


def test_import_lands_once_and_verifies(tmp_path, log, capsys):
    """The strategy's history becomes records in one commit; a second time there is nothing to do."""
    work = GitLog(tmp_path / "old.git")
    for number, version in enumerate(("2026.01.32", "2026.01.45", "2026.02.1")):
        content = f"image:\n  tag: {version}\n".encode()
        work.commit({"helm/nexo-be/values-prod.yaml": content}, WHEN + timedelta(days=number))
    work._stream = [
        part.replace(
            b"data 1\nx\n", b"data 43\npromote(nexo-be): production \xe2\x86\x92 2026.01.%02d\n" % index
        )
        for index, part in enumerate(work._stream)
    ]
    path = work.close()
    assert audit_log("import", "--gitops", path, "--dry-run") == 0
    assert "would import 3 records" in capsys.readouterr().out
    assert audit_log("import", "--gitops", path) == 0
    assert audit_log("verify", "--gitops", path) == 0
    assert audit_log("import", "--gitops", path) == 0
    assert "imported 0 records" in capsys.readouterr().out


def test_records_of_the_strategy_alone_can_be_queried(log, capsys):
    """A folder of hand-written records answers questions from the first day."""
    bare = replace(RECORD, outcome="")
    log.commit({"audit-logs/2026-02-01-nexo-be-prod.json": to_json(bare)}, WHEN)
    assert audit_log("query", "--gitops", log.close(), "--outcome", "success") == 0
    assert "2026.02.1" in capsys.readouterr().out
