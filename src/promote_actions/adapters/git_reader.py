"""Reading many objects of a repository through one git process, started at the first question.

Starting git takes longer than what it is asked here: a promotion reads a handful of small files, in
several steps, and each step would be a process.
"""

from __future__ import annotations

import os
import re
import select
import time
from _thread import allocate_lock
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from weakref import finalize

from promote_actions.adapters.git_process import DEADLINE, Git
from promote_actions.errors import DependencyError

AT_ONCE = 16_384
"""Bytes of questions that are written before their answers are read: less than a pipe holds, so that
neither side ever waits for the other."""

FEW = 100
"""Questions for which a conversation is worth it: git hands over each answer alone there, so that for many
a process of their own, which need not, is several times faster."""

TREE, SUBMODULE = "40000", "160000"
"""Modes of what is no file."""

_SIGTERM = 15
_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{20})", re.DOTALL)
_ENTRY_SHA256 = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{32})", re.DOTALL)


@dataclass(frozen=True)
class Object:
    """One object: its id, what it is (``blob``, ``tree``, ``commit``, ``tag``) and its bytes."""

    sha: str
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree holds under a name: git's mode in octal (``100644``; :data:`TREE`) and the object."""

    mode: str
    sha: str


class ObjectReader:
    """Reads objects of the repository that ``git`` runs in. May be shared by threads."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lock = allocate_lock()
        self._process: _Process | None = None
        self._widest: tuple[str, Mapping[str, Entry]] = ("", {})
        """The tree with the most entries so far, by its id: a folder of a hundred thousand records is read
        in many portions."""

    def read(self, names: Sequence[str]) -> list[Object | None]:
        """The objects that ``names`` mean (``COMMIT:path``, an id, a ref), None for those there are not.

        Raises :class:`DependencyError` with git's words when it can't be read.
        """
        asked = [f"{name}\n".encode(errors="surrogateescape") for name in names]
        if len(asked) > FEW:
            answer = self._git.check("cat-file", "--batch", "--buffer", stdin=b"".join(asked))
            return _all_in(answer, len(asked))
        found: list[Object | None] = []
        with self._lock:
            for some in _portions(asked):
                found += self._ask(some)
        return found

    def entries(self, commit: str, paths: Iterable[str]) -> dict[str, Entry]:
        """What stands at each of ``paths`` in ``commit``, files and folders alike. No file is read."""
        wanted = {path: path.strip("/").split("/") for path in paths}
        found: dict[str, Entry] = {}
        level = {"": f"{commit}^{{tree}}"}
        for depth in range(max(map(len, wanted.values()), default=0)):
            inside = self._inside(level)
            level = {}
            for path, parts in wanted.items():
                here = inside.get("/".join(parts[:depth]), {}) if depth < len(parts) else {}
                entry = here.get(parts[depth]) if here else None
                if entry and depth == len(parts) - 1:
                    found[path] = entry
                elif entry and entry.mode == TREE:
                    level["/".join(parts[: depth + 1])] = entry.sha
        return found

    def _inside(self, trees: Mapping[str, str]) -> dict[str, Mapping[str, Entry]]:
        """The entries of each of ``trees`` (folder to id) that there is."""
        sha, entries = self._widest
        found = {folder: entries for folder, each in trees.items() if each == sha}
        others = [folder for folder in trees if folder not in found]
        for folder, tree in zip(others, self.read([trees[each] for each in others]), strict=True):
            if tree is None:
                continue
            found[folder] = entries_of(tree)
            if len(found[folder]) > len(self._widest[1]):
                self._widest = (tree.sha, found[folder])
        return found

    def _ask(self, asked: Sequence[bytes]) -> list[Object | None]:
        if self._process is None:
            self._process = _Process(self._git)
        try:
            return self._process.ask(asked)
        except TimeoutError:
            self._process = None
            raise DependencyError(
                f"git cat-file on {self._git.display} did not answer within {DEADLINE:g} s",
                hint="check the network and run again",
            ) from None
        except (EOFError, OSError):
            # It ended: a process of its own says why, or does it after all.
            self._process = None
            answer = self._git.check("cat-file", "--batch", stdin=b"".join(asked))
            return _all_in(answer, len(asked))


def entries_of(tree: Object) -> Mapping[str, Entry]:
    """The entries of a tree by name; nothing when it is no tree."""
    if tree.kind != "tree":
        return {}
    pattern = _ENTRY if len(tree.sha) == 40 else _ENTRY_SHA256
    return {
        os.fsdecode(name): Entry(mode.decode(), sha.hex()) for mode, name, sha in pattern.findall(tree.data)
    }


class _Process:
    """A running ``git cat-file --batch``; it ends when nobody refers to this any more."""

    def __init__(self, git: Git) -> None:
        child, self._into, self._out = git.converse("cat-file", "--batch")
        self._child = child
        finalize(self, _end, child, self._into, self._out)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN | select.POLLHUP)

    def ask(self, asked: Sequence[bytes]) -> list[Object | None]:
        question = b"".join(asked)
        while question:
            question = question[os.write(self._into, question) :]
        said = bytearray()
        answers: list[Object | None] = []
        position, end = 0, time.monotonic() + DEADLINE
        while True:
            while len(answers) < len(asked):
                parsed = _one_in(said, position)
                if parsed is None:
                    break
                answer, position = parsed
                answers.append(answer)
            if len(answers) == len(asked):
                return answers
            if not self._poll.poll(max(0.0, end - time.monotonic()) * 1000):
                raise TimeoutError
            chunk = os.read(self._out, 1 << 20)
            if not chunk:
                raise EOFError
            said += chunk


def _end(child: int, into: int, out: int) -> None:
    os.close(into)
    os.close(out)
    with suppress(OSError):
        os.kill(child, _SIGTERM)  # it only reads; and a fetch of its own may hang
        os.waitpid(child, 0)


def _one_in(said: bytes | bytearray, position: int) -> tuple[Object | None, int] | None:
    """The answer at ``position`` and where the next one begins, or None when it isn't all there."""
    end = said.find(b"\n", position)
    if end < 0:
        return None
    words = bytes(said[position:end]).split(b" ")
    if len(words) != 3 or words[2] in (b"missing", b"ambiguous"):
        return None, end + 1
    size = int(words[2])
    begin = end + 1
    if len(said) < begin + size + 1:
        return None
    return Object(words[0].decode(), words[1].decode(), bytes(said[begin : begin + size])), begin + size + 1


def _all_in(said: bytes, count: int) -> list[Object | None]:
    answers: list[Object | None] = []
    position = 0
    for _ in range(count):
        parsed = _one_in(said, position)
        if parsed is None:
            raise DependencyError("git cat-file said less than it was asked")
        answer, position = parsed
        answers.append(answer)
    return answers


def _portions(lines: Sequence[bytes]) -> Iterable[list[bytes]]:
    some: list[bytes] = []
    length = 0
    for line in lines:
        if some and length + len(line) > AT_ONCE:
            yield some
            some, length = [], 0
        some.append(line)
        length += len(line)
    if some:
        yield some
