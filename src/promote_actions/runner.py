"""The Actions runner's protocol, and its counterpart on a terminal. Standard library only.

The only module that knows of ``GITHUB_OUTPUT``, ``GITHUB_STEP_SUMMARY``, annotations, masks and
groups. Text from strangers passes through here before it reaches a log, so this is where workflow
commands in it are disarmed and secrets in it are hidden. Limits and formats: GitHub's "Workflow
commands" page and its toolkit (``@actions/core``).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from promote_actions.errors import InputError, Location, PromoteError, one_line

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would cost a tenth of a short command's time
    from typing import TextIO

SUMMARY_LIMIT = 900_000
"""Bytes of a step summary that we write at most; the runner drops a summary over 1 MiB whole."""

SHORTEST_MASK = 6
"""A shorter secret is not registered: masking ``app`` would empty every output that contains it."""

_OUTPUT_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_CREDENTIALS = r"(?<=://)[^/@\s]+@"


@dataclass(frozen=True)
class Result:
    """What a command found or did.

    ``outputs`` are keyed by the declared output names; a value that is not a string is written as
    JSON. ``text`` is for a person at a terminal, ``summary`` is Markdown for the job's page.
    ``refusal`` makes the command exit with its status (1 for ``Refused``) after its outputs are written.
    """

    outputs: Mapping[str, object]
    text: str = ""
    summary: str = ""
    refusal: PromoteError | None = None


@dataclass
class Runner:
    """Where a command says things. One per process; ``env`` is the only environment it reads."""

    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    json_output: bool = False
    _secrets: set[str] = field(default_factory=set)

    @property
    def in_actions(self) -> bool:
        return self.env.get("GITHUB_ACTIONS") == "true"

    @property
    def run_url(self) -> str:
        """The page of the workflow run, or an empty string outside Actions."""
        server, repo, run = (
            self.env.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
        )
        return f"{server}/{repo}/actions/runs/{run}" if server and repo and run else ""

    @property
    def interactive(self) -> bool:
        """Whether a person watches: progress may rewrite its line."""
        return not self.in_actions and self.stderr.isatty()

    # -- secrets -----------------------------------------------------------------------------

    def mask(self, secret: str) -> None:
        """Hide ``secret`` in everything that this process and the runner print from now on."""
        for line in {secret, *secret.splitlines()}:
            value = line.strip()
            if len(value) < SHORTEST_MASK or value in self._secrets:
                continue
            self._secrets.add(value)
            if self.in_actions:
                self._command("add-mask", value, hide=False)

    def redact(self, text: str) -> str:
        """``text`` without registered secrets and without credentials in URLs."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return re.sub(_CREDENTIALS, "***@", text) if "://" in text else text

    # -- words -------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Print progress for a person; it never mixes with ``--format json`` on stdout."""
        stream = self.stdout if self.in_actions and not self.json_output else self.stderr
        self._print(text, stream)

    def debug(self, text: str) -> None:
        """Print only when the run asks for it (``RUNNER_DEBUG=1``, as GitHub's own switch does)."""
        if self.env.get("RUNNER_DEBUG") != "1":
            return
        if self.in_actions:
            self._command("debug", text)
        else:
            self._print(f"debug: {text}", self.stderr)

    def notice(self, message: str, where: Location | None = None, title: str = "") -> None:
        self._annotate("notice", message, where, title)

    def warning(self, message: str, where: Location | None = None, title: str = "") -> None:
        self._annotate("warning", message, where, title)

    def error(self, error: PromoteError) -> None:
        """Report the failure that ends the command: one line, with its place."""
        self._annotate("error", str(error), error.where, error.title)

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is printed inside, in a runner's log."""
        if self.in_actions:
            self._command("group", one_line(title))
        else:
            self.say(title)
        try:
            yield
        finally:
            if self.in_actions:
                self._command("endgroup", "")

    def _annotate(self, kind: str, message: str, where: Location | None, title: str) -> None:
        message = one_line(message)
        if not self.in_actions:
            self._print(f"{kind}: {message}", self.stderr)
            return
        properties = {"title": f"promote-actions: {title}" if title else "promote-actions"}
        if where:
            properties["file"] = where.file
            if where.line:
                properties["line"] = str(where.line)
                if where.column:
                    properties["col"] = str(where.column)
        self._command(kind, message, properties)

    def _command(
        self, name: str, data: str, properties: Mapping[str, str] | None = None, hide: bool = True
    ) -> None:
        if hide:
            data = self.redact(data)
            properties = {key: one_line(self.redact(value)) for key, value in (properties or {}).items()}
        pairs = ",".join(f"{key}={_escape_property(value)}" for key, value in (properties or {}).items())
        stream = self.stderr if self.json_output else self.stdout
        print(f"::{name}{' ' + pairs if pairs else ''}::{_escape_data(data)}", file=stream, flush=True)

    def _print(self, text: str, stream: TextIO) -> None:
        text = visible(self.redact(text))
        if self.in_actions:
            text = disarm(text)
        stream.write(text + "\n")
        stream.flush()

    # -- results -----------------------------------------------------------------------------

    def finish(self, result: Result) -> int:
        """Write outputs and summary, show the result, and return the exit status."""
        outputs = {name: as_text(value) for name, value in result.outputs.items()}
        if self.env.get("GITHUB_OUTPUT"):
            self._append("GITHUB_OUTPUT", "".join(map(_output_block, outputs.items())))
        if result.summary and self.env.get("GITHUB_STEP_SUMMARY"):
            summary = truncate(self.redact(result.summary), SUMMARY_LIMIT)
            self._append("GITHUB_STEP_SUMMARY", summary.rstrip("\n") + "\n")
        if self.json_output:
            import json

            document = json.dumps(dict(result.outputs), ensure_ascii=False, indent=2)
            document = document.replace("##[", "##\\u005b")  # the same JSON, and no runner's command
            self.stdout.write(self.redact(document) + "\n")
        else:
            text = result.text or "\n".join(f"{k}: {v}" for k, v in outputs.items())
            self._print(text, self.stdout)
        self.stdout.flush()
        if result.refusal is not None:
            self.error(result.refusal)
            return result.refusal.exit_status
        return 0

    def leave(self, outputs: Mapping[str, str]) -> None:
        """Write outputs of a command that failed, where there is a file for them; never raises."""
        with suppress(InputError):
            if self.env.get("GITHUB_OUTPUT"):
                self._append("GITHUB_OUTPUT", "".join(map(_output_block, outputs.items())))

    def _append(self, variable: str, text: str) -> None:
        path = self.env[variable]
        try:
            with open(path, "a", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise InputError(
                f"cannot write {variable} ({path}): {error.strerror}",
                hint="point it at a file that this step may write",
            ) from None


def as_text(value: object) -> str:
    """The text of an output: strings as they are, booleans as ``true``/``false``, else JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _output_block(item: tuple[str, str]) -> str:
    name, value = item
    if not re.fullmatch(_OUTPUT_NAME, name):
        raise ValueError(f"output name {name!r}")
    delimiter = f"ghadelimiter_{os.urandom(16).hex()}"
    while delimiter in value:
        delimiter = f"ghadelimiter_{os.urandom(16).hex()}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _escape_data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(value: str) -> str:
    return _escape_data(value).replace(":", "%3A").replace(",", "%2C")


_INVISIBLE = {
    code: f"\\u{code:04x}"
    for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x61C, *range(0x200E, 0x2010),
                 *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if code not in (0x09, 0x0A, 0x0D)
}  # fmt: skip
"""Control characters and marks that turn the direction of text, with the escapes that are shown."""


def visible(text: str) -> str:
    """``text`` in which nothing moves a terminal's cursor, sets its title or reorders what is read."""
    return text.translate(_INVISIBLE)


def disarm(text: str) -> str:
    """``text`` in which no line is a workflow command to a runner.

    The runner takes a line that begins with ``::`` (after white space) or holds ``##[`` as one.
    """
    lines = re.split(r"\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text)
    return "\n".join(_disarm_line(line) for line in lines)


def _disarm_line(line: str) -> str:
    if line.lstrip().startswith("::"):
        line = line.replace("::", "\\::", 1)
    return line.replace("##[", "##\\[")


def truncate(text: str, limit: int) -> str:
    """``text`` cut at a line's end so that it has at most ``limit`` bytes of UTF-8, and says so."""
    data = text.encode()
    if len(data) <= limit:
        return text
    note = "\n\n_Cut here: the summary was too long for a job's page._\n"
    kept = data[: limit - len(note.encode())].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + note
