"""A container registry: what a tag points at, and moving a tag without pulling or pushing a layer.

Protocol: the OCI distribution specification 1.1 and Docker's registry API v2. A manifest that is not
asked for by its media type is reported as missing (404), so every request names all four types that an
image can have.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from promote_actions.adapters.http_client import Response, Tls
from promote_actions.adapters.registry_auth import Authorizer
from promote_actions.adapters.registry_credentials import Credentials, find
from promote_actions.adapters.registry_http import Clock, Transport, is_loopback
from promote_actions.errors import Conflict, DependencyError, InputError, Refused, one_line
from promote_actions.images.reference import Reference, is_digest, is_tag
from promote_actions.images.reference import parse as parse_reference
from promote_actions.images.retag import Retag, decide, is_immutable

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""What an image can be: an index of several platforms or one manifest, in OCI's and Docker's words."""

PLAIN_HTTP = "REGISTRY_PLAIN_HTTP"
"""Variable with hosts, joined by commas, that are asked without TLS although they are not this machine."""

_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_REREADS = 3


@dataclass(frozen=True)
class Manifest:
    """A manifest as the registry holds it: its exact bytes, media type and digest."""

    content: bytes
    media_type: str
    digest: str


class Registry:
    """The registry at ``host`` (``docker.io`` is Docker Hub).

    Without ``credentials`` they are looked for in ``env`` (see :mod:`.registry_credentials`). ``mask``
    is told every secret that comes up. Methods raise :class:`InputError` when the registry doesn't let
    us in, and :class:`DependencyError` when it can't be reached or talks nonsense.
    """

    def __init__(
        self,
        host: str,
        credentials: Credentials | None = None,
        env: Mapping[str, str] | None = None,
        *,
        mask: Callable[[str], None] = lambda _: None,
        tls: Tls | None = None,
        clock: Clock | None = None,
    ) -> None:
        env = os.environ if env is None else env
        self.host = host
        api = Reference(host, "").api_host
        plain = is_loopback(api) or api in env.get(PLAIN_HTTP, "").replace(" ", "").split(",")
        self._base = f"{'http' if plain else 'https'}://{api}/v2"
        credentials = credentials or find(host, env)
        for secret in credentials.secrets if credentials else ():
            mask(secret)
        self._transport = Transport(f"the registry {host}", tls or Tls(), clock=clock or Clock())
        self._auth = Authorizer(host, self._transport, credentials, mask)
        self._clock = self._transport.clock

    def resolve(self, repository: str, tag: str) -> str | None:
        """The digest that ``tag`` points at, or None when there is no such tag or repository."""
        response = self._manifest("HEAD", repository, tag)
        if response.status == 404 and _speaks_for_itself(response):
            return None
        digest = response.headers.get("docker-content-digest", "")
        if response.status == 200 and is_digest(digest):
            return digest
        found = self.manifest(repository, tag)
        return found.digest if found else None

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """The manifest at a tag or digest, its digest verified, or None when there is none."""
        response = self._manifest("GET", repository, reference)
        name = f"{self.host}/{repository}{'@' if is_digest(reference) else ':'}{reference}"
        if response.status == 404 and (_speaks_for_itself(response) or _complaint(response)):
            return None
        if response.status != 200:
            raise self._unexpected(response, f"reading {name}")
        for stated in (reference, response.headers.get("docker-content-digest", "")):
            if is_digest(stated) and stated != _digest(response.body, stated):
                raise DependencyError(
                    f"{name} came with other bytes than its digest {stated[:19]}… says",
                    hint="is something between us and the registry changing its answers?",
                )
        return Manifest(response.body, _media_type(response, name), _digest(response.body, reference))

    def put(self, repository: str, tag: str, content: bytes, media_type: str) -> str:
        """Store the manifest under ``tag``; returns its digest. What it refers to must be there already."""
        response = self._ask("PUT", repository, tag, {"Content-Type": media_type}, content)
        name = f"{self.host}/{repository}:{tag}"
        if response.status not in (200, 201, 202):
            raise self._unexpected(response, f"writing {name}")
        digest = _digest(content, "")
        stated = response.headers.get("docker-content-digest", "")
        if is_digest(stated) and stated != _digest(content, stated):
            raise DependencyError(f"{self.host} stored {name} as {stated[:19]}…, not as what was sent")
        return digest

    def move_tag(self, repository: str, tag: str, digest: str, *, immutable: bool | None = None) -> Retag:
        """Let ``tag`` point at the image ``digest`` of the same repository, and see that it does.

        Idempotent. ``immutable`` None: by the tag's form (:func:`.retag.is_immutable`). Raises
        :class:`Refused` when an immutable tag names another image or there is no such image, and
        :class:`Conflict` when somebody else moved it at the same time.
        """
        if not is_digest(digest):
            raise InputError(f"'{one_line(digest[:140])}' is no digest", hint="give sha256: and 64 digits")
        image = f"{self.host}/{repository}"
        fixed = is_immutable(tag) if immutable is None else immutable
        decision = decide(image, tag, digest, self.resolve(repository, tag), fixed)
        if not decision.move:
            return decision
        manifest = self.manifest(repository, digest)
        if manifest is None:
            raise Refused(
                f"there is no image {image}@{digest[:19]}…", hint="push the image before it is promoted"
            )
        self.put(repository, tag, manifest.content, manifest.media_type)
        self._confirm(repository, tag, digest)
        return decision

    def _confirm(self, repository: str, tag: str, digest: str) -> None:
        for attempt in range(_REREADS):
            if attempt:
                self._clock.sleep(float(attempt))
            found = self.resolve(repository, tag)
            if found == digest:
                return
        now = f"points at {found[:19]}…" if found else "is gone"
        raise Conflict(
            f"{self.host}/{repository}:{tag} was moved to {digest[:19]}… and {now}",
            hint="somebody else moves it too; run again",
        )

    def _manifest(self, method: str, repository: str, reference: str) -> Response:
        return self._ask(method, repository, reference, _ACCEPT)

    def _ask(
        self,
        method: str,
        repository: str,
        reference: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Response:
        image = parse_reference(f"{self.host}/{repository}")
        if image.tag or image.digest or not (is_tag(reference) or is_digest(reference)):
            wrong = repository if image.tag or image.digest else reference
            raise InputError(
                f"'{one_line(wrong[:140])}' is no repository, tag or digest", hint="check the image's name"
            )
        url = f"{self._base}/{image.repository}/manifests/{reference}"
        scope = f"repository:{image.repository}:{'pull,push' if body else 'pull'}"
        response = self._transport.ask(method, url, {**headers, **self._auth.header(scope)}, body)
        if response.status == 401:
            self._auth.answer(response.headers.get("www-authenticate", ""), scope)
            response = self._transport.ask(method, url, {**headers, **self._auth.header(scope)}, body)
        if response.status in (401, 403):
            raise self._auth.refusal(scope)
        return response

    def _unexpected(self, response: Response, deed: str) -> Refused | InputError | DependencyError:
        said = _complaint(response)
        words = f"the registry answered {response.status} to {deed}{': ' + said if said else ''}"
        if "immutable" in said.lower() or response.status == 409:
            return Refused(words, hint="give the image a new version")
        if response.status == 405:
            return InputError(
                words, hint="this registry is read-only: name the one that images are pushed to"
            )
        return DependencyError(words, hint="check the registry")


def resolve_image(
    image: str,
    tag: str,
    env: Mapping[str, str] | None = None,
    *,
    mask: Callable[[str], None] = lambda _: None,
) -> str | None:
    """The digest of ``image`` (a name with its registry, without tag) at ``tag``, or None."""
    reference = parse_reference(image).with_tag(tag)
    return Registry(reference.host, env=env, mask=mask).resolve(reference.repository, tag)


def move_image_tag(
    image: str,
    tag: str,
    digest: str,
    env: Mapping[str, str] | None = None,
    *,
    immutable: bool | None = None,
    mask: Callable[[str], None] = lambda _: None,
) -> Retag:
    """:meth:`Registry.move_tag` for an ``image`` by its name with registry, without tag."""
    reference = parse_reference(image).with_tag(tag)
    registry = Registry(reference.host, env=env, mask=mask)
    return registry.move_tag(reference.repository, tag, digest, immutable=immutable)


def _speaks_for_itself(response: Response) -> bool:
    """Whether the answer is a registry's: a web server that knows nothing also says 404."""
    return "docker-distribution-api-version" in response.headers


def _digest(content: bytes, like: str) -> str:
    """The digest of ``content``, by the algorithm of the digest ``like`` (else SHA-256)."""
    algorithm = "sha512" if like.startswith("sha512:") else "sha256"
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def _media_type(response: Response, name: str) -> str:
    """The manifest's media type, by header or its own words; raises when it is none that we know."""
    stated = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if stated in MEDIA_TYPES:
        return stated
    try:
        document = json.loads(response.body)
        inside = document.get("mediaType") if isinstance(document, dict) else None
    except (ValueError, RecursionError):
        inside = None
    if inside in MEDIA_TYPES and stated in (
        "",
        "application/json",
        "text/plain",
        "application/octet-stream",
    ):
        return str(inside)
    raise DependencyError(
        f"{name} is of the type '{one_line(stated[:80]) or 'unknown'}', which is no image",
        hint="push it with a current builder; or is a login page or a proxy in front of the registry?",
    )


def _complaint(response: Response) -> str:
    """The first error in the registry's own words, on one short line."""
    try:
        first = json.loads(response.body)["errors"][0]
        words = f"{first.get('code', '')} {first.get('message', '')} {first.get('detail') or ''}"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return ""
    return one_line(" ".join(words.split())[:200])
