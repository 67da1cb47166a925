"""A real bare GitOps repository with a history, for the matrix."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

NOW = datetime(2026, 2, 20, 12, 0, tzinfo=timezone.utc)
SUFFIXES = {"develop": "develop", "qa": "qa", "staging": "staging", "production": "prod"}


class GitOps:
    """A bare repository that is written commit by commit, at chosen times, by chosen people."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.path], check=True)
        self._stream: list[bytes] = []

    def commit(self, message: str, files: dict[str, str], *, ago: timedelta, who: str = "alice") -> None:
        """Add a commit; nothing is written before :meth:`close`."""
        seconds = int((NOW - ago).timestamp())
        person = f"{who} <{who.encode().hex()[:20]}@nexo.com> {seconds} +0000\n"
        lines = [b"commit refs/heads/main\n", f"author {person}committer {person}".encode()]
        lines.append(_data(message.encode()))
        for path, text in files.items():
            lines += [f"M 100644 inline {path}\n".encode(), _data(text.encode())]
        self._stream += lines

    def promote(
        self, service: str, environment: str, version: str, *, ago: timedelta, who: str = "alice"
    ) -> None:
        """Commit a version the way promotions do."""
        path = f"helm/{service}/values-{SUFFIXES[environment]}.yaml"
        subject = f"promote({service}): {environment} → {version}"
        self.commit(subject, {path: values(version)}, ago=ago, who=who)

    def close(self) -> str:
        """Write all commits; returns the repository's path."""
        command = ["git", "-C", self.path, "fast-import", "--quiet", "--force"]
        subprocess.run(command, input=b"".join(self._stream), check=True, env={**os.environ, "LC_ALL": "C"})
        return self.path


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def values(version: str) -> str:
    """A values file as people write them."""
    image = f'image:\n  repository: ghcr.io/nexo-org/x\n  tag: "{version}"  # moved\n'
    return f"# values\nreplicaCount: 2\n{image}"


def strategy(gitops: GitOps) -> str:
    """The strategy's dashboard: develop at 2026.02.17, production at 2026.01.45, 28 releases apart."""
    january = [f"2026.01.{build}" for build in range(40, 57)]
    february = [f"2026.02.{build}" for build in range(1, 18)]
    released = january + february
    for index, version in enumerate(released):
        gitops.promote(
            "nexo-be", "develop", version, ago=timedelta(hours=2 + 12 * (len(released) - 1 - index))
        )
    gitops.promote("nexo-be", "production", "2026.01.45", ago=timedelta(days=7))
    gitops.promote("nexo-be", "staging", "2026.02.10", ago=timedelta(days=2), who="bob")
    gitops.promote("nexo-be", "qa", "2026.02.15", ago=timedelta(hours=6))
    return gitops.close()
