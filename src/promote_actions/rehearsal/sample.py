"""The GitOps repository that the rehearsal makes when it is given none: the strategy's layout.

Two services, four environments, and values files in every style that people write.
"""

from __future__ import annotations

from collections.abc import Mapping

ORGANISATION = "nexo-org"
GITOPS = f"{ORGANISATION}/nexo-gitops"
SERVICES = ("nexo-be", "nexo-web")
PREVIOUS = "2026.01.45"
BEHIND = {"develop": "2026.02.17", "qa": "2026.02.15", "staging": "2026.02.10", "prod": PREVIOUS}
"""What nexo-web runs: the strategy's dashboard."""

RELEASED = tuple(
    f"2026.{month:02}.{build}" for month, last in ((1, 56), (2, 17)) for build in range(1, last + 1)
)
"""The versions that were released before: production is 28 of them behind develop, as in the strategy."""

PEOPLE = {
    "nexo-platform-team": ("bob-platform", "paula-platform"),
    "nexo-sre-team": ("alice-sre", "carlos-sre"),
    "nexo-platform-leads": ("lena-lead",),
}
"""Teams of the organisation and who is in them."""

CODEOWNERS = f"""\
# Production: two SREs, or a lead beside one
helm/*/values-prod.yaml @{ORGANISATION}/nexo-sre-team @{ORGANISATION}/nexo-platform-leads

# Staging: one platform engineer
helm/*/values-staging.yaml @{ORGANISATION}/nexo-platform-team

# Develop and qa: promoted without anybody
helm/*/values-develop.yaml
helm/*/values-qa.yaml
"""

_BACKEND = {
    "develop": f"""\
# nexo-be, develop. Argo CD deploys whatever image.tag says.

defaults: &defaults
  pullPolicy: IfNotPresent


image:
  repository: ghcr.io/nexo-org/nexo-be
  tag: "{PREVIOUS}" # promoted by promote-actions
  <<: *defaults

replicaCount: 1
""",
    "qa": f"""\
image: {{repository: 'ghcr.io/nexo-org/nexo-be', tag: '{PREVIOUS}', pullPolicy: Always}}

resources:
    limits: {{cpu: "1", memory: 512Mi}}   # indented by four, on purpose
""",
    "staging": f"""\
---
image:
    repository: ghcr.io/nexo-org/nexo-be

    # The tag is an anchor: the migration job below runs the same version.
    tag: &version {PREVIOUS}

migration:
    tag: *version
    command: >-
        migrate --wait
        --timeout 5m
""",
    "prod": f"""\
image:
  repository: "ghcr.io/nexo-org/nexo-be"
  tag: {PREVIOUS}
activeSlot: blue
ingress:
  hosts: ["nexo-be.example.com"]   # ação → produção
notes: |
  image:
    tag: this is text, not a key
""",
}


def files(images: Mapping[str, str]) -> dict[str, bytes]:
    """The repository's files by path; ``images`` maps each service to its image's name."""
    made = {".github/CODEOWNERS": CODEOWNERS, "promotion.yaml": _configuration(images)}
    for environment, text in _BACKEND.items():
        made[f"helm/nexo-be/values-{environment}.yaml"] = text
        made[f"helm/nexo-web/values-{environment}.yaml"] = _frontend(environment)
    encoded = {path: text.encode() for path, text in made.items()}
    windows = "helm/nexo-web/values-qa.yaml"
    encoded[windows] = b"\xef\xbb\xbf" + encoded[windows].replace(b"\n", b"\r\n")
    return encoded


def _frontend(environment: str) -> str:
    final_newline = "" if environment == "staging" else "\n"
    image = f"  tag: '{BEHIND[environment]}'\t# {environment}\n  repository: ghcr.io/nexo-org/nexo-web"
    return f"image:\n{image}{final_newline}"


def _configuration(images: Mapping[str, str]) -> str:
    lines = ["# What each service is; everything else is the default.", "version: 1", "services:"]
    lines += [
        f"  {service}: {{repository: {ORGANISATION}/{service}, image: {image}}}"
        for service, image in images.items()
    ]
    return "\n".join(lines) + "\n"
