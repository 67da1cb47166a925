"""Landing a promotion as a pull request: branch, title, label, reviewers, and no older one left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from promote_actions.adapters.forge import OUR_BRANCHES, Forge, ForgeRepository, PullRequest
from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
from promote_actions.errors import PromoteError, Refused
from promote_actions.promotion.ask import ask
from promote_actions.promotion.land import Landing, file_changes
from promote_actions.promotion.messages import SUBJECT, Words, read_mark
from promote_actions.promotion.model import Plan, Request
from promote_actions.promotion.policy import is_downgrade
from promote_actions.promotion.steps import Steps


def pull_requests_of(repository: GitOpsRepository) -> ForgeRepository | None:
    """``repository`` as one that has pull requests, or None for plain git."""
    return repository if isinstance(repository, ForgeRepository) else None


def land_pull_request(
    request: Request, repository: ForgeRepository, snapshot: Snapshot, landing: Landing
) -> Landing:
    """Propose ``landing``: one open pull request for each service and environment.

    Every step holds when it is done twice, so a run that was cut off is finished by the next one. Until
    the pull request is open, a failure leaves nothing behind; what fails after that becomes a note, or
    the ``failure`` of the landing when somebody has to grant something.
    """
    text = landing.words
    if text is None:
        return landing
    forge = repository.forge
    standing = _ours(forge)
    mine = next((pull for pull in standing if pull.head_branch == text.branch), None)
    _refuse_foreign(mine, snapshot.branch, landing.plan)
    _refuse_newer(request, landing.plan, _rivals(standing, mine, snapshot.branch, landing.plan))
    head, landed, pull = _propose(repository, snapshot, landing, text, mine)
    steps = Steps(f"pull request #{pull.number} is open")
    missing = [label for label in landing.plan.environment.labels if label not in pull.labels]
    if missing:
        steps.take("it has no label", lambda: forge.add_labels(pull.number, missing))
    organization = repository.name.partition("/")[0]
    asked = steps.take(
        "nobody was asked to review it",
        lambda: ask(forge, pull, snapshot, landing.plan, organization, fresh=landed or mine is None),
    )
    rivals = _rivals(standing, mine, snapshot.branch, landing.plan)
    if mine is None:  # another may have been opened since: of two that see each other, the older gives way
        seen = steps.take(
            "older ones may still be open", lambda: _look_again(request, forge, pull, landing.plan)
        )
        rivals = rivals if seen is None else seen
    for rival in rivals:
        steps.take(f"#{rival.number} is still open", partial(supersede, forge, rival, pull, mine))
    notes = [*landing.notes]
    if mine is not None and read_mark(mine.body) is None:
        notes.append(f"#{mine.number} was made by hand: its title and text were left as they are")
    warnings = (*(asked[1] if asked else ()), *steps.notes)
    return replace(
        landing,
        changed=landed or mine is None,
        commit=head,
        branch=text.branch,
        pr_number=pull.number,
        pr_url=pull.url,
        reviewers=asked[0] if asked else (),
        notes=(*notes, *warnings),
        warnings=warnings,
        failure=steps.failure,
    )


def _ours(forge: Forge) -> list[PullRequest]:
    return [pull for pull in forge.find_open_pulls() if pull.head_branch.startswith(OUR_BRANCHES)]


# -- the pull request itself ---------------------------------------------------------------------


def _propose(
    repository: ForgeRepository, snapshot: Snapshot, landing: Landing, text: Words, mine: PullRequest | None
) -> tuple[str, bool, PullRequest]:
    """The head of the promotion's branch, whether it is new, and the pull request from it."""
    forge = repository.forge
    try:
        head, landed = _branch(repository, snapshot, landing, text, mine)
        return head, landed, _open_or_update(forge, text, snapshot.branch, mine)
    except PromoteError:
        if mine is None:
            with suppress(PromoteError):
                if not forge.find_open_pulls(text.branch):
                    forge.delete_branch(text.branch)
        raise


def _branch(
    repository: ForgeRepository, snapshot: Snapshot, landing: Landing, text: Words, mine: PullRequest | None
) -> tuple[str, bool]:
    """The head of the promotion's branch, made anew unless it holds exactly this change already."""
    changes = file_changes(landing)
    if mine is not None and _holds(repository, {each.path: each.content for each in changes}, mine):
        return mine.head_sha, False
    return repository.land_on_branch(snapshot, changes, text.commit, text.branch), True


def _holds(repository: ForgeRepository, files: Mapping[str, bytes], pull: PullRequest) -> bool:
    if set(repository.forge.changed_files(pull.number)) != set(files):
        return False
    return all(repository.read_at(pull.head_sha, file) == content for file, content in files.items())


def _open_or_update(forge: Forge, text: Words, base: str, mine: PullRequest | None) -> PullRequest:
    if mine is None:
        return forge.open_pull(text.title, text.body, text.branch, base)
    ours = read_mark(mine.body) is not None
    if ours and (mine.title, mine.body.strip()) != (text.title, text.body.strip()):
        return forge.update_pull(mine.number, title=text.title, body=text.body)
    return mine


# -- others for the same service and environment -------------------------------------------------


def claim_of(pull: PullRequest) -> tuple[str, Mapping[str, str]] | None:
    """Environment and versions by service that ``pull`` promotes: by its mark, or by its title when a
    person wrote it as the strategy has it. It is a claim: what it changes may be something else."""
    mark = read_mark(pull.body)
    found = SUBJECT.fullmatch(pull.title.strip()) if mark is None else None
    if found is None:
        return mark
    return found["environment"], {name.strip(): found["version"] for name in found["service"].split(",")}


def competes(pull: PullRequest, plan: Plan) -> bool:
    """Whether ``pull`` is one of ours for a service and environment that ``plan`` promotes too."""
    claim = claim_of(pull)
    if claim is None or not pull.head_branch.startswith(OUR_BRANCHES):
        return False
    environment, services = claim
    return environment in plan.environment.names and any(
        move.service.name in services for move in plan.moves
    )


def _rivals(
    standing: Sequence[PullRequest], mine: PullRequest | None, base: str, plan: Plan
) -> list[PullRequest]:
    """The open pull requests that ``plan`` competes with; a rollback leaves those that go forward."""
    others = [pull for pull in standing if mine is None or pull.number != mine.number]
    rivals = [pull for pull in others if pull.base_branch == base and competes(pull, plan)]
    if plan.rollback:
        return [
            pull for pull in rivals if not any(_newer(pull, m.service.name, m.previous) for m in plan.moves)
        ]
    return rivals


def _newer(pull: PullRequest, service: str, version: str) -> bool:
    claim = claim_of(pull)
    other = claim[1].get(service, "") if claim else ""
    return bool(other) and is_downgrade(other, version)


def _refuse_newer(request: Request, plan: Plan, rivals: Sequence[PullRequest]) -> None:
    if request.kind == "rollback" or "downgrade" in request.override:
        return
    for rival in rivals:
        for move in plan.moves:
            if _newer(rival, move.service.name, move.version):
                other = (claim_of(rival) or ("", {}))[1][move.service.name]
                raise Refused(
                    f"pull request #{rival.number} already proposes {move.service.name} {other[:128]}, "
                    f"which is newer than {move.version}",
                    hint="close it first, or pass --allow-downgrade",
                )


def _refuse_foreign(mine: PullRequest | None, base: str, plan: Plan) -> None:
    """A branch whose pull request is about something else is not ours to replace."""
    if mine is not None and (mine.base_branch != base or (claim_of(mine) and not competes(mine, plan))):
        raise Refused(
            f"branch {mine.head_branch} belongs to pull request #{mine.number}, which is no such promotion",
            hint="close it first",
        )


def _look_again(request: Request, forge: Forge, pull: PullRequest, plan: Plan) -> list[PullRequest]:
    """The rivals now that ``pull`` is open. If one is newer, closes ``pull`` and raises ``Refused``."""
    rivals = _rivals(_ours(forge), pull, pull.base_branch, plan)
    try:
        _refuse_newer(request, plan, rivals)
    except Refused:
        newer = max(rivals, key=lambda rival: rival.number)
        supersede(forge, pull, newer, None)
        raise
    return rivals


def supersede(forge: Forge, old: PullRequest, new: PullRequest, mine: PullRequest | None) -> None:
    """Close ``old`` in favour of ``new``: say so, close, delete its branch.

    One that promotes other services too stays open, so that they are not lost; it is told of ``new`` when
    that was just opened (``mine`` is None).
    """
    theirs, ours = (set((claim_of(pull) or ("", {}))[1]) for pull in (old, new))
    left = sorted(theirs - ours)
    if left:
        if mine is None:
            said = f"#{new.number} proposes another version of some of these services; {', '.join(left)} "
            forge.comment(old.number, said + "would be left out, so this one stays open.")
        return
    forge.comment(old.number, f"Superseded by #{new.number}: {new.title}")
    forge.close_pull(old.number)
    forge.delete_branch(old.head_branch)
