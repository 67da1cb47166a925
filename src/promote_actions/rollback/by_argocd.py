"""The method ``argocd``: deploy an entry of Argo CD's history, and say what git has to do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from promote_actions.audit.record import format_time
from promote_actions.errors import DependencyError, InputError, Refused
from promote_actions.gates.argocd_facts import Application
from promote_actions.gates.argocd_judge import Expected, runs
from promote_actions.gates.versions_in_git import VersionsInGit
from promote_actions.promotion.land import Landing
from promote_actions.rollback.argocd import Goal, Server, Watch, put_back, roll_back
from promote_actions.rollback.case import Case, Target, plan_of, still, target_named, target_of, undone
from promote_actions.rollback.cluster import Done, into_git, revert_to
from promote_actions.rollback.deployments import Entry, Note, entries, find, read_note
from promote_actions.rollback.revert import settled
from promote_actions.rollback.session import Session


@dataclass(frozen=True)
class Wanted:
    """What was asked of Argo CD: an entry by id or revision (else by the version), what may be in the
    way, and whether git is to be mended in the same run."""

    history_id: int | None = None
    revision: str = ""
    terminate: bool = False
    with_revert: bool = False


@dataclass(frozen=True)
class ByArgocd:
    """One run of the method. :meth:`run` returns the landing and how auto-sync was left."""

    session: Session
    server: Server
    wanted: Wanted
    watch: Watch

    def run(self) -> tuple[Landing, str]:
        """Roll back, or finish a rollback that was begun before."""
        case = self.session.open()
        why = self.session.objection(case)
        if why and not case.done_by_this_run:
            return settled(case, why), ""
        name = case.service.application(case.environment.name)
        document = self.server.document(name)
        note = read_note(document)
        if why and note is None:
            return settled(case, why), ""
        if note is not None and self._is_plain(case) and self._is_after(case, name, note):
            return self._finish(case, name, note)
        at = self._versions(case).at
        history = entries(document, at, case.service.image, case.service.name)
        entry, target = self._entry(case, history)
        if self.wanted.with_revert:  # what git would refuse is refused before anything is done
            self._mend(target)(case)
        if self.session.look(case.environment):
            return self._looked(case, name, entry, target), ""
        return self._do(case, name, entry, target)

    # -- which one ---------------------------------------------------------------------------

    def _entry(self, case: Case, history: tuple[Entry, ...]) -> tuple[Entry, Target]:
        wanted = self.wanted
        if wanted.history_id is None and not wanted.revision:
            target = target_of(case)
            return find(history, version=target.version), target
        entry = find(history, id=wanted.history_id, revision=wanted.revision)
        version = entry.version or case.order.request.version
        if not version:
            raise InputError(
                f"the version of deployment {entry} is not known", hint="name it with --to-version"
            )
        if case.order.request.version not in ("", version):
            raise Refused(f"deployment {entry} is not {case.order.request.version}")
        if version == case.live.version:
            raise Refused(f"deployment {entry} has the version that git names", hint="choose another one")
        return replace(entry, version=version), target_named(case, version)

    def _versions(self, case: Case) -> VersionsInGit:
        return VersionsInGit(
            self.session.repository,
            case.facts.config,
            case.service.name,
            case.environment.name,
            self.session.branch,
        )

    # -- doing it ----------------------------------------------------------------------------

    def _do(self, case: Case, name: str, entry: Entry, target: Target) -> tuple[Landing, str]:
        left = case.live.version
        expected = Expected(entry.version, case.service.name, case.service.image, old_gone=False)
        goal = Goal(name, entry, expected, left, format_time(case.order.started))
        try:
            arrived = roll_back(self.server, goal, self.watch, terminate=self.wanted.terminate)
        except DependencyError as error:
            hint = f"auto-sync of {name} may be off by now: run the same again, it goes on from there"
            raise DependencyError(error.message, hint=hint) from None
        problem = None
        if arrived.problem:
            problem = Refused(
                f"{name} did not arrive at {entry.version}: {arrived.problem}",
                hint="see Argo CD; auto-sync is off",
            )
        done = Done(
            "argocd",
            target,
            left,
            arrived.acted,
            {"argocd_history_id": entry.id},
            arrived.sync_id,
            problem,
        )
        mend = self._mend(target) if self.wanted.with_revert and problem is None else None
        landing = into_git(self.session, case, done, mend)
        if landing.failure is not None:
            return landing, "off"
        return self._afterwards(landing, name, arrived.note)

    def _mend(self, target: Target) -> Callable[[Case], Landing]:
        return revert_to(target.version, pull_requests=self.session.forge is not None)

    def _afterwards(self, landing: Landing, name: str, note: Note) -> tuple[Landing, str]:
        """Auto-sync comes back once git names another version than the one that was left."""
        case = self.session.open()
        if case.live.version != note.left:
            return self._put_back(landing, case, name, note)
        where = case.environment.name
        said = [
            f"git still names {note.left} in {where}, and the cluster runs {note.restored}: "
            f"auto-sync of {name} stays off, or it would deploy {note.left} again"
        ]
        if landing.pr_url:
            said.append(
                f"when {landing.pr_url} is merged, run this again: it switches auto-sync on as it was"
            )
        else:
            said.append(
                f"to mend git: rollback --method revert --to-version {note.restored}, and then this again, "
                "or this with --with-revert"
            )
        return replace(landing, notes=(*landing.notes, *said)), "off"

    # -- finishing ---------------------------------------------------------------------------

    def _is_plain(self, case: Case) -> bool:
        """Whether no particular version was asked for: then a rollback that was begun is finished first."""
        order, wanted = case.order, self.wanted
        return not (order.request.version or order.steps or wanted.revision) and wanted.history_id is None

    def _is_after(self, case: Case, name: str, note: Note) -> bool:
        """Whether the rollback that the note tells of still stands, and git has been mended since.

        Raises :class:`Refused` when git went on to a third version: whether to deploy that is not for a
        rollback to decide.
        """
        if case.live.version in (note.left, note.restored):
            return case.live.version == note.restored
        there = Expected(case.live.version, case.service.name, case.service.image)
        if runs(self.server.application(name).images, there):
            return False
        raise Refused(
            f"git names {case.live.version} now, and {name} still runs {note.restored} with auto-sync off, "
            f"since {note.left} was rolled back",
            hint=f"to deploy {case.live.version}, sync it and switch auto-sync on in Argo CD",
        )

    def _finish(self, case: Case, name: str, note: Note) -> tuple[Landing, str]:
        landing = settled(case)
        if self.session.look(case.environment):
            said = (
                f"git names {case.live.version} again: auto-sync of {name} would be switched on as it was"
            )
            return replace(landing, notes=(said,)), "off"
        return self._put_back(replace(landing, changed=True), case, name, note)

    def _put_back(self, landing: Landing, case: Case, name: str, note: Note) -> tuple[Landing, str]:
        left_off = put_back(self.server, name, note, self._mended(note), self.watch)
        if left_off:
            failure = Refused(
                f"auto-sync of {name} is still off: {left_off}", hint="see Argo CD's conditions"
            )
            return replace(landing, failure=failure), "off"
        said = (
            f"git names {case.live.version}: auto-sync of {name} is on again as it was"
            if note.automated is not None
            else f"auto-sync of {name} was off before, and stays so"
        )
        return replace(landing, notes=(*landing.notes, said)), "off" if note.automated is None else "on"

    def _mended(self, note: Note) -> Callable[[Application], bool]:
        """Whether Argo CD has seen a commit that names another version than the one that was left."""

        def mended(app: Application) -> bool:
            case = self.session.open()
            named = [self._versions(case).at(revision) for revision in app.revisions]
            return any(version not in (None, "", note.left) for version in named)

        return mended

    def _looked(self, case: Case, name: str, entry: Entry, target: Target) -> Landing:
        left = case.live.version
        pinned = replace(target, undoes=undone(case.records, left))
        plan = plan_of(case, "argocd", still(case, entry.version, left), pinned)
        steps = (
            f"switch auto-sync of {name} off, if it is on",
            f"deploy {entry} of its history again, and wait until it is healthy",
            f"record it, and quarantine {left}",
            "revert git and switch auto-sync on again"
            if self.wanted.with_revert
            else "leave auto-sync off until git is reverted",
        )
        return Landing(case.facts, plan, notes=steps)
