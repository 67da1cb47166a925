"""What the registry says of the images that are about to move, and moving an environment's tag to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from promote_actions.errors import DependencyError, InputError, PromoteError, Refused
from promote_actions.promotion.model import Facts, Plan, Request, ServiceFacts
from promote_actions.runner import Runner

Digests = Callable[[Facts], Facts]
"""Completes facts with the digest of each service's image."""


def registry_digests(check: str, request: Request, runner: Runner) -> Digests:
    """How to complete facts under the policy ``check``: ``off``, ``auto`` or ``required``.

    With ``auto`` only services whose configuration names an image are looked up; with ``required``
    a service without one is an error. The function returned raises :class:`Refused` when the registry
    doesn't have the image, ``DependencyError`` when it can't be asked.
    """
    found: dict[tuple[str, str], str] = {}

    def complete(facts: Facts) -> Facts:
        if check == "off":
            return facts
        services = tuple(_with_digest(each, request, check, found, runner) for each in facts.services)
        return replace(facts, services=services)

    return complete


def _with_digest(
    facts: ServiceFacts,
    request: Request,
    check: str,
    found: dict[tuple[str, str], str],
    runner: Runner,
) -> ServiceFacts:
    version = facts.source.version if facts.source else request.version
    image = facts.service.image
    if not image and check == "required":
        raise _unknown(facts.service.name)
    if not image or not version or facts.settled(version):
        return facts
    key = (image, version)
    if key not in found:
        found[key] = _resolve(image, version, runner)
    return replace(facts, digest=found[key])


def refuse_unknown_images(facts: Facts) -> None:
    """Raise :class:`InputError` for a service whose environment tag could not be moved."""
    for each in facts.services:
        if not each.service.image:
            raise _unknown(each.service.name)


def _unknown(service: str) -> InputError:
    return InputError(
        f"the image of {service} is not known", hint=f"set services.{service}.image in the configuration"
    )


def move_tags(facts: Facts, plan: Plan, runner: Runner) -> tuple[str, ...]:
    """Let the tag ``<image>:<environment>`` of every service point at the version that is there now.

    By manifest, nothing is pulled or pushed; one that points there already is left alone. Returns a
    sentence for each service. Raises ``DependencyError`` when a registry doesn't do it: the promotion
    stands, and the next run moves the tag.
    """
    from promote_actions.adapters.registry import move_image_tag

    said = []
    for each in facts.services:
        move = next((move for move in plan.moves if move.service == each.service), None)
        version = move.version if move else each.target.version
        image, tag = each.service.image, facts.environment.name
        try:
            digest = (move.digest if move else "") or _resolve(image, version, runner)
            moved = move_image_tag(image, tag, digest, runner.env, mask=runner.mask)
        except PromoteError as error:
            raise DependencyError(
                f"promotion landed; tag {image}:{tag} not moved: {error}", hint="run again"
            ) from None
        said.append(f"{image}:{tag} {'now points' if moved.move else 'points'} at {version} ({digest})")
    return tuple(said)


def _resolve(image: str, version: str, runner: Runner) -> str:
    from promote_actions.adapters.registry import resolve_image

    digest = resolve_image(image, version, runner.env, mask=runner.mask)
    if digest is None:
        raise Refused(
            f"the registry has no {image}:{version}", hint="build and push it first, or check the name"
        )
    return digest
