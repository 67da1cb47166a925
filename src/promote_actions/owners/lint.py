"""What is wrong, or does not do what it seems to do, in a CODEOWNERS file. Pure.

The codes are explained in ``docs/owners.md``. Lines that GitHub skips come from the parser; what is
added here are lines that GitHub accepts in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from promote_actions.owners.parse import LOCATIONS, Code, Codeowners, Owner, Problem, Rule, fold
from promote_actions.owners.pattern import split_path
from promote_actions.owners.shadow import covers

COMPARISONS = 500_000
"""Pairs of patterns compared at most in the search for dead ones; a larger file says where it stopped."""

_TEAM_WORDS = re.compile(
    "admins|approvers|chapter|committers|crew|developers|devs|engineering|engineers|group|guild|leads"
    "|maintainers|members|owners|reviewers|squad|teams?|tribe"
)
_LOGIN_LIMIT = 39
_BRACES = re.compile(r"(?<!\\)\{[^{},]*,[^{}]*\}")
_GLUED = re.compile(r"\*(@[A-Za-z0-9-]+(?:/[A-Za-z0-9_-]+)?)")
_WORD = re.compile(r"[^ \t]+")
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


def _problem(
    file: str, rule: Rule, code: Code, message: str, suggestion: str, *, column: int = 0, note: bool = False
) -> Problem:
    return Problem(
        code, message, suggestion, file, rule.line, column or rule.column, rule.source, note=note
    )


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


def _words(rule: Rule) -> Iterator[re.Match[str]]:
    """The owners of a rule as they stand in its line."""
    start = rule.column - 1 + len(rule.pattern.text)
    comment = rule.source.find("#", start)
    return _WORD.finditer(rule.source, start, len(rule.source) if comment < 0 else comment)


def _repeated(file: str, rule: Rule) -> Iterator[Problem]:
    seen: set[str] = set()
    for word in _words(rule):
        if fold(word[0]) in seen:
            message = f"'{word[0]}' stands twice on this line"
            yield _problem(file, rule, "repeated-owner", message, "remove one", column=word.start() + 1)
        seen.add(fold(word[0]))


def _of_owner(file: str, rule: Rule, owner: Owner, organization: str) -> Iterator[Problem]:
    login = owner.login
    if not login:
        return
    column = next(word.start() for word in _words(rule) if word[0] == owner.text) + 1
    if _TEAM_WORDS.fullmatch(re.split(r"[-_]", fold(login))[-1]):
        message = f"'{owner.text}' is the login of one user, not a team"
        hint = f"write '@{organization}/{login}' if a team is meant"
        yield _problem(file, rule, "team-as-user", message, hint, column=column)
    elif len(login) > _LOGIN_LIMIT or login[0] in "-_" or login[-1] in "-_" or "--" in login:
        message = f"'{owner.text}' cannot be a login on GitHub, so it owns nothing"
        yield _problem(file, rule, "impossible-login", message, "correct it", column=column)


def _is_odd(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cf", "Cc", "Zs")


def _dead(codeowners: Codeowners) -> Iterator[Problem]:
    """Rules that a later rule covers whole: they never decide about any path."""
    spent = 0
    by_name: Mapping[bytes | None, list[Rule]] = defaultdict(list)
    latest: dict[object, Rule] = {}
    for rule in reversed(codeowners.rules):
        if rule.pattern.never:
            continue
        if spent > COMPARISONS:
            message = "this line and those above it were not compared with later ones"
            yield _problem(codeowners.file, rule, "not-compared", message, "", note=True)
            return
        names = {item.literal for item in rule.pattern.items if item is not None and item.literal}
        later = latest.get((rule.pattern.items, rule.pattern.tail))
        if later is None:
            # What names a folder or file can only cover what names it as well.
            rivals = by_name[None] + [rival for name in names for rival in by_name[name]]
            spent += len(rivals)
            example = split_path(rule.pattern.example)
            later = next((rival for rival in rivals if _covers(rival, rule, example)), None)
        if later is not None:
            yield _shadowed(codeowners.file, rule, later)
        by_name[max(names, key=len, default=None)].append(rule)
        latest.setdefault((rule.pattern.items, rule.pattern.tail), rule)


def _covers(general: Rule, specific: Rule, example: tuple[bytes, ...]) -> bool:
    # One path settles most pairs: what doesn't match it can't cover all of them.
    return general.pattern.matches_names(example) and covers(general.pattern, specific.pattern)


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
