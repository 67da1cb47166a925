"""``calver``: the version of a commit, allocated or recalled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promote_actions.errors import InputError
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command, CommonInputs, Output, flag, text
from promote_actions.versions.allocate import Allocation, Place, Request, allocate
from promote_actions.versions.calendar_day import calendar_day, recall_months
from promote_actions.versions.calver import LARGEST_BUILD, SHORT_SHA, check_metadata, check_prefix


@dataclass(frozen=True, kw_only=True)
class CalverInputs(CommonInputs):
    """What ``calver`` is asked."""

    repo: str = text(
        "Repository whose tags reserve versions: owner/name on GitHub, a path, or a URL.",
        ".",
        env=("GITHUB_REPOSITORY",),
    )
    sha: str = text("Commit that gets the version (default: the repository's HEAD).", env=("GITHUB_SHA",))
    date: str = text("Date or moment that stands in for the clock, such as 2026-02-01 (ISO 8601).")
    timezone: str = text("IANA time zone in which months begin.", "UTC")
    metadata: str = text("Label after the build, such as hotfix-auth.")
    tag_prefix: str = text("What the git tags begin with: the scope in a monorepo, such as nexo-be/.")
    build: str = text(
        "auto (the next free build of the month), run-number (GITHUB_RUN_NUMBER), or a number.", "auto"
    )
    reserve: bool = flag("Reserve the version by creating its git tag.", default=True)


OUTPUTS = (
    Output("version", "Version of the commit: YYYY.MM.BUILD[-METADATA]."),
    Output("full-version", "Version and the commit's first 7 characters."),
    Output("short-sha", "The commit's first 7 characters."),
    Output("year", "Year of the version, four digits."),
    Output("month", "Month of the version, two digits."),
    Output("build", "Number of the build in its month."),
    Output("tag", "Git tag that reserves the version."),
    Output("semver", "Version without a leading zero, for Helm and npm."),
    Output("previous-version", "Highest reserved version below this one, of another commit; may be empty."),
    Output("reused", "Whether the commit had this version already."),
)


def run(inputs: CalverInputs, runner: Runner) -> Result:
    """Allocate or recall the version that ``inputs`` ask for; with ``dry_run`` nothing is reserved."""
    metadata = check_metadata(inputs.metadata) if inputs.metadata else ""
    prefix = check_prefix(inputs.tag_prefix)
    build = fixed_build(inputs.build, runner.env)
    months = recall_months(*calendar_day(inputs.date, inputs.timezone))
    place = find(inputs, runner.env)
    request = Request(place.commit, months, metadata, prefix, build)
    reserve = inputs.reserve and not inputs.dry_run
    allocation = allocate(place.store, request, reserve)
    return report(allocation, request, place, reserve)


def fixed_build(build: str, env: Mapping[str, str]) -> int | None:
    """The number that ``--build`` fixes, None for ``auto``; raises :class:`InputError`."""
    if build == "auto":
        return None
    number = env.get("GITHUB_RUN_NUMBER", "") if build == "run-number" else build
    if not (
        number.isascii() and number.isdigit() and len(number) <= 9 and 1 <= int(number) <= LARGEST_BUILD
    ):
        where = "GITHUB_RUN_NUMBER" if build == "run-number" else "build"
        raise InputError(
            f"{where} is '{number[:40]}'", hint="--build takes auto, run-number or a number from 1"
        )
    return int(number)


def find(inputs: CalverInputs, env: Mapping[str, str]) -> Place:
    """The repository and commit that ``inputs`` mean: ``owner/name`` is GitHub, the rest goes by git."""
    server = (env.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/")
    if "/" in inputs.repo and inputs.repo[0] not in "./~":
        from promote_actions.adapters.github_refs import is_slug, open_github

        if is_slug(inputs.repo):
            github = open_github(inputs.repo, inputs.token, env.get("GITHUB_API_URL", ""))
            return Place(github, github.resolve(inputs.sha), f"{server}/{inputs.repo}")
    from promote_actions.adapters.git_refs import open_tags

    place = open_tags(inputs.repo, inputs.sha, inputs.token)
    on_github = place.web_url.startswith(f"{server}/")
    return place if on_github else Place(place.store, place.commit)


def report(allocation: Allocation, request: Request, place: Place, reserved: bool) -> Result:
    """Outputs, text and summary of an allocation."""
    version, commit = allocation.version, request.commit
    outputs = {
        "version": str(version),
        "full-version": version.full(commit),
        "short-sha": commit[:SHORT_SHA],
        "year": f"{version.year:04}",
        "month": f"{version.month:02}",
        "build": version.build,
        "tag": request.tag(version),
        "semver": version.semver,
        "previous-version": str(allocation.previous or ""),
        "reused": allocation.reused,
    }
    how = "recalled" if allocation.reused else "reserved" if reserved else "free, not reserved"
    rows = {
        "commit": commit,
        "tag": f"{request.tag(version)} ({how})",
        "previous": str(allocation.previous or "none in the last twelve months"),
    }
    words = "".join(f"\n  {name:<9} {value}" for name, value in rows.items())
    return Result(outputs, f"{version}{words}", summary(allocation, request, place, how))


def summary(allocation: Allocation, request: Request, place: Place, how: str) -> str:
    """The Markdown of the job's page: version, commit, previous version, and a link that compares them."""
    commit, page, previous = request.commit, place.web_url, allocation.previous
    short = f"`{commit[:SHORT_SHA]}`"
    lines = [
        f"### Version {allocation.version}",
        "",
        "| | |",
        "|---|---|",
        f"| Version | `{allocation.version}` ({how}) |",
        f"| Commit | {f'[{short}]({page}/commit/{commit})' if page else short} |",
        f"| Previous version | {f'`{previous}`' if previous else '(none)'} |",
    ]
    if page and previous:
        name = request.tag(previous)
        lines.append(
            f"| Changes | [{previous}…{allocation.version}]({page}/compare/{_path(name)}...{commit}) |"
        )
    return "\n".join(lines)


def _path(name: str) -> str:
    # Tag names here hold letters, digits and . _ - / only; GitHub's compare page wants the slash escaped.
    return name.replace("/", "%2F")


COMMAND = Command(
    name="calver",
    summary="Allocate or recall the calendar version of a commit.",
    description=(
        "Gives a commit its version YYYY.MM.BUILD: the next free build of the month, reserved by creating"
        " a git tag, which a server does for one asker only. The same commit asked again gets the same"
        " version back. Needs git or a GitHub token, and nothing installed."
    ),
    inputs=CalverInputs,
    outputs=OUTPUTS,
    run=run,
    icon="tag",
    color="blue",
)
