"""What a gate is made of: checks, their readings, and what came of them. Pure.

The words are those of Argo Rollouts' analysis, with two differences that the design asks for: a reading
can be ``waiting`` (the thing is under way, which is neither good nor bad), and nothing passes that was
not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from promote_actions.config.model import GatePlaces

Outcome = Literal["passed", "failed", "waiting", "inconclusive", "errored"]
"""Of one reading. ``waiting``: not there yet. ``inconclusive``: measured, and it says nothing either
way. ``errored``: could not be measured."""

Verdict = Literal["passed", "failed", "errored", "inconclusive", "timed-out"]
"""Of one check, and of the gate."""

GateWord = Literal["passed", "failed", "inconclusive", "timed-out"]
"""The values of the output ``result``; a gate that could not measure is ``inconclusive``."""


@dataclass(frozen=True)
class Link:
    """A place where a person can see more."""

    text: str
    url: str


@dataclass(frozen=True)
class Reading:
    """One measurement.

    ``value`` is what was measured, in the check's own unit. ``begins`` is the start of the time that
    the reading speaks of; a reading that begins before the rollout speaks of the old version.
    ``final`` says that no later reading can differ, so waiting is pointless. ``since`` is, of a
    rollout's reading, when the version became live. ``left`` is, of a waiting one, after how many seconds a
    reading may pass at the earliest, when that is known. ``course`` is how the value went over the window.
    ``details`` are lines for a person. ``commit`` is the pull request's head that it speaks of, when it
    speaks of one.
    """

    outcome: Outcome
    reason: str
    at: datetime
    value: float | None = None
    begins: datetime | None = None
    since: datetime | None = None
    final: bool = False
    left: float | None = None
    course: tuple[tuple[datetime, float], ...] = ()
    links: tuple[Link, ...] = ()
    details: tuple[str, ...] = ()
    commit: str = ""


@dataclass(frozen=True)
class CheckSpec:
    """A check as it was asked for. Times are seconds.

    ``success`` good readings in a row pass it; more than ``failure_limit`` bad ones fail it; more than
    ``error_limit`` readings in a row that could not be taken end it as errored. ``result_name`` is its
    key in ``validation-results``. ``source`` says where it was asked for, ``places`` where that stands in
    a file.
    """

    kind: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    initial_delay: float = 0.0
    interval: float = 15.0
    timeout: float = 600.0
    success: int = 1
    failure_limit: int = 0
    error_limit: int = 4
    result_name: str = ""
    source: str = "the command line"
    places: GatePlaces | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> str:
        """The name under which ``validation-results`` has it."""
        return self.result_name or self.name.replace("-", "_")


@dataclass(frozen=True)
class Moment:
    """What a check may know when it measures: the time, and since when the version is live, if known."""

    now: datetime
    rollout: datetime | None = None


Measure = Callable[[Moment], Reading]


@dataclass(frozen=True)
class Check:
    """A check that can be run. ``proves_rollout``: its passing reading says since when the version is
    live. ``after_rollout``: it speaks of the new version only once that is known. ``threshold`` and
    ``unit`` are for the report; ``explain`` lines say what would be asked, and of whom."""

    spec: CheckSpec
    measure: Measure
    proves_rollout: bool = False
    after_rollout: bool = False
    threshold: str = ""
    explain: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckState:
    """What the readings so far amount to. ``verdict`` is None while the check is still open."""

    verdict: Verdict | None = None
    reading: Reading | None = None
    readings: int = 0
    good: int = 0
    bad: int = 0
    errors: int = 0
    samples: tuple[tuple[datetime, float], ...] = ()

    def settled(self, verdict: Verdict) -> CheckState:
        return replace(self, verdict=verdict)


@dataclass(frozen=True)
class CheckResult:
    """What came of one check. ``seconds`` is how long it took, ``commit`` the head that it is of."""

    spec: CheckSpec
    verdict: Verdict
    reason: str
    readings: int = 0
    seconds: float = 0.0
    value: float | None = None
    threshold: str = ""
    samples: tuple[tuple[datetime, float], ...] = ()
    links: tuple[Link, ...] = ()
    details: tuple[str, ...] = ()
    commit: str = ""


@dataclass(frozen=True)
class GateResult:
    """What came of the gate. ``verdict`` keeps *errored* apart; ``result`` is the contract's word."""

    verdict: Verdict
    checks: tuple[CheckResult, ...]
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        return self.verdict == "passed"

    @property
    def result(self) -> GateWord:
        return "inconclusive" if self.verdict == "errored" else self.verdict

    @property
    def validation_results(self) -> dict[str, str]:
        """Check to verdict, for an audit record's ``validation_results``; the worst of a name wins."""
        from promote_actions.gates.judge import worst

        found: dict[str, Verdict] = {}
        for check in self.checks:
            key = check.spec.key
            found[key] = worst([found[key], check.verdict]) if key in found else check.verdict
        return dict(found)
