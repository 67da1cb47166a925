"""Records in the languages of other tools: CDEvents events and in-toto statements. Pure.

Sources: CDEvents 0.5.1, service events 0.3.0 (https://cdevents.dev), its binding to CloudEvents over
HTTP; in-toto Statement v1 (https://in-toto.io/Statement/v1) with a predicate of our own, for which
the vetted ones have no room (approvers, environments, rollback). Both speak of an artifact by its
digest, so that a record without one can't be exported.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from promote_actions.audit.record import Record, to_document

SPECIFICATION = "0.5.1"
EVENT_VERSION = "0.3.0"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://nexo-org.github.io/promote-actions/promotion-record/v1"

_DIGEST = re.compile(r"(sha256|sha512):([0-9a-f]{64,128})")


def cdevent(record: Record, source: str, image: str = "") -> dict[str, Any] | None:
    """The CDEvents event of ``record``; None when nothing changed or the image's digest is not known.

    ``source`` is the GitOps repository, ``image`` the image's name without tag (``ghcr.io/o/nexo-be``).
    Events of one version share their ``chainId``.
    """
    artifact = package_url(record, image)
    if artifact is None or record.amends or record.effective_outcome != "success":
        return None
    chain = uuid.uuid5(uuid.NAMESPACE_URL, f"{source}#{record.service}@{record.version}")
    return {
        "context": {
            "specversion": SPECIFICATION,
            "id": record.record_hash or record.record_id or str(uuid.uuid5(chain, record.timestamp)),
            "source": source,
            "type": f"dev.cdevents.service.{_predicate(record)}.{EVENT_VERSION}",
            "timestamp": record.timestamp,
            "chainId": str(chain),
        },
        "subject": {
            "id": f"{record.to_environment}/{record.service}",
            "source": source,
            "content": {
                "environment": {"id": record.to_environment, "source": source},
                "artifactId": artifact,
            },
        },
        "customData": to_document(record),
        "customDataContentType": "application/json",
    }


def _predicate(record: Record) -> str:
    if record.rollback:
        return "rolledback"
    first = record.sequence == 1 or not record.previous_version
    return "deployed" if first and record.sequence <= 1 else "upgraded"


def package_url(record: Record, image: str) -> str | None:
    """The image as a package URL (``pkg:oci/...``), or None without a digest."""
    if not _DIGEST.fullmatch(record.image_digest):
        return None
    name = (image or record.service).rpartition("/")[2].lower()
    where = f"repository_url={quote(image, safe='/')}&" if image else ""
    digest = quote(record.image_digest, safe="")
    return f"pkg:oci/{quote(name, safe='')}@{digest}?{where}tag={quote(record.version, safe='')}"


def cloudevent_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The headers that carry ``event`` as a CloudEvent in HTTP's binary mode."""
    context = event["context"]
    return {
        "Content-Type": "application/cdevents+json; charset=utf-8",
        "ce-specversion": "1.0",
        "ce-id": _header(context["id"]),
        "ce-source": _header(context["source"]),
        "ce-type": _header(context["type"]),
        "ce-subject": _header(event["subject"]["id"]),
        "ce-time": _header(context["timestamp"]),
    }


def _header(text: str) -> str:
    """``text`` as CloudEvents' HTTP binding encodes it: what is not printable ASCII in per cent."""
    return quote(text, safe="!#$&'()*+,/:;=?@[]-._~<>{}|^`\\")


def statement(record: Record, image: str = "") -> dict[str, Any] | None:
    """The in-toto statement of ``record`` about its image; None when the digest is not known.

    The names for the artifact are those of the vetted predicate "Promotion Record" (srcRef, dstRef).
    """
    found = _DIGEST.fullmatch(record.image_digest)
    if found is None:
        return None
    name = image or record.service
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {found[1]: found[2]}}],
        "predicateType": PREDICATE,
        "predicate": {
            "srcRef": f"{record.from_environment or 'build'}/{record.service}:{record.version}",
            "dstRef": f"{record.to_environment}/{record.service}:{record.version}",
            "digest": record.image_digest,
            "timestamp": record.timestamp,
            "record": to_document(record),
        },
    }
