"""GitHub's API, one request at a time, with PyGithub as the transport. Thin, and never deciding.

What PyGithub leaves open is done here: which faults are tried again, how long a rate limit may make us
wait, answers that are cut off or no JSON, and a count of the requests. PyGithub's own pacing (a quarter
of a second between requests, one between writes) is off: a promotion makes fewer than ten. The API's
address is ``GITHUB_API_URL`` (GitHub Enterprise Server too). For slow or fast networks there are
``PROMOTE_ACTIONS_API_TIMEOUT`` (whole seconds for an answer, 20) and ``PROMOTE_ACTIONS_API_PAUSE`` (seconds
before the second try, doubled for each more, 0.5).
Limits: "Best practices for using the REST API", "Rate limits for the REST API".
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from promote_actions import __version__
from promote_actions.adapters.github_errors import Answer, explain
from promote_actions.errors import DependencyError, InputError, PromoteError

if TYPE_CHECKING:
    from github.Requester import Requester

DEFAULT_URL = "https://api.github.com"
API_VERSION = "2022-11-28"
PAGE_LIMIT = 1000
"""Pages of a list that are read at most."""

_NEXT = re.compile(r'<([^>]*)>; rel="next"')


T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long to wait: seconds for one answer, tries, first pause, and for a rate limit at most."""

    timeout: int = 20
    tries: int = 5
    pause: float = 0.5
    rate_limit: float = 90.0

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Patience:
        """The patience that the environment asks for; raises :class:`InputError` for nonsense."""
        timeout = _seconds(env, "PROMOTE_ACTIONS_API_TIMEOUT", cls.timeout)
        return cls(
            timeout=max(1, round(timeout)), pause=_seconds(env, "PROMOTE_ACTIONS_API_PAUSE", cls.pause)
        )


def _seconds(env: Mapping[str, str], variable: str, default: float) -> float:
    given = env.get(variable) or str(default)
    if not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", given):
        raise InputError(f"{variable} is '{given[:40]}'", hint="give seconds, such as 20 or 0.5")
    return float(given)


class _Fault(Exception):
    """The request may or may not have been carried out: its answer never came, or is no answer."""


class GitHubApi:
    """Requests to one GitHub with one token. ``calls`` counts them."""

    def __init__(
        self,
        token: str,
        env: Mapping[str, str],
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = (env.get("GITHUB_API_URL") or DEFAULT_URL).rstrip("/")
        self.patience = patience or Patience.of(env)
        self.calls = 0
        self._token = token
        self._sleep = sleep
        self._lock = threading.Lock()
        self._requester: Requester | None = None
        self._has_graphql = True
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise InputError(
                "GITHUB_API_URL is not an http(s) address without credentials",
                hint="leave it empty for github.com, or give https://HOST/api/v3",
            )

    # -- asking ------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        accept: Iterable[int] = (),
        doing: str = "do this",
        repository: str = "",
        settle: Callable[[], Answer | None] | None = None,
    ) -> Answer:
        """GitHub's answer to ``method path``: a success, or one of the statuses in ``accept``.

        Any other answer is raised as the error that it means. A request whose fate is unknown (no answer,
        half an answer, 5xx) is made again; where that could do a thing twice, ``settle`` looks whether it
        was done, and returns the answer to use, or None when it was not.
        """
        waited, fault, repeated = 0.0, "", False
        for attempt in range(self.patience.tries):
            try:
                answer = self._once(method, path, query or {}, body)
            except _Fault as error:
                settled = settle() if settle else None
                if settled is not None:
                    return settled
                fault, repeated = str(error), True
                pause = self.patience.pause * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
            else:
                limited = _rate_pause(answer)
                if limited is None:
                    if answer.ok or answer.status in set(accept):
                        return replace(answer, repeated=repeated)
                    raise explain(answer, doing, repository or self.host)
                waited += limited
                if waited > self.patience.rate_limit:
                    raise _rate_limited(answer, limited)
                pause, fault = limited, f"the rate limit ({answer.message})"
            if attempt + 1 < self.patience.tries:
                self._sleep(pause)
        raise DependencyError(
            f"GitHub did not {doing} in {self.patience.tries} tries: {fault}",
            hint="see githubstatus.com and run again: a second run finds what the first one did",
        )

    def pages(
        self,
        path: str,
        extract: Callable[[Any], T],
        *,
        query: Mapping[str, object] | None = None,
        key: str = "",
        limit: int = 0,
        paged: bool = True,
        **more: Any,
    ) -> Iterator[T]:
        """What ``extract`` takes from each entry of a list (in an object under ``key``), ``limit`` at most.

        A list that is not documented to be ``paged`` isn't asked for pages, but they are followed.
        """
        asked = {**(query or {}), **({"per_page": min(limit or 100, 100)} if paged else {})}
        seen = 0
        for _ in range(PAGE_LIMIT):
            answer = self.ask("GET", path, query=asked, **more)
            rows = answer.read(lambda data: [extract(row) for row in _list(data[key] if key else data)])
            for row in rows:
                yield row
                seen += 1
                if seen == limit:
                    return
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            asked = dict(parse_qsl(urlsplit(following[1]).query))

    def graphql(self, query: str, variables: Mapping[str, object]) -> dict[str, Any] | None:
        """The data that a GraphQL query gives, or None when there is an error in it, or no GraphQL."""
        if not self._has_graphql:
            return None
        body = {"query": query, "variables": variables}
        data: Any = None
        with contextlib.suppress(PromoteError):
            data = self.ask("POST", self._graphql_path, body=body, doing="answer a query").data
        if not isinstance(data, dict) or data.get("errors") or not isinstance(data.get("data"), dict):
            self._has_graphql = False
            return None
        found: dict[str, Any] = data["data"]
        return found

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    @property
    def web_url(self) -> str:
        """Where people see this GitHub's pages."""
        if self.url == DEFAULT_URL:
            return "https://github.com"
        return self.url.removesuffix("/api/v3")

    # -- one request -------------------------------------------------------------------------

    def _once(self, method: str, path: str, query: Mapping[str, object], body: object) -> Answer:
        import requests

        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION}
        parameters = {name: str(value) for name, value in query.items()}
        with self._lock:
            self.calls += 1
            try:
                status, got, text = self._transport().requestJson(method, path, parameters, headers, body)
            except (requests.exceptions.RequestException, OSError, ValueError) as error:
                raise _Fault(_reason(error)) from None
            except (RuntimeError, AssertionError) as error:
                raise InputError(
                    f"GitHub sent us elsewhere: {str(error)[:200]}", hint="check GITHUB_API_URL"
                ) from None
        return self._read(method, path, status, got, text)

    def _read(self, method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> Answer:
        try:
            data = json.loads(text) if text else None
        except ValueError:
            if status < 500:
                page = "a page, which is not GitHub's API (see GITHUB_API_URL and the proxy)"
                what = page if text.lstrip().startswith("<") else "a body that is no JSON"
                raise _Fault(f"{status} with {what}") from None
            data = None
        if status >= 500:
            raise _Fault(f"{status} from the server")
        return Answer(method, path, status, headers, data)

    def _transport(self) -> Requester:
        if self._requester is None:
            import github

            self._requester = github.Github(
                auth=github.Auth.Token(self._token) if self._token else None,
                base_url=self.url,
                timeout=self.patience.timeout,
                user_agent=f"promote-actions/{__version__}",
                retry=None,
                seconds_between_requests=0,
                seconds_between_writes=0,
            ).requester
        return self._requester

    @property
    def _graphql_path(self) -> str:
        """Absolute, because it isn't below the REST root on GitHub Enterprise Server."""
        return self.url.removesuffix("/v3") + "/graphql"


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError
    return data


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the answer was cut off"
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS certificate could not be verified"
    if not isinstance(error, OSError):
        return "the answer could not be read"
    return "the connection broke or was refused"


def _rate_pause(answer: Answer) -> float | None:
    """Seconds to wait before asking again when ``answer`` is a rate limit; None when it is none."""
    if answer.status not in (403, 429):
        return None
    said = answer.message.lower()
    after = answer.headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    if answer.headers.get("x-ratelimit-remaining") == "0" and "rate limit" in said:
        reset = answer.headers.get("x-ratelimit-reset", "")
        return max(float(reset) - time.time(), 0) + 1 if reset.isdigit() else 60.0
    return 60.0 if "secondary rate limit" in said or answer.status == 429 else None


def _rate_limited(answer: Answer, pause: float) -> DependencyError:
    until = datetime.fromtimestamp(time.time() + pause, timezone.utc)
    return DependencyError(
        f"GitHub's rate limit is used up until {until:%H:%M:%S} UTC ({answer.message})",
        hint="run again then, or use an App's token, which has a limit of its own",
    )
