"""Whether the images that are about to move were built by their own repository's workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from promote_actions.errors import DependencyError, InputError
from promote_actions.promotion.model import Facts, Request, ServiceFacts

Verify = Callable[[str, str, str], str]
"""Why an image (name, digest) has no attestation of a repository (``owner/name``); empty: it has one."""


def attested(request: Request, verify: Verify) -> Callable[[Facts], Facts]:
    """How to complete facts, digests included, with why an image may not enter the environment.

    Nothing is asked where the environment doesn't require it, and no digest twice. The function returned
    raises :class:`InputError` for a service whose repository, image or digest is not known, and
    ``DependencyError`` when nobody can verify; a request that overrides the rule has that as the reason.
    """
    found: dict[tuple[str, str, str], str] = {}

    def why(wanted: tuple[str, str, str]) -> str:
        if wanted not in found:
            found[wanted] = verify(*wanted)
        return found[wanted]

    def complete(facts: Facts) -> Facts:
        if facts.environment.provenance != "required":
            return facts
        return replace(facts, services=tuple(_judged(each, request, why) for each in facts.services))

    return complete


def _judged(
    facts: ServiceFacts, request: Request, why: Callable[[tuple[str, str, str]], str]
) -> ServiceFacts:
    version = facts.source.version if facts.source else request.version
    if not version or facts.settled(version):
        return facts
    try:
        return replace(facts, provenance=why(_subject(facts, version)))
    except (DependencyError, InputError) as error:
        if "provenance" not in request.override:
            raise
        return replace(facts, provenance=str(error))


def _subject(facts: ServiceFacts, version: str) -> tuple[str, str, str]:
    service = facts.service
    needed: Mapping[str, str] = {"image": service.image, "repository": service.repository}
    for key, text in needed.items():
        if not text:
            raise InputError(
                f"{facts.target.environment} requires provenance, and the {key} of {service.name} "
                "is not known",
                hint=f"set services.{service.name}.{key} in the configuration",
            )
    digest = facts.digest or (facts.source.digest if facts.source else "")
    if not digest:
        raise InputError(
            f"{facts.target.environment} requires provenance, and the digest of {service.name} {version} "
            "is not known",
            hint="leave --image-check on",
        )
    return service.image, digest, service.repository
