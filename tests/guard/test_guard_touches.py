"""What a change of values files means, whatever the pull request calls itself."""

from __future__ import annotations

import pytest

from promote_actions.config.load import load
from promote_actions.errors import InputError
from promote_actions.guard.touches import Place, as_json, places, touch

CONFIG = load(b"version: 1\n", "promotion.yaml")
SHARED = load(
    b'version: 1\nservices: {api: {}, web: {}}\nvalues: {path: "env/{environment}.yaml", '
    b'image-tag: "images[].newTag"}\n',
    "promotion.yaml",
)
PROD = Place("app", CONFIG.environment("production"), "helm/app/values-prod.yaml")


def values(version: str, more: str = "") -> bytes:
    return f'image:\n  tag: "{version}"\n{more}'.encode()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("helm/app/values-prod.yaml", [("app", "production")]),
        ("helm/app/values-production.yaml", [("app", "production")]),
        ("helm/app/values-qa.yaml", [("app", "qa")]),
        ("helm/app/values-prod.yaml.bak", []),
        ("helm/app/templates/values-prod.yaml", []),
        ("README.md", []),
        ("../helm/app/values-prod.yaml", []),
    ],
)
def test_a_path_is_somebodys_values_file(path: str, expected: list[tuple[str, str]]) -> None:
    """The configured pattern decides, aliases included; anything else is no values file."""
    assert [(each.service, each.environment.name) for each in places(CONFIG, [path])] == expected


def test_gates_and_freezes_are_no_hindrance() -> None:
    """A full configuration is looked through like an empty one."""
    gates = "gates: [{check: http}], freeze: [{cron: '0 18 * * FRI', duration: 62h}]"
    config = load(f"version: 1\nenvironments: {{develop: , qa: {{{gates}}}}}\n".encode(), "promotion.yaml")
    (found,) = places(config, ["helm/app/values-qa.yaml"])
    assert found.environment.gates


def test_a_shared_file_counts_for_each_service() -> None:
    """Where all services stand in one file, each is looked at."""
    found = places(SHARED, ["env/qa.yaml", "env/qa.yaml"])
    assert [(each.service, each.environment.name) for each in found] == [("api", "qa"), ("web", "qa")]


@pytest.mark.parametrize(
    ("before", "after", "promotes", "goes_back"),
    [
        (values("2026.02.1"), values("2026.02.2"), True, False),
        (values("2026.02.10"), values("2026.02.9"), True, True),
        (values("2026.02.1"), values("2026.02.1", "replicas: 9\n"), False, False),
        (None, values("2026.02.1"), True, False),
        (values("2026.02.1"), None, False, False),
        (b"image: [", values("2026.02.1"), True, False),
    ],
)
def test_what_happens_to_a_file(
    before: bytes | None, after: bytes | None, promotes: bool, goes_back: bool
) -> None:
    """A promotion is another version in the file, and nothing else is one."""
    found = touch(CONFIG, PROD, before, after)
    assert (found.promotes, found.goes_back) == (promotes, goes_back)


def test_another_digest_is_a_promotion_too() -> None:
    """The same version with another image behind it must earn its way as well."""
    config = load(b"version: 1\nvalues: {image-digest: image.digest}\n", "promotion.yaml")
    place = Place("app", config.environment("qa"), "helm/app/values-qa.yaml")
    digests = [values("2026.02.1", f'  digest: "sha256:{letter * 64}"\n') for letter in "ab"]
    assert touch(config, place, *digests).promotes


def test_a_file_that_nobody_can_read_is_an_error() -> None:
    """What would be merged must be understood."""
    with pytest.raises(InputError, match=r"values-prod\.yaml"):
        touch(CONFIG, PROD, values("2026.02.1"), b"image: [")


def test_later_steps_get_names_and_versions() -> None:
    """Service, environments and versions as strings."""
    found = touch(CONFIG, PROD, values("2026.02.1"), values("2026.02.2"))
    assert as_json(found, CONFIG) == {
        "service": "app",
        "from": "staging",
        "to": "production",
        "version": "2026.02.2",
        "previous-version": "2026.02.1",
    }
