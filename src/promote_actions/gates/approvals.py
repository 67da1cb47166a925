"""The check ``approvals``: enough of the right people have approved the pull request's current head.

The counting is :mod:`promote_actions.owners.approvals`; here it is made a reading. Options:
``pull-request``, ``needed``, ``each-team``. Source: the strategy's promotion matrix (2 SREs for
production, 1 platform engineer for staging) and its CODEOWNERS.
"""

from __future__ import annotations

from dataclasses import dataclass

from promote_actions.adapters.forge import Forge, PullRequest
from promote_actions.adapters.gitops import GitOpsRepository
from promote_actions.errors import InputError
from promote_actions.gates.model import Link, Moment, Outcome, Reading
from promote_actions.gates.options import COMMON, OptionError, Options
from promote_actions.owners.approvals import ApprovalPolicy, Verdict, count
from promote_actions.owners.match import Match, owners_of_all
from promote_actions.owners.parse import LOCATIONS, choose

KNOWN = (*COMMON, "pull-request", "needed", "each-team")
CONTEXT = "promotion/approvals"
"""The commit status under which the count is published."""

_OUTCOMES: dict[str, Outcome] = {
    "success": "passed",
    "failure": "failed",
    "error": "errored",
    "pending": "waiting",
}


@dataclass(frozen=True)
class Settings:
    """Which pull request, and what the policy asks of it."""

    number: int
    policy: ApprovalPolicy


def parse(options: Options, number: int, policy: ApprovalPolicy) -> Settings:
    """The settings; raises :class:`InputError` without a pull request."""
    number = options.whole("pull-request", number)
    if number < 1:
        raise InputError(f"check '{options.name}' has no pull request", hint="give pull-request")
    needed = options.whole("needed", policy.needed)
    each_team = options.flag("each-team", policy.each_team)
    if needed < 1:
        hint = "give `needed`, or `approvals` of the environment in promotion.yaml"
        message = f"check '{options.name}' asks for no approval, so it measures nothing"
        raise OptionError(message, key="needed", hint=hint)
    return Settings(number, ApprovalPolicy(needed, each_team))


class ApprovalsCheck:
    """Takes the readings; ``head`` and ``verdict`` are of the last one, for the commit status."""

    def __init__(self, settings: Settings, repository: GitOpsRepository, forge: Forge) -> None:
        self._settings = settings
        self._repository = repository
        self._forge = forge
        self.head = ""
        self.verdict: Verdict | None = None

    def measure(self, moment: Moment) -> Reading:
        pull = self._forge.pull(self._settings.number)
        self.head = pull.head_sha
        links = (Link(f"pull request {pull.number}", pull.url),)
        if pull.state == "closed" and not pull.merged:
            return Reading(
                "failed",
                "the pull request is closed",
                moment.now,
                final=True,
                links=links,
                commit=self.head,
            )
        verdict = self._count(pull)
        self.verdict = verdict
        details = (*verdict.explanation.splitlines(), *(f"{who} {why}" for who, why in verdict.ignored))
        value = float(len(verdict.counted))
        outcome = _OUTCOMES[verdict.state]
        return Reading(
            outcome, verdict.summary, moment.now, value, links=links, details=details, commit=self.head
        )

    def _count(self, pull: PullRequest) -> Verdict:
        matches = self._matches(pull)
        teams = {
            f"{owner.organization}/{owner.slug}": owner
            for match in matches
            for owner in match.owners
            if owner.kind == "team"
        }
        members = {
            name: self._forge.team_members(team.organization, team.slug) for name, team in teams.items()
        }
        return count(
            self._settings.policy,
            matches,
            self._forge.reviews(pull.number),
            pull.head_sha,
            pull.author,
            members,
            author_id=pull.author_id or None,
        )

    def _matches(self, pull: PullRequest) -> tuple[Match, ...]:
        """The owners of what the pull request changes, by the CODEOWNERS of its base: that is GitHub's
        rule, or a pull request could name its own approvers."""
        snapshot = self._repository.snapshot(pull.base_branch)
        codeowners = choose(snapshot.read_many(LOCATIONS))
        return owners_of_all(codeowners, self._forge.changed_files(pull.number))
