"""What each type of rule makes of a build: one function a type, listed in :data:`MAKERS`.

A function returns None when its rule doesn't concern this build, as a rule for git tags on a branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from promote_actions.errors import InputError, one_line
from promote_actions.images.context import Build
from promote_actions.images.expressions import Scope, is_only, render
from promote_actions.images.flavor import Flavor
from promote_actions.images.rules import Rule


class Request(NamedTuple):
    """What tags are made for: the build, what expressions mean, the CalVer, and the common settings.

    ``short_sha`` is the abbreviated commit. ``release_tags`` grants a pull request a release's tags.
    """

    build: Build
    scope: Scope
    flavor: Flavor = Flavor()
    version: str = ""
    short_sha: str = ""
    release_tags: bool = False

    def render(self, template: str, rule: Rule, more: Scope | None = None) -> str:
        """``template`` with its expressions replaced; ``more`` are names that only this rule has."""
        if "{{" not in template:
            return template
        scope = {**self.scope, **more} if more else self.scope
        return render(template, scope, f"tags: the rule '{one_line(rule.line[:120])}'")


class Made(NamedTuple):
    """The text of a tag before prefix, suffix and sanitising; ``latest`` asks for a ``latest`` too."""

    text: str
    kind: str
    mutable: bool = True
    latest: bool = False
    note: str = ""


class Skipped(NamedTuple):
    """Why a rule made no tag, where that may surprise: a git tag that is no version."""

    note: str


ENVIRONMENTS = frozenset({"develop", "qa", "staging", "production"})
"""The strategy's environments: a tag of this name says what is deployed, whichever rule makes it."""

Maker = Callable[[Rule, Request], "Made | Skipped | None"]


def calver_parts(version: str) -> tuple[str, str, str, str] | None:
    """Year, month, build and metadata of ``YYYY.MM.BUILD[-METADATA]``; None when it is none."""
    numbers, _, metadata = version.partition("-")
    parts = numbers.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    year, month, build = parts
    if len(year) != 4 or len(month) > 2 or not 1 <= int(month) <= 12:
        return None
    return year, month, build, metadata


def _calver(rule: Rule, request: Request) -> Made | None:
    version = request.render(rule.get("value"), rule) if "value" in rule.attributes else request.version
    if not version:
        raise InputError(
            f"tags: the rule '{one_line(rule.line[:120])}' has no version to write",
            hint="pass --version (the calver step's output `version`), or give the rule value=",
        )
    style = rule.get("format")
    if style == "full":
        return Made(version, "calver", mutable=False)
    if style == "sha":
        short = request.short_sha
        if not short:
            return None
        return Made(version if version.endswith(f"-{short}") else f"{version}-{short}", "calver-sha", False)
    parts = calver_parts(version)
    if parts is None:
        raise InputError(
            f"tags: '{one_line(version[:60])}' of the rule '{one_line(rule.line[:120])}' is no CalVer",
            hint="format=semver, month and year need YYYY.MM.BUILD, such as 2026.02.1",
        )
    year, month, build, metadata = parts
    if style == "semver":
        tail = f"-{metadata}" if metadata else ""
        return Made(f"{year}.{int(month)}.{int(build)}{tail}", "calver-semver", mutable=False)
    return Made(year if style == "year" else f"{year}.{month}", "calver-part")


def _environment(rule: Rule, request: Request) -> Made | None:
    return Made(request.render(rule.get("value"), rule), "environment")


def _raw(rule: Rule, request: Request) -> Made | None:
    value = request.render(rule.get("value"), rule)
    if value == "latest" or value in ENVIRONMENTS:
        return Made(value, "latest" if value == "latest" else "environment")
    if value and value == request.version:
        return Made(value, "calver", mutable=False)
    parts = calver_parts(value)
    if request.version and value.startswith(request.version + "-"):
        return Made(value, "calver-sha", mutable=False)
    if parts is not None:
        return Made(value, "calver-sha" if parts[3] else "calver", mutable=False)
    return Made(value, "semver") if _is_final_semver(value) else Made(value, "raw")


def _is_final_semver(value: str) -> bool:
    """Whether ``value`` names a release: ``v1.2.3`` does; ``1.2.3-pr.17`` may well be a preview."""
    if value.count(".") != 2:
        return False
    from promote_actions.images.numbered import parse_semver

    number = parse_semver(value)
    return number is not None and number.final and "+" not in value


def _sha(rule: Rule, request: Request) -> Made | None:
    sha = request.build.sha if rule.get("format") == "long" else request.short_sha
    # The same head is built again on every newer base: on a pull request this is no fixed image.
    return Made(sha, "sha", mutable=bool(request.build.pull_request)) if sha else None


def _ref(rule: Rule, request: Request) -> Made | None:
    build = request.build
    event = rule.get("event")
    if event == "branch":
        return Made(build.branch, "branch") if build.branch else None
    if event == "tag":
        return Made(build.tag, "tag", mutable=False, latest=True) if build.tag else None
    return Made(build.pull_request, "pr") if build.pull_request else None


def _edge(rule: Rule, request: Request) -> Made | None:
    build = request.build
    if not build.branch:
        return None
    branch = rule.get("branch") or build.default_branch
    if not branch:
        raise InputError(
            f"tags: the rule '{one_line(rule.line[:120])}' needs the default branch, and the event "
            "doesn't name it",
            hint="give the rule branch=main, or pass --default-branch",
        )
    return Made("edge", "edge") if branch == build.branch else None


def _schedule(rule: Rule, request: Request) -> Made | None:
    if "schedule" not in request.build.event:
        return None
    return Made(request.render(rule.get("pattern"), rule), "schedule")


def _source(rule: Rule, request: Request) -> str | None:
    """What ``semver``, ``pep440`` and ``match`` read: ``value=``, or the name of the git tag."""
    if rule.get("value"):
        return request.render(rule.get("value"), rule)
    return request.build.tag or None


def _numbered(rule: Rule, request: Request) -> Made | Skipped | None:
    from promote_actions.images.numbered import parse_pep440, parse_semver

    text = _source(rule, request)
    if text is None:
        return None
    text, note = _cut_out(rule, text)
    number = parse_semver(text) if rule.type == "semver" else parse_pep440(text)
    if number is None:
        standard = "a semantic version" if rule.type == "semver" else "a version by PEP 440"
        why = f"'{text[:60]}' is not {standard}, so the rule '{rule.line[:80]}' makes no tag"
        return Skipped(f"{note}; {why}" if note else why)
    pattern = rule.get("pattern")
    if not number.final and not is_only(pattern, "raw"):
        # A pre-release changes often: it never moves the tags of its major and minor version.
        return Made(number.version, rule.type, mutable=False, note=note)
    names: Mapping[str, str] = {
        "raw": number.raw,
        "version": number.version,
        "major": number.major,
        "minor": number.minor,
        "patch": number.patch,
    }
    made = request.render(pattern, rule, names)
    whole = number.version in made or number.raw in made
    return Made(made, rule.type, mutable=not whole, latest=number.final, note=note)


def _cut_out(rule: Rule, text: str) -> tuple[str, str]:
    """The version that ``match=`` cuts out of ``text`` (all of it where nothing matches), and a note."""
    from promote_actions.images.patterns import match_groups

    pattern, note = rule.get("match"), ""
    if pattern:
        groups = match_groups(pattern, text, rule.line)
        if groups is None:
            note = f"'{pattern[:60]}' does not match '{text[:60]}'"
        elif len(groups) < 2 or groups[1] is None:
            raise InputError(
                f"tags: match= in the rule '{one_line(rule.line[:120])}' finds nothing in brackets",
                hint="put the version in brackets: match=v(.*)",
            )
        else:
            text = groups[1]
    return text.replace("/", "-"), note


def _match(rule: Rule, request: Request) -> Made | Skipped | None:
    from promote_actions.images.patterns import match_groups

    text = _source(rule, request)
    if text is None:
        return None
    pattern, group = rule.get("pattern"), int(rule.get("group"))
    groups = match_groups(pattern, text, rule.line)
    if groups is None:
        return Skipped(f"'{pattern[:60]}' does not match '{text[:60]}'")
    found = groups[group] if group < len(groups) else None
    if found is None:
        return Skipped(f"the pattern '{pattern[:60]}' has no group {group}")
    return Made(found, "match", mutable=not _whole_version(text, found), latest=True)


def _whole_version(text: str, found: str) -> bool:
    """Whether ``found`` is all of the version that ``text`` names: ``1.2.3`` of ``v1.2.3``, not ``1.2``."""
    before = text.removesuffix(found).rpartition("/")[2]
    return bool(found) and text.endswith(found) and not any(char.isdigit() for char in before)


MAKERS: Mapping[str, Maker] = {
    "calver": _calver,
    "environment": _environment,
    "raw": _raw,
    "sha": _sha,
    "ref": _ref,
    "edge": _edge,
    "schedule": _schedule,
    "semver": _numbered,
    "pep440": _numbered,
    "match": _match,
}
