"""Blue/green rollback: the other slot gets the traffic, by a key in git or by the cluster's API.

In git it is one key of the values file (``activeSlot``): audited, and what Argo CD applies. Through the API
it is instant, but git doesn't know of it, and an Ingress that Argo CD manages is put back by self-heal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from promote_actions.audit.record import format_time
from promote_actions.errors import InputError, Location, PromoteError, Refused
from promote_actions.promotion.keypath import parse
from promote_actions.promotion.land import Landing
from promote_actions.promotion.model import Move, check_version
from promote_actions.promotion.plan import image_names
from promote_actions.promotion.policy import is_downgrade
from promote_actions.promotion.values import Edit, edit, read_scalar
from promote_actions.rollback.case import Case, Target, target_named, target_of, undone
from promote_actions.rollback.revert import choose_mode, proposal, settled
from promote_actions.rollback.slots import (
    SLOTS,
    Backend,
    Slot,
    backends,
    is_managed,
    live_slot,
    other,
    patch,
    read_switched,
    selector_of,
    slot_of,
)


class Cluster(Protocol):
    """Kubernetes, as much of it as a switch needs (``adapters.kubernetes.Kubernetes``)."""

    def ingress(self, name: str) -> dict[str, Any]:
        """One Ingress."""

    def patch_ingress(self, name: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The Ingress after a JSON patch."""

    def service(self, name: str) -> dict[str, Any] | None:
        """One Service, or None."""

    def pods(self, selector: Mapping[str, str]) -> list[dict[str, Any]]:
        """The Pods with these labels."""


# -- in git --------------------------------------------------------------------------------------


def slot_in_git(case: Case, key: str) -> str | None:
    """The slot that the values file names at ``key``; None when there is no such key."""
    parse(key)
    here = case.live
    try:
        found = read_scalar(here.content, key, here.file, image_names(case.facts.services[0]))
    except InputError:
        return None
    if found not in SLOTS:
        raise InputError(
            f"{key} is '{found[:40]}'", hint="it must be blue or green", where=Location(here.file)
        )
    return found


def prepare_slot(case: Case, key: str, slot: str, *, pull_requests: bool) -> Landing:
    """The switch in git: the file's ``key`` names the other slot, or ``slot``. Nothing is written."""
    now = slot_in_git(case, key)
    if now is None:
        raise InputError(
            f"there is no key {key}", hint="name it with --slot-key", where=Location(case.live.file)
        )
    wanted = slot or (now if _switched_before(case, now) else other(now))
    if wanted == now:
        return settled(case, f"{key} is {now} already")
    target = _target(case, wanted, _version_in_git(case, wanted))
    here = case.live
    content, done = edit(here.content, [Edit(key, wanted)], here.file, image_names(case.facts.services[0]))
    made = Move(case.service, target.version, here.version, here.file, here.content, content, done)
    return proposal(case, choose_mode(case, pull_requests), made, target)


def _switched_before(case: Case, now: str) -> bool:
    """Whether the last thing that happened here was a switch to ``now``, away from the version that git
    still names: then a second run has nothing to do, and must not switch back."""
    last = case.last_record
    return (
        last is not None
        and last.rollback
        and last.effective_outcome == "success"
        and (last.extra.get("method"), last.extra.get("slot")) == ("ingress", now)
        and last.previous_version == case.live.version
    )


def _version_in_git(case: Case, slot: str) -> str:
    """The version that the values file keeps for one slot (``blue.image.tag``); empty when it doesn't."""
    here, names = case.live, image_names(case.facts.services[0])
    values = case.facts.config.values.of(case.facts.services[0].service.name)
    try:
        return read_scalar(here.content, f"{slot}.{values.image_tag[0]}", here.file, names)
    except InputError:
        return ""


# -- through the API -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """The Ingress, and the Services behind it without ``-blue`` and ``-green``."""

    ingress: str
    base: str


@dataclass(frozen=True)
class Switch:
    """A switch at the Ingress. ``operations`` is the patch that makes it, empty when the slot has all the
    traffic already: by a run before (``ours``), or because it never was otherwise.
    """

    place: Place
    slot: str
    target: Target
    operations: Sequence[Mapping[str, Any]] = ()
    notes: tuple[str, ...] = ()
    ours: bool = True


def plan_switch(case: Case, cluster: Cluster, place: Place, slot: str) -> Switch:
    """What has to be done at the Ingress. Nothing is written.

    Raises :class:`Refused` when the other slot can't take the traffic, or runs what must not come back.
    """
    document = cluster.ingress(place.ingress)
    found = backends(document, place.base)
    now = "" if slot and found else live_slot(found, place.base, place.ingress)
    made = read_switched(document)
    if made is not None and case.live.version not in (made.left, made.restored):
        made = None  # of an older rollback: git has moved on since
    wanted = slot or (made.slot if made is not None else other(now))
    notes = _warnings(document, place)
    if all(each.service == f"{place.base}-{wanted}" for each in found):
        ours = made is not None and made.slot == wanted and made.left == case.live.version
        restored = made.restored if made is not None else case.live.version
        target = Target(check_version(restored), undoes=undone(case.records, case.live.version))
        return Switch(place, wanted, target, (), notes, ours=ours)
    standby, unknown = _standby(case, cluster, f"{place.base}-{wanted}")
    target = _target(case, wanted, standby.versions[0] if standby and standby.versions else "")
    note = {
        "left": case.live.version,
        "restored": target.version,
        "slot": wanted,
        "since": format_time(case.order.started),
    }
    operations = patch(document, found, place.base, wanted, note)
    return Switch(place, wanted, target, operations, (*notes, *unknown))


def _warnings(document: Mapping[str, Any], place: Place) -> tuple[str, ...]:
    if not is_managed(document):
        return ()
    return (
        f"Argo CD manages ingress '{place.ingress}' and will put it back where self-heal is on: "
        "switch in git instead (--via git)",
    )


def _standby(case: Case, cluster: Cluster, name: str) -> tuple[Slot | None, tuple[str, ...]]:
    """What is behind the Service ``name``. Without the right to look it is not known, and that is said."""
    try:
        service = cluster.service(name)
        if service is None:
            raise Refused(f"there is no service '{name}'", hint="is the other slot still deployed?")
        pods = cluster.pods(selector_of(service)) if selector_of(service) else []
    except InputError as error:
        return None, (f"what {name} runs could not be checked: {error.message}",)
    slot = slot_of(name, pods, case.service.image, case.service.name)
    if len(slot.versions) > 1:
        raise Refused(f"{name} runs {' and '.join(slot.versions)}", hint="wait until its rollout has ended")
    if not slot.ready:
        raise Refused(f"{name} has no ready pod", hint="scale the slot up first; traffic stays where it is")
    return slot, ()


def _target(case: Case, slot: str, version: str) -> Target:
    """The version that comes back with ``slot``, which runs ``version`` (empty: not known).

    An idle slot may also hold what is not released yet, so it must be a version that was live here.
    """
    request, live = case.order.request, case.live.version
    if not version:
        return target_of(case)
    if request.version and request.version != version:
        raise Refused(
            f"slot {slot} runs {version}, not {request.version}",
            hint="use --method revert to bring that version back",
        )
    if (version == live or is_downgrade(version, live)) and not request.reason:
        what = "the version that is live" if version == live else f"newer than the live {live}"
        raise Refused(
            f"slot {slot} runs {version}, which is {what}", hint="use --method revert, or give a --reason"
        )
    return target_named(case, version)


def apply_switch(
    cluster: Cluster, switch: Switch, hold: float, sleep: Callable[[float], None]
) -> PromoteError | None:
    """Patch the Ingress, and see that it stays so for ``hold`` seconds; what went wrong after the patch.

    Raises :class:`~promote_actions.errors.Conflict` when the Ingress was changed meanwhile.
    """
    if switch.operations:
        cluster.patch_ingress(switch.place.ingress, switch.operations)
    for wait in (0.0, hold):
        if wait:
            sleep(wait)
        if not _is_there(cluster, switch):
            return Refused(
                f"something switched ingress '{switch.place.ingress}' back",
                hint="it is managed from elsewhere, such as by Argo CD: switch in git (--via git)",
            )
    return None


def _is_there(cluster: Cluster, switch: Switch) -> bool:
    found: Sequence[Backend] = backends(cluster.ingress(switch.place.ingress), switch.place.base)
    return bool(found) and all(each.service == f"{switch.place.base}-{switch.slot}" for each in found)
