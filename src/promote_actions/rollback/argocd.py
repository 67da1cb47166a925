"""Rollback through Argo CD: auto-sync off, deploy an earlier entry of the history, see it arrive.

Argo CD refuses a rollback while auto-sync is on, and git still names the bad version afterwards: switching
auto-sync on again deploys that version once more (argo-cd issues 5351, 9570). So auto-sync stays off until
git names another version. What a later run needs to finish (the policy to put back, above all) is written
on the application in the very change that switches auto-sync off, so a run can be cut off anywhere and
made again: each step first looks whether it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from promote_actions.errors import DependencyError, Refused
from promote_actions.gates.argocd_facts import Application
from promote_actions.gates.argocd_judge import Expected
from promote_actions.rollback.deployments import (
    NOTE,
    Entry,
    Note,
    deployed,
    policy_of,
    progress,
    read_note,
)

POLL = 3.0
"""Seconds between two looks at the application at most; the first come sooner."""


class Server(Protocol):
    """Argo CD, as much of it as a rollback needs (``adapters.argocd.ArgoCD``)."""

    def application(self, name: str, refresh: bool = False) -> Application:
        """The facts about one application."""

    def document(self, name: str) -> dict[str, Any]:
        """The application as Argo CD sends it."""

    def rollback(self, name: str, history_id: int) -> None:
        """Deploy an entry of the history again."""

    def patch(self, name: str, change: Mapping[str, Any]) -> None:
        """Merge a change into the application."""

    def terminate(self, name: str) -> None:
        """End the operation that is under way."""


@dataclass(frozen=True)
class Watch:
    """How to wait: for at most ``timeout`` seconds, looking at first often and then every ``poll``."""

    timeout: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    say: Callable[[str], None]
    poll: float = POLL

    def until(self, look: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
        """Call ``look`` until it says that it is over, or the time is; what it said last."""
        end = self.clock() + self.timeout
        said, pause = "", min(0.1, self.poll)
        while True:
            over, words = look()
            if words != said:
                self.say(words)
                said = words
            if over or self.clock() >= end:
                return over, said
            self.sleep(min(pause, max(0.05, end - self.clock())))
            pause = min(self.poll, pause * 1.5)


@dataclass(frozen=True)
class Goal:
    """What is to run: the application, the deployment to go back to, and the images that tell it."""

    name: str
    entry: Entry
    expected: Expected
    left: str
    since: str


@dataclass(frozen=True)
class Arrived:
    """How it went. ``acted``: something was changed in this run. ``problem`` is empty when it went well."""

    app: Application
    note: Note
    acted: bool
    problem: str = ""

    @property
    def sync_id(self) -> str:
        """The id that the rollback itself has in the history."""
        newest = max((entry.id for entry in self.app.history), default=None)
        return "" if newest is None else str(newest)


def roll_back(server: Server, goal: Goal, watch: Watch, *, terminate: bool = False) -> Arrived:
    """Deploy ``goal.entry`` again and wait for it. ``terminate`` ends an operation that is in the way.

    Raises :class:`Refused` when Argo CD, or something that manages the application, says no.
    """
    note, changed = _auto_sync_off(server, goal)
    app = _idle(server, goal, watch, terminate)
    if not deployed(app, goal.entry):
        changed = True
        _start(server, goal, watch)
    app, problem = _arrive(server, goal, watch)
    if app.auto_sync:
        raise _overruled(goal.name)
    return Arrived(app, note, changed, problem)


def _auto_sync_off(server: Server, goal: Goal) -> tuple[Note, bool]:
    """Switch auto-sync off and leave the note, in one change; the note of a run before is kept.

    When auto-sync is off already, the policy to put back is the one in the note of the run before.
    """
    document = server.document(goal.name)
    known, policy = read_note(document), policy_of(document)
    if policy is None and known is not None:
        policy = known.automated
    since = known.since if known is not None and known.left == goal.left else goal.since
    note = Note(goal.left, goal.entry.version, since, policy)
    if known == note and policy_of(document) is None:
        return note, False
    change: dict[str, Any] = {"metadata": {"annotations": {NOTE: note.text()}}}
    if policy_of(document) is not None:
        change["spec"] = {"syncPolicy": {"automated": None}}
    server.patch(goal.name, change)
    if policy_of(server.document(goal.name)) is not None:
        raise _overruled(goal.name)
    return note, True


def _overruled(name: str) -> Refused:
    return Refused(
        f"something switches auto-sync of {name} on again, such as an ApplicationSet",
        hint="roll back with --method revert, which it will deploy",
    )


def _idle(server: Server, goal: Goal, watch: Watch, terminate: bool) -> Application:
    """The application once no operation but ours is under way; a sync that hangs can be ended."""
    app = server.application(goal.name)
    if not app.operating or _is_ours(app, goal):
        return app
    if terminate:
        server.terminate(goal.name)

    def look() -> tuple[bool, str]:
        nonlocal app
        app = server.application(goal.name)
        return not app.operating, f"another operation is under way: {app.phase_message or app.phase}"

    if not watch.until(look)[0]:
        raise Refused(
            f"another operation of {goal.name} is still under way: {app.phase_message or app.phase}",
            hint="run again with --terminate to end it",
        )
    return app


def _is_ours(app: Application, goal: Goal) -> bool:
    return app.operation_revisions == goal.entry.revisions


def _start(server: Server, goal: Goal, watch: Watch) -> None:
    """Ask for the rollback. An answer that was lost is looked for in the application itself."""
    app = server.application(goal.name)
    if app.operating and _is_ours(app, goal):
        return
    try:
        server.rollback(goal.name, goal.entry.id)
    except DependencyError:

        def begun() -> tuple[bool, str]:
            app = server.application(goal.name)
            return app.operating or _is_ours(app, goal), "looking whether the rollback has begun"

        if not replace(watch, timeout=watch.poll).until(begun)[0]:
            raise


def _arrive(server: Server, goal: Goal, watch: Watch) -> tuple[Application, str]:
    app, state = server.application(goal.name), "waiting"

    def look() -> tuple[bool, str]:
        nonlocal app, state
        app = server.application(goal.name)
        state, words = progress(app, goal.entry, goal.expected)
        return state != "waiting", words

    _, said = watch.until(look)
    return app, "" if state == "done" else said


def put_back(
    server: Server, name: str, note: Note, mended: Callable[[Application], bool], watch: Watch
) -> str:
    """Switch auto-sync on as it was, once Argo CD itself has seen the commit that mends git.

    Until then it would deploy the bad version that it still remembers (argo-cd issue 10367). Returns an
    empty text, or why it was left off.
    """
    first = True

    def look() -> tuple[bool, str]:
        nonlocal first
        app = server.application(name, refresh=first)
        first = False
        return mended(app), "Argo CD has not seen the mended commit yet"

    if not watch.until(look)[0]:
        return "Argo CD has not seen the commit that mends git; run this again"
    change: dict[str, Any] = {"metadata": {"annotations": {NOTE: None}}}
    if note.automated is not None:
        change["spec"] = {"syncPolicy": {"automated": dict(note.automated)}}
    server.patch(name, change)
    return ""
