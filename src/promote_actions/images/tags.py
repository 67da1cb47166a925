"""From rules and a build to tags. Pure: the same rules, build and moment give the same tags.

The order, what each type makes and when there is a ``latest`` are as docker/metadata-action documents
them (https://github.com/docker/metadata-action#tags-input); ``docs/docker-tags.md`` lists where this
differs, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from promote_actions.errors import InputError, one_line
from promote_actions.images.context import Build
from promote_actions.images.expressions import render
from promote_actions.images.makers import MAKERS, Made, Request
from promote_actions.images.names import check_tag, sanitise_tag
from promote_actions.images.rules import Rule

RELEASE_KINDS = frozenset(
    {"calver", "calver-sha", "calver-semver", "calver-part", "semver", "pep440", "match"}
    | {"environment", "latest"}
)
"""Tags of a release, or of what is deployed: the build of a pull request doesn't move or make them."""


class Tag(NamedTuple):
    """One tag without its image: its name, what kind it is, and the rule it comes from.

    A mutable tag moves from image to image; an immutable one never may.
    """

    name: str
    kind: str
    mutable: bool
    rule: str

    @property
    def mutability(self) -> str:
        if self.kind == "pr":
            return "mutable (ephemeral)"
        return "mutable" if self.mutable else "immutable"


class TagSet(NamedTuple):
    """``version`` is the image's version; ``tags`` come by priority.

    ``withheld`` are a release's tags that a pull request doesn't get; ``notes`` are worth a warning.
    """

    version: str
    tags: tuple[Tag, ...]
    withheld: tuple[Tag, ...] = ()
    notes: tuple[str, ...] = ()


def make_tags(rules: Sequence[Rule], request: Request) -> TagSet:
    """The tags of ``rules``, in their order, each name once.

    Raises :class:`InputError` when a rule makes a tag that no registry takes (the message names the
    rule), and when no rule makes any.
    """
    notes: list[str] = []
    made: list[Tag] = []
    latest: bool | None = None
    for rule in rules:
        notes += [f"the rule '{rule.line[:80]}' has no use for '{key}='" for key in rule.unknown]
        found = _make(rule, request, notes)
        if found is None:
            continue
        made.append(found[0])
        if latest is None:
            # As documented there, the first rule that makes a tag decides for all.
            latest = request.flavor.wants_latest(found[1])
    if latest:
        made.append(_latest(request))
    tags, withheld = _withhold(_unique(made), request)
    if not tags:
        raise _nothing(rules, withheld, notes, request.build)
    return TagSet(_version(tags, withheld, request), tags, withheld, tuple(dict.fromkeys(notes)))


def _make(rule: Rule, request: Request, notes: list[str]) -> tuple[Tag, bool] | None:
    if not _flag(rule, "enable", request):
        return None
    made = MAKERS[rule.type](rule, request)
    if made is not None and made.note:
        notes.append(made.note)
    if not isinstance(made, Made):
        return None
    name = sanitise_tag(_affixed(rule, made.text, request))
    if not name:
        return None
    mutable = _flag(rule, "mutable", request) if "mutable" in rule.attributes else made.mutable
    return Tag(check_tag(name, rule.line), made.kind, mutable, rule.line), made.latest


def _flag(rule: Rule, name: str, request: Request) -> bool:
    value = request.render(rule.get(name), rule)
    if value not in ("true", "false"):
        raise InputError(
            f"tags: {name}={one_line(value[:40])} in the rule '{one_line(rule.line[:120])}'",
            hint=f"{name} is true or false, or an expression that is",
        )
    return value == "true"


def _affixed(rule: Rule, text: str, request: Request) -> str:
    prefix = rule.attributes.get("prefix", request.flavor.prefix)
    suffix = rule.attributes.get("suffix", request.flavor.suffix)
    return request.render(prefix, rule) + text + request.render(suffix, rule)


def _latest(request: Request) -> Tag:
    flavor = request.flavor
    prefix = flavor.prefix if flavor.prefix_on_latest else ""
    suffix = flavor.suffix if flavor.suffix_on_latest else ""
    name = sanitise_tag(render(f"{prefix}latest{suffix}", request.scope, "flavor"))
    return Tag(check_tag(name, "flavor: latest"), "latest", True, "flavor: latest")


def _unique(tags: Sequence[Tag]) -> list[Tag]:
    first: dict[str, Tag] = {}
    for tag in tags:
        first.setdefault(tag.name, tag)
    return list(first.values())


def _withhold(tags: Sequence[Tag], request: Request) -> tuple[tuple[Tag, ...], tuple[Tag, ...]]:
    if not request.build.pull_request or request.release_tags:
        return tuple(tags), ()
    kept = tuple(tag for tag in tags if tag.kind not in RELEASE_KINDS)
    return kept, tuple(tag for tag in tags if tag.kind in RELEASE_KINDS)


def _version(tags: Sequence[Tag], withheld: Sequence[Tag], request: Request) -> str:
    """The CalVer where one was given or withheld, else the first tag."""
    if request.version or withheld:
        for tag in (*tags, *withheld):
            if tag.kind == "calver":
                return tag.name
    return request.version or tags[0].name


def _nothing(rules: Sequence[Rule], withheld: Sequence[Tag], notes: list[str], build: Build) -> InputError:
    named = "; ".join(f"'{one_line(rule.line[:60])}'" for rule in rules[:6])
    more = f" and {len(rules) - 6} more" if len(rules) > 6 else ""
    why = f" ({'; '.join(notes[:3])})" if notes else ""
    hint = "add a rule for this event, such as type=sha"
    if withheld:
        names = ", ".join(tag.name for tag in withheld[:6])
        why = f" (a pull request doesn't get a release's tags: {names})"
        hint = "add type=ref,event=pr, or allow them with --pr-release-tags"
    return InputError(f"tags: no rule makes a tag for {build.described}: {named}{more}{why}", hint=hint)
