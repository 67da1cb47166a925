"""The rules that a promotion obeys, each a function that says no or nothing. Pure.

Source: the design's "Rules a promotion obeys"; the strategy's promotion matrix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from promote_actions.config.freeze import locked
from promote_actions.errors import InputError, Refused
from promote_actions.promotion.model import OVERRIDABLE, Facts, Request, ServiceFacts
from promote_actions.versions.calver import CalVer


@dataclass(frozen=True)
class Objection:
    """One rule that says no: its name, what it says, and what to do about it."""

    rule: str
    message: str
    hint: str
    who: tuple[str, ...] = ()
    """Logins and ``org/team``s that alone may override it; empty: whoever gives a reason."""


def apply(request: Request, facts: Facts, moving: tuple[tuple[ServiceFacts, str], ...]) -> tuple[str, ...]:
    """Check every rule against what would move (service and version).

    Returns the names of the rules that the request overrides and that would have said no. Raises
    :class:`Refused` for the first that it doesn't.
    """
    unknown = sorted(request.override - set(OVERRIDABLE))
    if unknown:
        raise InputError(
            f"input 'override' names '{unknown[0][:40]}'", hint="use " + ", ".join(OVERRIDABLE)
        )
    if request.override and not request.reason:
        raise InputError("an override needs a reason", hint="pass --reason; the audit record keeps it")
    overridden = []
    for objection in objections(request, facts, moving):
        if objection.rule not in request.override:
            raise Refused(objection.message, hint=objection.hint)
        if objection.who and not _is_one_of(request.caller.actor, objection.who, facts.teams):
            actor = request.caller.actor or "nobody who is known"
            names = ", ".join(objection.who)
            raise Refused(objection.message, hint=f"only {names} may override, and this is {actor[:60]}")
        overridden.append(objection.rule)
    return tuple(dict.fromkeys(overridden))


def _is_one_of(actor: str, who: Iterable[str], teams: Mapping[str, AbstractSet[str]]) -> bool:
    """Whether ``actor`` is named, or is in a team that is; a team that could not be read holds nobody."""
    login = actor.casefold()
    names = {name.lstrip("@").casefold() for name in who}
    people = {member.casefold() for name in names for member in teams.get(name, ())}
    return bool(login) and "/" not in login and (login in names or login in people)


def objections(
    request: Request, facts: Facts, moving: tuple[tuple[ServiceFacts, str], ...]
) -> Iterator[Objection]:
    """Everything that speaks against the promotion, whole-line rules first."""
    yield from _whole_line(request, facts)
    yield from _order(request, facts)
    for service, version in moving:
        yield from _of_service(service, version)


def _whole_line(request: Request, facts: Facts) -> Iterator[Objection]:
    name = facts.environment.name
    if facts.stop is not None:
        reason = facts.stop.strip().partition("\n")[0][:200] or "no reason given"
        yield Objection("stop", f"the line is stopped: {reason}", f"remove {STOP_FILE} to go on")
    if locked(facts.environment, request.now):
        until = facts.environment.lock_until
        who = ", ".join(facts.environment.lock_override)
        yield Objection(
            "lock",
            f"{name} is locked"
            + (f" until {until.isoformat(timespec='minutes')}" if until else "")
            + f": {facts.environment.lock[:200]}",
            f"unlock it in {facts.config.source}; {who} may override"
            if who
            else f"unlock it in {facts.config.source}, or override with a reason",
            facts.environment.lock_override,
        )
    if facts.frozen:
        freeze, end = facts.frozen
        who = ", ".join(freeze.override) or "whoever gives a reason"
        yield Objection(
            "freeze",
            f"{name} is frozen until {end.isoformat(timespec='minutes')}"
            + (f" ({freeze.reason[:200]})" if freeze.reason else ""),
            f"wait; {who} may override",
            freeze.override,
        )


def _order(request: Request, facts: Facts) -> Iterator[Objection]:
    expected = facts.config.source_of(facts.environment)
    if facts.source == expected:
        return
    come_from = expected.name if expected else "a build, not an environment"
    yield Objection(
        "order",
        f"versions come into {facts.environment.name} from {come_from}, not from {request.source}",
        "promote through every environment, or override 'order' with a reason",
    )


def _of_service(facts: ServiceFacts, version: str) -> Iterator[Objection]:
    name, environment = facts.service.name, facts.target.environment
    if facts.hold is not None:
        yield Objection(
            "quarantine",
            f"{name} {version} is quarantined: {facts.hold.reason[:200]}",
            f"promote a newer version, or remove {facts.hold.file}",
        )
    if is_downgrade(facts.target.version, version):
        yield Objection(
            "downgrade",
            f"{environment} has {name} {facts.target.version}, which is newer than {version}",
            "pass --allow-downgrade with a --reason, or use rollback",
        )
    if facts.provenance:
        yield Objection(
            "provenance",
            f"{environment} requires provenance, and {name} {version} has none: {facts.provenance}",
            f"let the build in {facts.service.repository or 'its repository'} attest the image "
            "(actions/attest-build-provenance)",
        )
    yield from _same_image(facts, version)


def _same_image(facts: ServiceFacts, version: str) -> Iterator[Objection]:
    """All that is known of the image must mean one digest: a tag can be pushed again."""
    source = facts.source
    known = {
        "the registry has": facts.digest,
        "was recorded": facts.recorded_digest,
        f"{source.environment} pins" if source else "": source.digest if source else "",
    }
    told = [(how, digest) for how, digest in known.items() if digest]
    if len({digest for _, digest in told}) > 1:
        (one, first), (other, second) = told[0], next(each for each in told if each[1] != told[0][1])
        yield Objection(
            "digest",
            f"the image of {facts.service.name} {version} is not the same any more: {one} {first}, "
            f"{other} {second}",
            "the tag was pushed again: build a new version",
        )


STOP_FILE = "holds/stop-the-line"
"""The file that stops every promotion while it exists; its first line is the reason."""


def hold_file(service: str, version: str) -> str:
    """The file whose existence quarantines ``version`` of ``service``."""
    return f"holds/{service}/{version}.json"


def is_downgrade(current: str, wanted: str) -> bool:
    """Whether ``wanted`` is older than ``current``, both CalVer or both ``[v]1.2.3``.

    False when their order can't be told: two commits' SHAs, or versions of different kinds.
    """
    here, there = CalVer.try_parse(current), CalVer.try_parse(wanted)
    if here is not None and there is not None:
        return there < here
    old, new = _numbers(current), _numbers(wanted)
    return old is not None and new is not None and new < old


def _numbers(version: str) -> tuple[int, int, int, bool] | None:
    """The parts of a semantic version, a release after its pre-releases; None when it is none."""
    found = re.fullmatch(r"v?(\d{1,18})\.(\d{1,18})\.(\d{1,18})(-[0-9A-Za-z.-]+)?", version)
    return (int(found[1]), int(found[2]), int(found[3]), not found[4]) if found else None
