"""Argo CD's API: reading applications, and the few changes that a rollback needs.

Paths and bodies: Argo CD's swagger (``/api/v1/applications/...``). A gateway error is a JSON object
with ``code`` (gRPC's) and ``message``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from promote_actions.adapters.http_client import HttpClient, Response, Tls, checked_url, json_of
from promote_actions.errors import DependencyError, InputError, Refused, one_line
from promote_actions.gates.argocd_facts import Application, Node, application_of, nodes_of

WHAT = "Argo CD"


@dataclass
class ArgoCD:
    """One Argo CD server. ``server`` is an address or a bare host; ``namespace`` is needed only for
    applications outside Argo CD's own. ``timeout`` is seconds for one call."""

    server: str
    token: str = field(default="", repr=False)
    tls: Tls = field(default_factory=Tls)
    namespace: str = ""
    timeout: float = 15.0

    def __post_init__(self) -> None:
        address = self.server if "://" in self.server else f"https://{self.server}"
        self._base = checked_url(address, WHAT).rstrip("/")
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        # No redirects: an API that redirects is a login page, and the token must not follow it.
        self._http = HttpClient(WHAT, headers, self.tls, self.timeout, redirects=0)

    def application(self, name: str, refresh: bool = False) -> Application:
        """The facts about application ``name``; ``refresh`` makes Argo CD look at git first.

        The time of the facts is the server's own (its ``Date`` header), so that no difference between
        clocks enters a comparison of times.
        """
        response = self._call("GET", self._path(name), {"refresh": "normal"} if refresh else {})
        document = self._object(response)
        metadata = document.get("metadata")
        if not isinstance(metadata, Mapping) or metadata.get("name") != name:
            raise DependencyError(
                f"{WHAT} answered something that is not the application '{name}'",
                hint="is that the API's address?",
            )
        return application_of(document, _server_time(response), self.page(name))

    def resource_tree(self, name: str) -> tuple[Node, ...]:
        """Every live resource of application ``name``, pods too."""
        return nodes_of(self._object(self._call("GET", self._path(name) + "/resource-tree")))

    def document(self, name: str) -> dict[str, Any]:
        """The application as Argo CD sends it."""
        return self._object(self._call("GET", self._path(name)))

    def sync(self, name: str, revision: str = "") -> None:
        """Start a sync. Not right after a push when auto-sync is on: the commit before may be deployed
        (argo-cd issue 10367)."""
        body = {"name": name, **({"revision": revision} if revision else {})}
        self._call("POST", self._path(name) + "/sync", body=body)

    def rollback(self, name: str, history_id: int) -> None:
        """Deploy the history's entry ``history_id`` again; :class:`Refused` while auto-sync is on."""
        self._call("POST", self._path(name) + "/rollback", body={"name": name, "id": history_id})

    def set_auto_sync(self, name: str, on: bool, policy: Mapping[str, Any] | None = None) -> None:
        """Switch auto-sync; ``policy`` is the ``automated`` object to restore (its prune and selfHeal)."""
        self.patch(name, {"spec": {"syncPolicy": {"automated": dict(policy or {}) if on else None}}})

    def patch(self, name: str, change: Mapping[str, Any]) -> None:
        """Merge ``change`` into the application, all at once; ``None`` takes a field away (RFC 7396)."""
        body = {"name": name, "patch": json.dumps(change), "patchType": "merge"}
        self._call("PATCH", self._path(name), body=body)

    def terminate(self, name: str) -> None:
        """End the operation that is under way; nothing under way is :class:`DependencyError`."""
        self._call("DELETE", self._path(name) + "/operation")

    def page(self, name: str) -> str:
        """The application's page, for people."""
        folder = f"{self.namespace}/" if self.namespace else ""
        return f"{self._base}/applications/{folder}{quote(name, safe='')}"

    def _path(self, name: str) -> str:
        if not name or name in (".", ".."):
            raise InputError(f"'{name}' is no name of an application", hint="set argocd-app")
        return f"/api/v1/applications/{quote(name, safe='')}"

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Response:
        named = dict(query or {}) | ({"appNamespace": self.namespace} if self.namespace else {})
        data = None
        if body is not None:
            named.pop("appNamespace", None)
            whole = {**body, **({"appNamespace": self.namespace} if self.namespace else {})}
            data = json.dumps(whole).encode()
        url = self._base + path + (f"?{urlencode(named)}" if named else "")
        headers = {"Content-Type": "application/json"} if data is not None else {}
        response = self._http.request(method, url, headers, data)
        if response.status == 200:
            return response
        raise self._refusal(response, path)

    def _refusal(self, response: Response, path: str) -> DependencyError | InputError | Refused:
        message, code = _gateway_error(response)
        said = f" ({message})" if message else ""
        app = path.split("/")[4]
        if 300 <= response.status < 400:
            hint = "give the API's own address, not one that needs a login in a browser"
            return InputError(f"{WHAT} redirects {path} elsewhere", hint=hint)
        if response.status == 401:
            return InputError(f"{WHAT} refuses the token{said}", hint="give a valid argocd-token")
        if response.status == 403:
            hint = f"grant the token `applications, get` on '{app}', and check the name"
            return InputError(f"{WHAT} forbids the application '{app}'{said}", hint=hint)
        if response.status == 404:
            return InputError(
                f"{WHAT} has no application '{app}'{said}", hint="check services.<name>.argocd-app"
            )
        if code == 9:
            return Refused(f"{WHAT} refuses: {message}", hint="switch auto-sync off first")
        return DependencyError(f"{WHAT} answered {response.status}{said}", hint="see its server's log")

    def _object(self, response: Response) -> dict[str, Any]:
        found = json_of(response, WHAT)
        if not isinstance(found, dict):
            raise DependencyError(
                f"{WHAT} answered JSON that is no object", hint="is that the API's address?"
            )
        return found


def _gateway_error(response: Response) -> tuple[str, int]:
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return "", 0
    if not isinstance(body, dict):
        return "", 0
    code = body.get("code")
    return one_line(str(body.get("message") or body.get("error") or ""))[:300], code if isinstance(
        code, int
    ) else 0


def _server_time(response: Response) -> datetime:
    """The server's time of the answer. The header has whole seconds, so ours is taken when they agree."""
    here = datetime.now(timezone.utc)
    try:
        there = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, TypeError):
        return here
    there = there if there.tzinfo else there.replace(tzinfo=timezone.utc)
    return here if abs((there - here).total_seconds()) < 2 else there
