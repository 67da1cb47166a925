"""A small HTTP client for short questions to services that may be slow, hostile or not what they seem.

Standard library, because a gate's own time counts (importing ``requests`` costs more than the call), and
because three things are needed that clients leave open: a deadline for the *whole* exchange, a limit on
the size of an answer, and credentials that never follow a redirect to another origin.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from promote_actions.adapters.http_proxy import proxy_for, proxy_headers
from promote_actions.errors import DependencyError, InputError, one_line

LIMIT = 8 * 1024 * 1024
"""Bytes of an answer that are read at most."""

REDIRECTS = (301, 302, 303, 307, 308)
HARMLESS = frozenset({"accept", "user-agent", "accept-language"})
"""Headers that may follow a redirect to another origin."""


@dataclass(frozen=True)
class Response:
    """An answer. ``headers`` have lower-case names, ``seconds`` is the time of the whole exchange."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


@dataclass(frozen=True)
class Tls:
    """How servers are verified, and who we are to them: files of PEM certificates and a key."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure: bool = False

    @lru_cache(maxsize=16)  # noqa: B019 - hashed by value, and there are few
    def context(self) -> ssl.SSLContext:
        """The TLS settings; raises :class:`InputError` that names the file that can't be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(f for f in (self.ca_file, self.cert_file, self.key_file) if f)
            raise InputError(
                f"cannot use the certificate files {files}: {error}", hint="give PEM files"
            ) from None
        if not self.ca_file and not context.get_ca_certs() and not os.environ.get("SSL_CERT_FILE"):
            _trust_bundled(context)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _trust_bundled(context: ssl.SSLContext) -> None:
    """Trust certifi's list where the system has none of its own (python.org's builds on macOS)."""
    try:
        import certifi
    except ModuleNotFoundError:
        return
    context.load_verify_locations(certifi.where())


@dataclass(frozen=True)
class HttpClient:
    """Asks ``what`` (how messages call the service). ``timeout`` is seconds for a whole exchange."""

    what: str
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: Tls = Tls()
    timeout: float = 10.0
    redirects: int = 5
    limit: int = LIMIT

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """The answer, whatever its status, after redirects.

        Raises :class:`DependencyError` when there is none in time, :class:`InputError` for an address
        that can't be asked.
        """
        clock = _Deadline(self.timeout)
        sent = {"User-Agent": "promote-actions", **self.headers, **(headers or {})}
        target = checked_url(url, self.what)
        for _ in range(self.redirects + 1):
            target, sent = _credentials_to_header(target, sent)
            response = self._exchange(method, target, _Sent(sent, body), clock)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location or not self.redirects:
                return response
            following = checked_url(_destination(target, location), self.what)
            if origin(following) != origin(target):
                sent = {name: value for name, value in sent.items() if name.lower() in HARMLESS}
            if response.status == 303 or (response.status in (301, 302) and method == "POST"):
                method, body = "GET", None
            target = following
        raise DependencyError(
            f"{self.what} redirects more than {self.redirects} times", hint="check the address"
        )

    def _exchange(self, method: str, url: str, sent: _Sent, clock: _Deadline) -> Response:
        connection, target = self._connection(urlsplit(url), clock)
        try:
            connection.request(method, target, body=sent.body, headers=dict(sent.headers))
            clock.limit(connection)
            with connection.getresponse() as answer:
                data = self._read(answer, connection, clock)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DependencyError(
                f"{self.what} at {shown(url)} did not answer: {_words(error)}",
                hint="check the address, the network and whether it runs",
            ) from None
        finally:
            connection.close()
        return Response(answer.status, _joined(answer.getheaders()), data, url, clock.passed)

    def _connection(self, parts: SplitResult, clock: _Deadline) -> tuple[http.client.HTTPConnection, str]:
        left = max(clock.left, 0.05)
        host, port = parts.hostname or "", parts.port
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        proxy = proxy_for(parts.scheme, parts.netloc)
        at, door = (proxy.hostname or "", proxy.port) if proxy else (host, port)
        if parts.scheme == "https":
            context = self.tls.context()
            secure = http.client.HTTPSConnection(at, door, timeout=left, context=context)
            if proxy:
                secure.set_tunnel(host, port or 443, headers=proxy_headers(proxy))
            return secure, target
        return http.client.HTTPConnection(at, door, timeout=left), urlunsplit(parts) if proxy else target

    def _read(
        self, answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, clock: _Deadline
    ) -> bytes:
        kept = bytearray()
        while True:
            clock.limit(connection)
            chunk = answer.read1(65536)
            if not chunk:
                if answer.length:
                    raise ValueError(f"its answer ended {answer.length} bytes too early")
                return bytes(kept)
            kept += chunk
            if len(kept) > self.limit:
                raise ValueError(f"its answer has more than {self.limit} bytes")


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; what comes on several lines is one list (RFC 9110, section 5.2)."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


@dataclass(frozen=True)
class _Sent:
    """What goes out with a request."""

    headers: Mapping[str, str]
    body: bytes | None


class _Deadline:
    """The time that one exchange may take, over all its parts."""

    def __init__(self, seconds: float) -> None:
        self._begin = time.monotonic()
        self._end = self._begin + seconds

    @property
    def left(self) -> float:
        return self._end - time.monotonic()

    @property
    def passed(self) -> float:
        return time.monotonic() - self._begin

    def limit(self, connection: http.client.HTTPConnection) -> None:
        """Let the next read wait no longer than the time that is left."""
        left = self.left
        if left <= 0:
            raise TimeoutError("timed out")
        if connection.sock is not None:
            connection.sock.settimeout(left)


def checked_url(url: str, what: str) -> str:
    """``url`` if it is an http(s) address with a host, its path made safe to send; else InputError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    unusable = port == 0 or not parts.netloc.isprintable() or " " in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.hostname or unusable:
        hint = "write it like https://host.example.com/path"
        raise InputError(f"the address of {what} is '{shown(url)}'", hint=hint)
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]")
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _destination(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what credentials belong to."""
    parts = urlsplit(url)
    return (
        parts.scheme,
        (parts.hostname or "").lower(),
        parts.port or (443 if parts.scheme == "https" else 80),
    )


def shown(url: str) -> str:
    """``url`` as a message may show it: one line, without credentials and query, not too long."""
    text = re.sub(r"(?<=//)[^/?#]*@", "", one_line(url))
    return re.split(r"[?#]", text, maxsplit=1)[0][:200]


def basic(user: str, password: str) -> str:
    """The value of an Authorization header for a user name and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _credentials_to_header(url: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, dict(headers)
    user, _, password = userinfo.partition(":")
    named = {"Authorization": basic(unquote(user), unquote(password)), **headers}
    return urlunsplit(parts._replace(netloc=host)), named


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, socket.gaierror):
        return "its name is unknown"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return one_line(text[:200])


def json_of(response: Response, what: str) -> Any:
    """The JSON in ``response``; raises :class:`DependencyError` that says what came instead."""
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        kind = (
            "nothing" if not response.body.strip() else "HTML" if b"<" in response.body[:200] else "no JSON"
        )
        raise DependencyError(
            f"{what} answered {response.status} with {kind} where JSON was expected",
            hint="is that its API's address, or a login page or a proxy in front of it?",
        ) from None
