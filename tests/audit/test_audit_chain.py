"""The chain: canonical form, links, and what breaks them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.audit.chain import append, canonical, document_hash, head_of, record_hash
from promote_actions.audit.record import GENESIS, Record, from_json, to_json
from promote_actions.errors import InputError

RECORD = Record(
    "promotion", "nexo-be", "2026.02.1", "staging", "production", "2026-02-01T10:30:00Z", "alice"
)


def test_the_canonical_form_is_rfc_8785():
    """Key order by UTF-16 units, short escapes, no space: the RFC's own example of sorting."""
    document = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(document))) == [
        "\r",
        "1",
        "\u0080",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]
    assert canonical({"b": '\u000f\n"\\/\u007f', "a": [True, None, 3]}) == (
        b'{"a":[true,null,3],"b":"\\u000f\\n\\"\\\\/\x7f"}'
    )


def test_what_has_no_canonical_form_is_refused():
    """Half a surrogate pair is no text."""
    with pytest.raises(InputError, match="surrogate"):
        canonical({"a": "\ud800"})


def test_the_first_record_starts_from_nothing():
    """Sequence 1 follows the genesis hash, and carries the hash of all the rest."""
    first = append(None, RECORD)
    assert (first.sequence, first.previous_hash, first.schema_version) == (1, GENESIS, 1)
    body = json.loads(to_json(first))
    del body["record_hash"]
    expected = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    assert first.record_hash == hashlib.sha256(expected).hexdigest()


def test_each_record_carries_the_hash_of_the_one_before():
    """Links follow the head, whatever chain fields the new record came with."""
    first = append(None, RECORD)
    second = append(head_of(first), replace(RECORD, sequence=9, record_hash="f" * 64, version="2026.02.2"))
    assert (second.sequence, second.previous_hash) == (2, first.record_hash)
    assert second.record_hash == record_hash(second)


def test_chains_of_different_pairs_do_not_mix():
    """A record can't follow another service's or environment's head."""
    head = head_of(append(None, RECORD))
    with pytest.raises(InputError, match="cannot follow"):
        append(head, replace(RECORD, to_environment="qa"))


@given(
    st.sampled_from(["version", "initiator", "approvers", "timestamp", "outcome", "x"]), st.integers(1, 9)
)
@settings(max_examples=30, deadline=None)
def test_any_edit_shows(name, number):
    """Changing, adding or removing any field changes the hash."""
    document = json.loads(to_json(append(None, RECORD)))
    document[name] = f"edited {number}"
    assert document_hash(document) != document["record_hash"]


def test_the_hash_survives_the_file():
    """A record read from its file has the hash that it was written with."""
    record = append(None, replace(RECORD, initiator="José 😀", extra={"größe": 1}))
    read = from_json(to_json(record))
    assert record_hash(read) == read.record_hash == record.record_hash
