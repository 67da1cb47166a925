"""Which checks a gate has, and where they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError
from promote_actions.gates.build import OPTIONS
from promote_actions.gates.config import Timing, Wanted, parse_check, plan, target_of
from promote_actions.gates.model import CheckSpec
from promote_actions.gates.options import Options

KNOWN = dict(OPTIONS)
GATES: tuple[dict[str, Any], ...] = (
    {"check": "argocd", "stability": "30s"},
    {"check": "prometheus", "name": "latency", "query": "q", "threshold": "<= 0.3", "interval": "5s"},
    {"check": "http", "result": "smoke", "failure-limit": 2, "initial-delay": "1m"},
)


def specs(wanted: Wanted, gates: tuple[dict[str, Any], ...] = GATES) -> tuple[CheckSpec, ...]:
    return plan(Config(source="promotion.yaml"), Environment("qa", gates=gates), wanted, KNOWN)


def test_the_checks_are_those_of_the_environment_that_is_next() -> None:
    """What its source must pass before a promotion into it; no input is needed."""
    argocd, latency, http = specs(Wanted())
    assert [spec.kind for spec in (argocd, latency, http)] == ["argocd", "prometheus", "http"]
    assert argocd.source == "gates of qa in promotion.yaml"
    assert (latency.name, latency.interval, latency.key) == ("latency", 5.0, "latency")
    assert (http.key, http.failure_limit, http.initial_delay) == ("smoke", 2, 60.0)


def test_the_soak_of_the_environment_is_not_forgotten() -> None:
    """A list of gates without it would let a version in too soon."""
    production = Environment("production", gates=({"check": "argocd"},), soak=1800.0)
    assert [spec.kind for spec in plan(Config(), production, Wanted(), KNOWN)] == ["argocd", "soak"]
    production = replace(production, gates=({"check": "soak", "duration": "1h"},))
    (soak,) = plan(Config(), production, Wanted(), KNOWN)
    assert soak.options["duration"] == "1h"


def test_a_mistake_in_the_configuration_says_where_it_is() -> None:
    """The same mistake on the command line needs no place."""
    with pytest.raises(InputError, match=r"no option 'x' \(gates of qa in promotion.yaml\); it has"):
        specs(Wanted(), ({"check": "argocd", "x": 1},))
    with pytest.raises(InputError, match=r"no option 'x'; it has"):
        specs(Wanted(checks=("argocd:x=1",)), ())


def test_named_checks_keep_the_options_of_the_configuration() -> None:
    """By kind or by name; what is given beside the name comes first."""
    (latency,) = specs(Wanted(checks=("latency:threshold=<= 0.5",)))
    assert (latency.kind, latency.options["threshold"], latency.options["query"]) == (
        "prometheus",
        "<= 0.5",
        "q",
    )
    (argocd,) = specs(Wanted(checks=("argocd",)))
    assert (argocd.options["stability"], argocd.source) == ("30s", "the input `check`")


def test_without_configuration_the_strategys_checks_are_those_with_an_address() -> None:
    """What can't be measured isn't asked for, and nothing at all is an error."""
    found = specs(Wanted(available=("argocd", "http")), gates=())
    assert [(spec.kind, spec.key) for spec in found] == [
        ("argocd", "argocd_health"),
        ("http", "smoke_tests"),
    ]
    with pytest.raises(InputError, match="the gate has no check, so it can't pass"):
        specs(Wanted(), gates=())


def test_inputs_override_for_one_run() -> None:
    """Times for all checks, options for those of a kind."""
    timing = Timing(initial_delay=0.0, interval=1.0, timeout=5.0, success=3, failure_limit=4)
    overrides = {"prometheus": {"threshold": "<= 0.9"}}
    found = specs(Wanted(timing=timing, overrides=overrides))
    assert {(spec.interval, spec.timeout, spec.success, spec.failure_limit) for spec in found} == {
        (1.0, 5.0, 3, 4)
    }
    assert found[1].options["threshold"] == "<= 0.9"
    assert found[2].initial_delay == 0.0


def test_one_threshold_for_several_metrics_is_ambiguous() -> None:
    """Seconds and ratios have no limit in common."""
    gates = (GATES[1], {"check": "prometheus"})
    with pytest.raises(InputError, match="2 prometheus checks, and one threshold"):
        specs(Wanted(overrides={"prometheus": {"threshold": "<= 1"}}), gates)


def test_names_are_made_unique() -> None:
    """Two of a kind are told apart, and their results too when they have names."""
    gates = (
        {"check": "prometheus"},
        {"check": "prometheus"},
        {"check": "file", "name": "security-scan", "file": "x"},
    )
    found = specs(Wanted(), gates)
    assert [spec.name for spec in found] == ["prometheus", "prometheus-2", "security-scan"]
    assert [spec.key for spec in found] == ["error_rate", "error_rate", "security_scan"]


@pytest.mark.parametrize(
    ("text", "checks"),
    [
        ("argocd", [{"check": "argocd"}]),
        (" argocd , http,", [{"check": "argocd"}, {"check": "http"}]),
        (
            "prometheus:threshold=<= 0.02; window = 10m;",
            [{"check": "prometheus", "threshold": "<= 0.02", "window": "10m"}],
        ),
        ('prometheus:query=x{a="b"}', [{"check": "prometheus", "query": 'x{a="b"}'}]),
        ("http:base-url=https://x/y", [{"check": "http", "base-url": "https://x/y"}]),
        ('{"check": "http", "paths": ["/a", "/b"]}', [{"check": "http", "paths": ["/a", "/b"]}]),
        ("", []),
    ],
)
def test_ways_to_write_a_check(text: str, checks: list[dict[str, Any]]) -> None:
    """Names, a name with options, a mapping in JSON."""
    assert parse_check(text) == checks


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http:nonsense", "has no '='"),
        ("{", "is no JSON object with the key 'check'"),
        ('{"name": "x"}', "is no JSON object with the key 'check'"),
        ("[1]", "there is no check '[1]'"),
        ("argo", "there is no check 'argo'; use one of argocd, http"),
        ("argocd:stabilty=1", "did you mean 'stability'?"),
        ("argocd:interval=soon", "option 'interval' of check 'argocd' is 'soon'"),
        ("argocd:success=0", "option 'success'"),
        ('{"check": ["argocd"]}', "there is no check"),
        ("a\x1b[2Jb", "there is no check 'a\\u001b[2Jb'"),
    ],
)
def test_checks_that_make_no_sense(text: str, words: str) -> None:
    """One line that names the place and what there is."""
    with pytest.raises(InputError) as caught:
        specs(Wanted(checks=(text,)), gates=())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_is_checks_or_an_error(text: str) -> None:
    """Never a traceback."""
    try:
        for check in parse_check(text):
            assert check["check"] is not None
    except InputError:
        pass


def test_the_next_environment() -> None:
    """The one after, or the one that says so; `--to` must take versions from here."""
    config = Config()
    develop, qa, staging, production = config.environments
    assert target_of(config, develop, "") == qa
    assert target_of(config, production, "") is None
    assert target_of(config, staging, "prod") == production
    with pytest.raises(InputError, match="'production' takes versions from staging, not from 'qa'"):
        target_of(config, qa, "production")
    with pytest.raises(InputError, match="'develop' is the first environment"):
        target_of(config, qa, "develop")
    hotfix = replace(production, name="canary", source="develop", suffix="canary", aliases=())
    branched = replace(config, environments=(develop, staging, hotfix))
    assert target_of(branched, develop, "canary") == hotfix


@pytest.mark.parametrize(
    ("method", "value", "expected"),
    [
        ("text", 3, "3"),
        ("text", True, "true"),
        ("text", None, "d"),
        ("texts", "a, b\nc", ("a", "b", "c")),
        ("texts", ["a", 1], ("a", "1")),
        ("flag", "yes", True),
        ("flag", False, False),
        ("number", "1.5", 1.5),
        ("whole", 3.0, 3),
        ("seconds", "1h30m", 5400.0),
        ("seconds", 90, 90.0),
    ],
)
def test_options_come_from_yaml_and_from_text(method: str, value: Any, expected: Any) -> None:
    """The same reader takes typed values and words."""
    options = Options("x", {"some_key": value}, ("some-key",))
    default: Any = {"text": "d", "texts": (), "flag": True, "number": 0.0, "whole": 0, "seconds": 0.0}[
        method
    ]
    assert getattr(options, method)("some-key", default) == expected


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("text", ["a"]),
        ("texts", {"a": 1}),
        ("flag", "maybe"),
        ("number", "1e999"),
        ("number", "-1"),
        ("whole", "1.5"),
        ("seconds", "soon"),
        ("seconds", [1]),
    ],
)
def test_options_of_the_wrong_type(method: str, value: Any) -> None:
    """Each is named with its check."""
    options = Options("x", {"key": value}, ("key",))
    default: Any = {"text": "d", "texts": (), "flag": True, "number": 0.0, "whole": 0, "seconds": 0.0}[
        method
    ]
    with pytest.raises(InputError, match="option 'key' of check 'x' is"):
        getattr(options, method)("key", default)
