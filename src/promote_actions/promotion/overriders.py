"""Who may override a lock or a freeze: the members of the teams that the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from promote_actions.promotion.model import Facts

if TYPE_CHECKING:
    from promote_actions.adapters.forge import Forge


def teams_that_may_override(facts: Facts, forge: Forge) -> Mapping[str, frozenset[str]]:
    """The members of every ``org/team`` named by the environment's lock and open freeze window.

    Keys are in lower case. A team that can't be read is left out, and so lets nobody through.
    """
    named = [*facts.environment.lock_override, *(facts.frozen[0].override if facts.frozen else ())]
    found = {}
    for name in {name.lstrip("@").lower() for name in named if "/" in name}:
        organization, _, slug = name.partition("/")
        members = forge.team_members(organization, slug)
        if members is not None:
            found[name] = members
    return found
