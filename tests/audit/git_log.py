"""A real bare repository with an audit log in it, written commit by commit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from promote_actions.audit.log import seal
from promote_actions.audit.record import Record, format_time
from promote_actions.config.model import Config
from tests.audit.memory_repository import MemorySnapshot

START = datetime(2026, 1, 1, 10, 0, tzinfo=timezone.utc)


class GitLog:
    """Commits of files (None removes one) with times, made with ``git fast-import``."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.path], check=True)
        self.files: dict[str, bytes] = {}
        self._stream: list[bytes] = []
        self._marks = 0
        self._branches: set[str] = set()
        self._written: set[str] = set()

    def commit(
        self,
        files: Mapping[str, bytes | None],
        when: datetime,
        *,
        branch: str = "main",
        parents: tuple[int, ...] = (),
    ) -> int:
        """Add a commit and return its mark; ``parents`` are marks, by default the branch's last one."""
        self._marks += 1
        who = f"Alice <alice@nexo.com> {int(when.timestamp())} +0000"
        lines = [
            f"commit refs/heads/{branch}\nmark :{self._marks}\nauthor {who}\ncommitter {who}\ndata 1\nx\n"
        ]
        if branch in self._written and not parents:
            lines.append(f"from refs/heads/{branch}^0\n")
            self._written.remove(branch)
        self._branches.add(branch)
        for index, parent in enumerate(parents):
            lines.append(f"{'merge' if index else 'from'} :{parent}\n")
        data = ["".join(lines).encode()]
        for path, content in files.items():
            if content is None:
                data.append(f"D {path}\n".encode())
                self.files.pop(path, None)
            else:
                data.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
                self.files[path] = content
        self._stream += data
        return self._marks

    def record(self, record: Record, when: datetime | None = None) -> str:
        """Append a record in a commit of its own; returns its path."""
        snapshot = MemorySnapshot(self.files, "0" * 40)
        made = seal(snapshot, Config(), [record], str(self._marks), "1")[0].change
        self.commit(
            {made.path: made.content}, when or datetime.fromisoformat(record.timestamp[:-1] + "+00:00")
        )
        return made.path

    def promotions(self, count: int, service: str = "nexo-be", start: datetime = START) -> list[str]:
        """``count`` promotions of a service, twelve hours apart."""
        template = Record(
            "promotion", service, "2026.01.1", "staging", "production", "", "alice", outcome="success"
        )
        paths = []
        for number in range(count):
            moment = format_time(start + timedelta(hours=12 * number))
            paths.append(self.record(replace(template, version=f"2026.01.{number + 1}", timestamp=moment)))
        return paths

    def close(self) -> str:
        """Write all commits; returns the repository's path."""
        command = ["git", "-C", self.path, "fast-import", "--quiet", "--force"]
        subprocess.run(command, input=b"".join(self._stream), check=True, env={**os.environ, "LC_ALL": "C"})
        self._stream = []
        self._written = set(self._branches)
        return self.path
