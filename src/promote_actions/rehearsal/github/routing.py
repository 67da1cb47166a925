"""Requests, answers and routes of the emulator. Templates are those of GitHub's API description."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from promote_actions.rehearsal.github.state import Repository, User, World

DOCS = "https://docs.github.com/rest"
_DEEP = {"ref", "path", "basehead", "branch"}
"""Path parameters that may hold slashes."""


class ApiError(Exception):
    """An answer that is a refusal: status, message, and GitHub's ``errors`` list."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, object] = {
            "message": message,
            "documentation_url": DOCS,
            "status": str(status),
        }
        if errors is not None:
            self.body["errors"] = list(errors)


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def invalid(resource: str, field_name: str, code: str = "invalid", message: str = "") -> ApiError:
    """GitHub's "Validation Failed", with one entry in ``errors``."""
    entry = {"resource": resource, "field": field_name, "code": code}
    if message:
        entry = {"resource": resource, "code": "custom", "message": message}
    return ApiError(422, "Validation Failed", [entry])


@dataclass(frozen=True)
class Reply:
    """An answer. ``paged`` answers hold the whole list (or it is under ``key``); the server cuts it."""

    body: Any = None
    status: int = 200
    paged: bool = False
    key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to a handler."""

    world: World
    user: User
    base_url: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    accept: str = ""
    repository: Repository | None = None

    @property
    def repo(self) -> Repository:
        if self.repository is None:
            raise not_found()
        return self.repository

    def url(self, *parts: object) -> str:
        """An absolute address under this repository's API address."""
        return self.address("repos", self.repo.name, *parts)

    def address(self, *parts: object) -> str:
        return "/".join([self.base_url, *(quote(str(part), safe="/") for part in parts)])

    def web(self, *parts: object) -> str:
        return self.address(self.repo.name, *parts)

    def field(self, name: str, kind: type = str, default: Any = None, required: bool = False) -> Any:
        """A field of the JSON body, checked for its type as GitHub checks it."""
        body = self.body if isinstance(self.body, dict) else {}
        value = body.get(name)
        if value is None:
            if required:
                raise ApiError(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
            return default
        if not isinstance(value, kind):
            raise ApiError(
                422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not a {kind.__name__}."
            )
        return value


Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Route:
    """``permission`` is what the token needs (``contents:write``), ``role`` what its owner must be."""

    method: str
    template: str
    handler: Handler
    permission: str = ""
    role: str = "read"

    @property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", self.template)
        text = ""
        for index, part in enumerate(parts):
            text += (
                re.escape(part) if index % 2 == 0 else f"(?P<{part}>{'.+' if part in _DEEP else '[^/]+'})"
            )
        return re.compile(text)


class Router:
    """Finds the route of a request; routes with more fixed text are tried first."""

    def __init__(self, routes: Sequence[Route]) -> None:
        ordered = sorted(routes, key=lambda route: -len(re.sub(r"\{\w+\}", "", route.template)))
        self._routes = [(route, route.pattern) for route in ordered]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a raw (still percent-encoded) path and its decoded parameters."""
        for route, pattern in self._routes:
            found = pattern.fullmatch(path) if route.method == method else None
            if found:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return None
