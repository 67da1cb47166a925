"""Landing a promotion: read, plan, write on what was read, and all of it again when that has moved."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from promote_actions.adapters.gitops import FileChange, GitOpsRepository, Snapshot
from promote_actions.audit.log import seal
from promote_actions.errors import Conflict, DependencyError, PromoteError
from promote_actions.promotion.background import Research
from promote_actions.promotion.diff import unified
from promote_actions.promotion.gather import gather
from promote_actions.promotion.messages import Words, words
from promote_actions.promotion.model import Facts, Plan, Request, ServiceFacts
from promote_actions.promotion.plan import plan
from promote_actions.promotion.policy import hold_file
from promote_actions.promotion.record import records
from promote_actions.promotion.recorded import with_records

PATIENCE = 300.0
"""Seconds during which a promotion that keeps losing the race for the branch is planned again."""

LONGEST_PAUSE = 10.0
"""Seconds between two attempts at most. The range is what an attempt takes here, doubled with each lost
race: the more promotions there are, the longer each steps aside, and the fewer requests are in vain."""


@dataclass(frozen=True)
class Landing:
    """What was (or with a dry run would be) done. ``commit`` is empty when nothing landed.

    ``extra`` are files that go into the same commit, ``branch`` is the one written, ``notes`` are
    things that a person should know, ``warnings`` those of them that ask for something, ``failure`` is what
    went wrong after it had landed.
    """

    facts: Facts
    plan: Plan
    words: Words | None = None
    diff: str = ""
    extra: tuple[FileChange, ...] = ()
    commit: str = ""
    branch: str = ""
    audit_paths: tuple[str, ...] = ()
    pr_number: int = 0
    pr_url: str = ""
    reviewers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    changed: bool = False
    failure: PromoteError | None = None


def prepare(  # noqa: PLR0917 - request, where, how: the order in which one says it
    request: Request,
    snapshot: Snapshot,
    config_path: str,
    pull_requests: bool,
    digests: Callable[[Facts], Facts],
    research: Research,
) -> Landing:
    """Facts, plan, words and diff at ``snapshot``; nothing is written.

    ``digests`` completes the facts with what the registry says, ``research`` finds what is told beside
    the plan.
    """
    facts = digests(gather(request, snapshot, config_path))
    if facts.environment.soak or any(each.digest or _pinned(each) for each in facts.services):
        facts = with_records(facts, snapshot)
    planned = plan(request, facts, pull_requests)
    if not planned.changed:
        return Landing(facts, planned)
    diff = unified(planned.moves)
    text = words(request, planned, diff, background=research(facts, planned))
    return Landing(facts, planned, text, diff)


def _pinned(facts: ServiceFacts) -> bool:
    return facts.source is not None and bool(facts.source.digest)


def paths_read(landing: Landing) -> set[str]:
    """The files that ``landing`` was planned from: to plan it again, they are read at once."""
    facts = landing.facts
    sides = [side.file for each in facts.services for side in (each.source, each.target) if side]
    holds = [hold_file(move.service.name, move.version) for move in landing.plan.moves]
    return {*sides, *holds}


def land_direct(
    request: Request, repository: GitOpsRepository, snapshot: Snapshot, landing: Landing
) -> Landing:
    """Make the one commit of ``landing`` on ``snapshot``: values and audit records together.

    Raises :class:`Conflict` when the branch has moved; nothing has changed then.
    """
    if landing.words is None:
        return landing
    by = request.caller
    sealed = seal(snapshot, landing.facts.config, records(request, landing.plan), by.run_id, by.attempt)
    changes = [*file_changes(landing), *(each.change for each in sealed)]
    commit = repository.land(snapshot, changes, landing.words.commit)
    return replace(
        landing, changed=True, commit=commit, audit_paths=tuple(each.change.path for each in sealed)
    )


def file_changes(landing: Landing) -> list[FileChange]:
    """The files that ``landing`` changes, without audit records."""
    return [FileChange(move.file, move.content) for move in landing.plan.moves] + list(landing.extra)


def again_on_conflict(
    attempt: Callable[[], Landing],
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Landing:
    """Call ``attempt`` until it lands, waiting a little (with jitter) after each lost race.

    Raises :class:`DependencyError` when that goes on for :data:`PATIENCE` seconds.
    """
    until = clock() + PATIENCE
    lost = 0
    while True:
        began = clock()
        try:
            return attempt()
        except Conflict as conflict:
            lost += 1
            if clock() > until:
                raise DependencyError(
                    f"{conflict.message}, {lost} times in {PATIENCE:g} s",
                    hint="nothing was changed; run again",
                ) from None
            say(f"{conflict.message}: planning again (attempt {lost + 1})")
            cost = max(clock() - began, 0.02)
            sleep(random.uniform(0.0, min(LONGEST_PAUSE, cost * 2 ** min(lost, 5))))  # noqa: S311 - jitter


def as_json(landing: Landing) -> Mapping[str, object]:
    """The ``plan`` output: what will change, where, and in which words."""
    made = landing.plan
    return {
        "mode": made.mode,
        "from": made.source.name if made.source else "",
        "to": made.environment.name,
        "base": landing.facts.commit,
        "branch": landing.facts.branch,
        "settled": list(made.settled),
        "overridden": list(made.overridden),
        "title": landing.words.title if landing.words else "",
        "moves": [
            {
                "service": move.service.name,
                "version": move.version,
                "previous-version": move.previous,
                "digest": move.digest,
                "file": move.file,
                "edits": [
                    {"path": edit.path, "line": edit.line, "before": edit.before, "after": edit.after}
                    for edit in move.edits
                ],
            }
            for move in made.moves
        ],
        "diff": landing.diff,
    }
