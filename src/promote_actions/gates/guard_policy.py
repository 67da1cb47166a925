"""The check ``policy``: does the pull request change nothing but promoted versions, and may they move?

It goes by what is changed, whatever the pull request calls itself, so that one that a person made by hand,
as in the strategy, is judged like ours. Rules: the design's "Rules a promotion obeys". A version goes
forward from where it is live; one that goes back must have run there before, and may not be called a
promotion. Options: ``pull-request``, ``override`` and ``reason``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from promote_actions.adapters.forge import ForgeRepository, PullRequest
from promote_actions.adapters.gitops import Snapshot
from promote_actions.config.model import Config
from promote_actions.errors import InputError, Refused
from promote_actions.gates.model import Link, Moment, Outcome, Reading
from promote_actions.gates.options import COMMON, OptionError, Options
from promote_actions.guard.touches import Touch, places, touch
from promote_actions.promotion import policy
from promote_actions.promotion.gather import facts_at, read_hold
from promote_actions.promotion.messages import SUBJECT
from promote_actions.promotion.model import (
    OVERRIDABLE,
    Facts,
    Request,
    ServiceFacts,
    check_service,
    check_version,
)
from promote_actions.promotion.plan import version_for
from promote_actions.promotion.policy import hold_file
from promote_actions.promotion.recorded import with_records
from promote_actions.promotion.scalars import other_change
from promote_actions.rollback.policy import SET_ASIDE

KNOWN = (*COMMON, "pull-request", "override", "reason")
CONTEXT = "promotion/policy"
"""The commit status under which the result is published."""

LOOKED_BACK = 40
"""Commits of a values file in which a version is looked for that went back."""

_FOR_A_TIME = frozenset({"stop", "freeze", "lock"})
"""Rules that end by themselves or by somebody's hand: until then the pull request waits."""


@dataclass(frozen=True)
class Settings:
    """Which pull request, and the rules that somebody sets aside for it."""

    number: int
    override: frozenset[str] = frozenset()


def parse(options: Options, number: int) -> Settings:
    """The settings; raises :class:`InputError` without pull request, or for an override without reason."""
    number = options.whole("pull-request", number)
    if number < 1:
        raise InputError(f"check '{options.name}' has no pull request", hint="give pull-request")
    override = frozenset(options.texts("override"))
    unknown = sorted(override - set(OVERRIDABLE))
    if unknown:
        message = f"option 'override' of check '{options.name}' names '{unknown[0][:40]}'"
        raise OptionError(message, key="override", hint="use " + ", ".join(OVERRIDABLE))
    if override and not options.text("reason"):
        raise InputError(f"check '{options.name}' overrides a rule without a reason", hint="give reason")
    return Settings(number, override)


class _Wait(Exception):
    """Nothing is wrong, and it may not be merged now."""


@dataclass(frozen=True)
class PolicyCheck:
    """Takes the readings: what the pull request does, held against its base as that is now."""

    settings: Settings
    repository: ForgeRepository
    config: Config

    def measure(self, moment: Moment) -> Reading:
        pull, files = self._look()
        links = (Link(f"pull request {pull.number}", pull.url),)
        outcome: Outcome = "passed"
        try:
            reason = self._judge(pull, files, moment.now)
        except _Wait as wait:
            outcome, reason = "waiting", str(wait)
        except (Refused, InputError) as error:
            outcome, reason = "failed", str(error)
        return Reading(outcome, reason, moment.now, links=links, commit=pull.head_sha)

    def _look(self) -> tuple[PullRequest, Sequence[str]]:
        """The pull request and the files of that very head: it may move between two answers."""
        forge, number = self.repository.forge, self.settings.number
        pull = forge.pull(number)
        for _ in range(5):
            files = forge.changed_files(number)
            again = forge.pull(number)
            if again.head_sha == pull.head_sha:
                return again, files
            pull = again
        raise Refused(f"#{number} changes faster than it can be looked at", hint="run again")

    def _judge(self, pull: PullRequest, files: Sequence[str], now: datetime) -> str:
        if pull.state == "closed":
            raise Refused("the pull request is merged" if pull.merged else "the pull request is closed")
        base = self.repository.snapshot(pull.base_branch)
        touches = self._touches(pull, base, files)
        moved = [each for each in touches if each.promotes]
        if not moved:
            return "no version is changed"
        new = [each for each in moved if base.read(each.place.path) is None]
        if new:
            self._refuse_second_file(base, new)
            if len(new) == len(moved):
                return f"{_named(new)}: a new values file, not a promotion"
            raise Refused(f"{new[0].place.path} is new beside a promotion", hint="add it by itself")
        self._refuse_other_files(base, files, touches, moved)
        _refuse_several_environments(moved)
        _refuse_wrong_title(pull, moved)
        for each in moved:
            self._allow(pull, base, each, now)
        return _named(moved)

    # -- what is changed -----------------------------------------------------------------------

    def _touches(self, pull: PullRequest, base: Snapshot, files: Sequence[str]) -> list[Touch]:
        found = places(self.config, files)
        before = base.read_many(place.path for place in found)
        read = self.repository.read_at
        return [
            touch(self.config, place, before.get(place.path), read(pull.head_sha, place.path))
            for place in found
        ]

    def _refuse_second_file(self, base: Snapshot, new: Sequence[Touch]) -> None:
        """An environment has one values file, whichever of its names the file has."""
        for each in new:
            place = each.place
            names = (
                self.config.values.file(place.service, suffix, place.environment.name)
                for suffix in place.environment.suffixes
            )
            other = next(iter(base.read_many(names)), None)
            if other is not None:
                raise Refused(f"{place.path} is another name of {other}", hint=f"change {other}")

    def _refuse_other_files(
        self, base: Snapshot, files: Sequence[str], touches: Sequence[Touch], moved: Sequence[Touch]
    ) -> None:
        """Only promoted scalars; beside them new audit records, and holds on versions that were left."""
        for each in touches:
            if each.after is None or each.before is None:
                raise Refused(f"{each.place.path} is added or removed beside a promotion")
            service = self.config.service(each.place.service)
            names = tuple(filter(None, (service.image, service.name)))
            contents = (each.before.content, each.after.content)
            values = self.config.values.of(service.name)
            problem = other_change(*contents, values, each.place.path, names)
            if problem is not None:
                raise problem
        ours = {each.place.path for each in touches}
        rest = [path for path in files if path not in ours]
        holds = {hold_file(each.place.service, each.previous) for each in moved}
        audit = self.config.audit_folder.strip("/") + "/"
        there = base.read_many(rest)
        for path in rest:
            if path not in holds and not path.startswith(audit):
                raise Refused(f"{path} is changed beside a promotion", hint="change it by itself")
            if path in there:
                raise Refused(f"{path} is a record, which never changes", hint="leave it as it is")

    # -- whether it may move -------------------------------------------------------------------

    def _allow(self, pull: PullRequest, base: Snapshot, moved: Touch, now: datetime) -> None:
        service, environment = check_service(moved.place.service), moved.place.environment
        version = check_version(moved.version)
        request = Request((service,), environment.name, now, version=version)
        facts = with_records(facts_at(request, base, self.config), base)
        forward: Refused | None = None
        try:
            version_for(request, facts, facts.services[0])
        except Refused as refused:
            forward = refused
        back = (forward is not None or moved.goes_back) and not _claims_promotion(pull)
        if back and self._ran_before(base, moved):
            hold = read_hold(base, service, version)
            own = replace(facts.services[0], hold=hold, recorded_digest="", source=None)
            self._obey(request, replace(facts, services=(own,)), version, SET_ASIDE)
            return
        if forward is not None:
            raise forward
        _refuse_other_image(facts.services[0], moved)
        self._obey(request, facts, version, frozenset())

    def _obey(self, request: Request, facts: Facts, version: str, skip: frozenset[str]) -> None:
        for objection in policy.objections(request, facts, ((facts.services[0], version),)):
            # Where people are named who may override, they do it with `promote`, which knows who they are.
            if objection.rule in skip or (objection.rule in self.settings.override and not objection.who):
                continue
            if objection.rule in _FOR_A_TIME:
                raise _Wait(objection.message)
            raise Refused(objection.message, hint=objection.hint)

    def _ran_before(self, base: Snapshot, moved: Touch) -> bool:
        """Whether the version ran there: then putting it back is a rollback."""
        path = moved.place.path
        for commit in self.repository.history(path, base.commit, LOOKED_BACK):
            content = self.repository.read_at(commit.sha, path)
            try:
                if touch(self.config, moved.place, None, content).version == moved.version:
                    return True
            except InputError:
                continue
        return False


def _refuse_other_image(facts: ServiceFacts, moved: Touch) -> None:
    """The digest that is pinned must be the one that came into the source environment."""
    pinned = moved.after.digest if moved.after else ""
    source = facts.source.digest if facts.source else ""
    for known, where in ((source, "runs"), (facts.recorded_digest, "was recorded with")):
        if pinned and known and known != pinned:
            place = facts.source.environment if facts.source else "the build"
            raise Refused(f"{moved.place.path} pins {pinned}, but {place} {where} {known}")


def _named(moved: Sequence[Touch]) -> str:
    return ", ".join(
        f"{each.place.service} {each.version or 'without a version'} to {each.place.environment.name}"
        for each in moved
    )


def _refuse_several_environments(moved: Sequence[Touch]) -> None:
    names = list(dict.fromkeys(each.place.environment.name for each in moved))
    if len(names) > 1:
        raise Refused(f"{' and '.join(names)} are promoted at once", hint="use one pull request for each")


def _claims_promotion(pull: PullRequest) -> bool:
    found = SUBJECT.fullmatch(pull.title.strip())
    return found is not None and found["kind"] != "rollback"


def _refuse_wrong_title(pull: PullRequest, moved: Sequence[Touch]) -> None:
    """People approve what the title says: where it names services and a version, they must be these."""
    found = SUBJECT.fullmatch(pull.title.strip())
    if found is None or len(moved) > 1:
        return
    each = moved[0]
    said: Mapping[str, tuple[str, frozenset[str]]] = {
        "service": (found["service"], frozenset({each.place.service})),
        "environment": (found["environment"], each.place.environment.names),
        "version": (found["version"], frozenset({each.version})),
    }
    for what, (told, true) in said.items():
        if told not in true:
            raise Refused(f"the title says {what} {told}, the change {min(true)}", hint="correct the title")
