"""Asking a registry over HTTP: patience with it, and care where its answers lead.

Retries what may heal (no answer, 429, 5xx) a few times within a budget, waits as long as it is told to,
and follows redirects of readings only, never from https to plain http and never with credentials to
another origin.
"""

from __future__ import annotations

import ipaddress
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from promote_actions.adapters.http_client import (
    REDIRECTS,
    HttpClient,
    Response,
    Tls,
    checked_url,
    origin,
    shown,
)
from promote_actions.errors import DependencyError, InputError, one_line

TRIES = 4
BUDGET = 60.0
"""Seconds that one question may take, with all its retries."""

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
"""Seconds; the wait before a retry is drawn at random from the upper half of a doubling range."""

ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer at most: the size of a manifest that registries must take (OCI distribution spec)."""

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS_FOLLOWED = 3


@dataclass
class Clock:
    """Time, waiting and chance, replaced in tests."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class Transport:
    """Questions to ``what`` (how messages call it)."""

    what: str
    tls: Tls = field(default_factory=Tls)
    timeout: float = 15.0
    clock: Clock = field(default_factory=Clock)

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Response:
        """The answer, whatever it is, once it is not one of :data:`TRANSIENT`.

        Raises :class:`DependencyError` when there is none within the tries and the budget. All
        methods that are used here may be repeated.
        """
        end = self.clock.now() + BUDGET
        for attempt in range(TRIES):
            wait: float | None = None
            try:
                response = self._follow(method, url, headers or {}, body)
            except DependencyError as error:
                failure = error
            else:
                if response.status not in TRANSIENT:
                    return response
                wait = retry_after(response.headers.get("retry-after", ""))
                failure = self._failure(response, wait)
            if wait is None:
                wait = self._backoff(attempt)
            if attempt == TRIES - 1 or self.clock.now() + wait > end:
                raise failure
            self.clock.sleep(wait)
        raise AssertionError("unreachable")

    def _backoff(self, attempt: int) -> float:
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0**attempt)
        return longest * (0.5 + self.clock.chance() / 2)

    def _failure(self, response: Response, wait: float | None) -> DependencyError:
        asked = f" and asks to wait {wait:.0f} s" if wait else ""
        if response.status == 429:
            hint = "log in for a higher limit, or run again later"
            return DependencyError(f"{self.what} limits our requests (429){asked}", hint=hint)
        return DependencyError(f"{self.what} answered {response.status}{asked}", hint="run again later")

    def _follow(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        client = HttpClient(self.what, tls=self.tls, timeout=self.timeout, redirects=0, limit=ANSWER_LIMIT)
        sent = dict(headers)
        for _ in range(_REDIRECTS_FOLLOWED + 1):
            response = client.request(method, url, sent, body)
            location = response.headers.get("location", "")
            if response.status not in REDIRECTS or method not in ("GET", "HEAD") or not location:
                return response
            following = self._destination(url, location)
            if urlsplit(url).scheme == "https" and urlsplit(following).scheme != "https":
                raise DependencyError(
                    f"{self.what} redirects to {shown(following)}, without TLS",
                    hint="check the registry's address",
                )
            if origin(following) != origin(url):
                sent.pop("Authorization", None)
            url = following
        raise DependencyError(f"{self.what} redirects too often", hint="check the registry's address")

    def _destination(self, url: str, location: str) -> str:
        try:
            return checked_url(urljoin(url, location), self.what)
        except (ValueError, InputError):
            raise DependencyError(
                f"{self.what} redirects to '{one_line(location[:100])}'",
                hint="check the registry's address",
            ) from None


def retry_after(value: str) -> float | None:
    """Seconds that a ``Retry-After`` header asks for: a number or a date; None when it says neither."""
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) < 8:
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return max(0.0, (when - datetime.now(timezone.utc)).total_seconds())


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or address, with or without port) is this machine."""
    name = (urlsplit(f"//{host}").hostname or "") if host.count(":") < 2 or "[" in host else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
