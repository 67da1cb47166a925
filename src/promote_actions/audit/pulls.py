"""What a pull request tells the record of its promotion: who asked, approved and merged, and when.

Only approvals that count are approvers: of the commit that was merged, by people who may write, not by
the author and not by a bot (the design's section 1). The forge is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from promote_actions.adapters.forge import Forge, PullRequest, Review
from promote_actions.errors import InputError
from promote_actions.owners.reviews import last_words, why_ignored
from promote_actions.promotion.messages import SUBJECT
from promote_actions.promotion.pull import claim_of

_NUMBER = re.compile(r"(?:https?://[^\s?#]+/pull/|#)?([1-9][0-9]{0,9})/?")
_ASKED = re.compile(r"^Requested by @([A-Za-z0-9-]{1,39}(?:\[bot\])?)", re.MULTILINE)
_RESULT = re.compile(r"^- (✅|❌) ([^\n:]{1,100}?)(?:: ([^\n]{1,200}))?$", re.MULTILINE)


@dataclass(frozen=True)
class PullFacts:
    """A pull request that is over. ``versions`` by service and ``environment`` are what it claims."""

    url: str
    merged: bool
    initiator: str
    approvers: tuple[str, ...] = ()
    merged_by: str = ""
    merge_commit: str = ""
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    approved_at: datetime | None = None
    environment: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    validation: Mapping[str, str] = field(default_factory=dict)
    rollback: bool = False

    @property
    def waited_seconds(self) -> int | None:
        """Seconds from the opening to the last approval: the time that people took."""
        if self.opened_at is None or self.approved_at is None or self.approved_at < self.opened_at:
            return None
        return int((self.approved_at - self.opened_at).total_seconds())


def number_of(text: str) -> int:
    """The number in ``123``, ``#123`` or a pull request's address; raises :class:`InputError`."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise InputError(f"input 'pr' is '{text[:80]}'", hint="give the pull request's number or address")
    return int(match[1])


def read_pull(forge: Forge, text: str) -> PullFacts:
    """The facts of the pull request that ``text`` names; it has to be merged or closed."""
    pull = forge.pull(number_of(text))
    if pull.state == "open":
        raise InputError(
            f"pull request #{pull.number} is still open", hint="record it when it is merged or closed"
        )
    me = forge.user()
    ours = pull.author.endswith("[bot]") or (me is not None and me.login == pull.author)
    return facts_of(pull, forge.reviews(pull.number), ours)


def facts_of(pull: PullRequest, reviews: Sequence[Review], ours: bool) -> PullFacts:
    """The facts in a pull request and its ``reviews``.

    ``ours`` is whether an account of ours opened it: only then its body says who asked for it.
    """
    counted = [
        review
        for review in last_words(reviews)
        if review.state == "APPROVED"
        and not why_ignored(review, pull.head_sha, pull.author, pull.author_id or None)
    ]
    times = [review.submitted_at for review in counted if review.submitted_at]
    claim = claim_of(pull)
    asked = _ASKED.search(pull.body) if ours else None
    title = SUBJECT.match(pull.title.strip())
    return PullFacts(
        url=pull.url,
        merged=pull.merged,
        initiator=asked[1] if asked else pull.author,
        approvers=tuple(review.login for review in counted),
        merged_by=pull.merged_by,
        merge_commit=pull.merge_sha,
        opened_at=pull.created_at,
        closed_at=pull.merged_at,
        approved_at=max(times, default=None),
        environment=claim[0] if claim else "",
        versions=dict(claim[1]) if claim else {},
        validation=_validation(pull.body),
        rollback=bool(title and title["kind"] == "rollback"),
    )


def _validation(body: str) -> Mapping[str, str]:
    """The results under "Validation" in the body, as promotions write them (and the strategy does)."""
    section = body.partition("## Validation")[2].partition("\n## ")[0]
    return {
        name.strip(): result.strip() or ("passed" if glyph == "✅" else "failed")
        for glyph, name, result in _RESULT.findall(section)
    }
