"""One run of ``promote``: the attempts to land it, and what comes after. Its parts are handed in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from promote_actions.adapters.gitops import GitOpsRepository, Snapshot
from promote_actions.config.load import MISNAMED, is_local
from promote_actions.config.model import FILE_NAME
from promote_actions.errors import DependencyError, InputError
from promote_actions.promotion.background import Researcher
from promote_actions.promotion.digests import move_tags, refuse_unknown_images, registry_digests
from promote_actions.promotion.land import Landing, land_direct, paths_read, prepare
from promote_actions.promotion.model import Facts, Request
from promote_actions.promotion.overriders import teams_that_may_override
from promote_actions.promotion.policy import STOP_FILE
from promote_actions.promotion.provenance import Verify, attested
from promote_actions.runner import Runner

if TYPE_CHECKING:
    from promote_actions.adapters.forge import ForgeRepository
    from promote_actions.promotion.command import PromoteInputs


def _pull_requests_of(repository: GitOpsRepository) -> ForgeRepository | None:
    """Plain git has none, and then what knows them need not even be imported."""
    if not hasattr(repository, "forge"):
        return None
    from promote_actions.promotion.pull import pull_requests_of

    return pull_requests_of(repository)


class Session:
    """A promotion on its way into ``repository``. :meth:`attempt` may be called until nobody is faster.

    ``verify`` says why an image's provenance does not hold (empty: it does).
    """

    def __init__(
        self,
        inputs: PromoteInputs,
        request: Request,
        repository: GitOpsRepository,
        runner: Runner,
        verify: Verify,
    ) -> None:
        self._inputs = inputs
        self._request = request
        self._repository = repository
        self._runner = runner
        self._pulls = _pull_requests_of(repository)
        self._digests = registry_digests(inputs.image_check, request, runner)
        self._attested = attested(request, verify)
        self._research = Researcher(request, self._pulls.forge if self._pulls else None)
        self._paths = {STOP_FILE}
        if self._pulls and inputs.mode != "direct":
            from promote_actions.owners.parse import LOCATIONS

            self._paths.update(LOCATIONS)
        if not is_local(inputs.config):
            self._paths |= {inputs.config or FILE_NAME, MISNAMED}

    def attempt(self) -> Landing:
        """Read, plan and land once. Raises ``Conflict`` when somebody else landed first."""
        inputs, request = self._inputs, self._request
        snapshot = self._repository.snapshot(inputs.branch)
        snapshot.read_many(self._paths)
        landing = prepare(
            request, snapshot, inputs.config, self._pulls is not None, self._complete, self._research
        )
        self._paths |= paths_read(landing)
        if inputs.move_tag:
            refuse_unknown_images(landing.facts)
        if not landing.plan.changed:
            return landing
        if inputs.dry_run:
            return self._previewed(snapshot, landing)
        if landing.plan.mode == "direct":
            return land_direct(request, self._repository, snapshot, landing)
        if self._pulls is None:
            raise InputError("this repository has no pull requests", hint="use --mode direct")
        from promote_actions.promotion.pull import land_pull_request

        return land_pull_request(request, self._pulls, snapshot, landing)

    def _complete(self, facts: Facts) -> Facts:
        """``facts`` with the teams that may override, when an override is asked for, and the images."""
        if self._request.override and self._pulls is not None:
            facts = replace(facts, teams=teams_that_may_override(facts, self._pulls.forge))
        return self._attested(self._digests(facts))

    def _previewed(self, snapshot: Snapshot, landing: Landing) -> Landing:
        if self._pulls is None or landing.plan.mode != "pull-request":
            return landing
        from promote_actions.promotion.ask import preview

        organization = self._pulls.name.partition("/")[0]
        asked, notes = preview(self._pulls.forge, snapshot, landing.plan, organization)
        return replace(landing, reviewers=asked, notes=(*landing.notes, *notes))

    def with_tags(self, landing: Landing) -> Landing:
        """``landing`` after the environment's tags were moved, if the version is there now."""
        if not self._inputs.move_tag or self._inputs.dry_run:
            return landing
        if landing.plan.mode == "pull-request":
            note = f"tags of {landing.plan.environment.name} are moved by a run after the merge"
            return replace(landing, notes=(*landing.notes, note))
        try:
            if landing.changed and not self._still_there(landing):
                said: tuple[str, ...] = ("another promotion landed since: the tags are left to it",)
            else:
                said = move_tags(landing.facts, landing.plan, self._runner)
        except DependencyError as error:
            return replace(landing, failure=error)
        return replace(landing, notes=(*landing.notes, *said))

    def _still_there(self, landing: Landing) -> bool:
        """Whether the branch still has what was landed: a newer promotion moves its own tags."""
        now = self._repository.snapshot(self._inputs.branch)
        files = now.read_many(move.file for move in landing.plan.moves)
        return all(files.get(move.file) == move.content for move in landing.plan.moves)
