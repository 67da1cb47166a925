"""Records as CDEvents events and in-toto statements."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from jsonschema import Draft202012Validator

from promote_actions.__main__ import run as promote_actions
from promote_actions.audit.exports import cdevent, cloudevent_headers, package_url, statement
from promote_actions.audit.record import Record
from tests.audit.git_log import GitLog

DIGEST = "sha256:" + "ab" * 32
IMAGE = "ghcr.io/nexo-org/nexo-be"
SOURCE = "https://github.com/nexo-org/nexo-gitops"
RECORD = Record(
    "promotion", "nexo-be", "2026.02.1", "staging", "production", "2026-02-01T10:30:00Z", "alice",
    outcome="success", image_digest=DIGEST, previous_version="2026.01.45", sequence=2, record_id="r2",
)  # fmt: skip

TEXT = {"type": "string", "minLength": 1}


def closed(required, optional=()):
    """An object with these fields and no others, as CDEvents' schemas are."""
    properties = {**required, **dict(optional)}
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def service_event(predicate):
    """What CDEvents 0.5.1 demands of its service events 0.3.0: deployed, upgraded, rolledback."""
    kind = {"enum": [f"dev.cdevents.service.{predicate}.0.3.0"]}
    time = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
    environment = closed({"id": TEXT}, {"source": {"type": "string"}})
    return closed(
        {
            "context": closed(
                {"specversion": TEXT, "id": TEXT, "source": TEXT, "type": kind, "timestamp": time},
                {"chainId": TEXT, "schemaUri": TEXT, "links": {"type": "array"}},
            ),
            "subject": closed(
                {"id": TEXT, "content": closed({"environment": environment, "artifactId": TEXT})},
                {"source": {"type": "string"}},
            ),
        },
        {"customData": {"type": ["object", "string"]}, "customDataContentType": {"type": "string"}},
    )


STATEMENT = closed(
    {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "subject": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["digest"],
                "properties": {"digest": {"type": "object"}},
            },
        },
        "predicateType": {"type": "string", "pattern": "^https://"},
    },
    {"predicate": {"type": "object"}},
)


@pytest.mark.parametrize(
    ("changes", "predicate"),
    [
        ({}, "upgraded"),
        ({"sequence": 1, "previous_version": ""}, "deployed"),
        ({"rollback": True, "event": "rollback"}, "rolledback"),
    ],
)
def test_events_are_what_cdevents_demands(changes, predicate):
    """First deployment, upgrade, rollback: each an event of its own kind, closed to unknown fields."""
    event = cdevent(replace(RECORD, **changes), SOURCE, IMAGE)
    Draft202012Validator(service_event(predicate)).validate(event)
    assert event["customData"]["service"] == "nexo-be"


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "failure"},
        {"outcome": "refused"},
        {"outcome": "cancelled"},
        {"amends": "r1"},
        {"image_digest": ""},
        {"image_digest": "sha256:short"},
    ],
)
def test_what_changed_nothing_is_no_event(changes):
    """A failed or refused promotion deployed nothing; without a digest there is no artifact to name."""
    assert cdevent(replace(RECORD, **changes), SOURCE, IMAGE) is None


def test_events_of_one_version_belong_together():
    """The chain id is the same in every environment, and another one for another version."""
    ids = [
        cdevent(replace(RECORD, **changes), SOURCE)["context"]["chainId"]
        for changes in ({}, {"to_environment": "qa"}, {"version": "2026.02.2"})
    ]
    assert ids[0] == ids[1] != ids[2]


def test_the_artifact_is_a_package_url():
    """With its digest, repository and tag, all quoted."""
    assert package_url(RECORD, IMAGE) == (
        f"pkg:oci/nexo-be@sha256%3A{'ab' * 32}?repository_url=ghcr.io/nexo-org/nexo-be&tag=2026.02.1"
    )


def test_headers_hold_no_line_break():
    """Hostile texts can't add a header."""
    event = cdevent(replace(RECORD, service="a\r\nX-Evil: 1", record_id="é"), SOURCE)
    headers = cloudevent_headers(event)
    assert headers["ce-specversion"] == "1.0"
    assert all(value.isascii() and "\n" not in value and "\r" not in value for value in headers.values())


def test_statements_are_in_totos():
    """About the image by digest, with the whole record as predicate."""
    made = statement(RECORD, IMAGE)
    Draft202012Validator(STATEMENT).validate(made)
    assert made["subject"] == [{"name": IMAGE, "digest": {"sha256": "ab" * 32}}]
    assert made["predicate"]["record"]["version"] == "2026.02.1"
    assert statement(replace(RECORD, image_digest="")) is None


@pytest.fixture
def sink():
    """An HTTP sink that keeps what it gets; `status` is what it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.got.append((dict(self.headers), json.loads(body)))
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.status = [], 202
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_export_sends_events_to_a_sink(tmp_path, sink, monkeypatch, capsys):
    """Two promotions, one of them failed: one event on the wire, a warning for the other."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    log = GitLog(tmp_path / "g.git")
    log.record(replace(RECORD, sequence=0, record_id="", previous_version=""))
    log.record(
        replace(RECORD, sequence=0, record_id="", outcome="failure", timestamp="2026-02-02T10:30:00Z")
    )
    words = [
        "audit-log",
        "export",
        "--gitops",
        log.close(),
        "--sink",
        f"http://127.0.0.1:{sink.server_port}/",
    ]
    assert promote_actions(words) == 0
    ((headers, body),) = sink.got
    assert headers["ce-type"] == "dev.cdevents.service.deployed.0.3.0"
    assert headers["Content-Type"].startswith("application/cdevents+json")
    assert body["subject"]["id"] == "production/nexo-be"
    assert "1 of 2 records have no event" in capsys.readouterr().err
    assert promote_actions([*words, "--export", "in-toto", "--dry-run"]) == 0
    assert '"_type":"https://in-toto.io/Statement/v1"' in capsys.readouterr().out
    assert len(sink.got) == 1
    sink.status = 503
    assert promote_actions(words) == 3
    assert "answered 503" in capsys.readouterr().err
