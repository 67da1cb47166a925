"""What the GitOps repository itself tells of a setup: values files, owners, workflows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from promote_actions.adapters.gitops import Snapshot
from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError
from promote_actions.matrix.files import file_of
from promote_actions.owners.lint import lint, second_files
from promote_actions.owners.match import Match, Outcome, owners_of
from promote_actions.owners.parse import LOCATIONS, Codeowners, choose
from promote_actions.promotion.gather import live
from promote_actions.promotion.model import Live
from promote_actions.setup.doctor.finding import Finding, doubtful, few, from_error, right, wrong

Members = Callable[[str, str], frozenset[str] | None]
"""The people of a team (organisation and name), or None when that can't be read."""

WORKFLOWS = {
    "guard": "nothing publishes the statuses of pull requests: add promotion-guard.yml",
    "audit-log": "nothing records merged pull requests: add on-merge.yml",
}
_CALLED = {"promotion-guard.yml": ("guard",), "on-merge.yml": ("audit-log",)}


@dataclass(frozen=True)
class Cell:
    """One service in one environment, and what its values file says (None: there is none)."""

    service: str
    environment: Environment
    path: str
    live: Live | None


def values(
    snapshot: Snapshot, config: Config, services: Sequence[str], files: Sequence[str]
) -> tuple[list[Cell], list[Finding]]:
    """Every cell of ``services``, and what is wrong with their values files."""
    cells, problems, gaps = [], [], []
    paths = frozenset(files)
    for service in services:
        for environment in config.environments:
            try:
                path = file_of(config, paths, service, environment)
                found = _live(snapshot, config, service, environment, path) if path else None
            except InputError as error:
                problems.append(from_error("values", error))
                continue
            cells.append(Cell(service, environment, path, found))
            if not path:
                looked = config.values.file(service, environment.file_suffix, environment.name)
                fix = "add it, or nothing can be promoted there"
                gaps.append(doubtful("values", f"there is no {looked}", fix))
    read = [cell for cell in cells if cell.live]
    summary = right("values", f"{len(read)} values files of {len(services)} services name a version")
    return cells, [*([summary] if read else []), *few(problems), *few(gaps)]


def _live(snapshot: Snapshot, config: Config, service: str, environment: Environment, path: str) -> Live:
    content = snapshot.read(path) or b""
    return live({path: content}, config, config.service(service), environment)


def owners(
    snapshot: Snapshot, config: Config, cells: Sequence[Cell], files: Sequence[str], members: Members | None
) -> Iterator[Finding]:
    """Whether CODEOWNERS says who approves, and whether there are enough of them (without ``members``
    the people of teams are not counted)."""
    asks = [environment for environment in config.environments if environment.approvals]
    codeowners = choose(snapshot.read_many(LOCATIONS))
    if not codeowners.loaded:
        if asks:
            said = "there is no CODEOWNERS that GitHub would read: any writer may approve"
            yield doubtful("owners", said, "add .github/CODEOWNERS")
        return
    problems = [each for each in (*lint(codeowners), *second_files(files)) if not each.note]
    yield from few([_problem(str(p.where), p.message, p.suggestion, p.skipped) for p in problems])
    if not problems:
        yield right("owners", f"{codeowners.file} has no line that does not do what it says")
    people = _Teams(members)
    for environment in asks:
        yield from _approvers(codeowners, environment, cells, people)


def _problem(where: str, message: str, suggestion: str, skipped: bool) -> Finding:
    said = f"{where}: {message}"
    return wrong("owners", said, suggestion) if skipped else doubtful("owners", said, suggestion)


class _Teams:
    """Teams, each asked for once; ``counted`` is whether they can be asked for at all."""

    def __init__(self, members: Members | None) -> None:
        self.counted = members is not None
        self._members: Members = members or (lambda _organization, _slug: frozenset())
        self._known: dict[tuple[str, str], frozenset[str] | None] = {}

    def of(self, match: Match) -> tuple[set[str], list[str]]:
        """The people who own a path, and the teams that nobody could look into."""
        people: set[str] = set()
        closed = []
        for owner in match.owners:
            if owner.kind == "user":
                people.add(owner.login.lower())
            elif owner.kind == "team":
                key = (owner.organization, owner.slug)
                if key not in self._known:
                    self._known[key] = self._members(*key)
                found = self._known[key]
                people |= {login.lower() for login in found or ()}
                closed += [] if found is not None else [owner.text]
        return people, closed


def _approvers(
    codeowners: Codeowners, environment: Environment, cells: Sequence[Cell], teams: _Teams
) -> Iterator[Finding]:
    subject = f"approvals in {environment.name}"
    paths = [cell.path for cell in cells if cell.environment == environment and cell.path]
    lacking: list[Finding] = []
    unread: dict[str, None] = {}
    for path in paths:
        match = owners_of(codeowners, path)
        if match.outcome is not Outcome.OWNED:
            lacking.append(
                doubtful(subject, f"nobody owns {path}: any writer may approve", "name its owners")
            )
            continue
        people, closed = teams.of(match)
        unread |= dict.fromkeys(closed)
        if teams.counted and not closed and len(people) < environment.approvals:
            fix = "name more owners, or ask for fewer approvals; who opens the pull request doesn't count"
            said = f"{path} needs {environment.approvals} approvals and has {len(people)} owners"
            lacking.append(wrong(subject, said, fix))
    yield from few(lacking)
    if unread:
        fix = "give the token the organisation's `members: read` (a GitHub App's or a personal one)"
        yield wrong(subject, f"nobody can see who is in {', '.join(unread)}", fix)
    if paths and not lacking and not unread:
        enough = "there are enough owners" if teams.counted else "every file has owners"
        yield right(subject, f"{environment.approvals} needed, and {enough}")


def workflows(texts: Mapping[str, str], config: Config) -> Iterator[Finding]:
    """Whether something publishes statuses and records merges; ``texts`` are the workflow files."""
    if not any(each.approvals or each.soak for each in config.environments):
        return
    used = {name for text in texts.values() for name in WORKFLOWS if _uses(text, name)}
    for name, said in WORKFLOWS.items():
        if name not in used:
            what, _, fix = said.partition(": ")
            yield doubtful("workflows", what, f"{fix} (promote-actions init)")
    if used == set(WORKFLOWS):
        yield right("workflows", "pull requests are guarded, and merges recorded")


def _uses(text: str, name: str) -> bool:
    called = (workflow for workflow, names in _CALLED.items() if name in names)
    return f"/{name}@" in text or any(f"/{workflow}@" in text for workflow in called)
