"""``guard``: says what pull requests promote, and publishes whether they may be merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from promote_actions.errors import DependencyError, InputError, PromoteError
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command, CommonInputs, Output, number, text

if TYPE_CHECKING:
    from promote_actions.adapters.forge import ForgeRepository, PullRequest
    from promote_actions.adapters.gitops import Snapshot
    from promote_actions.config.model import Config, Environment
    from promote_actions.gates.context import Context
    from promote_actions.guard.judge import Statuses
    from promote_actions.guard.touches import Touch

LOOKS = 5
"""Times that a pull request is read again when its head moves meanwhile."""

OUTPUTS = (
    Output("promotions", "JSON list of what is promoted: pull request, service, environments, versions."),
    Output("any", "`true` when something is promoted."),
    Output("passed", "`true` when every open pull request that was looked at may be merged."),
    Output("statuses", "JSON object: the commit statuses of each open pull request, by its number."),
)


@dataclass(frozen=True, kw_only=True)
class GuardInputs(CommonInputs):
    """Inputs of ``guard``."""

    gitops: str = text("The GitOps repository, owner/name on GitHub.", required=True)
    branch: str = text("Its branch; empty for the default one.")
    pull_request: int | None = number(
        "Number of one pull request; empty for every open one. Of a closed one it is only said what it "
        "promotes.",
        minimum=1,
    )
    argocd_server: str = text(
        "Argo CD's address, for the soak; without it the soak counts from the commit in git.",
        env=("ARGOCD_SERVER",),
    )
    argocd_token: str = text("Argo CD API token.", secret=True, env=("ARGOCD_AUTH_TOKEN",))


@dataclass
class Guarded:
    """One pull request and what came of it. ``failure`` is why it could not be judged."""

    pull: PullRequest
    touches: tuple[Touch, ...] = ()
    statuses: Statuses = field(default_factory=dict)
    failure: PromoteError | None = None


def run(inputs: GuardInputs, runner: Runner) -> Result:
    """Judge the pull requests one by one; one that can't be judged doesn't keep the others from it."""
    from promote_actions.adapters.forge import ForgeRepository
    from promote_actions.adapters.repositories import open_repository
    from promote_actions.config.load import load_from

    repository = open_repository(inputs.gitops, inputs.token, runner.env)
    if not isinstance(repository, ForgeRepository):
        raise InputError("a plain git repository has no pull requests", hint="give gitops as owner/name")
    snapshot = repository.snapshot(inputs.branch)
    guard = _Guard(inputs, runner, repository, snapshot, load_from(snapshot, inputs.config))
    if inputs.pull_request is not None:
        pulls: Sequence[PullRequest] = [repository.forge.pull(inputs.pull_request)]
    else:
        pulls = [each for each in repository.forge.find_open_pulls() if each.base_branch == snapshot.branch]
    return guard.result([guard.judged(pull) for pull in pulls])


@dataclass(frozen=True)
class _Guard:
    """One run: what every pull request is judged by."""

    inputs: GuardInputs
    runner: Runner
    repository: ForgeRepository
    snapshot: Snapshot
    config: Config

    def judged(self, pull: PullRequest) -> Guarded:
        """What the pull request does, and its statuses, published when it is open."""
        found = Guarded(pull)
        try:
            self._judge(found)
            self._publish(found)
        except PromoteError as error:
            found.failure = error
            self.runner.warning(f"pull request {pull.number}: {error}")
        return found

    def _judge(self, found: Guarded) -> None:
        from promote_actions.guard.judge import unreadable
        from promote_actions.guard.touches import places, touch

        found.pull, files = self._look(found.pull)
        is_open = found.pull.state == "open"
        made = []
        for place in places(self.config, files):
            before, after = self._contents(found.pull, place.path)
            try:
                made.append(touch(self.config, place, before, after))
            except InputError as error:
                if not is_open:
                    raise
                found.statuses = unreadable(error)
        found.touches = tuple(made)
        if is_open and not found.statuses:
            found.statuses = self._statuses(found)

    def _look(self, pull: PullRequest) -> tuple[PullRequest, Sequence[str]]:
        """The pull request and the files of that very head: a push between two answers must not give one
        head the verdict of another."""
        forge = self.repository.forge
        for _ in range(LOOKS):
            files = forge.changed_files(pull.number)
            again = forge.pull(pull.number)
            if again.head_sha == pull.head_sha:
                return again, files
            pull = again
        raise DependencyError(f"its head moved {LOOKS} times while it was looked at", hint="run again")

    def _contents(self, pull: PullRequest, path: str) -> tuple[bytes | None, bytes | None]:
        """The file without the pull request and with it; of a merged one before and after the merge."""
        read = self.repository.read_at
        if not pull.merged:
            return self.snapshot.read(path), read(pull.head_sha, path)
        newest = next(iter(self.repository.history(path, pull.merge_sha, 1)), None)
        before = newest.parents[0] if newest and newest.parents else ""
        return (read(before, path) if before else None), read(pull.merge_sha, path)

    def _statuses(self, found: Guarded) -> Statuses:
        from promote_actions.gates.engine import Gate
        from promote_actions.guard.judge import Planner, ran_before, verdicts

        planner = Planner(
            self.config,
            self._context_of(found.pull),
            lambda each: ran_before(self.repository, self.config, self.snapshot.branch, each),
        )
        planned = planner.plan(found.touches)
        result = Gate(planned.checks, once=True).run() if planned.checks else None
        return verdicts(planned, result, found.pull.head_sha)

    def _context_of(self, pull: PullRequest) -> Callable[[str, Environment, Environment, str], Context]:
        from promote_actions.adapters.instruments import Instruments
        from promote_actions.gates.context import Context

        instruments = Instruments(
            argocd_server=self.inputs.argocd_server,
            argocd_token=self.inputs.argocd_token,
            token=self.inputs.token,
            env=self.runner.env,
        )

        def make(service: str, source: Environment, target: Environment, version: str) -> Context:
            return Context(
                self.config, instruments, service, source, target, version,
                self.repository, self.snapshot.branch, number=pull.number,
            )  # fmt: skip

        return make

    def _publish(self, found: Guarded) -> None:
        from promote_actions.guard.judge import news

        if self.inputs.dry_run or not found.statuses:
            return
        forge, head = self.repository.forge, found.pull.head_sha
        for name, (state, said) in news(found.statuses, forge.statuses(head)).items():
            forge.set_status(head, name, state, said, self.runner.run_url)

    def result(self, guarded: Sequence[Guarded]) -> Result:
        """Outputs and words; a pull request that could not be judged is a failure of the command."""
        from promote_actions.guard.report import outputs, summary, words

        failed = [each for each in guarded if each.failure]
        refusal = None
        if failed:
            first = failed[0]
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            refusal = DependencyError(
                f"pull request {first.pull.number} could not be judged{more}: {first.failure}"
            )
        return Result(outputs(guarded, self.config), words(guarded), summary(guarded), refusal)


COMMAND = Command(
    name="guard",
    summary="Say what pull requests promote, and publish whether they may be merged.",
    description=(
        "Looks at what a pull request does to the values files, whatever it calls itself, and publishes "
        "the commit statuses promotion/approvals, promotion/soak and promotion/policy on its head, for a "
        "branch's protection to require. One that promotes nothing gets them as well. Run it when a pull "
        "request or a review changes, and on schedule, because a soak ends by itself.\n\n"
        "Exit status 0 says that the statuses were published; what they say is in them."
    ),
    inputs=GuardInputs,
    outputs=OUTPUTS,
    run=run,
    icon="shield",
    color="blue",
)
