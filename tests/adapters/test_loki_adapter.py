"""Loki's API through our adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from promote_actions.adapters.loki import Loki
from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.gates.logs import Found
from tests.adapters.scripted_server import Asked, Reply, fixed, serving

END = datetime(2026, 2, 1, 10, 5, tzinfo=timezone.utc)
BEGIN = END - timedelta(minutes=5)


def success(kind: str, result: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def store(lines: int, matching: int, samples: dict[str, list[tuple[int, str]]]) -> Callable[[Asked], Reply]:
    """A Loki with so many lines."""

    def answer(asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.path).query)["query"][0]
        if "/query_range" in asked.path:
            streams = [
                {"stream": {"pod": pod}, "values": [[str(at), line] for at, line in values]}
                for pod, values in samples.items()
            ]
            return Reply(200, success("streams", streams))
        count = matching if "|~" in query else lines
        vector = [{"metric": {}, "value": [1.0, str(count)]}] if count else []
        return Reply(200, success("vector", vector))

    return answer


def search(
    answer: Callable[[Asked], Reply], pattern: str = "FATAL", **given: Any
) -> tuple[Found, list[Asked]]:
    with serving(answer) as server:
        found = Loki(server.url, **given).search('service="x"', pattern, BEGIN, END, 2)
    return found, server.asked


def test_counts_and_the_newest_lines() -> None:
    """Over all streams, newest first."""
    samples = {"a": [(3, "third"), (1, "first")], "b": [(2, "second")]}
    found, asked = search(store(100, 3, samples))
    assert found == Found(100.0, 3.0, ("third", "second"))
    queries = [parse_qs(urlsplit(one.path).query) for one in asked]
    assert queries[0]["query"] == ['sum(count_over_time({service="x"} [300s]))']
    assert queries[1]["query"] == ['sum(count_over_time({service="x"} |~ `FATAL` [300s]))']
    assert queries[2]["query"] == ['{service="x"} |~ `FATAL`']
    assert queries[2]["start"] == ["1769940000000000000"]
    assert (queries[2]["end"], queries[2]["limit"]) == (["1769940300000000000"], ["2"])


def test_no_line_is_a_count_of_nothing() -> None:
    """An empty vector; and no lines are asked for."""
    found, asked = search(store(0, 0, {}))
    assert found == Found(0.0, 0.0)
    assert len(asked) == 2


def test_a_pattern_with_a_backquote_stays_a_string() -> None:
    """Nothing in a pattern ends it."""
    _, asked = search(store(1, 0, {}), pattern='a`b"c\\d')
    assert '|~ "a`b\\"c\\\\d"' in parse_qs(urlsplit(asked[1].path).query)["query"][0]


def test_credentials() -> None:
    """A bearer token and a tenant."""
    _, asked = search(store(1, 0, {}), token="secret", tenant="team-a")
    assert asked[0].headers["authorization"] == "Bearer secret"
    assert asked[0].headers["x-scope-orgid"] == "team-a"


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, b"parse error at line 1", InputError, "can't read the query"),
        (401, b"", InputError, "refuses the credentials (401)"),
        (500, b"too many outstanding requests", DependencyError, "answered 500: too many"),
        (200, b"<html>", DependencyError, "HTML"),
        (200, b"", DependencyError, "nothing"),
        (200, b"[]", DependencyError, "no query result"),
        (200, success("matrix", []), DependencyError, "no query result"),
        (200, success("vector", None), DependencyError, "no query result"),
        (200, success("vector", [{}]), DependencyError, "no query result"),
        (200, success("vector", [{"value": [1, "x"]}]), DependencyError, "no query result"),
    ],
)
def test_what_is_no_measurement(status: int, body: bytes, kind: type[PromoteError], words: str) -> None:
    """It is said, and is no count."""
    with pytest.raises(kind) as caught:
        search(fixed(status=status, body=body))
    assert words in str(caught.value)
