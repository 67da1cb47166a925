"""What each reviewer thinks now, and whether that counts. Pure.

Source: GitHub's "About protected branches" and the REST call "List reviews for a pull request", which
lists every review there ever was, also those that a later one has overtaken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from promote_actions.owners.parse import fold

UNREAD = "permission could not be read"
"""The reason of an approval that may or may not count: nobody could tell."""

_OPINIONS = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})


@dataclass(frozen=True)
class Review:
    """One review, as GitHub lists it.

    ``state`` is GitHub's word in capitals, ``commit`` the full SHA that was reviewed (may be empty),
    ``submitted_at`` an aware time or None, ``can_write`` None when it could not be read.
    """

    user_id: int
    login: str
    is_bot: bool
    state: str
    commit: str
    submitted_at: datetime | None
    can_write: bool | None


def last_words(reviews: Sequence[Review]) -> tuple[Review, ...]:
    """The review that says what each person thinks now, one a user id, in order of first appearance.

    Comments and unfinished reviews never change a stance; a dismissed one takes it away.
    """
    latest: dict[int, Review] = {}
    for review in reviews:
        if review.state in _OPINIONS and not _older(review, latest.get(review.user_id)):
            latest[review.user_id] = review
    return tuple(latest.values())


def _older(review: Review, other: Review | None) -> bool:
    # GitHub lists reviews in order of time; dates overrule that order where both have one.
    if other is None or review.submitted_at is None or other.submitted_at is None:
        return False
    return review.submitted_at < other.submitted_at


def why_ignored(review: Review, head: str, author: str, author_id: int | None) -> str:
    """Why a last word does not count; empty when it does.

    An approval counts on ``head`` only; an objection stands whatever has been pushed since.
    """
    if review.user_id == author_id or fold(review.login) == fold(author):
        return "is the author"
    if review.state == "DISMISSED":
        return "review was dismissed"
    if review.can_write is False:
        return "may not write to the repository"
    if review.state == "CHANGES_REQUESTED":
        return "is a bot" if review.is_bot and not review.can_write else ""
    return _why_no_approval(review, head)


def _why_no_approval(review: Review, head: str) -> str:
    if review.is_bot:
        return "is a bot"
    if review.commit != head:
        return f"approved another commit ({review.commit[:7] or 'unknown'}, not {head[:7] or 'unknown'})"
    return "" if review.can_write else UNREAD
