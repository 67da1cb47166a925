"""What the audit log says of how a version came into the source environment: which image, and when. Pure
but for the snapshot, which is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from promote_actions.adapters.gitops import Snapshot
from promote_actions.audit.names import Names
from promote_actions.audit.record import Record, from_json, parse_time
from promote_actions.config.model import Environment
from promote_actions.errors import InputError
from promote_actions.promotion.model import Facts, ServiceFacts

DAYS = 5
"""Days with records of a service that are looked through, the newest first."""


@dataclass(frozen=True)
class Arrival:
    """The digest that was recorded (empty: none) and since when the version is there (None: unknown)."""

    digest: str = ""
    since: datetime | None = None


def with_records(facts: Facts, snapshot: Snapshot) -> Facts:
    """``facts`` with the digest and the time at which each version came into the source environment."""
    if facts.source is None:
        return facts
    found = arrivals(snapshot, facts.config.audit_folder, facts.source, facts.services)
    services = tuple(
        replace(each, recorded_digest=arrival.digest, since=arrival.since)
        for each in facts.services
        for arrival in [found.get(each.service.name, Arrival())]
    )
    return replace(facts, services=services)


def arrivals(
    snapshot: Snapshot, folder: str, environment: Environment, services: Iterable[ServiceFacts]
) -> Mapping[str, Arrival]:
    """For each service, what the newest records of its live version in ``environment`` say.

    Reads one day's records of all services at once. A record that can't be read says nothing here; to
    find it is what ``audit-log verify`` is for.
    """
    names = Names(snapshot.files(folder))
    aliases = tuple(dict.fromkeys((*environment.suffixes, environment.name)))
    wanted = {each.service.name: each.source.version for each in services if each.source}
    days = {name: [paths for _, paths in names.newest_first(name, aliases)] for name in wanted}
    found: dict[str, Arrival] = {}
    for day in range(DAYS):
        paths = {name: days[name][day] for name in wanted if name not in found and day < len(days[name])}
        if not paths:
            break
        content = snapshot.read_many(path for group in paths.values() for path in group)
        for name, group in paths.items():
            records = _readable(content, group)
            own = [each for each in records if (each.service, each.version) == (name, wanted[name])]
            arrival = _arrival([each for each in own if each.to_environment in environment.names])
            if arrival is not None:
                found[name] = arrival
    return found


def _readable(content: Mapping[str, bytes], paths: Sequence[str]) -> list[Record]:
    records = []
    for path in paths:
        try:
            records.append(from_json(content[path], path))
        except (InputError, KeyError):
            continue
    return sorted(records, key=lambda record: record.sequence)


def _arrival(records: Sequence[Record]) -> Arrival | None:
    good = [record for record in records if record.effective_outcome == "success"]
    moves = [record for record in good if record.event != "amendment"]
    if not good:
        return None
    digests = [record.image_digest for record in good if record.image_digest]
    since = parse_time(moves[-1].finished_at or moves[-1].timestamp) if moves else None
    return Arrival(digests[-1] if digests else "", since)
