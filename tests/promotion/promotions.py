"""Requests, facts and plans as tests need them, with sensible parts where a test doesn't care."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from promote_actions.config.model import Config, Service
from promote_actions.promotion.model import Facts, Live, Move, Plan, Request, ServiceFacts
from promote_actions.promotion.values import Edit, edit
from tests.support.gitops import values

NOW = datetime(2026, 2, 10, 12, 0, tzinfo=timezone.utc)
CONFIG = Config()


def live(environment: str, version: str, service: str = "app", **more: Any) -> Live:
    """What a values file says."""
    suffix = CONFIG.environment(environment).file_suffix
    return Live(
        environment, f"helm/{service}/values-{suffix}.yaml", values(version).encode(), version, **more
    )


def service_facts(name: str = "app", **more: Any) -> ServiceFacts:
    """A service whose develop is ahead of its qa."""
    parts: dict[str, Any] = {
        "service": Service(name),
        "target": live("qa", "2026.02.15", name),
        "source": live("develop", "2026.02.17", name),
        **more,
    }
    return ServiceFacts(**parts)


def facts(*services: ServiceFacts, to: str = "qa", **more: Any) -> Facts:
    """The facts of a promotion into ``to``, from the environment before it."""
    environment = CONFIG.environment(to)
    parts: dict[str, Any] = {
        "commit": "c" * 40,
        "branch": "main",
        "config": CONFIG,
        "environment": environment,
        "services": services or (service_facts(),),
        "source": CONFIG.source_of(environment),
        **more,
    }
    return Facts(**parts)


def request(**more: Any) -> Request:
    """A request for the promotion of ``app`` to qa."""
    return replace(Request(("app",), "qa", NOW), **more)


def move(name: str = "app", version: str = "2026.02.17", previous: str = "2026.02.15", **more: Any) -> Move:
    """One service's change in qa."""
    before = values(previous).encode()
    content, edits = edit(before, [Edit("image.tag", version)])
    parts = {"service": Service(name), "file": f"helm/{name}/values-qa.yaml", **more}
    return Move(version=version, previous=previous, before=before, content=content, edits=edits, **parts)


def plan_of(*moves: Move, to: str = "qa", mode: str = "direct", **more: Any) -> Plan:
    """A plan that moves ``moves``."""
    environment = CONFIG.environment(to)
    return Plan(environment, CONFIG.source_of(environment), mode, moves or (move(),), **more)
