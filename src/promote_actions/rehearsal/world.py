"""The small world of a rehearsal: real git repositories, and emulators of what can't run here.

Everything is in one folder and on loopback; nothing of the user's is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from promote_actions.adapters.git_objects import GitSnapshot, identity, make_commit
from promote_actions.adapters.git_process import Git
from promote_actions.adapters.gitops import FileChange
from promote_actions.config.load import load_from
from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError
from promote_actions.owners.match import Match, Outcome, owners_of
from promote_actions.owners.parse import LOCATIONS, choose
from promote_actions.promotion.gather import read_values, values_file
from promote_actions.rehearsal import sample
from promote_actions.rehearsal.application import DemoApplication
from promote_actions.rehearsal.argocd import ArgoCDEmulator, Definition, Pace
from promote_actions.rehearsal.github import GitHubEmulator, Protection
from promote_actions.rehearsal.metrics import MetricsServer
from promote_actions.rehearsal.registry import RegistryEmulator

BOT = "nexo-release-bot"
BOT_TOKEN = "rehearsal-token-of-the-bot"  # noqa: S105 - it opens nothing but the emulator
ARGOCD_TOKEN = "rehearsal-token-of-argocd"  # noqa: S105 - the same
BRANCH = "main"


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

    @property
    def service(self) -> str:
        return self.services[0]

    @property
    def service_repository(self) -> str:
        """``owner/name`` of the leading service's own repository."""
        return repository_of(self.config, self.service)

    def snapshot(self) -> GitSnapshot:
        """The GitOps repository as it is now."""
        git = Git(str(self.bare))
        return GitSnapshot(git, git.line("rev-parse", f"refs/heads/{BRANCH}"), BRANCH)

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


def identity_of(login: str) -> Mapping[str, str]:
    """The environment of a commit made by ``login``."""
    return {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": login}


def build(stack: ExitStack, folder: Path, gitops: str, services: tuple[str, ...]) -> World:
    """Make the repositories and start the emulators; ``stack`` stops them.

    ``gitops`` is a path or URL to copy, or empty for the sample; ``services`` are the ones to promote
    (empty: the first two found). Raises :class:`InputError` when nothing there can be promoted.
    """
    github = stack.enter_context(GitHubEmulator(folder / "github"))
    registry = stack.enter_context(RegistryEmulator())
    bare = folder / "gitops.git"
    if gitops:
        _copy(gitops, bare)
    else:
        services = services or sample.SERVICES
        images = {name: f"{registry.host}/{sample.ORGANISATION}/{name}" for name in sample.SERVICES}
        _create(bare, sample.files(images), "Start the GitOps repository")
    config, services = _configuration(bare, services)
    source = folder / f"{services[0]}.git"
    _create(source, {"src/app.py": b"# 0\n"}, f"feat: start {services[0]}")
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
    github.add_repository(
        config.service(services[0]).repository or f"{sample.ORGANISATION}/{services[0]}", source, BRANCH
    )
    world = World(
        folder, sample.GITOPS, bare, source, services, config, images,
        github, argocd, application, metrics, registry,
    )  # fmt: skip
    _people(world)
    return world


def repository_of(config: Config, service: str) -> str:
    """``owner/name`` of a service's repository, as configured or else in the sample's organisation."""
    return config.service(service).repository or f"{sample.ORGANISATION}/{service}"


def _create(path: Path, files: Mapping[str, bytes], message: str) -> None:
    path.mkdir(parents=True)
    git = Git(str(path))
    git.check("init", "--quiet", "--bare", f"--initial-branch={BRANCH}")
    tree = git.check("mktree", stdin=b"").decode().strip()
    who = identity(git, identity_of("dora-dev"))
    root = git.check("commit-tree", tree, "-m", "Begin", env=who).decode().strip()
    changes = [FileChange(name, content) for name, content in files.items()]
    made = make_commit(git, root, changes, message + "\n", identity_of("dora-dev"))
    git.check("update-ref", f"refs/heads/{BRANCH}", made)


def _copy(where: str, bare: Path) -> None:
    """A bare copy of the user's repository with one branch, its default one, called main here."""
    parent = Git(".", where)
    parent.check("clone", "--quiet", "--bare", "--no-hardlinks", "--single-branch", "--", where, str(bare))
    git = Git(str(bare))
    git.check("remote", "remove", "origin")
    head = git.line("rev-parse", "HEAD")
    git.check("update-ref", f"refs/heads/{BRANCH}", head)
    git.check("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")


def _configuration(bare: Path, services: tuple[str, ...]) -> tuple[Config, tuple[str, ...]]:
    git = Git(str(bare))
    snapshot = GitSnapshot(git, git.line("rev-parse", f"refs/heads/{BRANCH}"), BRANCH)
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


def complete_services(config: Config, files: Iterable[str]) -> list[str]:
    """The services that have a values file in every environment, in order of name."""
    import re

    present = set(files)
    pattern = re.escape(config.values.path)
    pattern = pattern.replace(re.escape("{service}"), "(?P<service>[^/]+?)", 1)
    pattern = pattern.replace(re.escape("{service}"), "(?P=service)")
    pattern = pattern.replace(re.escape("{suffix}"), "[^/]+?").replace(re.escape("{environment}"), "[^/]+?")
    names = {found["service"] for path in present if (found := re.fullmatch(pattern, path))}
    return [
        name
        for name in sorted(names)
        if all(
            any(
                config.values.file(name, suffix, environment.name) in present
                for suffix in environment.suffixes
            )
            for environment in config.environments
        )
    ]


def _applications(bare: Path, config: Config, services: Iterable[str]) -> list[Definition]:
    git = Git(str(bare))
    snapshot = GitSnapshot(git, git.line("rev-parse", f"refs/heads/{BRANCH}"), BRANCH)
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
                    tag_path=config.values.image_tag[0],
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
