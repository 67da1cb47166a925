"""Whether an Argo CD application runs the promoted version, and runs it well. Pure.

Argo CD says *Healthy* of the old version until it has synced, of the new one before it has looked again
after the sync, and of any commit of a shared branch. So the order is: error conditions, an operation
under way, an operation that failed, the revision, *Synced*, *Healthy* as seen after the operation, the
images that run, and a time for which all this has held (design, section 1; Kargo's and GitOps
Promoter's rules are the sources of the timestamps that are compared).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from promote_actions.gates.argocd_facts import Application
from promote_actions.gates.model import Link, Outcome, Reading

BROKEN_SPEC = ("InvalidSpecError", "DeletionError")
"""Conditions that no waiting repairs. The other errors (``ComparisonError``) mean that Argo CD itself
could not look, and ``SyncError`` repeats what the operation's phase says."""

RESOLUTION = 1.0
"""Seconds: Kubernetes cuts times to whole ones, so something may have happened this much later."""


@dataclass(frozen=True)
class Expected:
    """What should run. ``image`` is a name without tag, ``revision`` the commit of the promotion.

    ``old_gone``: no other version of the image may run any more (false for blue-green, which keeps it).
    ``stability`` is how many seconds all must have held.
    """

    version: str
    service: str = ""
    image: str = ""
    digest: str = ""
    revision: str = ""
    old_gone: bool = True
    stability: float = 10.0


@dataclass(frozen=True)
class GitView:
    """What the GitOps repository says: ``head`` of the branch, the version that the values file names at
    each revision (a revision that the repository doesn't know is absent), and whether a revision holds
    the promotion's commit (absent: can't be told)."""

    head: str
    versions: Mapping[str, str]
    contains: Mapping[str, bool] = field(default_factory=dict)

    @property
    def at_head(self) -> str:
        return self.versions.get(self.head, "")


@dataclass(frozen=True)
class _No:
    """Why the application has not passed."""

    outcome: Outcome
    reason: str
    final: bool = False
    left: float | None = None


@dataclass(frozen=True)
class _Case:
    """An application as it was read, and what it is held against."""

    app: Application
    expected: Expected
    git: GitView | None


_Rule = Callable[[_Case], "_No | None"]


def judge_application(app: Application, expected: Expected, git: GitView | None) -> Reading:
    """The reading that the facts give; the first rule that objects decides."""
    links = (Link(app.name, app.url), Link("history", f"{app.url}?rollback=0")) if app.url else ()
    details = tuple(str(node) for node in app.troubled[:5])
    for rule in _RULES:
        objection = rule(_Case(app, expected, git))
        if objection is not None:
            found = Reading(objection.outcome, objection.reason, app.seen_at, links=links, details=details)
            return replace(found, final=objection.final, left=objection.left)
    since = rollout_time(app, git, expected.version)
    at = next((short(revision) for revision in app.revisions), "")
    reason = f"Synced and Healthy with {expected.version}" + (f" at {at}" if at else "")
    return Reading(
        "passed", reason, app.seen_at, begins=app.seen_at, since=since, links=links, details=details
    )


def _conditions(case: _Case) -> _No | None:
    app = case.app
    for text in app.errors:
        if text.startswith(BROKEN_SPEC):
            return _No("failed", text)
        if not text.startswith("SyncError"):
            return _No("errored", f"Argo CD could not look: {text}")
    return None


def _superseded(case: _Case) -> _No | None:
    expected, git = case.expected, case.git
    if git is None or not git.at_head or git.at_head == expected.version:
        return None
    reason = f"superseded: the branch names {git.at_head} now (at {short(git.head)})"
    return _No("inconclusive", reason, final=True)


def _operating(case: _Case) -> _No | None:
    app = case.app
    if not app.operating:
        return None
    said = f": {app.phase_message}" if app.phase_message else ""
    return _No("waiting", f"a sync is under way ({app.phase or 'requested'}){said}")


def _operation_failed(case: _Case) -> _No | None:
    """Auto-sync doesn't try the same commit again, so a failed sync of ours is the end."""
    app, expected, git = case.app, case.expected, case.git
    if app.phase not in ("Failed", "Error"):
        return None
    said = app.phase_message or next(iter(app.errors), "no message")
    ours = _operation_was_ours(app, expected, git)
    if ours is False and app.sync == "Synced":
        return None
    if ours is False:
        return _No("waiting", f"the last sync ({app.phase}) was of an older commit: {said}")
    return _No("failed", f"the sync ended {app.phase}: {said}", final=bool(ours))


def _operation_was_ours(app: Application, expected: Expected, git: GitView | None) -> bool | None:
    tried = app.operation_revisions
    if git is not None:
        known = [git.versions[revision] for revision in tried if revision in git.versions]
        return expected.version in known if known else None
    if expected.revision and tried:
        return expected.revision in tried
    return None


def _revision(case: _Case) -> _No | None:
    app, expected, git = case.app, case.expected, case.git
    if git is None:
        if expected.revision and expected.revision not in app.revisions:
            return _No(
                "waiting", f"Argo CD is at {_shorts(app.revisions)}, not yet at {short(expected.revision)}"
            )
        return None
    known = [revision for revision in app.revisions if revision in git.versions]
    if not known:
        return _No("waiting", f"Argo CD is at {_shorts(app.revisions)}, which the repository doesn't know")
    for revision in known:
        named = git.versions[revision]
        if named != expected.version:
            reason = f"Argo CD is at {short(revision)}, which still names {named or 'no version'}"
            return _No("waiting", reason)
        if git.contains.get(revision) is False:
            return _No(
                "waiting", f"Argo CD is at {short(revision)}, which is before {short(expected.revision)}"
            )
    return None


def _synced(case: _Case) -> _No | None:
    app = case.app
    if app.sync == "Synced":
        return None
    hint = "" if app.auto_sync else "; auto-sync is off, so somebody must sync it"
    return _No("waiting", f"sync status is {app.sync or 'not known'}{hint}")


_HEALTH: Mapping[str, tuple[Outcome, str]] = {
    "Degraded": ("failed", "Degraded"),
    "Progressing": ("waiting", "Progressing"),
    "Suspended": ("waiting", "Suspended: it is paused and must be resumed"),
    "Missing": ("waiting", "Missing: its resources are not there yet"),
}


def _healthy(case: _Case) -> _No | None:
    app = case.app
    finished = app.operation_finished
    if finished is not None and (app.reconciled_at is None or app.reconciled_at < finished):
        return _No("waiting", f"health ({app.health or 'unknown'}) is from before the sync ended")
    if app.health == "Healthy":
        return None
    outcome, words = _HEALTH.get(app.health, ("inconclusive", f"health is {app.health or 'not known'}"))
    said = [app.health_message, *(str(node) for node in app.troubled[:3])]
    return _No(outcome, "; ".join([words, *(text for text in said if text)]))


def _images(case: _Case) -> _No | None:
    app, expected = case.app, case.expected
    mine = [image for image in app.images if _is_ours(image, expected)]
    running = [image for image in mine if _is_wanted(image, expected)]
    if not running:
        seen = ", ".join(_tag_or_digest(image) for image in mine) or "no image of this service"
        return _No("waiting", f"{expected.version} is not among the running images ({seen})")
    old = [_tag_or_digest(image) for image in mine if image not in running]
    if old and expected.old_gone:
        return _No("waiting", f"{', '.join(old)} still runs beside {expected.version}")
    return None


def _stable(case: _Case) -> _No | None:
    app, expected = case.app, case.expected
    times = [time for time in (app.health_since, app.operation_finished) if time is not None]
    if not times:
        return None
    held = (app.seen_at - max(times)).total_seconds() - RESOLUTION
    if expected.stability and held < expected.stability:
        reason = f"healthy for {max(held, 0):.0f} s of {expected.stability:g} s"
        return _No("waiting", reason, left=expected.stability - held)
    return None


_RULES: tuple[_Rule, ...] = (
    _superseded,
    _conditions,
    _operating,
    _operation_failed,
    _revision,
    _synced,
    _healthy,
    _images,
    _stable,
)


def live_since(app: Application, git: GitView | None, version: str) -> datetime | None:
    """When ``version`` was deployed: the oldest entry of the history's newest unbroken row that names it.

    A later sync of something else on a shared branch doesn't start the time again. Without git, the last
    entry; None when the history doesn't say.
    """
    found: datetime | None = None
    for entry in sorted(app.history, key=lambda entry: entry.id, reverse=True):
        if git is not None and version not in {git.versions.get(revision) for revision in entry.revisions}:
            break
        found = entry.deployed_at or found
        if git is None:
            break
    return found


def rollout_time(app: Application, git: GitView | None, version: str) -> datetime | None:
    """By when the version was live *and* healthy for sure: its deployment, or the health's last turn if
    that is later, and as much later as Kubernetes' times are cut."""
    deployed = live_since(app, git, version) or app.operation_finished
    times = [time for time in (deployed, app.health_since) if time is not None]
    return max(times) + timedelta(seconds=RESOLUTION) if times else None


def runs(images: Iterable[str], expected: Expected) -> bool:
    """Whether the wanted version is among the running ``images``."""
    return any(_is_ours(image, expected) and _is_wanted(image, expected) for image in images)


def _is_ours(image: str, expected: Expected) -> bool:
    name = image_name(image)
    if expected.image:
        return name == expected.image
    return name.rpartition("/")[2] == expected.service or _is_wanted(image, expected)


def _is_wanted(image: str, expected: Expected) -> bool:
    name, digest = image_name(image), image.partition("@")[2]
    tag = image.partition("@")[0][len(name) :].lstrip(":")
    if expected.digest and digest:
        return digest == expected.digest
    return tag == expected.version


def image_name(image: str) -> str:
    """``registry:5000/team/app`` of ``registry:5000/team/app:1.2@sha256:…``."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def _tag_or_digest(image: str) -> str:
    return image[len(image_name(image)) :].lstrip(":@") or image


def short(revision: str) -> str:
    """A revision as people read it: seven characters of a SHA, anything else as it is."""
    is_sha = len(revision) >= 40 and all(char in "0123456789abcdef" for char in revision)
    return revision[:7] if is_sha else revision[:60]


def _shorts(revisions: tuple[str, ...]) -> str:
    return ", ".join(short(revision) for revision in revisions) or "no revision"
