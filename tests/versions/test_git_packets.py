"""Reading git's packets from servers that may send anything."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.adapters.git_http import _bands, _packets, _split, _tags

SHA, OTHER = "a" * 40, "b" * 40


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50), max_size=8))
@settings(max_examples=60, deadline=None)
def test_packets_survive_the_journey(lines: list[str]) -> None:
    """What is packed is what is unpacked."""
    assert [packet.decode() for packet in _split(_packets(*lines) + b"0000")] == lines


@given(st.one_of(st.binary(max_size=80), st.from_regex(rb"([0-9a-f]{4}[ -~]{0,20}){0,6}", fullmatch=True)))
@settings(max_examples=200, deadline=None)
def test_anything_else_is_a_value_error(data: bytes) -> None:
    """Bytes from a stranger are packets, or a ValueError, and never another failure."""
    with suppress(ValueError):
        assert all(isinstance(name, str) for name in _tags(_split(data), ("",)))
    with suppress(ValueError):
        _bands(_split(data))


@pytest.mark.parametrize(
    "data", [b"", b"000", b"+000", b"0005", b"0010short0000", b"0001", b"0003", b"zzzz", b"0008abcd"]
)
def test_what_is_cut_or_special_is_refused(data: bytes) -> None:
    """An answer without its end, or with a packet that has no place here, is no answer."""
    with pytest.raises(ValueError, match=r"packets|literal"):
        list(_split(data))


def test_a_list_of_refs_is_read() -> None:
    """Tags of the prefix are taken, peeled where they are annotated; everything else is left."""
    data = _packets(
        f"{SHA} refs/tags/2026.02.1\n",
        f"{SHA} refs/tags/2026.02.2 peeled:{OTHER}\n",
        f"{SHA} refs/tags/2026.01.1\n",
        f"{SHA} refs/heads/2026.02.3\n",
        f"{SHA} HEAD symref-target:refs/heads/main\n",
    )
    assert _tags(_split(data + b"0000"), ("2026.02.",)) == {"2026.02.1": SHA, "2026.02.2": OTHER}


def test_a_report_is_told_from_the_hooks_words() -> None:
    """Band 1 is the report, in pieces or not; band 2 what hooks say; band 3 the server's end."""
    report, said = _bands(iter([b"\1abc", b"\2no\x1b[31m\n", b"\1def", b"\2more\n"]))
    assert (report, said) == (b"abcdef", "no\x1b[31m more")
    with pytest.raises(ValueError, match="gave up"):
        _bands(iter([b"\3fatal"]))
