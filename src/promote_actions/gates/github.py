"""The check ``github``: what CI found out about the released commit, by check runs and commit statuses.

This is how end-to-end tests, performance tests and scans of the strategy's QA and staging become part of
a gate. ``names`` are the checks that must have succeeded; ``*`` at an end stands for anything. They must
be named: the gate's own job is a check of the same commit, and "all of them" would wait for itself.
Options: ``names``, ``repository`` (default: the service's), ``commit`` (default: the commit that the
version's tag names there), ``tag-prefix``, ``allow`` (``skipped``, ``neutral``). With ``artifact`` it is
``gates.artifact`` instead. Pure but for its source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from promote_actions.adapters.forge import CheckRun, CommitStatus, ForgeRepository
from promote_actions.errors import InputError
from promote_actions.gates.judge import SEVERITY
from promote_actions.gates.model import Link, Moment, Outcome, Reading
from promote_actions.gates.options import COMMON, OptionError, Options

ARTIFACT_OPTIONS = (
    "artifact", "workflow", "run", "file", "format", "severity", "max", "min-tests", "json", "threshold",
    "equals", "error-rate", "p95", "rate", "min-requests",
)  # fmt: skip
KNOWN = (*COMMON, "names", "repository", "commit", "tag-prefix", "allow", *ARTIFACT_OPTIONS)
PREFIXES = ("", "v")
"""What may stand before the version in its tag's name, unless ``tag-prefix`` says it."""

_STATUS_WORDS: Mapping[str, Outcome] = {
    "success": "passed",
    "pending": "waiting",
    "failure": "failed",
    "error": "failed",
}


@dataclass(frozen=True)
class Released:
    """The released commit: ``commit``, or that of the version's tag, by the first prefix that has one."""

    version: str
    commit: str = ""
    prefixes: tuple[str, ...] = PREFIXES

    @classmethod
    def of(cls, options: Options, version: str, service: str) -> Released:
        given = options.given("tag-prefix")
        prefixes = (options.text("tag-prefix"),) if given else (*PREFIXES, f"{service}/")
        return cls(version, options.text("commit"), prefixes)

    def find(self, repository: ForgeRepository) -> str:
        """The commit, or empty when there is no such tag."""
        return self.commit or tagged(repository, self.version, self.prefixes)

    def __str__(self) -> str:
        return self.commit or f"the tag of {self.version}"


@dataclass(frozen=True)
class Settings:
    """Which checks of which commit."""

    names: tuple[str, ...]
    released: Released
    allowed: frozenset[str] = frozenset({"success"})


@dataclass(frozen=True)
class Finding:
    """One check run or commit status, judged."""

    name: str
    outcome: Outcome
    words: str
    url: str = ""


def parse(options: Options, version: str, service: str) -> Settings:
    """The settings; raises :class:`InputError` when no check is named."""
    names = options.texts("names")
    if not names:
        hint = "give its option 'names', such as e2e,performance, or 'artifact'"
        raise InputError(f"check '{options.name}' names no check runs, so it measures nothing", hint=hint)
    for key in ARTIFACT_OPTIONS:
        if options.given(key):
            message = f"check '{options.name}' has the option '{key}', but no artifact"
            raise OptionError(message, key=key, hint="give its option 'artifact' instead of 'names'")
    also = options.texts("allow")
    for word in also:
        if word not in ("skipped", "neutral"):
            raise options.wrong("allow", word, "skipped, neutral")
    return Settings(names, Released.of(options, version, service), frozenset({"success", *also}))


class GitHubCheck:
    """Takes the readings; ``open_source`` gives the repository whose commits are meant."""

    def __init__(self, settings: Settings, open_source: Callable[[], ForgeRepository]) -> None:
        self._settings = settings
        self._open = open_source
        self._repository: ForgeRepository | None = None
        self._commit = ""

    def measure(self, moment: Moment) -> Reading:
        repository = self._repository = self._repository or self._open()
        self._commit = self._commit or self._settings.released.find(repository)
        if not self._commit:
            reason = f"{repository.name} has no tag of {self._settings.released.version}"
            return Reading("inconclusive", reason, moment.now)
        forge = repository.forge
        findings = judge(self._settings, forge.check_runs(self._commit), forge.statuses(self._commit))
        worst = max(findings, key=lambda finding: SEVERITY[finding.outcome])
        links = tuple(Link(finding.name, finding.url) for finding in findings if finding.url)
        details = tuple(f"{finding.name} {finding.words}" for finding in findings)
        at = self._commit[:7]
        if worst.outcome == "passed":
            names = ", ".join(finding.name for finding in findings)
            return Reading("passed", f"{names} succeeded on {at}", moment.now, links=links, details=details)
        reason = f"{worst.name} {worst.words} on {at}"
        return Reading(worst.outcome, reason, moment.now, links=links, details=details)


def tagged(repository: ForgeRepository, version: str, prefixes: Sequence[str]) -> str:
    """The commit of the tag ``<prefix><version>``, by the first prefix that has one; else empty."""
    for prefix in prefixes:
        name = prefix + version
        commit = repository.tags(name).get(name)
        if commit:
            return commit
    return ""


def judge(
    settings: Settings, runs: Sequence[CheckRun], statuses: Mapping[str, CommitStatus]
) -> list[Finding]:
    """One finding for each match of each name; a name that nothing matches is still to come."""
    found: list[Finding] = []
    for name in settings.names:
        matches = [judge_run(run, settings.allowed) for run in runs if fnmatchcase(run.name, name)]
        matches += [_of_status(one) for context, one in statuses.items() if fnmatchcase(context, name)]
        found += matches or [Finding(name, "waiting", "has not reported")]
    return found


def judge_run(run: CheckRun, allowed: frozenset[str]) -> Finding:
    """What a run says by its status and conclusion; ``allowed`` are the conclusions that are good."""
    if run.status != "completed":
        return Finding(run.name, "waiting", f"is {run.status.replace('_', ' ')}", run.url)
    good = run.conclusion in allowed
    stale = run.conclusion in ("cancelled", "stale", "skipped", "neutral", "action_required", "")
    outcome: Outcome = "passed" if good else "inconclusive" if stale else "failed"
    return Finding(run.name, outcome, f"ended {run.conclusion or 'without a conclusion'}", run.url)


def _of_status(status: CommitStatus) -> Finding:
    outcome = _STATUS_WORDS.get(status.state, "inconclusive")
    return Finding(status.context, outcome, f"is {status.state}", status.url)
