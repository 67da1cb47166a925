"""What the registry says of the images that are about to move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from promote_actions.errors import InputError, Refused
from promote_actions.promotion.model import Facts, Request, ServiceFacts
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
        raise InputError(
            f"the image of {facts.service.name} is not known",
            hint=f"set services.{facts.service.name}.image in the configuration",
        )
    if not image or not version or version == facts.target.version:
        return facts
    key = (image, version)
    if key not in found:
        found[key] = _resolve(image, version, runner)
    return replace(facts, digest=found[key])


def _resolve(image: str, version: str, runner: Runner) -> str:
    from promote_actions.adapters.registry import resolve_image

    digest = resolve_image(image, version, runner.env)
    if digest is None:
        raise Refused(
            f"the registry has no {image}:{version}", hint="build and push it first, or check the name"
        )
    return digest
