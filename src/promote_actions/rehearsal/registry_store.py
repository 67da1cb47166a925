"""What a registry holds and how it answers one request, without the network around it.

Behaviour of the distribution project's registry 2.8 where promotions can tell: content is addressed by
its digest, a manifest whose parts are missing is refused, and an OCI manifest is reported as missing to
those who don't accept its type.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
_ROUTE = re.compile(rf"/v2/(?P<name>{_NAME})/(?P<kind>manifests|blobs|tags)/(?P<rest>.+)")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass
class Stored:
    """One repository: contents by digest, manifests with their media types, and tags."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A refused request: the answer that says so, in the API's form of an error."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        detail: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        body = {"errors": [{"code": code, "message": message, "detail": detail}]}
        kind = {"Content-Type": "application/json", **(headers or {})}
        self.answer = Answer(status, json.dumps(body).encode(), kind)


def digest_of(content: bytes) -> str:
    """The SHA-256 digest of ``content``, as registries write it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass
class Store:
    """The repositories of a registry whose address is ``host``. Not safe for threads: its owner locks."""

    host: str
    repositories: dict[str, Stored] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        """The answer to one request; raises :class:`Refusal` for one that is refused."""
        if path in ("/v2/", "/v2"):
            return Answer(200, b"{}", {"Content-Type": "application/json"})
        found = _ROUTE.fullmatch(path)
        if found is None:
            return Answer(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        name, kind, rest = found["name"], found["kind"], found["rest"]
        reading = method in ("GET", "HEAD")
        if kind == "blobs" and rest.startswith("uploads/"):
            return self._upload(method, name, rest.removeprefix("uploads/"), query, body)
        if kind == "manifests" and method == "PUT":
            return self._put_manifest(name, rest, headers.get("content-type", ""), body)
        if reading and kind == "manifests":
            return self._manifest(name, rest, headers.get("accept", ""))
        if reading and (kind == "blobs" or rest == "list"):
            return self._blob(name, rest) if kind == "blobs" else self._list(name)
        raise Refusal(405, "UNSUPPORTED", "The operation is unsupported.")

    def _known(self, name: str) -> Stored:
        if name not in self.repositories:
            raise Refusal(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        return self.repositories[name]

    def _list(self, name: str) -> Answer:
        body = {"name": name, "tags": sorted(self._known(name).tags) or None}
        return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _manifest(self, name: str, reference: str, accept: str) -> Answer:
        stored = self.repositories.get(name, Stored())
        digest = reference if _DIGEST.fullmatch(reference) else stored.tags.get(reference, "")
        if digest not in stored.manifests:
            detail = {"Tag": reference} if not digest else {"name": name, "revision": digest}
            raise Refusal(404, "MANIFEST_UNKNOWN", "manifest unknown", detail)
        media_type, content = stored.manifests[digest]
        if media_type in (OCI_MANIFEST, OCI_INDEX) and media_type not in accept:
            kind = "OCI index" if media_type == OCI_INDEX else "OCI manifest"
            message = f"{kind} found, but accept header does not support {kind}s"
            message = message.replace("indexs", "indexes")
            raise Refusal(404, "MANIFEST_UNKNOWN", message)
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest, "Etag": f'"{digest}"'}
        return Answer(200, content, headers)

    def _put_manifest(self, name: str, reference: str, media_type: str, content: bytes) -> Answer:
        digest = digest_of(content)
        is_digest = _DIGEST.fullmatch(reference) is not None
        if is_digest and reference != digest:
            raise Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        if not is_digest and not _TAG.fullmatch(reference):
            raise Refusal(400, "TAG_INVALID", "manifest tag did not match URI")
        document = _document(content, media_type)
        stored = self.repositories.setdefault(name, Stored())
        missing = [
            each for each in _parts(document) if each not in stored.blobs and each not in stored.manifests
        ]
        if missing:
            raise Refusal(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"digest": missing[0]})
        stored.manifests[digest] = (media_type, content)
        if not is_digest:
            stored.tags[reference] = digest
        location = f"http://{self.host}/v2/{name}/manifests/{digest}"
        return Answer(201, b"", {"Location": location, "Docker-Content-Digest": digest})

    def _upload(
        self, method: str, name: str, session: str, query: Mapping[str, list[str]], body: bytes
    ) -> Answer:
        if method == "POST" and not session:
            session = str(uuid.uuid4())
            self.uploads[session] = b""
        if session not in self.uploads:
            raise Refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        self.uploads[session] += body
        digest = (query.get("digest") or [""])[0]
        if method == "PUT" or digest:
            return self._finish_upload(name, session, digest)
        location = f"http://{self.host}/v2/{name}/blobs/uploads/{session}"
        end = max(0, len(self.uploads[session]) - 1)
        return Answer(202, b"", {"Location": location, "Range": f"0-{end}", "Docker-Upload-UUID": session})

    def _finish_upload(self, name: str, session: str, digest: str) -> Answer:
        content = self.uploads.pop(session)
        if digest != digest_of(content):
            raise Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self.repositories.setdefault(name, Stored()).blobs[digest] = content
        location = f"http://{self.host}/v2/{name}/blobs/{digest}"
        return Answer(201, b"", {"Location": location, "Docker-Content-Digest": digest})

    def _blob(self, name: str, digest: str) -> Answer:
        content = self.repositories.get(name, Stored()).blobs.get(digest)
        if content is None:
            raise Refusal(404, "BLOB_UNKNOWN", "blob unknown to registry", digest)
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        return Answer(200, content, headers)


def _document(content: bytes, media_type: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    right = isinstance(document, dict) and document.get("schemaVersion") == 2
    if not right or document.get("mediaType", media_type) != media_type:
        raise Refusal(400, "MANIFEST_INVALID", "manifest invalid")
    if media_type not in (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST):
        raise Refusal(400, "MANIFEST_INVALID", "manifest invalid")
    found: dict[str, Any] = document
    return found


def _parts(document: Mapping[str, Any]) -> list[str]:
    entries = [document.get("config"), *(document.get("layers") or []), *(document.get("manifests") or [])]
    return [str(entry.get("digest")) for entry in entries if isinstance(entry, dict)]
