"""What is wrong, or does not do what it seems to do, in a CODEOWNERS file. Pure.

The codes are explained in ``docs/owners.md``. Lines that GitHub skips come from the parser; what is
added here are lines that GitHub accepts in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from promote_actions.owners.parse import LOCATIONS, Codeowners, Owner, Problem, Rule, fold
from promote_actions.owners.pattern import Segment, split_path
from promote_actions.owners.shadow import covers

COMPARISONS = 200_000
"""Pairs of patterns compared at most in the search for dead ones; a larger file says where it stopped."""

_TEAM_WORDS = re.compile(
    "admins|approvers|chapter|committers|crew|developers|devs|engineering|engineers|group|guild|leads"
    "|maintainers|members|owners|reviewers|squad|teams?|tribe"
)
_LOGIN_LIMIT = 39
_BRACES = re.compile(r"(?<!\\)\{[^{},]*,[^{}]*\}")
_GLUED = re.compile(r"\*(@[A-Za-z0-9-]+(?:/[A-Za-z0-9_-]+)?)")
_OWNER_ALONE = re.compile(r"@[A-Za-z0-9-]+(?:/[A-Za-z0-9_-]+)?")


def lint(codeowners: Codeowners, files: Iterable[str] | None = None) -> tuple[Problem, ...]:
    """Every problem in ``codeowners``, by line.

    ``files`` are the paths in the repository: with them, a pattern that matches none is one too.
    """
    found = list(codeowners.problems)
    organizations = {o.organization for rule in codeowners.rules for o in rule.owners if o.kind == "team"}
    organization = organizations.pop() if len(organizations) == 1 else "ORG"
    for rule in codeowners.rules:
        found += _of_line(codeowners.file, rule)
        found += (
            problem
            for owner in rule.owners
            for problem in _of_owner(codeowners.file, rule, owner, organization)
        )
    found += _dead(codeowners)
    if files is not None:
        found += _unused(codeowners, files)
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))


def second_files(present: Iterable[str]) -> tuple[Problem, ...]:
    """The CODEOWNERS files among ``present`` (paths) that GitHub ignores because another comes first."""
    first, *others = [location for location in LOCATIONS if location in set(present)] or [""]
    return tuple(
        Problem(
            "second-file", f"GitHub reads {first} and ignores this file", "delete it", other, skipped=True
        )
        for other in others
    )


def _problem(file: str, rule: Rule, code: str, message: str, suggestion: str, *, word: str = "") -> Problem:
    at = rule.source.find(word, rule.column - 1 + len(rule.pattern.text)) if word else -1
    return Problem(code, message, suggestion, file, rule.line, at + 1 or rule.column, rule.source)


def _of_line(file: str, rule: Rule) -> Iterator[Problem]:
    text = rule.pattern.text
    odd = next((c for c in rule.source.partition("#")[0] if c not in " \t" and _is_odd(c)), "")
    if odd:
        name = unicodedata.name(odd, f"U+{ord(odd):04X}").lower()
        message = f"there is an invisible character in this line ({name}) that separates nothing"
        yield _problem(file, rule, "odd-space", message, "write a plain blank")
    if rule.pattern.never:
        message, hint = f"'{text}' never matches: paths have no empty, '.' or '..' parts", "remove it"
        if text.strip("/") == "":
            hint = "write '*' for every file"
        elif text.startswith("./"):
            hint = f"write '{text[1:]}'"
        yield _problem(file, rule, "matches-nothing", message, hint)
    if _BRACES.search(text):
        message = f"'{text}' is taken as it stands: braces are not expanded"
        yield _problem(file, rule, "literal-braces", message, "write one line for each name")
    if not rule.owners and _OWNER_ALONE.fullmatch(text):
        message = f"'{text}' is read as the name of a file that nobody owns"
        yield _problem(file, rule, "owner-as-pattern", message, f"write a pattern first, as in '* {text}'")
    elif glued := _GLUED.fullmatch(text):
        message = f"'{text}' is read as one pattern"
        yield _problem(file, rule, "owner-as-pattern", message, f"put a blank before '{glued[1]}'")
    yield from _repeated(file, rule)


def _repeated(file: str, rule: Rule) -> Iterator[Problem]:
    words = rule.source[rule.column - 1 + len(rule.pattern.text) :].partition("#")[0].split()
    seen: set[str] = set()
    for word in words:
        if fold(word) in seen:
            yield _problem(
                file, rule, "repeated-owner", f"'{word}' stands twice on this line", "remove one"
            )
        seen.add(fold(word))


def _of_owner(file: str, rule: Rule, owner: Owner, organization: str) -> Iterator[Problem]:
    login = owner.login
    if not login:
        return
    if _TEAM_WORDS.fullmatch(re.split(r"[-_]", fold(login))[-1]):
        message = f"'{owner.text}' is the login of one user, not a team"
        hint = f"write '@{organization}/{login}' if a team is meant"
        yield _problem(file, rule, "team-as-user", message, hint, word=owner.text)
    elif len(login) > _LOGIN_LIMIT or login[0] in "-_" or login[-1] in "-_" or "--" in login:
        message = f"'{owner.text}' cannot be a login on GitHub, so it owns nothing"
        yield _problem(file, rule, "impossible-login", message, "correct it", word=owner.text)


def _is_odd(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cf", "Cc", "Zs")


def _dead(codeowners: Codeowners) -> Iterator[Problem]:
    """Rules that a later rule covers whole: they never decide about any path."""
    spent = 0
    by_first: Mapping[bytes | None, list[Rule]] = defaultdict(list)
    latest: dict[object, Rule] = {}
    for rule in reversed(codeowners.rules):
        if rule.pattern.never:
            continue
        same = (rule.pattern.items, rule.pattern.tail)
        first = _first(rule)
        later = latest.get(same)
        if later is None and spent < COMPARISONS:
            # A pattern that begins with a fixed name can only be covered from that name or a wildcard.
            rivals = by_first[None] + (by_first[first] if first is not None else [])
            spent += len(rivals)
            later = next((rival for rival in rivals if covers(rival.pattern, rule.pattern)), None)
            if spent >= COMPARISONS:
                message = "this line and those above it were compared for equal patterns only"
                hint = "the file is too long to compare every pair"
                yield _problem(codeowners.file, rule, "not-compared", message, hint)
        if later is not None:
            yield _shadowed(codeowners.file, rule, later)
        by_first[first].append(rule)
        latest.setdefault(same, rule)


def _first(rule: Rule) -> bytes | None:
    item = rule.pattern.items[0] if rule.pattern.items else None
    return item.literal if isinstance(item, Segment) else None


def _shadowed(file: str, rule: Rule, later: Rule) -> Problem:
    text = rule.pattern.text
    if (rule.pattern.items, rule.pattern.tail) == (later.pattern.items, later.pattern.tail):
        message = f"'{text}' stands again on line {later.line}, and only the last one counts"
        return _problem(file, rule, "dead-pattern", message, "put all its owners on one line")
    message = (
        f"line {later.line} ('{later.pattern.text}') matches all that '{text}' matches, and comes later"
    )
    return _problem(
        file, rule, "dead-pattern", message, f"move this line below line {later.line}, or remove it"
    )


def _unused(codeowners: Codeowners, files: Iterable[str]) -> Iterator[Problem]:
    known = [split_path(path) for path in files]
    for rule in codeowners.rules:
        if not rule.pattern.never and not any(rule.pattern.matches_names(names) for names in known):
            message = f"'{rule.pattern.text}' matches no file"
            yield _problem(codeowners.file, rule, "matches-no-file", message, "correct it, or remove it")
