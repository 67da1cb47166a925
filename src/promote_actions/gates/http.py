"""The check ``http``: smoke tests. Pure but for its source.

The strategy's two are the default: ``/health`` and ``/api/status`` under one base URL. Options:
``base-url``, ``paths``, ``method``, ``status`` (several), ``text`` (to be found in the body), ``json``
(``path=value``, several), ``headers`` (``Name: value``), ``max-latency``, ``retries`` (inside one
reading), ``request-timeout``, ``expect-version`` (a JSON path where the body names the version).

A service that can't be reached has failed its smoke test, as ``curl -f`` has it; a host name that
nobody knows is a mistake in the address and could not be measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from promote_actions.errors import InputError, one_line
from promote_actions.gates import jsonpath
from promote_actions.gates.model import Moment, Outcome, Reading
from promote_actions.gates.options import COMMON, OptionError, Options

KNOWN = (
    *COMMON, "base-url", "paths", "method", "status", "text", "json", "headers", "max-latency", "retries",
    "request-timeout", "expect-version",
)  # fmt: skip
_ADDRESS = re.compile(r"https?://[^/?#\s]")
DEFAULT_PATHS = ("/health", "/api/status")


@dataclass(frozen=True)
class Answer:
    """What came back. ``status`` 0 means nothing did: then ``error`` says why, and ``unknown_host`` is
    whether the address itself is wrong. ``seconds`` is the time until the whole body was there."""

    status: int
    body: bytes = b""
    seconds: float = 0.0
    error: str = ""
    unknown_host: bool = False


@dataclass(frozen=True)
class Request:
    """One question."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


Ask = Callable[[Request], Answer]


@dataclass(frozen=True)
class Settings:
    """What is asked and what is expected. Latency is in seconds, 0: no bound."""

    requests: tuple[Request, ...]
    statuses: tuple[int, ...] = (200,)
    text: str = ""
    json_equals: tuple[tuple[str, str], ...] = ()
    max_latency: float = 0.0
    retries: int = 2


def parse(options: Options, base_url: str, names: Mapping[str, str]) -> Settings:
    """The settings; ``names`` are the placeholders' values, ``version`` among them.

    Raises :class:`InputError` for an option that makes no sense.
    """
    base = place(options.text("base-url", base_url).rstrip("/"), names)
    paths = options.texts("paths", DEFAULT_PATHS)
    if not base and not all("://" in path for path in paths):
        raise InputError(f"check '{options.name}' has no address", hint="give base-url")
    headers = dict(_header(line, options) for line in options.texts("headers"))
    method = options.text("method", "GET").upper()
    if not method.isalpha():
        raise options.wrong("method", method[:20], "one word")
    urls = [place(path, names) if "://" in path else f"{base}/{path.lstrip('/')}" for path in paths]
    for path, url in zip(paths, urls, strict=True):
        if not _ADDRESS.match(url):
            message = f"check '{options.name}' asks '{one_line(url[:100])}', which is no address"
            hint = "write it like https://host.example.com/path"
            raise OptionError(message, key="paths" if "://" in path else "base-url", hint=hint)
    equals = [_equal(text, options) for text in options.texts("json")]
    named = options.text("expect-version")
    if named:
        with options.reading("expect-version"):
            jsonpath.steps(named, f"check '{options.name}'")
        equals.append((named, names.get("version", "")))
    return Settings(
        requests=tuple(Request(url, method, headers) for url in urls),
        statuses=tuple(_status(text, options) for text in options.texts("status", ("200",))),
        text=options.text("text"),
        json_equals=tuple(equals),
        max_latency=options.seconds("max-latency", 0.0),
        retries=options.whole("retries", 2),
    )


def place(address: str, names: Mapping[str, str]) -> str:
    """``address`` with ``{service}`` and the like replaced, each as one part of a path."""
    for name, value in names.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    return address


def _header(line: str, options: Options) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon or not key.strip().replace("-", "").replace("_", "").isalnum() or one_line(line) != line:
        message = f"a header of check '{options.name}' is no 'Name: value'"
        raise OptionError(message, key="headers", hint="write it like 'Accept: text/plain'")
    return key.strip(), value.strip()


def _equal(text: str, options: Options) -> tuple[str, str]:
    path, sign, value = text.partition("=")
    if not sign:
        raise options.wrong("json", text[:60], "a path and a value, such as status=ok")
    with options.reading("json"):
        jsonpath.steps(path.strip(), f"check '{options.name}'")
    return path.strip(), value.strip()


def _status(text: str, options: Options) -> int:
    if not text.isdigit() or not 100 <= int(text) <= 599:
        raise options.wrong("status", text[:20], "an HTTP status")
    return int(text)


class SmokeCheck:
    """Takes the readings; ``pause`` waits the given seconds between retries."""

    def __init__(self, settings: Settings, ask: Ask, pause: Callable[[float], None]) -> None:
        self._settings = settings
        self._ask = ask
        self._pause = pause

    def measure(self, moment: Moment) -> Reading:
        """Passed when every request is answered as expected; the value is the slowest one's seconds."""
        begins = datetime.now(timezone.utc)
        slowest = 0.0
        for request in self._settings.requests:
            answer, (outcome, reason) = self._try(request)
            slowest = max(slowest, answer.seconds)
            if outcome != "passed":
                return Reading(outcome, reason, moment.now, answer.seconds, begins)
        names = ", ".join(_path(request.url) for request in self._settings.requests)
        return Reading(
            "passed", f"{names} answered in {slowest * 1000:.0f} ms", moment.now, slowest, begins
        )

    def _try(self, request: Request) -> tuple[Answer, tuple[Outcome, str]]:
        for attempt in range(self._settings.retries + 1):
            if attempt:
                self._pause(0.25 * attempt)
            answer = self._ask(request)
            verdict = judge(self._settings, request, answer)
            if verdict[0] == "passed":
                break
        return answer, verdict


def judge(settings: Settings, request: Request, answer: Answer) -> tuple[Outcome, str]:
    """Outcome and reason of one answer."""
    path = _path(request.url)
    if not answer.status:
        return ("errored" if answer.unknown_host else "failed"), f"{path}: {answer.error}"
    if answer.status not in settings.statuses:
        wanted = " or ".join(map(str, settings.statuses))
        return "failed", f"{path} answered {answer.status}, wanted {wanted}"
    if settings.max_latency and answer.seconds > settings.max_latency:
        took, bound = answer.seconds * 1000, settings.max_latency * 1000
        return "failed", f"{path} took {took:.0f} ms, wanted at most {bound:.0f} ms"
    if settings.text and settings.text not in answer.body.decode("utf-8", errors="replace"):
        return "failed", f"{path}: the text '{one_line(settings.text[:60])}' is not in the body"
    for wanted_path, wanted in settings.json_equals:
        wrong = _json_differs(answer.body, wanted_path, wanted)
        if wrong:
            return "failed", f"{path}: {wrong}"
    return "passed", f"{path} answered {answer.status}"


def _json_differs(body: bytes, path: str, wanted: str) -> str:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "the body is " + ("empty" if not body.strip() else "no JSON")
    found = jsonpath.find(document, jsonpath.steps(path, "the check"))
    if found is jsonpath.MISSING:
        return f"the JSON has no '{path}'"
    text = jsonpath.as_text(found)
    return "" if text == wanted else f"{path} is '{one_line(text[:60])}', wanted '{wanted}'"


def _path(url: str) -> str:
    """What a person knows the request by: the path, without query."""
    rest = url.partition("://")[2]
    return "/" + rest.partition("/")[2].partition("?")[0]
