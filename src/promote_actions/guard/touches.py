"""What a pull request does to values files, by their content before and after. Pure.

Its title, branch and text are claims and are not read: a promotion by any other name is one as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError
from promote_actions.matrix.files import choose_services
from promote_actions.promotion.gather import live
from promote_actions.promotion.model import Live
from promote_actions.promotion.policy import is_downgrade


@dataclass(frozen=True)
class Place:
    """A values file: whose it is, where it counts, and its path."""

    service: str
    environment: Environment
    path: str


@dataclass(frozen=True)
class Touch:
    """A values file that is changed: what it says before and after; None: there is no file."""

    place: Place
    before: Live | None
    after: Live | None

    @property
    def promotes(self) -> bool:
        """Whether another image would run: another version, or another digest of the same."""
        if self.after is None:
            return False
        old = self.before
        return old is None or (old.version, old.digest) != (self.after.version, self.after.digest)

    @property
    def version(self) -> str:
        return self.after.version if self.after else ""

    @property
    def previous(self) -> str:
        return self.before.version if self.before else ""

    @property
    def goes_back(self) -> bool:
        """Whether the version is older than the one that it replaces."""
        return self.promotes and bool(self.previous) and is_downgrade(self.previous, self.version)


def places(config: Config, paths: Iterable[str]) -> list[Place]:
    """Which of ``paths`` are values files, and whose; a file that services share counts for each."""
    changed = list(dict.fromkeys(paths))
    try:
        services = choose_services(config, changed)
    except InputError:
        return []
    by_path: dict[str, dict[tuple[str, str], Place]] = {}
    for service in services:
        for environment in config.environments:
            for suffix in environment.suffixes:
                path = config.values.file(service, suffix, environment.name)
                by_path.setdefault(path, {})[service, environment.name] = Place(service, environment, path)
    return [place for path in changed for place in by_path.get(path, {}).values()]


def touch(config: Config, place: Place, before: bytes | None, after: bytes | None) -> Touch:
    """What happens at ``place``. Raises :class:`InputError` when the new content can't be read; an old
    content that can't be read counts as none."""
    try:
        old = _read(config, place, before)
    except InputError:
        old = None
    return Touch(place, old, _read(config, place, after))


def _read(config: Config, place: Place, content: bytes | None) -> Live | None:
    if content is None:
        return None
    service = config.service(place.service)
    return live({place.path: content}, config, service, place.environment)


def as_json(touched: Touch, config: Config) -> Mapping[str, str]:
    """A promotion as later steps read it."""
    environment = touched.place.environment
    source = config.source_of(environment)
    return {
        "service": touched.place.service,
        "from": source.name if source else "",
        "to": environment.name,
        "version": touched.version,
        "previous-version": touched.previous,
    }
