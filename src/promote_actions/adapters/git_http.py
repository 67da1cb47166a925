"""Version tags of a repository behind git's HTTP protocol, in one small request each way.

``git ls-remote`` asks for every tag and filters them here, and ``git push`` begins with a list of every
ref, so both cost more with each year's tags. The protocol itself can be asked for less: its version 2 lists
the refs of a prefix, and a push needs no list when it creates a tag that must not exist, on a commit that
the server has. Sources: git's own documentation, "gitprotocol-v2" (``ls-refs``), "gitprotocol-pack"
(reference update request, report-status, side-band) and "gitprotocol-http" (smart clients).

Whatever a server answers that isn't a plain yes or no is left to git itself
(:class:`~promote_actions.adapters.remote_tags.RemoteTags`), which also knows its user's proxies,
certificates and credential helpers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from promote_actions.adapters.git_process import without_credentials
from promote_actions.adapters.http_client import HttpClient, Tls, basic
from promote_actions.adapters.remote_tags import RemoteTags, refusal
from promote_actions.errors import PromoteError

_NOBODY = "0" * 40
_EMPTY_PACK = b"PACK\0\0\0\2\0\0\0\0" + bytes.fromhex("029d08823bd8a8eab510ad6ac75c823cfd3ed31e")
_CAPABILITIES = " report-status side-band-64k atomic agent=promote-actions"
_HARMLESS = frozenset({"extraheader", "followredirects", "postbuffer", "version", "useragent"})
"""Settings of git's ``http`` section that this needs not know, or knows."""


@dataclass(frozen=True)
class HttpTags:
    """Tags at ``url`` (http or https); ``by_git`` does what can't be done with two requests.

    ``authorities`` is a file of certificates that are trusted, or empty for the system's.
    """

    url: str
    by_git: RemoteTags
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorities: str = ""

    def tags(self, prefixes: Sequence[str]) -> Mapping[str, str]:
        lines = [f"ref-prefix refs/tags/{prefix}\n" for prefix in prefixes]
        request = _packets("command=ls-refs\n", "agent=promote-actions\n")
        request += b"0001" + _packets("peel\n", *lines) + b"0000"
        answer = self._post("git-upload-pack", request, {"Git-Protocol": "version=2"})
        try:
            return _tags(_split(answer), tuple(prefixes))
        except ValueError:
            return self.by_git.tags(prefixes)

    def turn(self) -> AbstractContextManager[None]:
        return self.by_git.turn()

    def create(self, names: Sequence[str], commit: str) -> PromoteError | None:
        orders = [f"{_NOBODY} {commit} refs/tags/{name}" for name in names]
        orders[0] += "\0" + _CAPABILITIES
        answer = self._post("git-receive-pack", _packets(*orders) + b"0000" + _EMPTY_PACK, {})
        try:
            report, said = _bands(_split(answer))
            results = [line.rstrip(b"\n").decode(errors="replace") for line in _split(report)]
        except ValueError:
            return self.by_git.create(names, commit)
        if set(results) == {"unpack ok", *(f"ok refs/tags/{name}" for name in names)}:
            return None
        reasons = [line.partition(" refs/tags/")[2] for line in results if line.startswith("ng ")]
        if not reasons or any("missing necessary objects" in reason for reason in reasons):
            return self.by_git.create(names, commit)
        name, _, reason = reasons[0].partition(" ")
        return refusal(self.by_git.git, name, f"{reason} {said}")

    def _post(self, service: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The answer to a request, or nothing when there was none that git's protocol knows."""
        kinds = {
            "Content-Type": f"application/x-{service}-request",
            "Accept": f"application/x-{service}-result",
        }
        try:
            client = HttpClient(self.by_git.git.display, tls=Tls(self.authorities), timeout=30.0)
            sent = {**self.headers, **kinds, **headers}
            response = client.request("POST", f"{self.url}/{service}", sent, body)
        except PromoteError:
            return b""
        right = response.status == 200 and response.headers.get("content-type") == kinds["Accept"]
        return response.body if right else b""


def http_tags(url: str, by_git: RemoteTags) -> HttpTags | None:
    """The tags at ``url`` asked directly, or None when git has settings for it that only git heeds."""
    if any(name.startswith(("GIT_SSL_", "GIT_PROXY_")) and name != "GIT_SSL_CAINFO" for name in os.environ):
        return None
    settings = by_git.git.run("config", "--get-urlmatch", "http", without_credentials(url))
    headers = {"Authorization": basic("x-access-token", by_git.git.token)} if by_git.git.token else {}
    authorities = os.environ.get("GIT_SSL_CAINFO", "")
    for line in settings.text.splitlines():
        key, _, value = line.partition(" ")
        if key == "http.sslcainfo":
            authorities = authorities or value
        elif key.removeprefix("http.") not in _HARMLESS:
            return None
        name, colon, content = value.partition(":")
        if key == "http.extraheader" and colon:
            headers.setdefault(name.strip().title(), content.strip())
    return HttpTags(url.rstrip("/"), by_git, headers, authorities)


def _packets(*lines: str) -> bytes:
    return b"".join(b"%04x%s" % (len(line.encode()) + 4, line.encode()) for line in lines)


def _split(data: bytes) -> Iterator[bytes]:
    """The packets of ``data`` up to the flush; raises ValueError when it is cut or holds none."""
    at = 0
    while True:
        head = data[at : at + 4]
        size = int(head, 16)
        if head == b"0000":
            return
        if len(head) < 4 or size < 4 or at + size > len(data):
            raise ValueError("not git's packets")
        yield data[at + 4 : at + size]
        at += size


def _bands(packets: Iterator[bytes]) -> tuple[bytes, str]:
    """The report, and what the server's hooks said meanwhile."""
    report, said = b"", b""
    for packet in packets:
        if packet[:1] == b"\1":
            report += packet[1:]
        elif packet[:1] == b"\2":
            said += packet[1:]
        else:
            raise ValueError("the server gave up")
    return report, " ".join(said.decode(errors="replace").split())


def _tags(packets: Iterator[bytes], prefixes: tuple[str, ...]) -> dict[str, str]:
    tags = {}
    for packet in packets:
        sha, _, rest = packet.rstrip(b"\n").decode(errors="surrogateescape").partition(" ")
        ref, *attributes = rest.split(" ")
        peeled = [each.removeprefix("peeled:") for each in attributes if each.startswith("peeled:")]
        name = ref.removeprefix("refs/tags/")
        if len(sha) not in (40, 64):
            raise ValueError("not a list of refs")
        if ref.startswith("refs/tags/") and name.startswith(prefixes):
            tags[name] = peeled[0] if peeled else sha
    return tags
