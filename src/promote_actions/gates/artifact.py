"""The check ``github`` by artifacts: reports that a workflow's run for the released commit left behind.

The run is the newest of ``workflow`` (its name or file), or ``run``; one for another commit, or from a
fork, proves nothing. It must have succeeded (``allow`` names other conclusions): a report from an earlier
attempt may still be there when a later one failed. ``artifact`` names the artifact and ``file`` the files
in it (``*`` stands for anything); each is judged as the checks ``file`` and ``load`` judge theirs. Pure but
for its source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from promote_actions.adapters.forge import Artifact, CheckRun, Forge, ForgeRepository, WorkflowRun
from promote_actions.errors import DependencyError, one_line
from promote_actions.gates import archive, file
from promote_actions.gates.file_formats import Unreadable
from promote_actions.gates.github import Released, judge_run
from promote_actions.gates.judge import SEVERITY
from promote_actions.gates.model import Link, Moment, Outcome, Reading
from promote_actions.gates.options import OptionError, Options

ALLOWED = ("skipped", "neutral", "failure", "cancelled", "timed_out")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MOST_ARTIFACTS = 50
"""Artifacts of one run that are read at most."""


@dataclass(frozen=True)
class Settings:
    """Which run of which commit, which files of which artifacts, and how a file of a name is judged."""

    released: Released
    artifact: str
    judge_of: Callable[[str], file.Judge]
    file: str = ""
    workflow: str = ""
    run: int = 0
    allowed: frozenset[str] = frozenset({"success"})

    @property
    def what(self) -> str:
        """The run, for a person."""
        return f"run {self.run}" if self.run else f"a run of {self.workflow}"


def parse(options: Options, version: str, service: str) -> Settings:
    """The settings; raises :class:`InputError` when no run is named, or check runs as well."""
    if options.given("names"):
        message = f"check '{options.name}' names both check runs and an artifact"
        raise OptionError(message, key="names", hint="make two checks of it")
    workflow, run = options.text("workflow"), options.whole("run", 0)
    if bool(workflow) == bool(run):
        hint = "give one of its options 'workflow', such as e2e.yml, and 'run'"
        raise OptionError(f"check '{options.name}' names no run, or two", key="artifact", hint=hint)
    commit = options.text("commit")
    if commit and not _SHA.fullmatch(commit):
        raise options.wrong("commit", commit, "all digits of a commit's SHA")
    also = options.texts("allow")
    for word in also:
        if word not in ALLOWED:
            raise options.wrong("allow", word, ", ".join(ALLOWED))
    return Settings(
        released=Released.of(options, version, service),
        artifact=options.text("artifact"),
        judge_of=file.judges(options, ("junit", "sarif", "json", "k6")),
        file=options.text("file"),
        workflow=workflow,
        run=run,
        allowed=frozenset({"success", *also}),
    )


@dataclass(frozen=True)
class Judged:
    """What one file, artifact or run says; ``name`` is how a person finds it."""

    name: str
    outcome: Outcome
    reason: str
    value: float | None = None
    details: tuple[str, ...] = ()


class ArtifactCheck:
    """Takes the readings; ``open_source`` gives the repository whose runs are meant.

    What an artifact says is kept: it doesn't change, and it may be large.
    """

    def __init__(self, settings: Settings, open_source: Callable[[], ForgeRepository]) -> None:
        self._settings = settings
        self._open = open_source
        self._repository: ForgeRepository | None = None
        self._commit = ""
        self._known: dict[int, tuple[Judged, ...]] = {}

    def measure(self, moment: Moment) -> Reading:
        repository = self._repository = self._repository or self._open()
        self._commit = self._commit or self._settings.released.find(repository)
        if not self._commit:
            reason = f"{repository.name} has no tag of {self._settings.released.version}"
            return Reading("inconclusive", reason, moment.now)
        forge, at = repository.forge, self._commit[:7]
        run = newest(self._settings, forge.workflow_runs(self._commit), repository.name)
        if run is None:
            return Reading("waiting", f"{self._settings.what} for {at} is not there yet", moment.now)
        links = (Link(f"run of {run.workflow or run.path}", run.url),)
        finding = judge_run(CheckRun(run.workflow, run.status, run.conclusion), self._settings.allowed)
        if finding.outcome == "waiting":
            return Reading("waiting", f"{finding.name} {finding.words} on {at}", moment.now, links=links)
        found = [*self._judged(forge, run), Judged(finding.name, finding.outcome, finding.words)]
        return summed(found, at, moment, links)

    def _judged(self, forge: Forge, run: WorkflowRun) -> list[Judged]:
        every = forge.artifacts(run.id)
        chosen = latest(self._settings, every)
        if not chosen:
            among = ", ".join(sorted({archive.shown(one.name) for one in every})[:5]) or "none"
            reason = f"the run left no artifact like {archive.shown(self._settings.artifact)} ({among})"
            return [Judged(run.workflow, "inconclusive", reason)]
        if len(chosen) > MOST_ARTIFACTS:
            reason = f"the run left {len(chosen)} such artifacts, at most {MOST_ARTIFACTS} are read"
            return [Judged(run.workflow, "inconclusive", reason)]
        for one in chosen:
            if one.id not in self._known:
                self._known[one.id] = tuple(self._read(forge, one))
        return [judged for one in chosen for judged in self._known[one.id]]

    def _read(self, forge: Forge, artifact: Artifact) -> list[Judged]:
        name = one_line(artifact.name[:100])
        if artifact.size > archive.LIMIT:
            reason = f"it has {artifact.size} bytes, at most {archive.LIMIT} are read"
            return [Judged(name, "inconclusive", reason)]
        data = None if artifact.expired else forge.artifact_archive(artifact.id, archive.LIMIT)
        if data is None:
            return [Judged(name, "inconclusive", "it has expired: run the workflow again")]
        if not archive.has_digest(data, artifact.digest):
            raise DependencyError(f"the artifact {name} is not what its digest says", hint="run again")
        try:
            files = archive.read(data, self._settings.file)
        except Unreadable as error:
            return [Judged(name, "inconclusive", f"{error}")]
        return [self._file(name, path, content) for path, content in files]

    def _file(self, artifact: str, path: str, content: bytes) -> Judged:
        name = f"{artifact}/{one_line(path[:100])}"
        try:
            return Judged(name, *self._settings.judge_of(path)(content))
        except Unreadable as error:
            return Judged(name, "inconclusive", f"{error}")


def newest(settings: Settings, runs: Sequence[WorkflowRun], repository: str) -> WorkflowRun | None:
    """The run that is meant, of ``runs`` with the newest first. What ran for a fork's pull request is a
    stranger's, though the commit may be ours."""
    for run in runs:
        if run.source.lower() != repository.lower():
            continue
        named = (run.workflow, run.path, run.path.rpartition("/")[2])
        if run.id == settings.run or (settings.workflow and settings.workflow in named):
            return run
    return None


def latest(settings: Settings, artifacts: Sequence[Artifact]) -> list[Artifact]:
    """The artifacts that are meant, by name. A re-run leaves a second one of a name: the newer counts."""
    found: Mapping[str, Artifact] = {
        one.name: one
        for one in sorted(artifacts, key=lambda one: one.id)
        if fnmatchcase(one.name, settings.artifact)
    }
    return [found[name] for name in sorted(found)]


def summed(found: Sequence[Judged], at: str, moment: Moment, links: tuple[Link, ...]) -> Reading:
    """One reading of all that was judged, the run last: the worst of it speaks, a file before the run."""
    *files, run = found
    worst = max(found, key=lambda one: SEVERITY[one.outcome])
    if worst.outcome == "passed":
        alone = f"{files[0].reason} in {files[0].name} on {at}"
        reason = alone if len(files) == 1 else f"{len(files)} files hold on {at}"
    else:
        reason = f"{run.name} {run.reason} on {at}" if worst is run else f"{worst.name}: {worst.reason}"
    details = [f"{one.name}: {one.reason}" for one in files] if len(files) > 1 else []
    details += [line for one in files if one.outcome == worst.outcome for line in one.details]
    value = None if worst.outcome == "passed" and len(files) > 1 else worst.value
    return Reading(worst.outcome, reason, moment.now, value, links=links, details=tuple(details[:20]))
