"""Getting into a registry: its challenge, and a token from the server that the challenge names.

Rules: RFC 9110 section 11 (challenges), and the token specification of the distribution project
(https://distribution.github.io/distribution/spec/auth/token/, and /oauth/ for identity tokens). A
password leaves this machine over TLS only, or to this machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from promote_actions.adapters.http_client import Response, checked_url, json_of, shown
from promote_actions.adapters.registry_credentials import Credentials
from promote_actions.adapters.registry_http import Transport, is_loopback
from promote_actions.errors import DependencyError, InputError

CLIENT = "promote-actions"
HEADER_LIMIT = 8192

_PART = re.compile(
    r"(?P<key>[!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*"
    r"(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<plain>[^\s,\"]+))"
    r"|(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]+)"
)


@dataclass(frozen=True)
class Challenge:
    """How a server wants to be asked: ``scheme`` in lower case, and its parameters."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges in a ``WWW-Authenticate`` header.

    >>> challenges('Bearer realm="https://x/token",service="x"')[0].parameters["realm"]
    'https://x/token'
    """
    found: list[tuple[str, dict[str, str]]] = []
    for match in _PART.finditer(header[:HEADER_LIMIT]):
        if match["scheme"]:
            found.append((match["scheme"].lower(), {}))
        elif found:
            value = match["plain"] if match["quoted"] is None else re.sub(r"\\(.)", r"\1", match["quoted"])
            found[-1][1].setdefault(match["key"].lower(), value)
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)


@dataclass
class Authorizer:
    """Makes the Authorization header for ``host``, remembering tokens by scope.

    ``mask`` is told every secret that is received.
    """

    host: str
    transport: Transport
    credentials: Credentials | None = None
    mask: Callable[[str], None] = lambda _: None
    _tokens: dict[str, str] = field(default_factory=dict)
    _basic: str = ""

    def header(self, scope: str) -> Mapping[str, str]:
        """What to send for ``scope`` (``repository:name:pull``): nothing before the first challenge."""
        value = self._tokens.get(scope, self._basic)
        return {"Authorization": value} if value else {}

    def answer(self, www_authenticate: str, scope: str) -> None:
        """Do what the challenge asks for, so that :meth:`header` has an answer for ``scope``.

        Raises :class:`InputError` when the credentials are missing or refused.
        """
        offered = challenges(www_authenticate)
        bearer = next((each for each in offered if each.scheme == "bearer"), None)
        if bearer is not None and bearer.parameters.get("realm"):
            self._tokens[scope] = "Bearer " + self._token(bearer, scope)
            return
        if not any(each.scheme == "basic" for each in offered):
            schemes = ", ".join(each.scheme for each in offered)[:80] or "none"
            raise DependencyError(
                f"{self.host} wants an authentication that we don't know ({schemes})",
                hint="is this a container registry?",
            )
        if self.credentials is None or not self.credentials.password:
            raise self.refusal(scope)
        self._basic = self.credentials.basic

    def refusal(self, scope: str) -> InputError:
        """The error for a registry that doesn't let us do what ``scope`` says."""
        _, repository, actions = scope.split(":", 2)
        deed = "write to" if "push" in actions else "read"
        if self.credentials is None:
            return InputError(
                f"{self.host} lets nobody {deed} {repository} without credentials, or it does not exist",
                hint="log in to it, or set REGISTRY, REGISTRY_USERNAME and REGISTRY_PASSWORD",
            )
        need = "write" if "push" in actions else "read"
        return InputError(
            f"{self.host} does not let us {deed} {repository}, or it does not exist",
            hint=f"give the credentials {need} access to it (packages: {need} for ghcr.io)",
        )

    def _token(self, challenge: Challenge, scope: str) -> str:
        realm = checked_url(challenge.parameters["realm"], f"the token server of {self.host}")
        response = self._ask(
            realm, challenge.parameters.get("service", ""), challenge.parameters.get("scope") or scope
        )
        if response.status in (400, 401, 403):
            raise self.refusal(scope)
        what = f"the token server of {self.host}"
        if response.status != 200:
            raise DependencyError(f"{what} answered {response.status}", hint="run again later")
        document = json_of(response, what)
        found = (
            document.get("token") or document.get("access_token") if isinstance(document, dict) else None
        )
        if not isinstance(found, str) or not re.fullmatch(r"[\x21-\x7e]{1,65536}", found):
            raise DependencyError(f"{what} gave no token", hint="run again later")
        self.mask(found)
        return found

    def _ask(self, realm: str, service: str, scope: str) -> Response:
        asked = {key: value for key, value in (("service", service), ("scope", scope)) if value}
        if self.credentials is None:
            return self.transport.ask("GET", _with_query(realm, asked))
        self._check_safe(realm)
        if self.credentials.identity_token:
            form = asked | {
                "grant_type": "refresh_token",
                "client_id": CLIENT,
                "refresh_token": self.credentials.identity_token,
            }
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return self.transport.ask("POST", realm, kind, urlencode(form).encode())
        asked |= {"client_id": CLIENT, "account": self.credentials.user}
        return self.transport.ask(
            "GET", _with_query(realm, asked), {"Authorization": self.credentials.basic}
        )

    def _check_safe(self, realm: str) -> None:
        parts = urlsplit(realm)
        if parts.scheme == "https" or is_loopback(parts.netloc.rpartition("@")[2]):
            return
        raise InputError(
            f"{self.host} wants the password at {shown(realm)}, without TLS",
            hint="let its token server use https",
        )


def _with_query(url: str, asked: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}" if asked else url
