"""The small world of a rehearsal: real git repositories, and emulators of what can't run here.

Everything is in one folder and on loopback; nothing of the user's is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from promote_actions.adapters.git_commits import make_commit
from promote_actions.adapters.git_objects import GitSnapshot
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.gitops import FileChange
from promote_actions.config.load import load_from
from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError
from promote_actions.owners.match import Match, Outcome, owners_of
from promote_actions.owners.parse import LOCATIONS, choose
from promote_actions.promotion.gather import live, read_values, values_file
from promote_actions.rehearsal import sample
from promote_actions.rehearsal.application import DemoApplication
from promote_actions.rehearsal.argocd import ArgoCDEmulator, Definition, Pace
from promote_actions.rehearsal.github import GitHubEmulator, Protection
from promote_actions.rehearsal.metrics import MetricsServer
from promote_actions.rehearsal.registry import RegistryEmulator
from promote_actions.rehearsal.repositories import (
    BRANCH,
    complete_services,
    copy,
    create,
    head,
    identity_of,
    release,
)

BOT = "nexo-release-bot"
BOT_TOKEN = "rehearsal-token-of-the-bot"  # noqa: S105 - it opens nothing but the emulator
ARGOCD_TOKEN = "rehearsal-token-of-argocd"  # noqa: S105 - the same


@dataclass
class World:
    """Where everything is. ``services`` are those that the story promotes, the first one leading."""

    folder: Path
    gitops: str
    bare: Path
    source: Path
    services: tuple[str, ...]
    config: Config
    images: Mapping[str, str]
    github: GitHubEmulator
    argocd: ArgoCDEmulator
    application: DemoApplication
    metrics: MetricsServer
    registry: RegistryEmulator
    copied: bool = False

    @property
    def service(self) -> str:
        return self.services[0]

    @property
    def service_repository(self) -> str:
        """``owner/name`` of the leading service's own repository."""
        return repository_of(self.config, self.service)

    def snapshot(self) -> GitSnapshot:
        """The GitOps repository as it is now."""
        return head(self.bare)

    def values_path(self, environment: Environment, service: str = "") -> str:
        """The values file of a service (the leading one) in ``environment``."""
        wanted = self.config.service(service or self.service)
        files = read_values(self.snapshot(), self.config, [wanted], [environment])
        return values_file(files, self.config, wanted, environment)

    def owners(self, environment: Environment) -> Match:
        """Who owns that file, by the repository's own CODEOWNERS."""
        codeowners = choose(self.snapshot().read_many(LOCATIONS))
        return owners_of(codeowners, self.values_path(environment))

    def approvers(self, environment: Environment) -> list[str]:
        """People whose approval counts there, in the order in which they will be asked."""
        match = self.owners(environment)
        if match.outcome is not Outcome.OWNED:
            return [f"writer-{number}" for number in range(1, environment.approvals + 2)]
        people: list[str] = []
        for owner in match.owners:
            team = self.github.world.teams.get((owner.organization.lower(), owner.slug.lower()))
            people += sorted(team.members) if team else [owner.login] if owner.kind == "user" else []
        return list(dict.fromkeys(people))

    def commit_service(self, message: str) -> str:
        """A new commit in the service's repository, as a merge to its main branch; returns its SHA."""
        git = Git(str(self.source))
        ref = f"refs/heads/{BRANCH}"
        old = git.line("rev-parse", ref)
        count = git.line("rev-list", "--count", ref)
        change = FileChange("src/app.py", f"# {count}: {message}\n".encode())
        made = make_commit(git, old, [change], message + "\n", identity_of("dora-dev"))
        git.check("update-ref", ref, made, old)
        return made


def build(stack: ExitStack, folder: Path, gitops: str, services: tuple[str, ...]) -> World:
    """Make the repositories and start the emulators; ``stack`` stops them.

    ``gitops`` is a path or URL to copy, or empty for the sample; ``services`` are the ones to promote
    (empty: the first two found). Raises :class:`InputError` when nothing there can be promoted.
    """
    github = stack.enter_context(GitHubEmulator(folder / "github"))
    registry = stack.enter_context(RegistryEmulator())
    bare = folder / "gitops.git"
    if gitops:
        copy(gitops, bare)
    else:
        services = services or sample.SERVICES
        images = {name: f"{registry.host}/{sample.ORGANISATION}/{name}" for name in sample.SERVICES}
        create(bare, sample.files(images), "Start the GitOps repository")
    config, services = _configuration(bare, services)
    for name, versions in _running(bare, config, services).items():
        made = folder / f"{name}.git"
        create(made, {"src/app.py": b"# 0\n"}, f"feat: start {name}")
        release(made, sorted(versions) if gitops else sample.RELEASED)
        github.add_repository(repository_of(config, name), made, BRANCH)
    images = {
        name: config.service(name).image or f"{registry.host}/{sample.ORGANISATION}/{name}"
        for name in services
    }
    application = stack.enter_context(DemoApplication())
    application.traffic()
    metrics = stack.enter_context(MetricsServer(application.metrics))
    argocd = ArgoCDEmulator(
        str(bare),
        _applications(bare, config, services),
        deploy=application.deploy,
        health=application.health,
        token=ARGOCD_TOKEN,
        pace=Pace(poll=0.2),
    )
    stack.enter_context(argocd)
    github.add_repository(sample.GITOPS, bare, BRANCH)
    world = World(
        folder, sample.GITOPS, bare, folder / f"{services[0]}.git", services, config, images,
        github, argocd, application, metrics, registry, copied=bool(gitops),
    )  # fmt: skip
    _people(world)
    return world


def _running(bare: Path, config: Config, services: Iterable[str]) -> dict[str, set[str]]:
    """The versions of each service that some environment runs."""
    snapshot = head(bare)
    found: dict[str, set[str]] = {}
    for name in services:
        service = config.service(name)
        files = read_values(snapshot, config, [service], config.environments)
        found[name] = {live(files, config, service, each).version for each in config.environments}
    return found


def repository_of(config: Config, service: str) -> str:
    """``owner/name`` of a service's repository, as configured or else in the sample's organisation."""
    return config.service(service).repository or f"{sample.ORGANISATION}/{service}"


def _configuration(bare: Path, services: tuple[str, ...]) -> tuple[Config, tuple[str, ...]]:
    snapshot = head(bare)
    config = load_from(snapshot)
    complete = complete_services(config, snapshot.files())
    chosen = services or tuple(complete)[:2]
    missing = [name for name in chosen if name not in complete]
    if missing or not chosen:
        first = config.values.file("{service}", "{suffix}", "{environment}")
        raise InputError(
            f"no service {missing[0] if missing else ''} has a values file for every environment".replace(
                "  ", " "
            ),
            hint=f"looked for {first}; set values.path in promotion.yaml",
        )
    return config, chosen


def _applications(bare: Path, config: Config, services: Iterable[str]) -> list[Definition]:
    snapshot = head(bare)
    made = []
    for name in services:
        service = config.service(name)
        for environment in config.environments:
            files = read_values(snapshot, config, [service], [environment])
            made.append(
                Definition(
                    service.application(environment.name),
                    name,
                    environment.name,
                    values_file(files, config, service, environment),
                    service.image or f"ghcr.io/{sample.ORGANISATION}/{name}",
                    tag_path=config.values.of(name).image_tag[0],
                )
            )
    return made


def _people(world: World) -> None:
    """Accounts for everybody that the repository's CODEOWNERS names, and rules for its branch."""
    github = world.github
    github.add_user(BOT, BOT_TOKEN, role="maintain")
    github.add_user("dora-dev")
    codeowners = choose(world.snapshot().read_many(LOCATIONS))
    for owner in {owner.key: owner for rule in codeowners.rules for owner in rule.owners}.values():
        if owner.kind == "team":
            members = sample.PEOPLE.get(owner.slug, tuple(f"{owner.slug}-{number}" for number in (1, 2, 3)))
            github.add_team(owner.organization, owner.slug, members)
            for member in members:
                github.add_user(member)
        elif owner.kind == "user":
            github.add_user(owner.login)
    for number in range(1, 1 + max(each.approvals for each in world.config.environments) + 1):
        github.add_user(f"writer-{number}")
    rules = Protection(
        required_statuses=("promotion/approvals", "promotion/soak"),
        pull_request=True,
        bypass=frozenset({BOT}),
    )
    github.protect(world.gitops, BRANCH, rules)
