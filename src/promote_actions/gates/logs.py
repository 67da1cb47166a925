"""The check ``logs``: no critical errors in the window (the strategy's "Logs sem erros críticos").

Counts lines that match a pattern, and shows the first ones, without what looks like a secret. No line at
all in the window is no data: a pipeline of logs that is broken must not look like a quiet service.
Options: ``url``, ``selector``, ``pattern``, ``max``, ``window``, ``min-window``, ``min-lines``,
``show``, ``tenant``, ``on-no-data``. Pure but for its source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from promote_actions.errors import one_line
from promote_actions.gates.model import Link, Moment, Outcome, Reading
from promote_actions.gates.options import COMMON, Options
from promote_actions.gates.prometheus import fill, no_data_outcome
from promote_actions.gates.soak import words

KNOWN = (
    *COMMON, "url", "selector", "pattern", "max", "window", "min-window", "min-lines", "show", "tenant",
    "on-no-data",
)  # fmt: skip
DEFAULT_SELECTOR = 'service="{service}",environment="{environment}"'
DEFAULT_PATTERN = r"(?i)\b(critical|fatal|panic)\b"

_SECRETS = (
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r"""(?i)((?:pass(?:word|wd)?|secret|token|api[-_]?key|authorization|cookie|credential)s?["']?\s*[=:]\s*)"""
        r"""("[^"]*"|'[^']*'|[^\s,;&}]+)"""
    ),
    re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.?[A-Za-z0-9_-]*"),
    re.compile(
        r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    ),
    re.compile(r"(?<=://)[^/@\s]+@"),
    re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"),
    re.compile(r"\b[A-Fa-f0-9]{32,}\b|\b[A-Za-z0-9+/]{40,}={0,2}"),
)


@dataclass(frozen=True)
class Found:
    """What a log store said: how many lines there were, how many matched, and some that did."""

    lines: float
    matching: float
    samples: tuple[str, ...] = ()


class LogStore(Protocol):
    """A log store, as much of it as the gate needs (``adapters.loki.Loki``)."""

    def search(self, selector: str, pattern: str, begin: datetime, end: datetime, show: int) -> Found:
        """Lines between two moments."""


@dataclass(frozen=True)
class Settings:
    """What is searched. Times are seconds; more than ``most`` matching lines is a failure."""

    selector: str
    pattern: str = DEFAULT_PATTERN
    most: float = 0.0
    window: float = 300.0
    min_window: float = 30.0
    min_lines: float = 1.0
    show: int = 3
    on_no_data: Outcome = "inconclusive"


def parse(options: Options, names: Mapping[str, str]) -> Settings:
    """The settings; ``names`` are the placeholders' values."""
    window = options.seconds("window", 300.0)
    return Settings(
        selector=fill(options.text("selector", DEFAULT_SELECTOR), names).strip("{} "),
        pattern=options.text("pattern", DEFAULT_PATTERN),
        most=options.number("max", 0.0),
        window=window,
        min_window=min(options.seconds("min-window", 30.0), window),
        min_lines=options.number("min-lines", 1.0),
        show=options.whole("show", 3),
        on_no_data=no_data_outcome(options),
    )


class LogCheck:
    """Takes the readings."""

    def __init__(self, settings: Settings, store: LogStore, link: Link | None = None) -> None:
        self._settings = settings
        self._store = store
        self._links = (link,) if link else ()

    def measure(self, moment: Moment) -> Reading:
        settings = self._settings
        begin = moment.now - timedelta(seconds=settings.window)
        if moment.rollout is not None:
            begin = max(begin, moment.rollout)
        seconds = (moment.now - begin).total_seconds()
        if seconds < settings.min_window:
            reason = f"less than {words(settings.min_window)} since the rollout"
            return Reading("waiting", reason, moment.now, left=settings.min_window - seconds)
        found = self._store.search(settings.selector, settings.pattern, begin, moment.now, settings.show)
        outcome, reason = judge(settings, seconds, found)
        details = tuple(redacted(line) for line in found.samples[: settings.show])
        return Reading(
            outcome, reason, moment.now, found.matching, begin, links=self._links, details=details
        )


def judge(settings: Settings, seconds: float, found: Found) -> tuple[Outcome, str]:
    """Outcome and reason: the floor of lines comes before the count of bad ones, unless there are bad
    ones."""
    if found.matching > settings.most:
        lines = "line" if found.matching == 1 else "lines"
        return (
            "failed",
            f"{found.matching:.0f} critical {lines} in {words(seconds)}, at most {settings.most:g}",
        )
    if found.lines < settings.min_lines:
        reason = f"no data: {found.lines:.0f} lines in {words(seconds)}, {settings.min_lines:g} needed"
        return settings.on_no_data, reason
    return "passed", f"{found.matching:.0f} critical lines among {found.lines:.0f} in {words(seconds)}"


def redacted(line: str) -> str:
    """``line`` on one line, cut, and without what looks like a secret or a person's address."""
    text = line[:2000]
    for pattern in _SECRETS:
        text = pattern.sub(_hide, text)
    return one_line(text)[:200]


def _hide(found: re.Match[str]) -> str:
    if found.re.groups >= 2:
        return f"{found[1]}***"
    return f"{found[1]} ***" if found.re.groups == 1 else "***"
