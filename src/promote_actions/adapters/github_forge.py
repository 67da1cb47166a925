"""The forge side of a GitHub repository (``forge.Forge``): pull requests, reviews, statuses, events.

Every step may be repeated: what a lost answer leaves in doubt is looked up before it is done again.
"""

from __future__ import annotations

from promote_actions.adapters.github_actions import Actions
from promote_actions.adapters.github_commits import Commits
from promote_actions.adapters.github_pulls import Pulls
from promote_actions.adapters.github_reviews import Reviews


class GitHubForge(Pulls, Reviews, Commits, Actions):
    """Everything that promotions need of one repository on GitHub beyond git."""
