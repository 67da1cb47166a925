"""Reading a CODEOWNERS file as GitHub does. Pure.

A line with invalid syntax is skipped and the rest of the file holds, so an *earlier* rule decides for the
paths that the line names: skipped is not "nobody owns it". Source: GitHub's "About code owners"
(location, size, syntax, exceptions) and the REST call "List CODEOWNERS errors" (what counts as invalid).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from promote_actions.errors import Location
from promote_actions.owners.pattern import Pattern, PatternError, compile_pattern

LOCATIONS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order. The first that exists is the only one that is read."""

SIZE_LIMIT = 3 * 1024 * 1024
"""Bytes. A file must be smaller than this, or GitHub does not load it at all."""

Code = Literal[
    "dead-pattern",
    "impossible-login",
    "invalid-owner",
    "invalid-pattern",
    "literal-braces",
    "matches-no-file",
    "matches-nothing",
    "not-compared",
    "not-utf8",
    "odd-space",
    "owner-as-pattern",
    "repeated-owner",
    "second-file",
    "team-as-user",
    "too-large",
]
"""The kinds of problems; ``docs/owners.md`` explains each."""

_USER = re.compile(r"@[A-Za-z0-9_-]+")
_TEAM = re.compile(r"@[A-Za-z0-9_-]+/[A-Za-z0-9_-]+")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_WORD = re.compile(r"[^ \t]+")
_PATTERN = re.compile(r"(?:\\[\s\S]?|[^\\ \t])+")
_BLANKS = " \t\r"


@dataclass(frozen=True)
class Owner:
    """An owner on a line, as written: ``@user``, ``@org/team`` or ``name@host``."""

    text: str
    kind: Literal["user", "team", "email"]

    @property
    def key(self) -> str:
        """What two spellings of the same owner have in common: GitHub ignores case in names."""
        return fold(self.text)

    @property
    def login(self) -> str:
        """The login of a user, else an empty string."""
        return self.text[1:] if self.kind == "user" else ""

    @property
    def organization(self) -> str:
        """The organisation of a team, else an empty string."""
        return self.text[1:].partition("/")[0] if self.kind == "team" else ""

    @property
    def slug(self) -> str:
        """The slug of a team without its organisation, else an empty string."""
        return self.text.partition("/")[2] if self.kind == "team" else ""


@dataclass(frozen=True)
class Problem:
    """Something wrong in the file. ``line`` and ``column`` count from 1; 0 is the file as a whole.

    ``skipped`` says that GitHub ignores the line (or the file); ``pattern`` is then the line's pattern
    if it has a valid one. A ``note`` tells of a limit of the search, not of a fault.
    """

    code: Code
    message: str
    suggestion: str
    file: str
    line: int = 0
    column: int = 0
    source: str = ""
    skipped: bool = False
    pattern: Pattern | None = None
    note: bool = False

    @property
    def where(self) -> Location:
        return Location(self.file, self.line, self.column)

    @property
    def advice(self) -> str:
        """The message with what to do, without the place."""
        return f"{self.message}; {self.suggestion}" if self.suggestion else self.message

    def __str__(self) -> str:
        return f"{self.where}: {self.advice} [{self.code}]"


@dataclass(frozen=True)
class Rule:
    """A valid line. No owners means: whoever owned it by an earlier line does not any more."""

    line: int
    column: int
    pattern: Pattern
    owners: tuple[Owner, ...]
    source: str


@dataclass(frozen=True)
class Codeowners:
    """A CODEOWNERS file. ``loaded`` is false when there is none or GitHub would not load it."""

    file: str = ""
    rules: tuple[Rule, ...] = ()
    problems: tuple[Problem, ...] = ()
    loaded: bool = True


ABSENT = Codeowners(loaded=False)
"""What a repository without a CODEOWNERS file has."""


def choose(files: Mapping[str, bytes]) -> Codeowners:
    """The CODEOWNERS in force among ``files`` (path to bytes), by GitHub's order; ABSENT without one."""
    present = [location for location in LOCATIONS if location in files]
    return parse(files[present[0]], present[0]) if present else ABSENT


def parse(data: bytes | str, file: str = "CODEOWNERS") -> Codeowners:
    """The rules in ``data`` and what is wrong with it. Never fails, whatever the bytes are."""
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    if len(raw) >= SIZE_LIMIT:
        return _refused(file, "too-large", "the file is not under 3 MB", "use wildcards, or drop old lines")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _refused(file, "not-utf8", "the file is UTF-16", "save it as UTF-8")
    text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    rules: list[Rule] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        found = _line(file, number, line.rstrip(_BLANKS))
        if isinstance(found, Rule):
            rules.append(found)
        elif found is not None:
            problems.append(found)
    return Codeowners(file, tuple(rules), tuple(problems))


def fold(name: str) -> str:
    """``name`` for comparison. Only ASCII is folded: no other letter can be in a login."""
    return name.lower() if name.isascii() else name


def owner_of(word: str) -> Owner | None:
    """The owner that ``word`` is, or None when it is none."""
    if _USER.fullmatch(word):
        return Owner(word, "user")
    if _TEAM.fullmatch(word):
        return Owner(word, "team")
    return Owner(word, "email") if _EMAIL.fullmatch(word) else None


def _refused(file: str, code: Code, fact: str, suggestion: str) -> Codeowners:
    message = f"{fact}: GitHub does not read it, so nobody owns anything"
    return Codeowners(
        file, problems=(Problem(code, message, suggestion, file, skipped=True),), loaded=False
    )


def _line(file: str, number: int, line: str) -> Rule | Problem | None:
    text = line.lstrip(_BLANKS)
    if not text or text.startswith("#"):
        return None
    indent = len(line) - len(text)

    def skipped(
        code: Code, offset: int, message: str, hint: str, pattern: Pattern | None = None
    ) -> Problem:
        message = f"GitHub skips this line: {message}"
        return Problem(code, message, hint, file, number, indent + offset + 1, line, True, pattern)

    written = _PATTERN.match(text)[0]  # type: ignore[index]  # any text but a blank matches
    try:
        pattern = compile_pattern(written)
    except PatternError as error:
        message, hint = error.message, error.suggestion
        if re.match(r"\^?\[[^]]*\]", text):
            hint = "'[Section]' headings are GitLab's; GitHub has none"
        return skipped("invalid-pattern", error.offset, message, hint)
    owners: dict[str, Owner] = {}
    for offset, word in _words(text, len(written)):
        owner = owner_of(word)
        if owner is None:
            return skipped("invalid-owner", offset, f"'{word}' is no owner", _owner_hint(word), pattern)
        owners.setdefault(owner.key, owner)
    return Rule(number, indent + 1, pattern, tuple(owners.values()), line)


def _words(text: str, start: int) -> Iterator[tuple[int, str]]:
    """The words after the pattern with their offsets, up to the comment."""
    end = text.find("#", start)
    for found in _WORD.finditer(text, start, len(text) if end < 0 else end):
        yield found.start(), found[0]


def _owner_hint(word: str) -> str:
    if word.startswith("@@"):
        return "roles are GitLab's; write '@user' or '@org/team'"
    if word.startswith("@") and word.count("/") > 1:
        return "nested groups are GitLab's; write '@org/team'"
    if word.startswith("@") and word.count("@") > 1:
        return "put a blank between two owners"
    if word.startswith("@") or "@" in word:
        return "write '@user', '@org/team' or 'name@host'"
    return "an owner begins with '@' or is an e-mail address, and a blank in a path is written '\\ '"
