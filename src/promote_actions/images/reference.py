"""Image references: ``host/repository:tag@digest``, and what is left out of the short forms.

Pure, standard library only. Grammar and defaults: the reference grammar of the distribution project
(https://pkg.go.dev/github.com/distribution/reference), where a name without a host is Docker Hub's and
one of its names without a folder is in ``library/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from promote_actions.errors import InputError, one_line

DOCKER_HUB = "docker.io"
NAME_LIMIT = 255

_DOMAIN = re.compile(
    r"(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
    r"(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
)
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True)
class Reference:
    """An image by its registry's host (with port), its repository there, and a tag or digest or both."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def api_host(self) -> str:
        """The host that answers the registry's API: Docker Hub's is another than its name says."""
        return "registry-1.docker.io" if self.host == DOCKER_HUB else self.host

    @property
    def name(self) -> str:
        """Host and repository, without tag and digest."""
        return f"{self.host}/{self.repository}"

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def with_tag(self, tag: str) -> Reference:
        """The same repository at ``tag``; raises :class:`InputError` when no registry takes the tag."""
        if not is_tag(tag):
            raise InputError(
                f"'{one_line(tag[:140])}' is no tag",
                hint="use 1 to 128 letters, digits, _ . and -, not beginning with . or -",
            )
        return replace(self, tag=tag, digest="")


def parse(text: str) -> Reference:
    """The reference in ``text``; raises :class:`InputError` that says which part is wrong.

    >>> str(parse("nginx"))
    'docker.io/library/nginx'
    >>> parse("ghcr.io/nexo-org/nexo-be:2026.02.1").tag
    '2026.02.1'
    """
    rest, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise _wrong(text, "its digest is not sha256: and 64 hexadecimal digits")
    host, path = _split_host(rest)
    path, colon, tag = path.partition(":")
    if colon and not is_tag(tag):
        raise _wrong(text, "its tag is not 1 to 128 letters, digits, _ . and -")
    if not _DOMAIN.fullmatch(host):
        raise _wrong(text, "its registry is no host name")
    if not path or not all(_COMPONENT.fullmatch(part) for part in path.split("/")):
        raise _wrong(text, "its repository is not lower-case words joined by / . _ and -")
    if len(host) + 1 + len(path) > NAME_LIMIT:
        raise _wrong(text, f"its name is longer than {NAME_LIMIT} characters")
    return Reference(host, path, tag, digest)


def is_tag(text: str) -> bool:
    """Whether registries take ``text`` as a tag."""
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether ``text`` is a digest of a kind that we can verify: SHA-256 or SHA-512."""
    return _DIGEST.fullmatch(text) is not None


def _split_host(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    named = "." in first or ":" in first or first == "localhost" or first != first.lower()
    if not slash or not named:
        host, path = DOCKER_HUB, text
    else:
        host, path = first, rest
    if host in (DOCKER_HUB, "index.docker.io", "registry-1.docker.io"):
        host = DOCKER_HUB
        if "/" not in path:
            path = f"library/{path}"
    return host, path


def _wrong(text: str, what: str) -> InputError:
    shown = one_line(text[:100])
    return InputError(
        f"'{shown}' is no image reference: {what}",
        hint="write host/repository:tag, such as ghcr.io/org/app:1.0",
    )
