"""`audit-log record --pr`: the record of a pull request that was merged, or closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from promote_actions.adapters.forge import PullRequest, Review
from promote_actions.audit.describe import records_from
from promote_actions.audit.inputs import AuditLogInputs
from promote_actions.audit.pulls import facts_of, number_of, read_pull
from promote_actions.audit.record import Record
from promote_actions.audit.recording import land_records, same_event
from promote_actions.config.model import Config
from promote_actions.errors import InputError
from promote_actions.spec import resolve
from tests.audit.memory_repository import MemoryRepository

OPENED = datetime(2026, 2, 1, 9, 0, tzinfo=timezone.utc)
NOW = OPENED + timedelta(hours=3)
HEAD = "a" * 40
BODY = """## Validation
- ✅ smoke_tests: passed
- ✅ Staging deployed for 24h without issues
- ❌ load_test

## Rollback plan
- ✅ not: a result

Requested by @alice-sre
<!-- promote-actions: {"environment":"production","services":MOVED} -->
""".replace("MOVED", '{"nexo-be":"2026.02.1","nexo-fe":"2026.02.2"}')
PULL = PullRequest(
    number=123,
    url="https://github.com/nexo-org/nexo-gitops/pull/123",
    title="promote(nexo-be): production → 2026.02.1",
    body=BODY,
    head_branch="promote/train",
    head_sha=HEAD,
    base_branch="main",
    state="closed",
    merged=True,
    merged_at=OPENED + timedelta(hours=2),
    merge_sha="b" * 40,
    author="github-actions[bot]",
    merged_by="dora",
    author_id=1,
    created_at=OPENED,
)


def review(user, login, state="APPROVED", commit=HEAD, minutes=60, **more):
    """One review, by somebody who may write unless said otherwise."""
    facts = {"is_bot": False, "can_write": True, **more}
    at = OPENED + timedelta(minutes=minutes)
    return Review(user, login, state=state, commit=commit, submitted_at=at, **facts)


REVIEWS = [
    review(2, "bob", minutes=30),
    review(3, "carol", minutes=90),
    review(4, "stale", commit="c" * 40),
    review(5, "reader", can_write=False),
    review(6, "robot", is_bot=True),
    review(1, "github-actions[bot]"),
    review(7, "erin"),
    review(7, "erin", state="DISMISSED", minutes=61),
]


def test_only_approvals_that_count_are_approvers():
    """Not the author's, a bot's, a reader's, an old head's or one that was taken back."""
    facts = facts_of(PULL, REVIEWS, True)
    assert facts.approvers == ("bob", "carol")
    assert facts.waited_seconds == 90 * 60
    assert (facts.initiator, facts.merged_by, facts.merge_commit) == ("alice-sre", "dora", "b" * 40)
    assert facts.validation == {
        "smoke_tests": "passed",
        "Staging deployed for 24h without issues": "passed",
        "load_test": "failed",
    }


def recorded(pull=PULL, **given):
    """The records of a pull request with these inputs."""
    words = {
        "operation": "record",
        "pr": "123",
        **{key.replace("_", "-"): value for key, value in given.items()},
    }
    inputs = resolve(AuditLogInputs, words, {})
    return records_from(
        inputs, Config(), NOW, "", pull=facts_of(pull, REVIEWS, pull.author.endswith("[bot]"))
    )


def test_one_record_for_each_service_of_the_pull_request():
    """Environment and versions come from what it promotes; times and people from its life."""
    records = recorded()
    assert [(each.service, each.version, each.to_environment) for each in records] == [
        ("nexo-be", "2026.02.1", "production"),
        ("nexo-fe", "2026.02.2", "production"),
    ]
    first = records[0]
    assert (first.started_at, first.finished_at) == ("2026-02-01T09:00:00Z", "2026-02-01T11:00:00Z")
    assert (first.outcome, first.git_commit, first.from_environment) == ("success", "b" * 40, "staging")


def test_inputs_overrule_the_pull_request():
    """What the caller says is what is recorded."""
    (record,) = recorded(service="nexo-fe", approvers="zoe", validation_results='{"e2e": "passed"}')
    assert (record.service, record.version, record.approvers) == ("nexo-fe", "2026.02.2", ("zoe",))
    assert record.validation_results == {"e2e": "passed"}


def test_a_pull_request_that_was_closed_is_a_cancelled_promotion():
    """Nothing was promoted, and that is recorded."""
    closed = replace(PULL, merged=False, merged_at=None, merge_sha="")
    assert [each.outcome for each in recorded(closed)] == ["cancelled", "cancelled"]
    assert recorded(closed, outcome="refused")[0].outcome == "refused"


def test_a_persons_own_pull_request_is_read_by_its_title():
    """The strategy's title, with no mark in the body."""
    own = replace(PULL, body="See commit message for details", author="alice")
    (record,) = recorded(own)
    assert (record.service, record.version, record.initiator) == ("nexo-be", "2026.02.1", "alice")


def test_nobody_can_say_that_another_asked():
    """Who asked is read from the body only when an account of ours wrote it."""
    assert recorded(replace(PULL, author="mallory"))[0].initiator == "mallory"


def test_a_rollbacks_pull_request_is_a_rollback():
    """By its title."""
    own = replace(PULL, title="rollback(nexo-be): production → 2026.01.45", body="")
    (record,) = recorded(own)
    assert (record.event, record.rollback, record.from_environment) == ("rollback", True, "")


def test_a_pull_request_that_promotes_nothing_needs_words():
    """Without a claim the caller has to name service, environment and version."""
    other = replace(PULL, title="Fix typo", body="")
    with pytest.raises(InputError, match="'environment' is required"):
        recorded(other)
    given = {"service": "a", "environment": "qa", "version": "1"}
    assert recorded(other, **given)[0].pr_url == PULL.url


@pytest.mark.parametrize(
    ("text", "number"),
    [("123", 123), ("#7", 7), ("https://github.com/o/r/pull/9", 9), ("https://github.com/o/r/pull/9/", 9)],
)
def test_numbers_of_pull_requests(text, number):
    """As people write them."""
    assert number_of(text) == number


@pytest.mark.parametrize("text", ["", "0", "x", "12 34", "https://github.com/o/r/issues/9", "1" * 11])
def test_what_is_no_number(text):
    """Anything else is refused."""
    with pytest.raises(InputError, match="input 'pr'"):
        number_of(text)


class OneForge:
    """A forge with one pull request."""

    def __init__(self, pull):
        self._pull = pull

    def pull(self, number):
        assert number == 123
        return self._pull

    def reviews(self, number):
        return REVIEWS

    def user(self):
        return None


def test_an_open_pull_request_is_no_event_yet():
    """It may still change."""
    with pytest.raises(InputError, match="#123 is still open"):
        read_pull(OneForge(replace(PULL, state="open", merged=False)), "#123")
    assert read_pull(OneForge(PULL), "#123").merged


def test_a_pull_request_is_recorded_once_and_its_services_together():
    """Two services in one commit; the same again, even by another run, is nothing new."""
    repository = MemoryRepository()
    first = land_records(repository, lambda _: Config(), recorded(), ("1", "1"))
    assert len(first.sealed) == 2
    assert len(repository.trees) == 2
    again = land_records(repository, lambda _: Config(), recorded(), ("2", "1"))
    assert (again.sealed, len(again.already), again.commit) == ((), 2, "")


def test_the_version_before_comes_from_the_chain():
    """The record says what ran before when the caller does not."""
    repository = MemoryRepository()
    old = Record("promotion", "nexo-be", "2026.01.45", "staging", "production", "2026-01-20T10:00:00Z", "x")
    land_records(repository, lambda _: Config(), [old], ("1", "1"))
    done = land_records(repository, lambda _: Config(), recorded(service="nexo-be"), ("2", "1"))
    assert done.sealed[0].record.previous_version == "2026.01.45"


def test_another_outcome_of_the_same_pull_request_is_another_event():
    """A promotion that was merged and then failed has two records."""
    record = recorded()[0]
    assert same_event(record, record)
    assert not same_event(record, replace(record, outcome="failure"))
