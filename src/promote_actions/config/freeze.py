"""Whether an environment is closed for promotions now: freeze windows and locks. Pure.

Rule: a frozen or locked environment refuses, says until when and who may override.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone, tzinfo

from promote_actions.config.model import Environment, Freeze

CHAIN = 500
"""How many windows that touch each other are followed to find the end."""


def frozen_until(environment: Environment, now: datetime) -> tuple[Freeze, datetime] | None:
    """The window of ``environment`` that is open at ``now`` (an aware datetime) and when promotions
    may go on (UTC), or None.

    Of several open windows it is the one that ends last; windows that begin before its end, or at it,
    put the end off.
    """
    current = _open(environment.freeze, now.astimezone(timezone.utc))
    if current is None:
        return None
    window, end = current
    for _ in range(CHAIN):
        following = _open(environment.freeze, end)
        if following is None:
            break
        end = following[1]
    return window, end


def locked(environment: Environment, now: datetime) -> bool:
    """Whether the lock of ``environment`` holds at ``now``; one without an end always does."""
    if not environment.lock:
        return False
    return environment.lock_until is None or now < environment.lock_until


def _open(windows: Iterable[Freeze], now: datetime) -> tuple[Freeze, datetime] | None:
    found: tuple[Freeze, datetime] | None = None
    for window in windows:
        from promote_actions.config import cron  # most environments have no windows

        length = timedelta(seconds=window.duration)
        start = cron.parse(window.cron).latest_start(now, zone(window.timezone), length)
        if start is not None and (found is None or start + length > found[1]):
            found = window, start + length
    return found


def zone(name: str) -> tzinfo:
    """The time zone called ``name`` (IANA); raises ``ValueError`` when there is none."""
    if name in ("UTC", "Etc/UTC", "Z"):
        return timezone.utc
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"there is no time zone '{name[:64]}'") from None
