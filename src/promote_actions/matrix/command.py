"""``version-matrix``: which version runs where, since when, and how far apart the environments are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from promote_actions.errors import InputError, PromoteError, Refused
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command, CommonInputs, Output, choice, flag, items, lines, number, text

if TYPE_CHECKING:
    from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
    from promote_actions.config.model import Config
    from promote_actions.matrix.collect import Health, Questions
    from promote_actions.matrix.model import Matrix


@dataclass(frozen=True, kw_only=True)
class MatrixInputs(CommonInputs):
    """What ``version-matrix`` may be told."""

    gitops: str = text("The GitOps repository: owner/name, a path or a URL.", ".")
    branch: str = text("Branch of the GitOps repository; the default branch if empty.")
    service: tuple[str, ...] = items("Only these services; all that there are if empty.")
    html: str = text("File to write a self-contained page to.")
    markdown: str = text("File to write the Markdown summary to.")
    badge: str = text("File to write the drift to in the form that shields.io reads.")
    objectives: bool = flag("Show objectives and DORA measures on the page, from the audit log.", True)
    history: int | None = number("Changes kept of each cell.", "10", minimum=1)
    service_repo: tuple[str, ...] = lines(
        "Where a service's tags are, one a line: nexo-be=owner/name, a path or a URL. "
        "By default `repository` of the configuration."
    )
    tag_prefix: str = text("What the tags of released versions begin with, before the version.")
    fail_on_drift: bool = flag("Refuse (exit 1) over drift.warn already; over drift.fail it always does.")
    fail_over: int | None = number("Refuse (exit 1) over so many versions of drift.", minimum=0)
    argocd_server: str = text("Argo CD's address; without it health is not shown.", env=("ARGOCD_SERVER",))
    argocd_token: str = text("Argo CD's token.", secret=True, env=("ARGOCD_AUTH_TOKEN",))
    show: str = choice("What the terminal shows.", ("table", "markdown"), "table")


BY_API = 400
"""Values files up to which GitHub's API is asked for them, fifty at a time."""

OUTPUT_LIMIT = 600_000
"""Characters of the output ``matrix`` under Actions: all outputs of a job share one mebibyte."""

OUTPUTS = (
    Output("matrix", "The matrix as JSON."),
    Output("drift", "Drift of each service as JSON."),
    Output("drift-level", "The worst drift level: none, low, medium, high or unknown."),
    Output("html-path", "The page that was written."),
)


def run(inputs: MatrixInputs, runner: Runner) -> Result:
    """Collect the matrix, render it every way that was asked for, and judge the drift."""
    from promote_actions.matrix.collect import collect
    from promote_actions.matrix.document import drifts, fitted, matrix_document
    from promote_actions.matrix.render_markdown import render as markdown
    from promote_actions.matrix.render_text import render as as_text

    repository, snapshot, config = _open(inputs, runner)
    matrix = collect(
        repository, snapshot, config, _questions(inputs, runner, config, (repository, snapshot))
    )
    summary = markdown(matrix)
    parts = _charts(inputs, snapshot, config, runner) if inputs.html and inputs.objectives else []
    _write_files(inputs, matrix, summary, parts)
    document = matrix_document(matrix)
    whole = not runner.env.get("GITHUB_OUTPUT")
    outputs = {
        "matrix": document if whole else fitted(document, OUTPUT_LIMIT),
        "drift": drifts(document, None if whole else OUTPUT_LIMIT // 4),
        "drift-level": matrix.level,
        "html-path": inputs.html if inputs.html and not inputs.dry_run else "",
    }
    shown = summary if inputs.show == "markdown" else as_text(matrix)
    return Result(outputs, shown, summary, _refusal(inputs, matrix))


def _open(inputs: MatrixInputs, runner: Runner) -> tuple[GitOpsRepository, Snapshot, Config]:
    """The repository; a large one on GitHub by git, which needs a few requests for any number of files."""
    from promote_actions.adapters.repositories import is_github_slug, open_repository
    from promote_actions.config.load import load_from

    repository = open_repository(inputs.gitops, inputs.token, runner.env)
    snapshot = repository.snapshot(inputs.branch)
    config = load_from(snapshot, inputs.config)
    if not is_github_slug(inputs.gitops) or _cells(snapshot, config, inputs) <= BY_API:
        return repository, snapshot, config
    server = runner.env.get("GITHUB_SERVER_URL", "") or "https://github.com"
    try:
        by_git = open_repository(f"{server.rstrip('/')}/{repository.name}.git", inputs.token, runner.env)
        return by_git, by_git.snapshot(snapshot.branch), config
    except PromoteError as error:
        runner.warning(f"{repository.name} can't be read by git, so its API is asked many times: {error}")
        return repository, snapshot, config


def _cells(snapshot: Snapshot, config: Config, inputs: MatrixInputs) -> int:
    from promote_actions.matrix.files import cells_of, folder_of

    return len(cells_of(config, snapshot.files(folder_of(config)), inputs.service)[1])


def _questions(
    inputs: MatrixInputs, runner: Runner, config: Config, read: tuple[GitOpsRepository, Snapshot]
) -> Questions:
    from promote_actions.adapters.git_history import history_of
    from promote_actions.adapters.repositories import open_repository
    from promote_actions.matrix.ask import healths, releases_by_tags, service_repositories
    from promote_actions.matrix.collect import Questions
    from promote_actions.matrix.files import cells_of, folder_of

    repository, snapshot = read
    given = service_repositories(inputs.service_repo)
    asked = Questions(
        now=datetime.now(timezone.utc),
        services=inputs.service,
        history=inputs.history or 10,
        bulk=history_of(repository, snapshot),
        releases=releases_by_tags(
            given,
            inputs.tag_prefix,
            lambda where: open_repository(where, inputs.token, runner.env),
            runner.warning,
        ),
    )
    if not inputs.argocd_server:
        return asked
    _, files = cells_of(config, snapshot.files(folder_of(config)), inputs.service)
    names = {pair: config.service(pair[0]).application(pair[1]) for pair in files}
    found = healths(names.values(), _argocd(inputs), runner.warning)
    return replace(asked, health=lambda service, environment: found[names[service.name, environment.name]])


def _argocd(inputs: MatrixInputs) -> Callable[[str], Health]:
    from promote_actions.adapters.argocd import ArgoCD
    from promote_actions.matrix.collect import Health

    server = ArgoCD(inputs.argocd_server, inputs.argocd_token)

    def ask(name: str) -> Health:
        application = server.application(name)
        return Health(application.health, application.sync, server.page(name))

    return ask


def _charts(inputs: MatrixInputs, snapshot: Snapshot, config: Config, runner: Runner) -> list[str]:
    from promote_actions.audit.events import events
    from promote_actions.audit.reading import read_records
    from promote_actions.audit.slo_report import slo_report
    from promote_actions.matrix.charts import sections

    now = datetime.now(timezone.utc)
    found = read_records(
        snapshot,
        config.audit_folder,
        since=now - timedelta(days=92),
        services=inputs.service,
        warn=runner.warning,
    )
    records = [record for _, record in found]
    return sections(slo_report(records, config, now, [7, 28, 90]), events(records))


def _write_files(inputs: MatrixInputs, matrix: Matrix, summary: str, parts: list[str]) -> None:
    from promote_actions.matrix.document import badge
    from promote_actions.matrix.render_html import render as page

    wanted: dict[str, Callable[[], str]] = {
        inputs.html: lambda: page(matrix, parts),
        inputs.markdown: lambda: summary,
        inputs.badge: lambda: badge(matrix),
    }
    for path, make in wanted.items():
        if not path or inputs.dry_run:
            continue
        try:
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(make())
        except OSError as error:
            raise InputError(
                f"cannot write '{path[:200]}': {error.strerror}", hint="give another path"
            ) from None


def _refusal(inputs: MatrixInputs, matrix: Matrix) -> Refused | None:
    from promote_actions.matrix.words import drift_sentence

    chosen = (inputs.fail_over, matrix.fail, matrix.warn if inputs.fail_on_drift else None)
    limits = [limit for limit in chosen if limit is not None]
    if not limits:
        return None
    limit = min(limits)
    over = [row for row in matrix.rows if (row.drift.gap.behind or 0) > limit]
    if not over:
        return None
    worst = max(over, key=lambda row: row.drift.gap.behind or 0)
    more = f" (and {len(over) - 1} more services)" if len(over) > 1 else ""
    return Refused(
        f"{worst.service}: {drift_sentence(worst.drift)}{more}; the limit is {limit}",
        hint=f"promote to {worst.drift.environment}, or raise drift.fail",
    )


COMMAND = Command(
    name="version-matrix",
    summary="Show which version runs where, and how far apart the environments are.",
    description=(
        "Read every service's values files and their history, and show them as a matrix: on the "
        "terminal, in the job's summary, as JSON, and as one page that needs no network. Drift is "
        "counted in released versions, never by subtracting build numbers."
    ),
    inputs=MatrixInputs,
    outputs=OUTPUTS,
    run=run,
    icon="grid",
    color="purple",
)
