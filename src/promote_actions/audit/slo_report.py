"""Putting the SLO report together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from promote_actions.audit.dora import dora
from promote_actions.audit.events import events
from promote_actions.audit.record import Record
from promote_actions.audit.slo import measure
from promote_actions.audit.slo_document import SloReport
from promote_actions.config.model import Config


def slo_report(
    records: Sequence[Record],
    config: Config,
    now: datetime,
    windows: Sequence[int],
    *,
    environments: Sequence[str] = (),
    services: Sequence[str] = (),
) -> SloReport:
    """The report on ``records`` in ``windows`` of days; DORA's measures are of the last environment.

    ``environments`` (names or aliases) limit it; raises :class:`InputError` for one that there isn't.
    """
    if environments:
        wanted = {config.environment(name).name for name in environments}
        kept = tuple(each for each in config.environments if each.name in wanted)
        config = replace(config, environments=kept)
    found = events(records)
    last = config.environments[-1].name
    return SloReport(
        made_at=now,
        environments=measure(found, config, now, windows),
        dora=tuple(dora(found, last, now, days) for days in windows),
        records=len(records),
        services=tuple(services),
    )
