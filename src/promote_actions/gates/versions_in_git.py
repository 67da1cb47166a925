"""Which version the GitOps repository names for one service and environment, commit by commit. Pure but
for the repository, which is handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.config.model import Config
from promote_actions.errors import InputError, PromoteError
from promote_actions.gates.argocd_judge import GitView
from promote_actions.promotion.values import read_scalar

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass
class VersionsInGit:
    """The values file of ``service`` in ``environment``, read at any commit; readings are kept, since a
    commit doesn't change. ``branch`` empty is the default branch."""

    repository: GitOpsRepository
    config: Config
    service: str
    environment: str
    branch: str = ""
    _known: dict[str, str | None] = field(default_factory=dict)
    _contains: dict[tuple[str, str], bool | None] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the values file may be, in the order in which it is looked for."""
        environment = self.config.environment(self.environment)
        values = self.config.values
        return tuple(values.file(self.service, suffix, environment.name) for suffix in environment.suffixes)

    def head(self) -> str:
        """The commit at the head of the branch, now."""
        return self.repository.snapshot(self.branch).commit

    def at(self, revision: str) -> str | None:
        """The version named at ``revision``: empty when the file names none there, None when the
        repository doesn't know the revision (a chart's version, a branch's name, another repository)."""
        if not _SHA.fullmatch(revision):
            return None
        if revision not in self._known:
            self._known[revision] = self._read(revision)
        return self._known[revision]

    def _read(self, revision: str) -> str | None:
        image = self.config.service(self.service).image
        images = (image,) if image else ()
        try:
            for path in self.paths:
                data = self.repository.read_at(revision, path)
                if data is not None:
                    return read_scalar(data, self.config.values.of(self.service).image_tag[0], path, images)
            is_known = self.repository.is_ancestor(revision, self.head()) is not None
        except InputError:
            return ""
        except PromoteError:
            return None
        return "" if is_known else None

    def view(self, revisions: Iterable[str], ours: str = "") -> GitView:
        """What git says about ``revisions`` and the branch's head; ``ours`` is the promotion's commit."""
        head = self.head()
        asked = dict.fromkeys([head, *revisions])
        versions = {revision: named for revision in asked if (named := self.at(revision)) is not None}
        contains: dict[str, bool] = {}
        for revision in versions if ours else ():
            found = self._holds(ours, revision)
            if found is not None:
                contains[revision] = found
        return GitView(head, versions, contains)

    def _holds(self, older: str, newer: str) -> bool | None:
        if older == newer:
            return True
        if (older, newer) not in self._contains:
            self._contains[older, newer] = self.repository.is_ancestor(older, newer)
        return self._contains[older, newer]

    def named_since(self, version: str, limit: int = 200) -> tuple[datetime, str] | None:
        """When, and in which commit, the branch began to name ``version`` without a break until now;
        None when it doesn't name it now."""
        found: tuple[datetime, str] | None = None
        head = self.head()
        if self.at(head) != version:
            return None
        for path in self.paths:
            for commit in self.repository.history(path, head, limit):
                if self.at(commit.sha) != version:
                    return found
                found = (commit.committed_at, commit.sha)
            if found:
                return found
        return found
