"""Putting records into a repository: heads found, links made, files named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from promote_actions.adapters.gitops import FileChange
from promote_actions.audit.log import entry, read_head, seal
from promote_actions.audit.record import GENESIS, Record, from_json, to_json
from promote_actions.config.model import Config
from promote_actions.errors import Conflict, InputError
from tests.audit.memory_repository import MemoryRepository

CONFIG = Config()
PRODUCTION = CONFIG.environment("production")
RECORD = Record(
    "promotion", "nexo-be", "2026.02.1", "staging", "production", "2026-02-01T10:30:00Z", "alice"
)


def land(repository, record, run="1"):
    """Land one record in a commit of its own; return the record as it was read back."""
    snapshot = repository.snapshot()
    change = entry(snapshot, CONFIG, record, run, "1")
    repository.land(snapshot, [change], "record")
    return from_json(repository.snapshot().read(change.path), change.path)


def test_the_first_record_has_the_strategys_path():
    """The file is new, in the strategy's folder under the strategy's name."""
    change = entry(MemoryRepository().snapshot(), CONFIG, RECORD, "4711", "1")
    assert change.path == "audit-logs/2026-02-01-nexo-be-prod.json"
    assert change.create
    document = json.loads(change.content)
    assert (document["sequence"], document["previous_hash"]) == (1, GENESIS)
    assert document["record_id"] == "2026-02-01-nexo-be-prod"


def test_records_of_a_day_and_of_later_days_link_up():
    """Three promotions, two on one day: one chain, in the order in which they landed."""
    repository = MemoryRepository()
    first = land(repository, RECORD, "99")
    second = land(repository, replace(RECORD, version="2026.02.2"), "100")
    third = land(repository, replace(RECORD, timestamp="2026-02-03T00:00:00Z"), "5")
    assert [each.sequence for each in (first, second, third)] == [1, 2, 3]
    assert (second.previous_hash, third.previous_hash) == (first.record_hash, second.record_hash)
    assert repository.snapshot().files("audit-logs") == [
        "audit-logs/2026-02-01-nexo-be-prod.100-1.json",
        "audit-logs/2026-02-01-nexo-be-prod.json",
        "audit-logs/2026-02-03-nexo-be-prod.json",
    ]


def test_only_the_newest_day_is_read():
    """A long log costs one day's files."""
    repository = MemoryRepository()
    for day in range(1, 20):
        land(repository, replace(RECORD, timestamp=f"2026-02-{day:02}T10:00:00Z"))
        land(repository, replace(RECORD, service="other", timestamp=f"2026-02-{day:02}T10:00:00Z"))
    snapshot = repository.snapshot()
    head = read_head(snapshot, "audit-logs", "nexo-be", PRODUCTION)
    assert head is not None
    assert head.sequence == 19
    assert snapshot.reads == ["audit-logs/2026-02-19-nexo-be-prod.json"]


def test_a_clock_that_went_back_does_not_fork_the_chain():
    """A record with an older time still follows the head, under the head's day."""
    repository = MemoryRepository()
    land(repository, replace(RECORD, timestamp="2026-02-05T10:00:00Z"))
    second = land(repository, replace(RECORD, timestamp="2026-02-01T10:00:00Z"), "7")
    third = land(repository, replace(RECORD, timestamp="2026-02-02T10:00:00Z"), "8")
    assert [second.sequence, third.sequence] == [2, 3]
    assert second.record_id == "2026-02-05-nexo-be-prod.7-1"


def test_the_strategys_own_records_are_no_chain():
    """A folder of hand-written records is left alone, and the chain starts beside them."""
    repository = MemoryRepository()
    path = "audit-logs/2026-02-01-nexo-be-prod.json"
    repository.write([FileChange(path, to_json(RECORD))], "by hand")
    assert read_head(repository.snapshot(), "audit-logs", "nexo-be", PRODUCTION) is None
    record = land(repository, RECORD, "12")
    assert (record.sequence, record.record_id) == (1, "2026-02-01-nexo-be-prod.12-1")
    assert repository.snapshot().read(path) == to_json(RECORD)


def test_services_whose_names_collide_keep_their_own_chains():
    """`a` in `b-prod` and `a-b` in `prod` share a name, not a chain and not a file."""
    config = Config(
        environments=(
            *CONFIG.environments,
            replace(PRODUCTION, name="b-production", suffix="b-prod", aliases=()),
        )
    )
    repository = MemoryRepository()
    records = (
        replace(RECORD, service="a", to_environment="b-production"),
        replace(RECORD, service="a-b", to_environment="production"),
    )
    for round_ in range(3):
        for record in records:
            snapshot = repository.snapshot()
            change = entry(snapshot, config, record, str(round_), "1")
            repository.land(snapshot, [change], "record")
    found = [from_json(data) for data in repository.trees[-1].values()]
    assert len(found) == 6
    for service in ("a", "a-b"):
        assert sorted(each.sequence for each in found if each.service == service) == [1, 2, 3]


def test_several_records_in_one_commit():
    """One commit may hold several services, and several records of one chain, in their order."""
    snapshot = MemoryRepository().snapshot()
    records = [
        RECORD,
        replace(RECORD, service="nexo-fe"),
        replace(RECORD, event="rollback", version="2026.01.45", rollback=True),
    ]
    sealed = seal(snapshot, CONFIG, records, "4711", "1")
    assert [each.record.sequence for each in sealed] == [1, 1, 2]
    assert sealed[2].record.previous_hash == sealed[0].record.record_hash
    assert len({each.change.path for each in sealed}) == 3


def test_aliases_mean_their_environment():
    """A record into `prod` is one into production."""
    change = entry(MemoryRepository().snapshot(), CONFIG, replace(RECORD, to_environment="prod"), "1", "1")
    assert json.loads(change.content)["to_environment"] == "production"


def test_a_rival_makes_a_conflict_and_not_a_fork():
    """Two writers on one head: the second lands nothing, and follows the first when it asks again."""
    repository = MemoryRepository()
    snapshot = repository.snapshot()
    mine = entry(snapshot, CONFIG, RECORD, "1", "1")
    repository.rivals.append([entry(snapshot, CONFIG, replace(RECORD, version="2026.02.2"), "2", "1")])
    with pytest.raises(Conflict):
        repository.land(snapshot, [mine], "mine")
    assert land(repository, RECORD).sequence == 2


def test_a_marker_puts_new_records_into_folders_by_month():
    """The chain goes on across the folders, and names stay unique over all of them."""
    repository = MemoryRepository()
    land(repository, RECORD)
    repository.write([FileChange("audit-logs/.by-month", b"")], "shard")
    second = land(repository, RECORD, "7")
    third = land(repository, replace(RECORD, timestamp="2026-03-02T00:00:00Z"), "8")
    assert [second.sequence, third.sequence] == [2, 3]
    assert [path for path in repository.snapshot().files("audit-logs") if path.endswith(".json")] == [
        "audit-logs/2026-02-01-nexo-be-prod.json",
        "audit-logs/2026/02/2026-02-01-nexo-be-prod.7-1.json",
        "audit-logs/2026/03/2026-03-02-nexo-be-prod.json",
    ]


def test_an_unreadable_head_is_named():
    """A spoilt file in the newest day stops the log, and the message names the file."""
    repository = MemoryRepository()
    repository.write([FileChange("audit-logs/2026-02-01-nexo-be-prod.json", b"{")], "spoilt")
    with pytest.raises(
        InputError, match=r"audit-logs/2026-02-01-nexo-be-prod\.json: the record is not JSON"
    ):
        entry(repository.snapshot(), CONFIG, RECORD, "1", "1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timestamp": "now"}, "'now' is not a time"),
        ({"version": ""}, "field 'version'"),
        ({"service": ""}, "field 'service'"),
        ({"to_environment": "mars"}, "no environment 'mars'"),
        ({"outcome": "great"}, "field 'outcome'"),
        ({"initiator": "\ud800"}, "surrogate"),
    ],
)
def test_a_record_that_would_not_read_is_not_written(change, words):
    """What the reader refuses never gets into the log."""
    with pytest.raises(InputError, match=words):
        entry(MemoryRepository().snapshot(), CONFIG, replace(RECORD, **change), "1", "1")
