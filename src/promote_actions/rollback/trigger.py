"""When a rollback happens by itself: on a gate that *failed*, for the version that failed, once. Pure.

A gate that could not measure, timed out or was inconclusive says nothing about the version: an outage of
Prometheus must not take a good release back. Source: the strategy's "Estratégia por Ambiente" (develop and
qa, by health check) and the design's rule 8.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promote_actions.audit.record import parse_time
from promote_actions.errors import InputError, one_line
from promote_actions.rollback.case import Case

WORDS = ("passed", "failed", "inconclusive", "timed-out", "errored")
"""What a gate can say; ``health-gate`` puts out the first four, and ``errored`` for single checks."""


@dataclass(frozen=True)
class GateSays:
    """A gate's word, empty when it said nothing, and the checks that failed, with their reasons."""

    result: str = ""
    failed: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why, for the audit record."""
        return (
            f"the health gate failed: {'; '.join(self.failed)}" if self.failed else "the health gate failed"
        )


def read_gate(text: str) -> GateSays:
    """The gate's result in ``text``: one of :data:`WORDS`, or the JSON of ``health-gate --format json``.

    Raises :class:`InputError` for anything else: a job's ``failure`` is not a gate's ``failed``, since a
    job also fails when its runner does.
    """
    text = text.strip()
    if not text.startswith("{"):
        return GateSays(_word(text)) if text else GateSays()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = {}
    if not isinstance(document.get("result"), str):
        raise InputError(
            "input 'gate-result' is JSON without a 'result'",
            hint="pass what health-gate --format json says",
        )
    return GateSays(_word(document["result"]), tuple(_failed(document.get("checks"))))


def _word(text: str) -> str:
    word = text.lower().replace("_", "-")
    if word not in WORDS:
        raise InputError(
            f"input 'gate-result' is '{one_line(text[:60])}'",
            hint=f"pass health-gate's output 'result', one of {', '.join(WORDS)}, not a job's result",
        )
    return word


def _failed(checks: Any) -> list[str]:
    if isinstance(checks, str):
        try:
            checks = json.loads(checks)
        except (ValueError, RecursionError):
            return []
    found = [each for each in checks if isinstance(each, dict)] if isinstance(checks, list) else []
    said = [f"{each.get('name')}: {each.get('reason')}" for each in found if each.get("result") == "failed"]
    return [one_line(each[:200]) for each in said][:5]


def stand_down(gate: GateSays, failed_version: str, case: Case) -> str:
    """Why an automatic rollback does nothing; empty when it has to act.

    ``failed_version`` is the version that the gate was about.
    """
    environment, name, live = case.environment, case.service.name, case.live.version
    if gate.result != "failed":
        said = f"is {gate.result}" if gate.result else "said nothing"
        return f"the gate {said}, and only a gate that failed takes a version back"
    if not failed_version:
        raise InputError(
            "the version that failed is not known", hint="pass --failed-version, as the gate was given it"
        )
    if environment.rollback != "auto":
        return f"{environment.name} is rolled back by people (rollback: {environment.rollback})"
    if live != failed_version:
        return (
            f"{environment.name} has {name} {live or 'no version'} now, not {failed_version}, which failed"
        )
    if live in case.left_before:
        return f"{name} {live} was rolled back here before, and a person brought it back"
    return _by_record(case)


def _by_record(case: Case) -> str:
    """What the newest record of the live version says against a rollback."""
    last = case.last_record
    if last is None or last.version != case.live.version or last.effective_outcome != "success":
        return ""
    if last.rollback:
        return (
            f"{case.service.name} {last.version} was restored by a rollback itself; a person has to decide"
        )
    came = parse_time(last.finished_at or last.timestamp)
    if came is not None and _whole(came) > _whole(case.order.started):
        return f"{case.service.name} {last.version} was promoted again after that failure"
    return ""


def _whole(moment: datetime) -> float:
    return float(int(moment.timestamp()))
