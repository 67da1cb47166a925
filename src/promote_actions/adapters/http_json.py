"""A JSON API over HTTP with the standard library: retries, rate limits, and nothing of the token shown.

Built on :class:`~promote_actions.adapters.http_client.HttpClient`, which bounds the time and size of an
exchange and drops credentials on a redirect to another origin.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from promote_actions.adapters.http_client import HttpClient, Response, json_of, origin
from promote_actions.errors import DependencyError, InputError, one_line

PATIENCE = 180.0
"""Seconds that retries of one call may take together, rate limits included."""

LONGEST_BACKOFF = 20.0
MOST_PAGES = 100


@dataclass(frozen=True)
class Answer:
    """What the API said: the JSON in ``data`` (None for an empty body); header names are lower case."""

    status: int
    data: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The API's own words about a failure, on one line."""
        found = self.data.get("message") if isinstance(self.data, dict) else None
        return one_line(str(found)[:300]) if found else f"status {self.status}"


@dataclass(frozen=True)
class JsonApi:
    """The API at ``base`` (no slash at the end), called ``what`` in messages.

    ``timeout`` is seconds for one exchange, ``attempts`` how often one call is tried.
    """

    what: str
    base: str
    token: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 30.0
    attempts: int = 5
    pause: Callable[[float], None] = time.sleep

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """The answer to ``METHOD base/path``, whatever its status below 500.

        Tried again after no answer, a broken one, 5xx, and a rate limit (429, or 403 that says so), so a
        call must bear being made twice. Raises :class:`DependencyError` when no try succeeds and
        :class:`InputError` when the token is refused.
        """
        url = path if "://" in path else f"{self.base}/{path.lstrip('/')}"
        if origin(url) != origin(self.base):
            raise DependencyError(f"{self.what} points to another server", hint="check the API's address")
        began, failure = time.monotonic(), DependencyError(f"{self.what} was not asked")
        for attempt in range(1, self.attempts + 1):
            wait = backoff(attempt)
            try:
                response = self._send(method, url, body)
                limited = limited_for(response, time.time())
                if response.status < 500 and limited is None:
                    return self._answer(response)
                failure = self._busy(response, limited)
                wait = max(wait, limited or 0.0)
            except DependencyError as error:
                failure = error
            if attempt == self.attempts or time.monotonic() - began + wait > PATIENCE:
                break
            self.pause(wait)
        raise failure

    def pages(self, path: str) -> Iterator[Any]:
        """The items of a list, page after page as the ``Link`` header says; raises as :meth:`call`.

        Yields each page's :class:`Answer`. A page that is no success is the last one.
        """
        for _ in range(MOST_PAGES):
            answer = self.call("GET", path)
            yield answer
            following = re.search(r'<([^>]+)>;\s*rel="next"', answer.headers.get("link", ""))
            if answer.status != 200 or not following:
                return
            path = urljoin(f"{self.base}/", following[1])
        raise DependencyError(
            f"{self.what} has more than {MOST_PAGES} pages", hint="narrow what is asked for"
        )

    def _send(self, method: str, url: str, body: object) -> Response:
        headers = {"Accept": "application/json", **self.headers}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            import json

            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return HttpClient(self.what, timeout=self.timeout).request(method, url, headers, data)

    def _answer(self, response: Response) -> Answer:
        if response.status == 401:
            raise InputError(
                f"{self.what} refuses the token (401)", hint="pass one that is valid and not expired"
            )
        if not response.body.strip() and response.status in (204, 304):
            return Answer(response.status, None, response.headers)
        try:
            return Answer(response.status, json_of(response, self.what), response.headers)
        except DependencyError:
            if response.status < 400:
                raise
            return Answer(response.status, None, response.headers)

    def _busy(self, response: Response, limited: float | None) -> DependencyError:
        if limited is None:
            return DependencyError(
                f"{self.what} failed with status {response.status}, {self.attempts} times",
                hint="see its status page and run again",
            )
        return DependencyError(
            f"{self.what} limits the rate of calls for another {limited:.0f} s",
            hint="run again then, or use a token of its own for this job",
        )


def limited_for(response: Response, now: float) -> float | None:
    """Seconds to wait before the next call when ``response`` is a rate limit; None when it isn't one.

    GitHub: "Rate limits for the REST API", sections on exceeding primary and secondary limits.
    """
    if response.status not in (403, 429):
        return None
    after = response.headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,6}", after):
        return float(after)
    reset = response.headers.get("x-ratelimit-reset", "")
    if response.headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"[0-9]{1,12}", reset):
        return max(1.0, float(reset) - now + 1.0)
    if response.status == 429 or b"secondary rate limit" in response.body[:2000].lower():
        return 5.0
    return None


def backoff(attempt: int) -> float:
    """Seconds before try number ``attempt`` + 1: half fixed, half random, doubling."""
    share = 0.5 + int.from_bytes(os.urandom(4), "big") / 2**33
    return share * min(LONGEST_BACKOFF, 0.5 * float(2**attempt))
