"""The published schema of promotion.yaml: valid, documented, and in step with the defaults."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from promote_actions.config import build
from promote_actions.config.check import schema
from promote_actions.config.model import Config, Environment, Service, Values
from promote_actions.spec import parse_duration


def objects(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        if "properties" in node:
            yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}/{key}")


def test_it_is_a_schema_of_its_draft() -> None:
    """Editors that read draft 2020-12 can read it."""
    Draft202012Validator.check_schema(schema())
    assert schema()["$id"].startswith("https://")
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    ("path", "node"), [pytest.param(*each, id=each[0] or "/") for each in objects(schema())]
)
def test_every_mapping_is_strict_and_every_key_explained(path: str, node: dict[str, Any]) -> None:
    """An unknown key is an error everywhere, and hovering over a known one says what it is."""
    assert node["additionalProperties"] is False
    for name, declared in node["properties"].items():
        explained = declared if "title" in declared else _resolve(declared)
        assert explained["title"], name
        assert explained["description"].endswith("."), name


def _resolve(node: dict[str, Any]) -> dict[str, Any]:
    target: Any = schema()
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    assert isinstance(target, dict)
    return target


def test_its_defaults_are_the_model_s() -> None:
    """What an editor shows as the default is what a new environment or an empty file gets."""
    properties = schema()["$defs"]["environment"]["properties"]
    fresh = Environment("x")
    for key, attribute in (build.PLAIN | build.DURATIONS | build.WORDS).items():
        if "default" not in properties[key]:
            assert not getattr(fresh, attribute)
            continue
        default = properties[key]["default"]
        if key in build.DURATIONS:
            default = parse_duration(str(default))
        assert getattr(fresh, attribute) == (tuple(default) if isinstance(default, list) else default)
    values = schema()["$defs"]["values"]["properties"]
    assert Values() == Values(values["path"]["default"], (values["image-tag"]["default"],), ())
    assert schema()["$defs"]["service"]["properties"]["argocd-app"]["default"] == Service.argocd_app
    top, config = schema()["properties"], Config()
    assert top["drift"]["properties"]["warn"]["default"] == config.drift_warn
    assert top["drift"]["properties"]["fail"]["default"] == config.drift_fail
    assert top["notify"]["properties"]["slack"]["default"] == config.slack
    assert top["audit"]["properties"]["folder"]["default"] == config.audit_folder
    assert top["audit"]["properties"]["identity"]["default"] == config.identity


def test_every_setting_of_an_environment_can_be_written() -> None:
    """No field of the model is out of reach of the file."""
    written = {*build.PLAIN.values(), *build.DURATIONS.values(), *build.WORDS.values()}
    written |= {"name", "gates", "freeze", "lock", "lock_until", "lock_override", "gate_places"}
    assert {field.name for field in dataclasses.fields(Environment)} == written
    assert set(schema()["$defs"]["environment"]["properties"]) == {
        *build.PLAIN, *build.DURATIONS, *build.WORDS, "gates", "freeze", "lock"
    }  # fmt: skip


def test_its_patterns_are_plain_enough_for_every_editor() -> None:
    """JavaScript and Python read the patterns alike: no inline flags, named groups or look-behind."""
    text = json.dumps(schema())
    assert "(?<" not in text
    assert "(?P" not in text
    assert "(?i" not in text
