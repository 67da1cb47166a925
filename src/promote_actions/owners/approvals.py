"""Counting approvals as policy says, not as CODEOWNERS happens to. Pure.

GitHub is content with one owner of a path. Policy asks for N: N different people who own the path, whose
last word is an approval of the commit that would be merged. Author and bots do not count, and neither
does a person who may not write to the repository. Source: the strategy ("Matriz de Promoção",
"CODEOWNERS para Aprovações"); ``docs/owners.md`` has every rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from promote_actions.owners.match import Match
from promote_actions.owners.reviewers import Requests, Team, reviewers_to_request
from promote_actions.owners.reviews import UNREAD, Review, last_words, why_ignored
from promote_actions.owners.tally import (
    ApprovalPolicy,
    Crowd,
    explain,
    join,
    needs,
    tally,
    why_not_counted,
)

__all__ = [
    "ApprovalPolicy",
    "Requests",
    "Review",
    "Team",
    "Verdict",
    "count",
    "last_words",
    "reviewers_to_request",
]

DESCRIPTION_LIMIT = 140
"""Characters that GitHub accepts as the description of a commit status."""


@dataclass(frozen=True)
class Verdict:
    """What the count came to.

    ``counted`` are the logins whose approval counts for some path, ``missing`` how many more approvals
    the path furthest from its number needs, ``ignored`` the reviewers whose word did not count, with the
    reason. ``blocked_by`` are those who ask for changes. ``error`` is not empty when the count could not
    be made: that is neither yes nor no, and must not let anything pass. ``explanation`` has a line for
    each group of paths with the same owners.
    """

    approved: bool
    counted: tuple[str, ...]
    missing: int
    ignored: tuple[tuple[str, str], ...]
    explanation: str
    blocked_by: tuple[str, ...] = ()
    error: str = ""

    @property
    def state(self) -> str:
        """The verdict as the state of a commit status: success, failure, error or pending."""
        if self.approved:
            return "success"
        if self.blocked_by:
            return "failure"
        return "error" if self.error else "pending"

    @property
    def summary(self) -> str:
        """The verdict in one short line, fit for the description of a commit status."""
        if self.approved:
            text = f"approved by {join(self.counted)}" if self.counted else "no approval needed"
        elif self.blocked_by:
            text = f"changes requested by {join(self.blocked_by)}"
        else:
            text = self.error or f"{self.missing} more approval{'s' * (self.missing > 1)} needed"
        return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1] + "…"


def count(  # noqa: PLR0917 - the order is that of the question: policy, paths, reviews, of what, by whom
    policy: ApprovalPolicy,
    matches: Sequence[Match],
    reviews: Sequence[Review],
    head: str,
    author: str,
    memberships: Mapping[str, AbstractSet[str] | None],
    *,
    author_id: int | None = None,
    emails: Mapping[str, str] | None = None,
) -> Verdict:
    """Whether ``reviews`` satisfy ``policy`` for the changed paths in ``matches``.

    Every owned path needs ``policy.needed`` different owners among those who approve ``head`` (a full
    SHA). Paths without owners (no rule, no file, or unowned on purpose), and a change without paths,
    need as many people who may write. ``memberships`` maps ``org/team`` to the logins in it, nested teams
    included, or to None when they could not be read; a team that is absent is unreadable too. ``emails``
    maps an e-mail owner to a login. Names are compared without case.
    """
    if not head or not author:
        raise ValueError("head and author must be known: without them nothing can be left out")
    words = {review: why_ignored(review, head, author, author_id) for review in last_words(reviews)}
    valid = {
        sure: [
            r for r, reason in words.items() if r.state == "APPROVED" and reason == ("" if sure else UNREAD)
        ]
        for sure in (True, False)
    }
    crowd = Crowd.of(memberships, emails)
    tallies = [tally(policy, need, crowd, author, valid) for need in needs(matches)]
    used = {review for each in tallies for review in each.have}
    blocked_by = tuple(
        r.login for r, reason in words.items() if r.state == "CHANGES_REQUESTED" and not reason
    )
    ignored = {review.login: reason for review, reason in words.items() if reason}
    ignored |= {review.login: "owns none of the paths" for review in valid[True] if review not in used}
    missing = max(each.missing for each in tallies)
    lines = [f"{login} requests changes, until they approve or it is dismissed" for login in blocked_by]
    return Verdict(
        approved=not missing and not blocked_by,
        counted=tuple(review.login for review in valid[True] if review in used),
        missing=missing,
        ignored=tuple(ignored.items()),
        explanation="\n".join([*lines, *(explain(policy, each) for each in tallies)]),
        blocked_by=blocked_by,
        error="" if blocked_by else why_not_counted(policy, tallies),
    )
