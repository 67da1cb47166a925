"""Running git: one place for its environment, its deadline, its credentials and its words of failure.

Standard library only: ``calver`` uses it with nothing installed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from promote_actions.adapters.processes import run_program, start_program
from promote_actions.errors import DependencyError, InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

DEADLINE = 120.0
"""Seconds that one git command may take."""

_AUTH_FAILURES = (
    "Authentication failed",
    "could not read Username",
    "Permission denied",
    "Invalid username or password",
    "The requested URL returned error: 403",
    "The requested URL returned error: 401",
)


@dataclass(frozen=True)
class Completed:
    """What a git command said."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="surrogateescape")


@dataclass(frozen=True)
class Git:
    """git, run in ``directory`` (a work tree or a bare repository), with credentials for ``url``.

    The token travels in git's environment (never in arguments or the URL), bound to the URL's host,
    and redirects are not followed while there is one. ``settings`` are git's, for every command.
    """

    directory: str = "."
    url: str = ""
    token: str = field(default="", repr=False)
    settings: tuple[tuple[str, str], ...] = ()

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
    ) -> Completed:
        """Run ``git ARGUMENTS`` and return what it said, whatever its status."""
        command = ["git", "-C", self.directory, *arguments]
        try:
            status, out, said = run_program(command, stdin or b"", self._environment(env or {}), deadline)
        except FileNotFoundError:
            raise DependencyError("git is not installed", hint="install git 2.31 or newer") from None
        except TimeoutError:
            raise DependencyError(
                f"git {arguments[0]} on {self.display} did not end within {deadline:g} s",
                hint="check the network and run again",
            ) from None
        return Completed(status, out, said.decode(errors="replace"))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``git ARGUMENTS`` with pipes, for output too long to hold; the caller ends it."""
        command = ["git", "-C", self.directory, *arguments]
        env = self._environment({})
        import subprocess

        try:
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
            )
        except FileNotFoundError:
            raise DependencyError("git is not installed", hint="install git 2.31 or newer") from None

    def converse(self, *arguments: str) -> tuple[int, int, int]:
        """Start ``git ARGUMENTS`` to talk with: its process id, the handle it reads, the one it writes.

        What it says on stderr is lost. The caller closes the handles and waits for it.
        """
        try:
            return start_program(["git", "-C", self.directory, *arguments], self._environment({}))
        except FileNotFoundError:
            raise DependencyError("git is not installed", hint="install git 2.31 or newer") from None

    def check(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
    ) -> bytes:
        """Run ``git ARGUMENTS`` and return its output; raise when it fails."""
        done = self.run(*arguments, stdin=stdin, env=env, deadline=deadline)
        if done.status:
            raise self.failure(arguments, done.stderr)
        return done.stdout

    def line(self, *arguments: str) -> str:
        """The first line that ``git ARGUMENTS`` prints, stripped; raise when it fails."""
        return self.check(*arguments).decode(errors="surrogateescape").partition("\n")[0].strip()

    @property
    def display(self) -> str:
        """The repository's URL or folder for messages, without credentials."""
        return without_credentials(self.url or self.directory)

    def failure(self, arguments: Sequence[str], stderr: str) -> DependencyError | InputError:
        """The error that a failed command's words mean."""
        if any(words in stderr for words in _AUTH_FAILURES):
            return InputError(
                f"{self.display} refused the credentials", hint="pass a token that may read and write it"
            )
        if foreign := re.search(r"dubious ownership in repository at '(.*)'", stderr):
            return InputError(
                f"git refuses {foreign[1]}, which belongs to another user: "
                f"`git config --global --add safe.directory {foreign[1]}` allows it"
            )
        said = _first_complaint(stderr)
        if self.token:
            said = said.replace(self.token, "***")
        verb = next((word for word in arguments if not word.startswith("-")), "")
        return DependencyError(f"git {verb} on {self.display} failed: {said}")

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if key not in _POINTERS_ELSEWHERE}
        env |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
        settings = [("core.quotePath", "false"), ("gc.auto", "0"), ("maintenance.auto", "false")]
        settings += self.settings
        if self.token and self.url.lower().startswith(("http://", "https://")):
            settings += _authorization(self.url, self.token)
        callers = env.get("GIT_CONFIG_COUNT", "")
        first = int(callers) if callers.isdecimal() else 0
        for index, (key, value) in enumerate(settings, first):
            env |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
        env["GIT_CONFIG_COUNT"] = str(first + len(settings))
        return env | dict(more)


_POINTERS_ELSEWHERE = {
    *("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
    *("GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
}
"""What a caller that is itself run by git (a hook, an alias) has in its environment: another repository."""

SERVER_HOOKS = ("pre-receive", "update", "proc-receive", "post-receive", "post-update")
"""Hooks that only a push runs: a repository that has one is not written behind its back."""


def _authorization(url: str, token: str) -> list[tuple[str, str]]:
    """Settings that send ``token`` to the host of ``url`` alone.

    The empty header takes back those of the checkout's own configuration (``actions/checkout`` leaves
    one): GitHub answers 400 to two of them.
    """
    import base64
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    host = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/", "", ""))
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return [
        (f"http.{host}.extraHeader", ""),
        (f"http.{host}.extraHeader", f"Authorization: Basic {basic}"),
        ("http.followRedirects", "false"),
    ]


def without_credentials(url: str) -> str:
    """``url`` without ``user:password@``."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", url)


def _first_complaint(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    for line in lines:
        if re.match(r"(fatal|error|remote: error|! \[)", line):
            return without_credentials(line)[:300]
    return without_credentials(lines[-1])[:300] if lines else "it gave no reason"
