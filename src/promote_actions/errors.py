"""The errors that end a command, each with the exit status that a workflow can branch on.

A message is one line: what is wrong, where, and what to do. Only the two entry points
(``cli`` and ``action``) catch these; everything else lets them pass.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """A place in a file. ``line`` and ``column`` count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


class PromoteError(Exception):
    """Base of every expected failure.

    ``message`` says what is wrong, ``hint`` what to do about it, ``where`` the place in a file.
    ``str()`` of the error is one line, whatever strangers put into the message.
    """

    exit_status = 2
    title = "error"

    def __init__(self, message: str, *, hint: str = "", where: Location | None = None) -> None:
        self.message = message
        self.hint = hint
        self.where = where
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        if self.hint:
            text = f"{text}; {self.hint}"
        return one_line(text)


class Refused(PromoteError):
    """A gate or a policy says no (exit status 1)."""

    exit_status = 1
    title = "refused"


class InputError(PromoteError):
    """An input, a file or the configuration is wrong (exit status 2)."""

    exit_status = 2
    title = "bad input"


class DependencyError(PromoteError):
    """A service that we need failed or could not be reached, after retries (exit status 3)."""

    exit_status = 3
    title = "dependency failed"


class Conflict(DependencyError):
    """Somebody else changed what we were about to change: read again, plan again, try again."""

    title = "conflict"


def one_line(text: str) -> str:
    """``text`` with line breaks and control characters shown as escapes, so that it is one line."""
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(char: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": " "}.get(char, f"\\u{ord(char):04x}")
