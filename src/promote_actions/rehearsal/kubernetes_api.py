"""What the emulated Kubernetes API server says: kinds, ``Status`` and discovery documents. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}
GROUPS = {"ingresses": "networking.k8s.io/v1", "services": "v1", "pods": "v1"}
KINDS = {"ingresses": "Ingress", "services": "Service", "pods": "Pod"}
_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
PATH = re.compile(
    r"/(?:api/v1|apis/networking\.k8s\.io/v1)/namespaces/([^/]+)/(ingresses|services|pods)(?:/([^/]+))?"
)
SPACE = re.compile(r"/api/v1/namespaces/([^/]+)")


class Failure(Exception):
    """An answer that is a ``Status``: HTTP status and message, and the object that it is about."""

    def __init__(self, status: int, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.details = status, details


def validate(name: str, ingress: Mapping[str, Any]) -> None:
    """What the API server checks of a backend: its Service's name, which is a DNS label."""
    for index, rule in enumerate(ingress["spec"].get("rules", [])):
        for place, path in enumerate(rule["http"]["paths"]):
            service = path["backend"]["service"]["name"]
            if not isinstance(service, str) or not _NAME.fullmatch(service):
                where = f"spec.rules[{index}].http.paths[{place}].backend.service.name"
                said = f'Ingress.networking.k8s.io "{name}" is invalid: {where}: Invalid value: "{service}"'
                raise Failure(422, said)


def status_of(status: int, message: str, details: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The ``Status`` object of a failure."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": REASONS.get(status, "Unknown"),
        "code": status,
        **({"details": dict(details)} if details else {}),
    }


def _resource(name: str, singular: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "singularName": singular,
        "namespaced": True,
        "kind": kind,
        "verbs": ["get", "list", "patch"],
    }


_VERSION = {"groupVersion": "networking.k8s.io/v1", "version": "v1"}
DISCOVERY: Mapping[str, Any] = {
    "/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.0+emulated", "platform": "linux/amd64"},
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [{"name": "networking.k8s.io", "versions": [_VERSION], "preferredVersion": _VERSION}],
    },
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [_resource("services", "service", "Service"), _resource("pods", "pod", "Pod")],
    },
    "/apis/networking.k8s.io/v1": {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": "networking.k8s.io/v1",
        "resources": [_resource("ingresses", "ingress", "Ingress")],
    },
}
