"""The Kubernetes API, as much of it as switching an Ingress needs.

Paths: ``networking.k8s.io/v1`` Ingress and ``core/v1`` Service and Pod of the API reference. Patches:
RFC 6902 (``application/json-patch+json``); one that can't be applied, such as for a ``test`` that doesn't
hold, is answered 422 with no word about which operation it was (``applyJSPatch`` of the API server).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from promote_actions.adapters.http_client import HttpClient, Response, basic, checked_url, json_of
from promote_actions.adapters.kubeconfig import Access
from promote_actions.errors import Conflict, DependencyError, InputError, PromoteError, Refused, one_line

WHAT = "Kubernetes"
TRIES = 3
PODS = 500
"""Pods of one Service that are looked at."""

UNAPPLIED = "the server rejected our request due to an error in our request"
"""What the API server says of a JSON patch that could not be applied."""


@dataclass
class Kubernetes:
    """One namespace of one cluster. ``timeout`` is seconds for one call, ``first_pause`` seconds before it
    is tried again, doubled for each more."""

    access: Access
    namespace: str
    timeout: float = 10.0
    first_pause: float = 0.5
    pause: Callable[[float], None] = field(default=time.sleep)

    def __post_init__(self) -> None:
        self._base = checked_url(self.access.server, WHAT).rstrip("/")
        headers = {"Accept": "application/json"}
        user, password = self.access.basic
        if self.access.token:
            headers["Authorization"] = f"Bearer {self.access.token}"
        elif user:
            headers["Authorization"] = basic(user, password)
        self._http = HttpClient(WHAT, headers, self.access.tls, self.timeout, redirects=0)

    def ingress(self, name: str) -> dict[str, Any]:
        """The Ingress ``name``; raises :class:`InputError` when there is none."""
        return self._object(self._call("GET", self._ingress(name), f"ingress '{name}'"), name)

    def patch_ingress(self, name: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The Ingress after ``operations``, all of which are applied or none.

        Raises :class:`Conflict` when a ``test`` among them doesn't hold, or somebody else wrote meanwhile.
        """
        path = f"{self._ingress(name)}?{urlencode({'fieldManager': 'promote-actions'})}"
        return self._object(self._call("PATCH", path, f"ingress '{name}'", list(operations)), name)

    def service(self, name: str) -> dict[str, Any] | None:
        """The Service ``name``, or None when there is none."""
        path = f"{self._core}/services/{quote(name, safe='')}"
        try:
            return self._object(self._call("GET", path, f"service '{name}'"), name)
        except _Missing:
            return None

    def pods(self, selector: Mapping[str, str]) -> list[dict[str, Any]]:
        """The Pods that have all labels of ``selector``."""
        query = {"labelSelector": ",".join(f"{k}={v}" for k, v in selector.items()), "limit": str(PODS)}
        answer = self._call("GET", f"{self._core}/pods?{urlencode(query)}", "pods")
        items = self._object(answer).get("items")
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

    # -- requests ----------------------------------------------------------------------------

    @property
    def _core(self) -> str:
        return f"/api/v1/namespaces/{quote(self.namespace, safe='')}"

    def _ingress(self, name: str) -> str:
        if not name or name in (".", ".."):
            raise InputError(f"'{name}' is no name of an ingress", hint="give ingress")
        space = quote(self.namespace, safe="")
        return f"/apis/networking.k8s.io/v1/namespaces/{space}/ingresses/{quote(name, safe='')}"

    def _call(self, method: str, path: str, thing: str, body: object = None) -> Response:
        """The answer, once it is a success. What may pass by itself is tried again: every call of ours
        bears being made twice, since a patch begins with tests of what it found."""
        headers = {"Content-Type": "application/json-patch+json"} if body is not None else {}
        data = json.dumps(body).encode() if body is not None else None
        failure: PromoteError = DependencyError(f"{WHAT} was not asked")
        for attempt in range(TRIES):
            if attempt:
                self.pause(self.first_pause * 2.0 ** (attempt - 1))
            try:
                response = self._http.request(method, self._base + path, headers, data)
            except DependencyError as error:
                failure = error
                continue
            if 200 <= response.status < 300:
                return response
            failure = self._refusal(response, method, thing)
            if response.status != 429 and response.status < 500:
                break
        raise failure

    def _refusal(self, response: Response, method: str, thing: str) -> PromoteError:
        said = _message(response)
        shown = f" ({said})" if said else ""
        verb = {"GET": "get", "PATCH": "patch"}[method]
        if response.status == 401 or 300 <= response.status < 400:
            hint = "give valid credentials, and the API's own address rather than one with a login page"
            return InputError(f"{WHAT} refuses the credentials ({said or response.status})", hint=hint)
        if response.status == 403:
            return InputError(
                f"{WHAT} forbids to {verb} {thing} in '{self.namespace}'{shown}",
                hint="grant the verbs get and patch on ingresses, get on services, list on pods",
            )
        if response.status == 404:
            return _Missing(f"there is no {thing} in '{self.namespace}'", hint="check name and namespace")
        if response.status == 409 or (response.status == 422 and said in ("", UNAPPLIED)):
            return Conflict(f"the {thing} changed while it was looked at")
        if response.status in (400, 422):
            return Refused(f"{WHAT} refuses to change {thing}{shown}", hint="see what it says is wrong")
        return DependencyError(f"{WHAT} answered {response.status}{shown}", hint="see the API server's log")

    def _object(self, response: Response, name: str = "") -> dict[str, Any]:
        found = json_of(response, WHAT)
        metadata = found.get("metadata") if isinstance(found, dict) else None
        if not isinstance(metadata, dict) or (name and metadata.get("name") != name):
            raise DependencyError(
                f"{WHAT} answered something that is not what was asked for",
                hint="is that the API's address?",
            )
        return dict(found)


class _Missing(InputError):
    """There is no such object."""


def _message(response: Response) -> str:
    """The message of the ``Status`` that the API server answers with, on one line."""
    try:
        found = json.loads(response.body).get("message")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return one_line(str(found or ""))[:300]
