"""``doctor``: looks at everything that promotions need, and says line by line what to fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promote_actions.errors import PromoteError, Refused
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command, CommonInputs, Output, duration, flag, items, text

if TYPE_CHECKING:
    from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
    from promote_actions.config.model import Config
    from promote_actions.setup.doctor.finding import Finding
    from promote_actions.setup.doctor.repository import Cell, Members

SERVICES = 20
"""Services that are looked at when none is named."""


@dataclass(frozen=True, kw_only=True)
class DoctorInputs(CommonInputs):
    """Where everything is; what is not given is not looked at."""

    gitops: str = text("The GitOps repository: owner/name on GitHub, a path or a URL.", required=True)
    branch: str = text("Its branch; empty for the default one.")
    service: tuple[str, ...] = items(f"The services to look at; the first {SERVICES} if empty.")
    argocd_server: str = text("Argo CD's address.", env=("ARGOCD_SERVER",))
    argocd_token: str = text("Argo CD API token.", secret=True, env=("ARGOCD_AUTH_TOKEN",))
    argocd_ca: str = text("PEM file of the authority that signed Argo CD's certificate.")
    argocd_insecure: bool = flag("Don't verify Argo CD's certificate.")
    prometheus_url: str = text("Prometheus' address.")
    prometheus_token: str = text("Bearer token for Prometheus.", secret=True)
    prometheus_user: str = text("User name for Prometheus.")
    prometheus_password: str = text("Password for Prometheus.", secret=True)
    base_url: str = text("Base URL for smoke tests; may hold {service} and {environment}.")
    registry: bool = flag("Look into the registries of the services' images.", default=True)
    ca_file: str = text("PEM file of authorities to trust in all other calls.")
    request_timeout: float = duration("Time for one call.", "10s")


OUTPUTS = (
    Output("passed", "`true` when nothing has to be fixed."),
    Output("findings", "JSON list: state (right, wrong, doubtful, not asked), subject, said, fix."),
)


def run(inputs: DoctorInputs, runner: Runner) -> Result:
    """Look everywhere. What has to be fixed makes the command exit with 1."""
    doctor = _Doctor(inputs, runner)
    found = list(doctor.examine())
    wrong = [each for each in found if each.state == "wrong"]
    outputs = {
        "passed": not wrong,
        "findings": [
            {"state": each.state, "subject": each.subject, "said": each.said, "fix": each.fix}
            for each in found
        ],
    }
    refusal = None
    if wrong:
        things = "1 thing" if len(wrong) == 1 else f"{len(wrong)} things"
        refusal = Refused(f"{things} must be fixed, marked with ✘", hint="begin with the first")
    return Result(outputs, "\n".join(map(str, found)), _summary(found), refusal)


def _summary(found: Sequence[Finding]) -> str:
    lines = ["### What the doctor found", "", "| | | | what to do |", "|---|---|---|---|"]
    for each in found:
        cells = (str(each)[:1], each.subject, each.said, each.fix)
        lines.append(
            "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"
        )
    return "\n".join(lines)


@dataclass(frozen=True)
class _Doctor:
    inputs: DoctorInputs
    runner: Runner

    def examine(self) -> Iterator[Finding]:
        """Everything, one after another: the repository first, because the rest follows from it."""
        from promote_actions.adapters.repositories import open_repository
        from promote_actions.config.load import load_from
        from promote_actions.setup.doctor.finding import from_error, right

        try:
            repository = open_repository(self.inputs.gitops, self.inputs.token, self.runner.env)
            snapshot = repository.snapshot(self.inputs.branch)
        except PromoteError as error:
            yield from_error("repository", error)
            return
        yield right("repository", f"{repository.name}, branch {snapshot.branch} at {snapshot.commit[:12]}")
        try:
            config = load_from(snapshot, self.inputs.config)
        except PromoteError as error:
            yield from_error("configuration", error)
            return
        names = " → ".join(each.name for each in config.environments)
        yield right("configuration", f"{config.source}: {names}")
        yield from self._inside(repository, snapshot, config)

    def _inside(
        self, repository: GitOpsRepository, snapshot: Snapshot, config: Config
    ) -> Iterator[Finding]:
        from promote_actions.matrix.files import choose_services
        from promote_actions.setup.doctor import repository as looks
        from promote_actions.setup.doctor.finding import doubtful, from_error, guarded

        try:
            files = snapshot.files()
            services = choose_services(config, files, self.inputs.service)
        except PromoteError as error:
            yield from_error("services", error)
            return
        if len(services) > SERVICES and not self.inputs.service:
            left = len(services) - SERVICES
            yield doubtful("services", f"{left} more are not looked at", "name them with --service")
            services = services[:SERVICES]
        cells, findings = looks.values(snapshot, config, services, files)
        yield from findings
        members, of_github = self._github(repository, snapshot, config)
        yield from guarded("owners", lambda: looks.owners(snapshot, config, cells, files, members))
        texts = snapshot.read_many(path for path in files if path.startswith(".github/workflows/"))
        decoded = {path: data.decode(errors="replace") for path, data in texts.items()}
        yield from looks.workflows(decoded, config)
        yield from guarded("GitHub", of_github)
        yield from self._servers(config, cells)

    def _github(
        self, repository: GitOpsRepository, snapshot: Snapshot, config: Config
    ) -> tuple[Members | None, Callable[[], Iterable[Finding]]]:
        """How to look into teams (None: not here), and what GitHub says of the token and the branch."""
        from promote_actions.adapters.github import GitHubRepository
        from promote_actions.setup.doctor.finding import not_asked

        if not isinstance(repository, GitHubRepository):
            fix = "give gitops as owner/name, to check token, teams and the branch's rules"
            return None, lambda: [not_asked("GitHub", fix)]

        def look() -> Iterator[Finding]:
            from promote_actions.adapters.github_setup import branch_documents, permissions
            from promote_actions.setup.doctor.finding import right, wrong
            from promote_actions.setup.doctor.protection import judge, read_branch, read_rules

            who = repository.forge.user()
            granted = permissions(repository)
            lacking = [name for name, may in granted.items() if not may]
            login = who.login if who else "an App or a job"
            if lacking:
                yield wrong(
                    "token", f"{login} has no {', '.join(lacking)}", "grant it; see docs/github-setup.md"
                )
            else:
                yield right("token", f"{login} has {', '.join(granted)}")
            branch, rules = branch_documents(repository, snapshot.branch)
            yield from judge(config, snapshot.branch, [read_branch(branch), read_rules(rules)])

        return repository.forge.team_members, look

    def _servers(self, config: Config, cells: Sequence[Cell]) -> Iterator[Finding]:
        from dataclasses import fields

        from promote_actions.adapters.instruments import Instruments
        from promote_actions.setup.doctor import servers
        from promote_actions.setup.doctor.finding import guarded, not_asked

        inputs = self.inputs
        known = {each.name for each in fields(Instruments)} & {each.name for each in fields(inputs)}
        given = {name: getattr(inputs, name) for name in known}
        tools = Instruments(env=self.runner.env, **given)
        if inputs.argocd_server:
            yield from guarded("argocd", lambda: servers.argocd(config, cells, tools.argocd))
        else:
            yield not_asked("argocd", "give --argocd-server and its token")
        if inputs.prometheus_url:
            yield from guarded("prometheus", lambda: self._metrics(config, cells, tools.prometheus))
        else:
            yield not_asked("prometheus", "give --prometheus-url")
        if inputs.base_url:
            ask = tools.prober()
            yield from guarded("smoke tests", lambda: servers.smoke(config, cells, inputs.base_url, ask))
        else:
            yield not_asked("smoke tests", "give --base-url")
        if inputs.registry:
            yield from guarded("registry", lambda: servers.images(config, cells, self._resolve))
        else:
            yield not_asked("registry", "leave --no-registry out")

    def _metrics(
        self, config: Config, cells: Sequence[Cell], server: Callable[..., object]
    ) -> Iterable[Finding]:
        """Prometheus' address may hold placeholders, so each cell may have a server of its own."""
        from promote_actions.gates.http import place
        from promote_actions.setup.doctor import servers

        by_address: dict[str, list[Cell]] = {}
        for cell in cells:
            names = {"service": cell.service, "environment": cell.environment.name}
            by_address.setdefault(place(self.inputs.prometheus_url, names), []).append(cell)
        for address, some in by_address.items():
            yield from servers.metrics(config, some, server(address))  # type: ignore[arg-type]

    def _resolve(self, image: str, tag: str) -> str | None:
        from promote_actions.adapters.registry import resolve_image

        return resolve_image(image, tag, self.runner.env, mask=self.runner.mask)


COMMAND = Command(
    name="doctor",
    summary="Check that everything promotions need is there, and say what to fix.",
    description=(
        "Looks at the GitOps repository, its configuration, values files, CODEOWNERS and workflows, the "
        "token's permissions, the branch's rules, Argo CD, Prometheus, the registry. Nothing is changed. "
        "✔ is right, ✘ must be fixed, ! is doubtful, – was not looked at.\n\n"
        "Exit status 1 when something must be fixed."
    ),
    inputs=DoctorInputs,
    outputs=OUTPUTS,
    run=run,
    action=False,
)
