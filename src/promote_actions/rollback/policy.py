"""What a rollback has to obey, which is less than a promotion: it restores what ran there before. Pure.

The strategy gives production ten minutes, and a promotion's rules are made to take longer than that. So one
owner who is not the author approves (GitHub's own review, on the current head), nothing has to soak, no
gate is asked, and what closes an environment to promotions doesn't keep a bad version in it.
"""

from __future__ import annotations

from promote_actions.config.model import Environment

SET_ASIDE = frozenset({"downgrade", "freeze", "lock", "stop"})
"""Rules of a promotion (``promotion.policy``) that say nothing against a rollback."""


def approvals_needed(environment: Environment) -> int:
    """How many owners must approve a rollback's pull request: one, where a promotion needs any."""
    return min(1, environment.approvals)
