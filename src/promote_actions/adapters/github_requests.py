"""What every part of a GitHub repository's forge side shares: its name, and requests below its address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from promote_actions.adapters.github_api import GitHubApi
from promote_actions.adapters.github_errors import Answer
from promote_actions.adapters.github_names import repository_path

T = TypeVar("T")


class Requests:
    """Requests about one repository. ``name`` is asked for when it is first needed."""

    def __init__(self, api: GitHubApi, name: Callable[[], str]) -> None:
        self.api = api
        self._name = name

    @property
    def name(self) -> str:
        return self._name()

    def _get(self, rest: str, doing: str, **more: Any) -> Answer:
        path = f"{repository_path(self.name)}/{rest}"
        return self.api.ask("GET", path, doing=doing, repository=self.name, **more)

    def _pages(self, rest: str, extract: Callable[[Any], T], doing: str, **more: Any) -> Iterator[T]:
        path = f"{repository_path(self.name)}/{rest}"
        return self.api.pages(path, extract, doing=doing, repository=self.name, **more)

    def _send(  # noqa: PLR0917 - method, path, body, purpose is the order in which one says it
        self,
        method: str,
        rest: str,
        body: object,
        doing: str,
        accept: tuple[int, ...] = (),
        settle: Callable[[], Answer | None] | None = None,
    ) -> Answer:
        path = f"{repository_path(self.name)}/{rest}"
        return self.api.ask(
            method, path, body=body, accept=accept, doing=doing, repository=self.name, settle=settle
        )
