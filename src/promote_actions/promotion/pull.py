"""Landing a promotion as a pull request: branch, title, label, reviewers, and no older one left open."""

from __future__ import annotations

from dataclasses import replace

from promote_actions.adapters.forge import OUR_BRANCHES, Forge, ForgeRepository, PullRequest
from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
from promote_actions.errors import Refused
from promote_actions.owners.match import Match, owners_of_all
from promote_actions.owners.parse import LOCATIONS, choose
from promote_actions.owners.reviewers import reviewers_to_request
from promote_actions.promotion.land import Landing, file_changes
from promote_actions.promotion.messages import Words, read_mark, words
from promote_actions.promotion.model import Plan, Request
from promote_actions.promotion.policy import is_downgrade


def pull_requests_of(repository: GitOpsRepository) -> ForgeRepository | None:
    """``repository`` as one that has pull requests, or None for plain git."""
    return repository if isinstance(repository, ForgeRepository) else None


def land_pull_request(
    request: Request, repository: ForgeRepository, snapshot: Snapshot, landing: Landing
) -> Landing:
    """Propose ``landing``: one open pull request for each service and environment.

    Every step holds when it is done twice, so a run that was cut off is finished by the next one.
    """
    forge = repository.forge
    text = words(request, landing.plan, landing.diff, landing.notes)
    standing = [pull for prefix in OUR_BRANCHES for pull in forge.find_open_pulls(prefix)]
    mine = next((pull for pull in standing if pull.head_branch == text.branch), None)
    rivals = [pull for pull in standing if pull is not mine and competes(pull, landing.plan)]
    if request.kind != "rollback" and "downgrade" not in request.override:
        _refuse_newer(landing.plan, rivals)
    head, landed = _branch(repository, snapshot, landing, text, mine)
    pull = _open_or_update(forge, text, snapshot.branch, mine)
    labels = landing.plan.environment.labels
    forge.add_labels(pull.number, [label for label in labels if label not in pull.labels])
    asked, problems = _ask(forge, pull, snapshot, landing.plan)
    for rival in rivals:
        supersede(forge, rival, pull)
    return replace(
        landing,
        changed=landed or pull is not mine,
        commit=head,
        branch=text.branch,
        pr_number=pull.number,
        pr_url=pull.url,
        reviewers=asked,
        notes=(*landing.notes, *problems),
    )


def matches(snapshot: Snapshot, plan: Plan) -> tuple[Match, ...]:
    """Who owns the files that ``plan`` changes, by the CODEOWNERS of the base branch."""
    codeowners = choose(snapshot.read_many(LOCATIONS))
    return owners_of_all(codeowners, [move.file for move in plan.moves])


def _branch(
    repository: ForgeRepository, snapshot: Snapshot, landing: Landing, text: Words, mine: PullRequest | None
) -> tuple[str, bool]:
    """The head of the promotion's branch, made anew unless it holds exactly this change already."""
    changes = file_changes(landing)
    if mine is not None and _holds(repository, {each.path: each.content for each in changes}, mine):
        return mine.head_sha, False
    return repository.land_on_branch(snapshot, changes, text.commit, text.branch), True


def _holds(repository: ForgeRepository, files: dict[str, bytes], pull: PullRequest) -> bool:
    if set(repository.forge.changed_files(pull.number)) != set(files):
        return False
    return all(repository.read_at(pull.head_sha, file) == content for file, content in files.items())


def _open_or_update(forge: Forge, text: Words, base: str, mine: PullRequest | None) -> PullRequest:
    if mine is None:
        return forge.open_pull(text.title, text.body, text.branch, base)
    if (mine.title, mine.body.strip()) != (text.title, text.body.strip()):
        return forge.update_pull(mine.number, title=text.title, body=text.body)
    return mine


def competes(pull: PullRequest, plan: Plan) -> bool:
    """Whether ``pull`` is one of ours for a service and environment that ``plan`` promotes too."""
    mark = read_mark(pull.body)
    if mark is None or not pull.head_branch.startswith(OUR_BRANCHES):
        return False
    environment, services = mark
    return environment == plan.environment.name and any(
        move.service.name in services for move in plan.moves
    )


def _refuse_newer(plan: Plan, rivals: list[PullRequest]) -> None:
    for rival in rivals:
        mark = read_mark(rival.body)
        for move in plan.moves:
            other = (mark[1] if mark else {}).get(move.service.name, "")
            if other and is_downgrade(other, move.version):
                raise Refused(
                    f"pull request #{rival.number} already proposes {move.service.name} {other}, "
                    f"which is newer than {move.version}",
                    hint="close it first, or pass --allow-downgrade",
                )


def _ask(
    forge: Forge, pull: PullRequest, snapshot: Snapshot, plan: Plan
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ask the owners for reviews; those who can't be asked are reported and the rest still asked."""
    wanted = reviewers_to_request(matches(snapshot, plan), pull.author)
    asked = forge.request_reviewers(pull.number, wanted.users, wanted.teams)
    problems = [f"{who} can't be asked to review: {why}" for who, why in (*wanted.left_out, *asked.refused)]
    problems += [f"{each} is an e-mail address, which can't be asked to review" for each in wanted.emails]
    return asked.asked, tuple(problems)


def supersede(forge: Forge, old: PullRequest, new: PullRequest) -> None:
    """Close ``old`` in favour of ``new``: say so, close, delete its branch."""
    forge.comment(old.number, f"Superseded by #{new.number}: {new.title}")
    forge.close_pull(old.number)
    forge.delete_branch(old.head_branch)
