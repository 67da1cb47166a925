"""`audit-log verify`: every way in which a record can be touched, found and named."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest

from promote_actions.__main__ import run as promote_actions
from promote_actions.adapters.git_stream import open_copy
from promote_actions.audit.chain import append, head_of
from promote_actions.audit.past import Late, findings
from promote_actions.audit.record import Record, format_time, from_json, to_json
from promote_actions.audit.verification import verify
from promote_actions.audit.verify import Verifier, edited_fields, heads_document, read_heads
from promote_actions.errors import InputError
from tests.audit.git_log import START, GitLog

LATER = START + timedelta(days=40)


@pytest.fixture
def log(tmp_path):
    """Ten promotions of one service and five of another."""
    made = GitLog(tmp_path / "gitops.git")
    made.paths = made.promotions(10)
    made.promotions(5, "nexo-fe")
    return made


def verified(log, heads=({}, "")):
    """The report on a log, through git."""
    return verify(open_copy(log.close(), "", "", {}), "audit-logs", heads)


def kinds(report):
    """What was found, as kind and file."""
    return {(finding.kind, finding.file.rpartition("/")[2]) for finding in report.findings}


def name(path):
    """The file's name."""
    return path.rpartition("/")[2]


def edited(content, **changes):
    """A record with fields changed, its hash left as it was."""
    return json.dumps({**json.loads(content), **changes}, indent=2).encode()


def test_an_untouched_log_is_verified(log):
    """Fifteen records in two chains, nothing to say."""
    report = verified(log)
    assert (report.verdict, report.records, len(report.links), report.findings) == ("true", 15, 2, [])


def test_a_url_is_cloned_and_a_branch_may_be_named(log):
    """Nothing has to be checked out; a branch that begins like an option is only a name."""
    url = f"file://{log.close()}"
    assert verify(open_copy(url, "main", "", {}), "audit-logs").records == 15
    for branch in ("none", "--upload-pack=x"):
        with pytest.raises(InputError, match="has no branch"):
            open_copy(url, branch, "", {})


def test_an_empty_log_is_verified(tmp_path):
    """A repository without records has nothing wrong in them."""
    log = GitLog(tmp_path / "g.git")
    log.commit({"README.md": b"x"}, START)
    assert verified(log).verdict == "true"


def test_an_edited_record_is_named_with_its_field(log):
    """Both witnesses speak: the chain, with the field by the record's first content, and git."""
    path = log.paths[4]
    log.commit({path: edited(log.files[path], approvers=["mallory"])}, LATER)
    report = verified(log)
    assert kinds(report) == {("edited", name(path))}
    assert report.findings[0].field == "approvers"
    assert [finding.field for finding in report.findings] == ["approvers", ""]


def test_an_edit_with_a_new_hash_breaks_the_next_link(log):
    """Recomputing the record's own hash only moves the break, and git still tells."""
    path = log.paths[4]
    forged = replace(from_json(log.files[path]), version="6.6.6")
    before = head_of(from_json(log.files[log.paths[3]]))
    log.commit({path: to_json(append(before, forged))}, LATER)
    assert kinds(verified(log)) == {("inserted", name(log.paths[5])), ("edited", name(path))}


def test_a_chain_written_anew_is_found_by_git_alone(log):
    """The chain holds after a full recomputation; the history of the files does not."""
    records = [from_json(log.files[path]) for path in log.paths]
    head, changes = None, {}
    for path, record in zip(log.paths, records, strict=True):
        made = append(head, replace(record, initiator="mallory"))
        changes[path], head = to_json(made), head_of(made)
    log.commit(changes, LATER)
    report = verified(log)
    assert {finding.kind for finding in report.findings} == {"edited"}
    assert {finding.field for finding in report.findings} == {""}
    assert len(report.findings) == 10


def test_a_history_written_anew_is_found_by_kept_heads(log, tmp_path):
    """When git's history was rewritten as well, only heads kept elsewhere can tell, and they do."""
    report = verified(log)
    kept = read_heads(json.dumps(heads_document(report.links, "f" * 40)), "heads.json")
    other = GitLog(tmp_path / "forged.git")
    other.promotions(10, start=START + timedelta(minutes=1))
    other.promotions(5, "nexo-fe")
    found = verified(other, kept)
    assert ("rewritten", name(log.paths[9])) in kinds(found)
    assert ("rewritten", "audit-logs") in kinds(found)
    assert verified(other).verdict == "true"


@pytest.mark.parametrize("index", [0, 5])
def test_a_deleted_record_is_missed(log, index):
    """The next record says which numbers are gone; git says in which commit."""
    log.commit({log.paths[index]: None}, LATER)
    assert kinds(verified(log)) == {
        ("deleted", name(log.paths[index + 1])),
        ("deleted", name(log.paths[index])),
    }


def test_a_cut_tail_is_missed_by_git_and_by_heads(log):
    """The chain alone can't tell that it ends early."""
    heads = read_heads(json.dumps(heads_document(verified(log).links, "")), "x")
    log.commit(dict.fromkeys(log.paths[8:]), LATER)
    found = verified(log, heads)
    assert {("truncated", name(log.paths[7])), ("deleted", name(log.paths[8]))} <= kinds(found)
    assert ("records 9 to 10" in str(found.findings[0])) is True


def test_swapped_records_are_out_of_order(log):
    """Two records that change places: names, order and git all disagree."""
    one, other = log.paths[2], log.paths[6]
    log.commit({one: log.files[other], other: log.files[one]}, LATER)
    found = {kind for kind, _ in kinds(verified(log))}
    assert {"renamed", "deleted", "reordered", "edited"} <= found


def test_an_inserted_record_has_no_place(log):
    """A forged record between two others repeats a number."""
    forged = replace(
        from_json(log.files[log.paths[4]]), version="6.6.6", record_id="2026-01-03-nexo-be-prod.9-9"
    )
    before = head_of(from_json(log.files[log.paths[3]]))
    path = "audit-logs/2026-01-03-nexo-be-prod.9-9.json"
    log.commit({path: to_json(append(before, forged))}, LATER)
    found = verified(log).findings
    assert [finding.kind for finding in found] == ["reordered"]
    assert found[0].file in (path, log.paths[4])
    assert found[0].field == "sequence"


def test_a_record_without_a_chain_does_not_slip_in(log):
    """Once a chain has begun, a bare record of that service and environment is an insertion."""
    bare = Record("promotion", "nexo-be", "6.6.6", "staging", "production", format_time(LATER), "mallory")
    path = f"audit-logs/{format_time(LATER)[:10]}-nexo-be-prod.json"
    log.commit({path: to_json(bare)}, LATER)
    report = verified(log)
    assert kinds(report) == {("inserted", name(path))}
    assert report.findings[0].field == "sequence"


def test_the_strategys_records_before_the_chain_are_counted(tmp_path):
    """Hand-written records from before are read, and have no chain to hold them."""
    log = GitLog(tmp_path / "g.git")
    bare = Record("promotion", "nexo-be", "1", "staging", "production", "2025-12-01T10:00:00Z", "alice")
    log.commit({"audit-logs/2025-12-01-nexo-be-prod.json": to_json(bare)}, START - timedelta(days=31))
    log.promotions(2)
    report = verified(log)
    assert (report.verdict, report.unchained, report.records) == ("true", 1, 3)


def test_a_renamed_record_is_found(log):
    """The record says under which name it was written."""
    path = log.paths[3]
    moved = path.replace(".json", ".1-1.json")
    log.commit({path: None, moved: log.files[path]}, START + timedelta(days=3))
    assert ("renamed", name(moved)) in kinds(verified(log))


def test_a_back_dated_record_is_found(log):
    """A well-made record that came weeks after its own date."""
    old = Record("promotion", "nexo-new", "1", "staging", "production", "2026-01-01T10:00:00Z", "mallory")
    path = log.record(old, LATER)
    report = verified(log)
    assert kinds(report) == {("back-dated", name(path))}
    assert report.findings[0].field == "timestamp"


def test_a_time_before_its_predecessors_is_found(log):
    """A record appended to the chain with an earlier time."""
    early = Record("promotion", "nexo-be", "1", "staging", "production", "2026-01-02T00:00:00Z", "mallory")
    path = log.record(early, START + timedelta(days=6))
    report = verified(log)
    assert ("back-dated", name(path)) in kinds(report)
    assert [finding.field for finding in report.findings] == ["timestamp"]


def test_an_imported_record_may_be_old_when_its_commit_is(log, tmp_path):
    """A record made from git's history is as old as the commit that it names, and no older."""
    work = log.close()
    rev = ["git", "-C", work, "log", "--format=%H %ct", "main"]
    lines = subprocess.run(rev, capture_output=True, check=True).stdout.decode().splitlines()
    sha, seconds = lines[-1].split()
    template = Record(
        "promotion", "old", "1", "staging", "production", "", "alice", imported_from="git-history"
    )
    true = replace(template, timestamp=format_time(START), git_commit=sha)
    assert int(seconds) == int(START.timestamp())
    log.record(true, LATER)
    assert verified(log).verdict == "true"
    false = replace(template, service="older", timestamp="2025-06-01T00:00:00Z", git_commit=sha)
    path = log.record(false, LATER)
    assert kinds(verified(log)) == {("back-dated", name(path))}


def test_an_edit_inside_a_merge_is_found(log):
    """A merge that changes a record which neither parent changed."""
    base = log.commit({"a": b"1"}, LATER)
    side = log.commit({"b": b"1"}, LATER, branch="side", parents=(base,))
    path = log.paths[4]
    log.commit({path: edited(log.files[path], version="6.6.6"), "b": b"1"}, LATER, parents=(base, side))
    log.commit({path: log.files[path] and edited(log.files[path], version="2026.01.5")}, LATER)
    report = verified(log)
    assert report.verdict == "false"
    assert ("edited", name(path)) in kinds(report)


def test_an_edit_inside_a_merge_that_was_undone_is_found_too(log):
    """The files are right again today; the history remembers."""
    path = log.paths[4]
    good = log.files[path]
    base = log.commit({"a": b"1"}, LATER)
    side = log.commit({"b": b"1"}, LATER, branch="side", parents=(base,))
    log.commit({path: edited(good, version="6.6.6"), "b": b"1"}, LATER, parents=(base, side))
    log.commit({path: good}, LATER)
    report = verified(log)
    assert kinds(report) == {("edited", name(path))}


def test_an_ordinary_merge_of_an_old_branch_is_no_alarm(log):
    """A branch from before the newest records, merged late, changes none of them."""
    base = log.commit({"a": b"1"}, LATER)
    log.record(
        Record("promotion", "nexo-be", "2", "staging", "production", format_time(LATER), "alice"), LATER
    )
    newest = log._marks
    side = log.commit({"b": b"1"}, LATER, branch="side", parents=(base,))
    log.commit({"b": b"1"}, LATER + timedelta(days=30), parents=(newest, side))
    assert verified(log).verdict == "true"


def test_a_shallow_clone_cannot_be_verified(log, tmp_path):
    """What can't be seen is not called good."""
    shallow = tmp_path / "shallow"
    url = f"file://{log.close()}"
    subprocess.run(["git", "clone", "-q", "--depth=1", url, str(shallow)], check=True)
    report = verify(open_copy(str(shallow), "", "", {}), "audit-logs")
    assert report.verdict == "cannot verify"
    assert "fetch-depth: 0" in report.why


@pytest.mark.parametrize(
    ("content", "kind", "field"),
    [
        (b"{", "unreadable", ""),
        (b"\xff", "unreadable", ""),
        (b'{"event": "promotion"}', "unreadable", "service"),
    ],
)
def test_what_is_no_record_is_named(log, content, kind, field):
    """A file in the folder that doesn't read, with the field when there is one."""
    path = "audit-logs/2026-01-09-nexo-be-prod.x-1.json"
    log.commit({path: content}, START + timedelta(days=8))
    found = [finding for finding in verified(log).findings if finding.file == path]
    assert [(finding.kind, finding.field) for finding in found] == [(kind, field)]


def test_folders_by_year_are_read_in_the_order_of_days(tmp_path):
    """Records moved into folders by year from some day on are still one chain."""
    log = GitLog(tmp_path / "g.git")
    files = {}
    head = None
    for day in range(1, 5):
        record = Record(
            "promotion",
            "a",
            "1",
            "",
            "qa",
            f"2026-01-0{day}T10:00:00Z",
            "x",
            record_id=f"2026-01-0{day}-a-qa",
        )
        made = append(head, record)
        folder = "audit-logs/2025" if day > 2 else "audit-logs"
        files[f"{folder}/{record.record_id}.json"], head = to_json(made), head_of(made)
    log.commit(files, START + timedelta(days=2))
    report = verified(log)
    assert report.findings == []


def test_only_what_came_since_the_kept_commit_is_read_again(log):
    """With a commit that was verified before, git's walk begins there."""
    path = log.paths[4]
    good = log.files[path]
    log.commit({path: edited(good, version="6.6.6")}, LATER)
    log.commit({path: good}, LATER)
    assert verified(log).verdict == "false"
    copy = open_copy(log.close(), "", "", {})
    assert verify(copy, "audit-logs", ({}, copy.commit)).verdict == "true"


def test_edited_fields_are_all_named():
    """Changed, added and removed fields; a time of the writing is one as well."""
    assert edited_fields(b'{"a": 1, "b": 2, "c": 3}', b'{"a": 1, "b": 3, "d": 4}') == ["b", "c", "d"]
    assert edited_fields(b"{", b"{}") == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"chains": [{}]}', '{"chains": 1}', "[" * 99999])
def test_heads_that_are_none(text):
    """A file that holds no heads is wrong input, not an empty list of heads."""
    with pytest.raises(InputError, match="holds no chain heads"):
        read_heads(text, "x")


def test_memory_of_the_verifier_is_a_day(log):
    """It keeps a link for each chain, and no record."""
    log.close()
    verifier = Verifier()
    copy = open_copy(log.path, "", "", {})
    assert list(verifier.read(copy.files("audit-logs"))) == []
    assert len(verifier.links) == 2


def test_git_output_is_read_piece_by_piece():
    """Changes are findings, so are names without a day; other files are none of ours."""
    pieces = [
        b"commit " + b"a" * 40 + b" 1770000000 " + b"b" * 40,
        b"\nA", b"audit-logs/2026-02-02-a-qa.json",
        b"M", b"audit-logs/README.md",
        b"D", b"audit-logs/2026-02-01-a-qa.json",
        b"A", b"audit-logs/x.json",
    ]  # fmt: skip
    assert [(each.kind, each.file[11:]) for each in findings(pieces)] == [
        ("deleted", "2026-02-01-a-qa.json"),
        ("misnamed", "x.json"),
    ]


def commit_of(number, *days):
    """A commit of 2026-02-20, whose records claim these days of February."""
    yield b"commit %040x 1771588800 %040x" % (number, number - 1)
    for day in days:
        yield from (b"A", b"audit-logs/2026-02-%02d-s%d-qa.json" % (day, number))


@pytest.mark.parametrize(
    ("commits", "late"),
    [
        ([(2, 1), (1, 10)], ["2026-02-01-s2"]),
        ([(2, 10), (1, 1)], []),
        ([(1, 1, 10)], []),
        ([(2, 9), (1, 10)], []),
        ([(2, 19), (1, 25)], []),
        ([(3, 1), (2, 2, 15), (1, 3)], ["2026-02-01-s3"]),
        ([(3, 1), (2, 1), (1, 18)], ["2026-02-01-s2", "2026-02-01-s3"]),
    ],
)
def test_late_is_what_came_after_newer_records(commits, late):
    """Newest first: a record is back-dated when an older commit had days that it claims to precede."""
    pieces = [piece for number, *days in commits for piece in commit_of(number, *days)]
    found = list(findings(pieces))
    assert all(isinstance(each, Late) for each in found)
    assert sorted(each.file[11:24] for each in found) == late


def test_a_log_that_was_moved_into_one_commit_is_fine(log, tmp_path):
    """A repository that begins anew with an old log has late commits, and nothing back-dated."""
    moved = GitLog(tmp_path / "moved.git")
    moved.commit(dict(log.files), LATER + timedelta(days=300))
    assert verified(moved).verdict == "true"


def test_the_command_refuses_names_and_keeps_heads(log, tmp_path, monkeypatch, capsys):
    """Status 0 with heads saved; then an edit, status 1, one error line, and a summary that shows it."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    heads = tmp_path / "heads.json"
    words = ["audit-log", "verify", "--gitops", log.close()]
    assert promote_actions([*words, "--save-heads", str(heads)]) == 0
    assert len(json.loads(heads.read_text())["chains"]) == 2
    assert "sha256:" in summary.read_text()
    log.commit({log.paths[9]: edited(log.files[log.paths[9]], version="<b>|6")}, LATER)
    log.close()
    capsys.readouterr()
    assert promote_actions([*words, "--heads", str(heads), "--format", "json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["verified"] == "false"
    assert "field 'version'" in said.err
    assert "<b>" not in summary.read_text()


@pytest.mark.parametrize("words", [["--heads", "/nowhere"], ["--branch", "none"], ["--gitops", "/nowhere"]])
def test_wrong_input_is_status_two(log, words, monkeypatch, capsys):
    """Files and branches that are not there."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert promote_actions(["audit-log", "verify", "--gitops", log.close(), *words]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
