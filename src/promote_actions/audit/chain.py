"""The hash chain of audit records: one chain per service and environment. Pure.

Each record carries the hash of the one before it. That makes edits, deletions in the middle,
reordering and insertions visible; a cut tail or a chain written anew shows only against a head that is
kept elsewhere. It is tamper-evident, not tamper-proof (``docs/audit-log.md``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from promote_actions.audit.record import GENESIS, SCHEMA_VERSION, Record, to_document
from promote_actions.errors import InputError


@dataclass(frozen=True)
class Head:
    """The last record of a chain. ``path`` is its file, ``timestamp`` its RFC 3339 text."""

    service: str
    to_environment: str
    sequence: int
    record_hash: str
    timestamp: str
    path: str = ""

    @property
    def date(self) -> str:
        """The day in the head's file name, ``YYYY-MM-DD``; empty when its name has none."""
        return self.path.rpartition("/")[2][:10]


def canonical(document: Mapping[str, Any]) -> bytes:
    """``document`` in canonical form: RFC 8785 for objects of texts, whole numbers, truths and lists.

    Raises :class:`InputError` for what that form can't hold: fractions and lone surrogates.
    """
    try:
        text = json.dumps(
            document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
        )
        if not text.isascii():
            text = json.dumps(_utf16_order(document), ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError:
        raise InputError("a record holds half a character (a lone surrogate)", hint="remove it") from None


def _utf16_order(value: Any) -> Any:
    """``value`` with keys in UTF-16 order, as RFC 8785 has it; code points sort otherwise past U+FFFF."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _utf16_order(value[key]) for key in keys}
    if isinstance(value, list):
        return [_utf16_order(each) for each in value]
    return value


def document_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical form of ``document`` without its ``record_hash``, in hexadecimal."""
    body = {key: value for key, value in document.items() if key != "record_hash"}
    return hashlib.sha256(canonical(body)).hexdigest()


def record_hash(record: Record) -> str:
    """The hash that ``record`` has to carry."""
    return document_hash(to_document(record))


def append(head: Head | None, record: Record) -> Record:
    """``record`` as the next link after ``head`` (None: the first), with its hash.

    Raises :class:`InputError` when the head belongs to another service or environment.
    """
    if head is not None and (head.service, head.to_environment) != (record.service, record.to_environment):
        raise InputError(
            f"a record of {record.service} in {record.to_environment} cannot follow "
            f"the chain of {head.service} in {head.to_environment}"
        )
    linked = replace(
        record,
        schema_version=SCHEMA_VERSION,
        sequence=head.sequence + 1 if head else 1,
        previous_hash=head.record_hash if head else GENESIS,
        record_hash="",
    )
    return replace(linked, record_hash=record_hash(linked))


def head_of(record: Record, path: str = "") -> Head:
    """The head of a chain whose last record is ``record``, in the file ``path``."""
    return Head(
        record.service, record.to_environment, record.sequence, record.record_hash, record.timestamp, path
    )
