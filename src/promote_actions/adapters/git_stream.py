"""Reading what is too long to hold: a folder of 100,000 files, a history of 100,000 commits.

Memory stays the same however long the output is; a watchdog ends a git that hangs.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from weakref import finalize

from promote_actions.adapters.git import current_branch, is_url, open_path
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.repositories import is_github_slug
from promote_actions.errors import DependencyError, InputError

DEADLINE = 1800.0
"""Seconds that one long-running git command may take."""

BATCH = 400
"""Contents asked of git before any is read: few enough for the pipes of any system."""

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Copy:
    """A repository on this machine with its whole history at ``commit``, unless it is ``shallow``."""

    git: Git
    commit: str
    shallow: bool

    def names(self, folder: str) -> Iterator[str]:
        """The paths of all files under ``folder``, in git's order."""
        return (path for _, path in self._entries(folder))

    def files(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of every regular file under ``folder``, in git's order."""
        with _running(self.git, "cat-file", "--batch") as reader:
            entries = self._entries(folder)
            while batch := list(islice(entries, BATCH)):
                yield from _read_batch(reader, batch)

    def some(self, paths: list[str]) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of those of ``paths`` that there are, in the order given."""
        with _running(self.git, "cat-file", "--batch") as reader:
            remaining = iter(paths)
            while batch := list(islice(remaining, BATCH // 4)):
                yield from _read_batch(reader, [(f"{self.commit}:{path}", path) for path in batch])

    def log(self, *arguments: str, since: str = "") -> Iterator[bytes]:
        """What ``git log -z ARGUMENTS`` prints, piece by piece between its NULs, from ``commit`` on.

        ``since`` leaves out that commit and all before it.
        """
        span = [self.commit, *([f"^{since}"] if since else [])]
        options, marker, paths = _split(arguments)
        with _running(self.git, "log", "-z", *options, *span, marker, *paths) as process:
            yield from _pieces(process)

    def first_content(self, path: str) -> bytes | None:
        """The bytes with which the file at ``path`` came into the history, or None."""
        pieces = list(self.log("--raw", "--no-abbrev", "--diff-filter=A", "--format=", "--", path))
        blobs = [piece.split(b" ")[3].decode() for piece in pieces if piece.lstrip(b"\n").startswith(b":")]
        return self.git.check("cat-file", "blob", blobs[-1]) if blobs else None

    def contains(self, commit: str) -> bool:
        """Whether ``commit`` is part of the history of this one."""
        return self.git.run("merge-base", "--is-ancestor", commit, self.commit).status == 0

    def commit_time(self, commit: str) -> int | None:
        """When ``commit`` was made (seconds since 1970), or None when there is no such commit here."""
        done = self.git.run(
            "show", "--no-patch", "--format=%ct", "--end-of-options", f"{commit}^{{commit}}"
        )
        return int(done.text) if done.status == 0 and done.text.strip().isdigit() else None

    def _entries(self, folder: str) -> Iterator[tuple[str, str]]:
        with _running(
            self.git,
            "--literal-pathspecs",
            "ls-tree",
            "-r",
            "-z",
            self.commit,
            "--",
            f"{folder.rstrip('/')}/",
        ) as lister:
            for piece in _pieces(lister):
                head, _, path = piece.partition(b"\t")
                mode, _, blob = head.decode().split(" ")
                if mode in ("100644", "100755"):
                    yield blob, path.decode(errors="surrogateescape")


def open_copy(where: str, branch: str, token: str, env: Mapping[str, str]) -> Copy:
    """The repository that ``where`` names, with its history on this machine.

    A folder is read as it stands: at ``branch``, else at what is checked out. ``owner/name`` and URLs
    are cloned to a temporary folder. Raises :class:`InputError` when there is no such thing.
    """
    if is_github_slug(where):
        return _clone(f"{_server(env)}/{where}.git", branch, token)
    if is_url(where):
        return _clone(where, branch, token)
    open_path(where, token, env)
    git = Git(where)
    return _copy(git, branch or "HEAD")


def _server(env: Mapping[str, str]) -> str:
    """The GitHub that the token is for: the API's own host, wherever ``GITHUB_API_URL`` says it is."""
    api = env.get("GITHUB_API_URL", "").rstrip("/")
    if api and api != "https://api.github.com":
        return api.removesuffix("/api/v3")
    return (env.get("GITHUB_SERVER_URL", "") or "https://github.com").rstrip("/")


def _clone(url: str, branch: str, token: str) -> Copy:
    folder = tempfile.TemporaryDirectory(prefix="promote-actions-")
    git = Git(folder.name, url, token)
    try:
        _fill(git, url, branch)
        copy = _copy(git, branch or current_branch(git))
    except BaseException:
        folder.cleanup()
        raise
    finalize(copy, folder.cleanup)
    return copy


def _fill(git: Git, url: str, branch: str) -> None:
    chosen = ["--branch", branch] if branch else []
    arguments = ["clone", "--quiet", "--bare", "--single-branch", *chosen, "--", url, git.directory]
    done = git.run(*arguments, deadline=DEADLINE)
    if done.status and "Remote branch" in done.stderr:
        raise _no_branch(git, branch)
    if done.status:
        raise git.failure(arguments, done.stderr)


def _no_branch(git: Git, branch: str) -> InputError:
    return InputError(f"{git.display} has no branch '{branch[:100]}'", hint="pass one with --branch")


def _copy(git: Git, revision: str) -> Copy:
    done = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if done.status:
        raise _no_branch(git, revision)
    shallow = git.line("rev-parse", "--is-shallow-repository") == "true"
    return Copy(git, done.text.strip(), shallow)


@contextmanager
def _running(git: Git, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = git.start(*arguments)
    watchdog = threading.Timer(DEADLINE, process.kill)
    watchdog.start()
    said: list[bytes] = []
    listener = threading.Thread(
        target=lambda: said.append(process.stderr.read() if process.stderr else b"")
    )
    listener.start()
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    finally:
        watchdog.cancel()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        status = process.wait()
        listener.join()
        if process.stderr:
            process.stderr.close()
    if status not in (0, -13):
        raise git.failure(arguments, b"".join(said).decode(errors="replace"))


def _pieces(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    if process.stdout is None:
        return
    rest = b""
    while chunk := process.stdout.read1(_CHUNK):  # type: ignore[attr-defined]
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest


def _read_batch(
    reader: subprocess.Popen[bytes], batch: list[tuple[str, str]]
) -> Iterator[tuple[str, bytes]]:
    if reader.stdin is None or reader.stdout is None:
        return
    asked = "".join(f"{name}\n" for name, path in batch if "\n" not in path)
    reader.stdin.write(asked.encode(errors="surrogateescape"))
    reader.stdin.flush()
    for _, path in batch:
        if "\n" in path:
            raise InputError(f"{path!r} has a line break in its name", hint="remove the file")
        header = reader.stdout.readline().rstrip(b"\n").split(b" ")
        if header[-1] == b"missing":
            continue
        if len(header) < 3:
            raise DependencyError(f"git could not read {path}", hint="run git fsck")
        content = reader.stdout.read(int(header[-1]))
        reader.stdout.read(1)
        yield path, content


def _split(arguments: tuple[str, ...]) -> tuple[list[str], str, list[str]]:
    at = arguments.index("--")
    return list(arguments[:at]), "--", list(arguments[at + 1 :])
