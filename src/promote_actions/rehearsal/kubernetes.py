"""A small Kubernetes API server: Ingresses to read and patch, Services and Pods to read.

    with KubernetesEmulator(token="secret") as kubernetes:
        kubernetes.add_slot("nexo-production", "nexo-be", "blue", "ghcr.io/nexo-org/nexo-be:2026.01.45")
        kubernetes.add_ingress("nexo-production", "nexo-be-ingress", ["nexo-be-green"])
        ... kubernetes.url ...

Answers are those of the API server (``networking.k8s.io/v1``, ``core/v1``, ``Status`` objects), with the
discovery documents that kubectl asks for. ``forbid`` names what the token may not do (``patch ingresses``);
``managed`` Ingresses are put back after a patch, as Argo CD's self-heal does; ``faults`` answers the next
requests with these statuses (0: the connection is closed after the request was served).
"""

from __future__ import annotations

import copy
import json
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from promote_actions.rehearsal.json_patch import NoPatch, PatchFailed, apply_patch
from promote_actions.rehearsal.kubernetes_api import (
    DISCOVERY,
    GROUPS,
    KINDS,
    PATH,
    SPACE,
    Failure,
    status_of,
    validate,
)


def print_nothing(request: str) -> None:
    """What happens after a request, unless a test says otherwise."""
    del request


class KubernetesEmulator:
    """See the module's text. ``tls`` makes it serve HTTPS; with a context that asks for certificates, the
    client's common name is the user."""

    def __init__(self, token: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.token = token
        self.forbid: set[str] = set()
        self.managed: set[str] = set()
        self.faults: list[int] = []
        self.requests: list[str] = []
        self.after: Callable[[str], None] = print_nothing
        self._objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._version = 100
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> KubernetesEmulator:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    # -- what there is -----------------------------------------------------------------------

    def add_ingress(
        self, namespace: str, name: str, services: Sequence[str], *, default: str = "", **metadata: Any
    ) -> None:
        """An Ingress with one path for each of ``services``; ``default`` is its default backend."""
        paths = [
            {
                "path": f"/{index or ''}",
                "pathType": "Prefix",
                "backend": {"service": {"name": service, "port": {"number": 80}}},
            }
            for index, service in enumerate(services)
        ]
        spec: dict[str, Any] = {"rules": [{"host": "nexo.example.com", "http": {"paths": paths}}]}
        if default:
            spec["defaultBackend"] = {"service": {"name": default, "port": {"number": 80}}}
        self._put("ingresses", namespace, name, {"spec": spec}, metadata)

    def add_slot(self, namespace: str, service: str, slot: str, *images: str, ready: bool = True) -> None:
        """The Service ``<service>-<slot>`` and one Pod for each of ``images``."""
        labels = {"app": service, "slot": slot}
        self._put("services", namespace, f"{service}-{slot}", {"spec": {"selector": labels}}, {})
        for index, image in enumerate(images):
            pod = {
                "spec": {
                    "containers": [{"name": "app", "image": image}, {"name": "mesh", "image": "mesh:1"}]
                },
                "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
            }
            self._put("pods", namespace, f"{service}-{slot}-{index}", pod, {"labels": labels})

    def read(self, namespace: str, name: str, resource: str = "ingresses") -> dict[str, Any]:
        """An object as it is now."""
        with self._lock:
            return copy.deepcopy(self._objects[resource, namespace, name])

    def backends(self, namespace: str, name: str) -> list[str]:
        """The Services of an Ingress's paths, in order."""
        rules = self.read(namespace, name)["spec"]["rules"]
        return [path["backend"]["service"]["name"] for rule in rules for path in rule["http"]["paths"]]

    def write(self, namespace: str, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Let somebody else change an Ingress."""
        with self._lock:
            change(self._objects["ingresses", namespace, name])
            self._touch(self._objects["ingresses", namespace, name])

    def _put(
        self, resource: str, namespace: str, name: str, body: dict[str, Any], metadata: Mapping[str, Any]
    ) -> None:
        found = {"apiVersion": GROUPS[resource], "kind": KINDS[resource], **body}
        found["metadata"] = {"name": name, "namespace": namespace, "uid": f"uid-{name}", **metadata}
        self._touch(found)
        self._objects[resource, namespace, name] = found

    def _touch(self, found: dict[str, Any]) -> None:
        self._version += 1
        found["metadata"]["resourceVersion"] = str(self._version)

    # -- requests ----------------------------------------------------------------------------

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, user: str
    ) -> tuple[int, Any]:
        """Status and JSON document of one request."""
        parts = urlsplit(target)
        found = PATH.fullmatch(parts.path)
        if self.token and not user and headers.get("authorization") != f"Bearer {self.token}":
            return 401, status_of(401, "Unauthorized")
        if parts.path in DISCOVERY:
            return 200, DISCOVERY[parts.path]
        if (space := SPACE.fullmatch(parts.path)) is not None:
            return 200, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": unquote(space[1])}}
        if found is None:
            return 404, status_of(404, "the server could not find the requested resource")
        namespace, resource, name = (unquote(part or "") for part in found.groups())
        key = (resource, namespace, name)
        try:
            self._authorize(method, resource, name, namespace)
            with self._lock:
                return 200, self._serve(method, key, parse_qs(parts.query), headers, body)
        except Failure as failure:
            return failure.status, status_of(failure.status, str(failure), failure.details)

    def _authorize(self, method: str, resource: str, name: str, namespace: str) -> None:
        verb = {"GET": "get" if name else "list", "PATCH": "patch"}.get(method, method.lower())
        if f"{verb} {resource}" in self.forbid:
            group = GROUPS[resource].rpartition("/")[0]
            whole = f"{resource}.{group}" if group else resource
            who = "system:serviceaccount:ci:promote"
            what = f'"{resource}" in API group "{group}" in the namespace "{namespace}"'
            raise Failure(403, f'{whole} "{name}" is forbidden: User "{who}" cannot {verb} resource {what}')

    def _serve(
        self,
        method: str,
        key: tuple[str, str, str],
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Any:
        resource, namespace, name = key
        if method == "GET" and not name:
            wanted = dict(
                each.split("=", 1) for each in query.get("labelSelector", [""])[0].split(",") if each
            )
            items = [
                each
                for (kind, space, _), each in self._objects.items()
                if (kind, space) == (resource, namespace)
                and wanted.items() <= each["metadata"].get("labels", {}).items()
            ]
            return {"kind": f"{KINDS[resource]}List", "apiVersion": "v1", "metadata": {}, "items": items}
        if key not in self._objects:
            group = GROUPS[resource].rpartition("/")[0]
            whole = f"{resource}.{group}" if group else resource
            details = {"name": name, "group": group, "kind": resource}
            raise Failure(404, f'{whole} "{name}" not found', details)
        if method == "GET":
            return copy.deepcopy(self._objects[key])
        if method != "PATCH" or resource != "ingresses":
            raise Failure(405, "the server does not allow this method on the requested resource")
        return self._patch(key, headers, body)

    def _patch(self, key: tuple[str, str, str], headers: Mapping[str, str], body: bytes) -> Any:
        if headers.get("content-type") != "application/json-patch+json":
            raise Failure(415, "the body of the request was in an unknown format")
        before = self._objects[key]
        try:
            operations = json.loads(body)
            if not isinstance(operations, list):
                raise Failure(400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch")
            after = apply_patch(before, operations)
        except (ValueError, NoPatch) as error:
            raise Failure(400, str(error)) from None
        except PatchFailed:
            raise Failure(422, "the server rejected our request due to an error in our request") from None
        validate(key[2], after)
        if after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
            raise Failure(
                409,
                f'Operation cannot be fulfilled on ingresses.networking.k8s.io "{key[2]}": the object has '
                "been modified; please apply your changes to the latest version and try again",
            )
        self._objects[key] = after
        self._touch(after)
        if key[2] in self.managed:
            threading.Timer(
                0.05, self.write, (key[1], key[2], lambda now: now.update(spec=before["spec"]))
            ).start()
        return copy.deepcopy(after)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or doesn't trust us, is what some tests are about."""


def _handler(emulator: KubernetesEmulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = f"{self.command} {urlsplit(self.path).path}"
            emulator.requests.append(asked)
            fault = emulator.faults.pop(0) if emulator.faults else None
            if fault:
                self._send(fault, status_of(fault, "made up"))
                return
            answer = emulator.answer(self.command, self.path, headers, body, self._user())
            emulator.after(asked)
            if fault == 0:
                self.close_connection = True
                self.connection.close()
                return
            self._send(*answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

        def _user(self) -> str:
            if not isinstance(self.connection, ssl.SSLSocket):
                return ""
            certificate: dict[str, Any] = dict(self.connection.getpeercert() or {})
            names = [pair[1] for part in certificate.get("subject", ()) for pair in part]
            return str(names[0]) if names else ""

        def _send(self, status: int, document: Any) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            """Stay silent."""

    return Handler
