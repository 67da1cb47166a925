"""One rollback: what was asked, what is found at one commit, and which version comes back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from promote_actions.adapters.gitops import FileChange, Snapshot
from promote_actions.audit.record import Record, format_time
from promote_actions.config.load import load_from
from promote_actions.config.model import Environment, Service
from promote_actions.errors import InputError, Location
from promote_actions.promotion.gather import live, read_values
from promote_actions.promotion.model import (
    Facts,
    Live,
    Move,
    Plan,
    Request,
    ServiceFacts,
    check_service,
    check_version,
)
from promote_actions.promotion.plan import move
from promote_actions.promotion.policy import hold_file
from promote_actions.rollback.choose import search
from promote_actions.rollback.past import DEPTHS, PastReader, Sources


@dataclass(frozen=True)
class Order:
    """What the caller asks for. ``request.to`` is the environment, ``request.version`` the version to
    restore (empty: the last good one), ``request.now`` the one reading of the clock.

    ``started`` is when the trouble began, as far as is known; time to recover counts from there.
    ``automatic``: nobody pressed a button.
    """

    request: Request
    config: str
    started: datetime
    steps: int | None = None
    automatic: bool = False


@dataclass(frozen=True)
class Case:
    """What the repository says at ``snapshot``."""

    order: Order
    snapshot: Snapshot
    facts: Facts
    reader: PastReader = field(repr=False)

    @property
    def service(self) -> Service:
        return self.facts.services[0].service

    @property
    def environment(self) -> Environment:
        return self.facts.environment

    @property
    def live(self) -> Live:
        """What the values file names now."""
        return self.facts.services[0].target

    @property
    def records(self) -> Sequence[Record]:
        """The audit records of this service and environment, oldest first."""
        return self.reader.records

    @property
    def last_record(self) -> Record | None:
        """The newest promotion or rollback on record."""
        told = (each for each in reversed(self.records) if each.event in ("promotion", "rollback"))
        return next(told, None)

    @property
    def left_before(self) -> frozenset[str]:
        """The versions that were rolled back in this environment, by its records or by the quarantine."""
        told = {each.previous_version for each in self.records if each.rollback}
        held = self.snapshot.read(hold_file(self.service.name, self.live.version or "-"))
        if held is not None and _place_of(held) == self.environment.name:
            told.add(self.live.version)
        return frozenset(told)

    @property
    def done_by_this_run(self) -> str:
        """What to say when the newest record is a rollback by this very workflow run; else empty.

        A job that was cut off after its commit and is run again must not go a version further back.
        """
        last, run = self.last_record, self.order.request.caller.run_url
        if last is None or not last.rollback or not run or last.run_url != run:
            return ""
        if last.version != self.live.version or last.effective_outcome != "success":
            return ""
        return f"this workflow run rolled {self.service.name} back to {last.version} already"

    def held(self, version: str) -> bool:
        """Whether ``version`` of this service is quarantined."""
        return bool(version) and self.snapshot.read(hold_file(self.service.name, version)) is not None


def _place_of(hold: bytes) -> str:
    """The environment in which a quarantined version was rolled back; empty when the file doesn't say."""
    try:
        document = json.loads(hold)
        return str(document["environment"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


@dataclass(frozen=True)
class Target:
    """The version that comes back, its digest when one was recorded, and the record that is undone."""

    version: str
    digest: str = ""
    undoes: str = ""


def open_case(order: Order, snapshot: Snapshot, sources: Sources) -> Case:
    """Read what a rollback depends on. Nothing is written."""
    request = order.request
    config = load_from(snapshot, order.config)
    environment = config.environment(request.to)
    service = config.service(check_service(request.services[0]))
    files = read_values(snapshot, config, [service], [environment])
    here = live(files, config, service, environment)
    facts = Facts(snapshot.commit, snapshot.branch, config, environment, (ServiceFacts(service, here),))
    return Case(order, snapshot, facts, PastReader(sources, snapshot, config, service, here))


def target_of(case: Case) -> Target:
    """The version to restore; raises :class:`~promote_actions.errors.Refused` when there is none."""
    return _search(case, case.order.request.version, case.order.steps)


def target_named(case: Case, version: str) -> Target:
    """``version`` as the one to restore, by the rules for one that a person names."""
    return _search(case, version, None)


def _search(case: Case, to_version: str, steps: int | None) -> Target:
    depths = DEPTHS if case.reader.bulk is None else DEPTHS[-1:]
    version, past = search(
        case.reader.read,
        depths,
        held=case.held,
        to_version=to_version,
        steps=steps,
        reason=case.order.request.reason,
    )
    undoes = undone(case.records, case.live.version)
    return Target(check_version(version), past.digests.get(version, ""), undoes)


def undone(records: Sequence[Record], version: str) -> str:
    """The id of the last record that brought ``version``: what a rollback from it undoes."""
    for record in reversed(records):
        if record.version == version and not record.rollback and record.event == "promotion":
            return record.record_id
    return ""


def move_back(case: Case, target: Target) -> Move:
    """The edit of the values file. A pinned digest wins over the tag, so it goes back as well."""
    service = case.facts.services[0]
    pins = case.facts.config.values.of(service.service.name).image_digest
    if pins and case.live.digest and not target.digest:
        raise InputError(
            f"{pins[0]} pins the old image, and the digest of {target.version} is not known",
            hint="choose a version whose digest was recorded, or edit both by hand",
            where=Location(case.live.file),
        )
    return move(case.facts, replace(service, digest=target.digest), target.version)


def still(case: Case, version: str, left: str) -> Move:
    """A rollback that changes no file: what a record and a message are made of."""
    here = case.live
    return Move(case.service, version, left, here.file, here.content, here.content, ())


def plan_of(case: Case, mode: str, made: Move, target: Target) -> Plan:
    """The plan of a rollback with one move."""
    return Plan(case.environment, None, mode, (made,), rollback=True, rollback_of=target.undoes)


def hold_change(case: Case, to: str, left: str = "") -> tuple[FileChange, ...]:
    """The file that quarantines the version which is ``left`` (empty: the one that git names), so that no
    automation brings it back.

    None when it is there already, or when that version has no name that could be held.
    """
    version, request = left or case.live.version, case.order.request
    try:
        check_version(version)
    except InputError:
        return ()
    if case.held(version):
        return ()
    document = {
        "service": case.service.name,
        "version": version,
        "environment": case.environment.name,
        "reason": request.reason or f"rolled back to {to} in {case.environment.name}",
        "since": format_time(request.now),
        "by": request.caller.actor,
    }
    content = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return (FileChange(hold_file(case.service.name, version), content.encode()),)
