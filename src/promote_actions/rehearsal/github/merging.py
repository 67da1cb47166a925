"""What a pull request changes, whether it may be merged, and merging it; its code owners."""

from __future__ import annotations

from promote_actions.owners.match import owners_of
from promote_actions.owners.parse import LOCATIONS, choose
from promote_actions.rehearsal.github.objects import FileDiff, Person
from promote_actions.rehearsal.github.routing import ApiError, Call
from promote_actions.rehearsal.github.rules import blockers
from promote_actions.rehearsal.github.state import Pull, Repository, World


def changed_files(repository: Repository, pull: Pull) -> list[FileDiff]:
    """What the head changed since it left the base."""
    common = repository.store.merge_base(pull.base_sha, pull.head_sha)
    return repository.store.diff(common, pull.head_sha) if common else []


def commits(repository: Repository, pull: Pull) -> list[str]:
    """The pull request's own commits, oldest first."""
    return list(reversed(repository.store.log(pull.head_sha, base=pull.base_sha)))


def mergeable(call: Call, pull: Pull) -> tuple[bool | None, str]:
    """GitHub's ``mergeable`` and ``mergeable_state``."""
    if pull.state != "open":
        return None, "unknown"
    if pull.draft:
        return True, "draft"
    if _merged_tree(call, pull) is None:
        return False, "dirty"
    return True, "blocked" if blockers(call.world, call.repo, pull, missing_owners) else "clean"


def merge(call: Call, pull: Pull) -> str:
    """Merge ``pull`` as the request asks and return the new head of its base."""
    method = call.field("merge_method", default="merge")
    if pull.state != "open" or pull.draft:
        raise ApiError(405, "Pull Request is not mergeable")
    stopped = blockers(call.world, call.repo, pull, missing_owners)
    rules = call.repo.protections.get(pull.base)
    if stopped and not (rules and call.user.login in rules.bypass):
        raise ApiError(405, " ".join(stopped))
    tree = _merged_tree(call, pull)
    if tree is None:
        raise ApiError(405, "Merge conflict" if method != "rebase" else "This branch can't be rebased")
    made = _commit(call, pull, method, tree)
    if not call.repo.store.move_ref(f"refs/heads/{pull.base}", made, pull.base_sha):
        raise ApiError(405, "Base branch was modified. Review and try the merge again.")
    now = call.world.now()
    pull.state, pull.closed_at, pull.merged_at, pull.updated_at = "closed", now, now, now
    pull.merged_by, pull.merge_sha = call.user, made
    return made


def _merged_tree(call: Call, pull: Pull) -> str | None:
    store = call.repo.store
    common = store.merge_base(pull.base_sha, pull.head_sha)
    return store.merge_trees(common, pull.base_sha, pull.head_sha) if common else None


def _commit(call: Call, pull: Pull, method: str, tree: str) -> str:
    store, now = call.repo.store, call.world.now()
    author = call.user.person(now)
    github = Person("GitHub", "noreply@github.com", now)
    own = [store.commit(sha) for sha in commits(call.repo, pull)]
    if method == "merge":
        title = f"Merge pull request #{pull.number} from {call.repo.owner}/{pull.head}"
        message = call.field("commit_title", default=title)
        message += "\n\n" + call.field("commit_message", default=pull.title)
        return store.write_commit(tree, [pull.base_sha, pull.head_sha], message, author, github)
    if method == "squash":
        first = own[0].message.partition("\n")
        title = f"{first[0] if len(own) == 1 else pull.title} (#{pull.number})"
        body = first[2].strip() if len(own) == 1 else "\n\n".join(f"* {one.message}" for one in own)
        message = (
            f"{call.field('commit_title', default=title)}\n\n{call.field('commit_message', default=body)}"
        )
        return store.write_commit(tree, [pull.base_sha], message.strip(), pull.user.person(now), github)
    if method != "rebase":
        raise ApiError(422, "Invalid request.\n\nmerge_method must be merge, squash or rebase.")
    onto = pull.base_sha
    for one in own:
        replayed = store.merge_trees(one.parents[0], onto, one.sha)
        if replayed is None:
            raise ApiError(405, "This branch can't be rebased")
        onto = store.write_commit(replayed, [onto], one.message, one.author, github)
    return onto


# -- code owners -----------------------------------------------------------------------------


def missing_owners(world: World, repository: Repository, pull: Pull, approvers: set[str]) -> list[str]:
    """The changed paths that have owners of whom none approved."""
    lower = {login.lower() for login in approvers}
    found = []
    for path, owners in _owners(repository, pull).items():
        people = {login for owner in owners for login in _logins(world, owner)}
        if owners and not people & lower:
            found.append(path)
    return found


def request_owners(call: Call, pull: Pull) -> None:
    """Ask the code owners for a review, where the repository does so by itself."""
    if not call.repo.auto_request_owners or pull.draft:
        return
    for owners in _owners(call.repo, pull).values():
        for owner in owners:
            org, slash, slug = owner.removeprefix("@").partition("/")
            team = call.world.team(org, slug) if slash else None
            if team is not None and team.slug not in pull.teams_asked:
                pull.teams_asked.append(team.slug)
            user = None if slash else call.world.user(org)
            if user and user.id != pull.user.id and user.login not in pull.users_asked:
                pull.users_asked.append(user.login)


def _logins(world: World, owner: str) -> set[str]:
    org, slash, slug = owner.removeprefix("@").partition("/")
    team = world.team(org, slug) if slash else None
    if slash:
        return {login.lower() for login in world.members(team)} if team else set()
    return {org.lower()}


def _owners(repository: Repository, pull: Pull) -> dict[str, tuple[str, ...]]:
    """The owners of each changed path, by the base branch's CODEOWNERS."""
    store = repository.store
    entries = {place: store.entry(pull.base_sha, place) for place in LOCATIONS}
    files = {
        place: store.blob(entry.sha) for place, entry in entries.items() if entry and entry.type == "blob"
    }
    codeowners = choose(files)
    paths = [file.path for file in changed_files(repository, pull)]
    return {path: tuple(owner.text for owner in owners_of(codeowners, path).owners) for path in paths}
