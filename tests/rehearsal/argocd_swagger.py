"""Holding requests and answers against Argo CD's published API description (types and names)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

SWAGGER = json.loads((Path(__file__).parents[1] / "data" / "argocd-swagger.json").read_text())
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_INLINED = {"v1alpha1ResourceNode": "v1alpha1ResourceRef"}
"""Go's embedded structures are on the same level in JSON; the description leaves their fields out."""


def operation(method: str, path: str) -> dict[str, Any]:
    """The description of one request; fails when there is no such path."""
    for template, methods in SWAGGER["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    raise AssertionError(f"Argo CD has no {method} {path}")


def check_answer(method: str, path: str, status: int, document: Any) -> None:
    """Fail when the answer isn't of the described type."""
    responses = operation(method, path)["responses"]
    check(responses.get(str(status), responses["default"])["schema"], document)


def check_request(method: str, path: str, query: list[str], document: Any) -> None:
    """Fail when a request has a parameter or a body that isn't described."""
    described = operation(method, path).get("parameters", [])
    assert set(query) <= {item["name"] for item in described if item["in"] == "query"}
    bodies = [item["schema"] for item in described if item["in"] == "body"]
    assert bool(document) <= bool(bodies)
    if document:
        check(bodies[0], document)


def check(schema: dict[str, Any], value: Any, at: str = "$") -> None:
    """Types, and no field that isn't described."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        schema = SWAGGER["definitions"][name]
    kind = schema.get("type", "object")
    assert isinstance(value, _TYPES[kind]), f"{at} is {value!r}, not {kind}"
    assert kind != "integer" or not isinstance(value, bool), at
    if schema.get("format") == "date-time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), f"{at} is {value!r}"
    if kind == "array":
        for index, item in enumerate(value):
            check(schema["items"], item, f"{at}[{index}]")
    if kind == "object" and "properties" in schema:
        known = {**schema["properties"]}
        if name in _INLINED:
            known |= SWAGGER["definitions"][_INLINED[name]]["properties"]
        for key, item in value.items():
            assert key in known, f"{at}.{key} is not described"
            check(known[key], item, f"{at}.{key}")
