"""The rules of a promotion, one by one."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promote_actions.config.model import Freeze
from promote_actions.errors import InputError, Refused
from promote_actions.promotion import policy
from promote_actions.promotion.model import OVERRIDABLE, Caller, Facts, Hold, Request, ServiceFacts
from tests.promotion.promotions import CONFIG, facts, live, request, service_facts

END = datetime(2026, 2, 10, 18, 0, tzinfo=timezone.utc)
FROZEN = (Freeze("0 0 * * *", 3600.0, reason="audits", override=("alice-sre", "bob")), END)
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def said(found: Facts, wanted: Request | None = None) -> list[tuple[str, str]]:
    """Rule and message of everything that speaks against it."""
    moving = tuple((each, each.source.version if each.source else "") for each in found.services)
    return [(each.rule, each.message) for each in policy.objections(wanted or request(), found, moving)]


def locked(reason: str) -> Any:
    return dataclasses.replace(CONFIG.environment("qa"), lock=reason)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (facts(), []),
        (facts(stop="incident 42\nmore"), [("stop", "the line is stopped: incident 42")]),
        (facts(stop="\n"), [("stop", "the line is stopped: no reason given")]),
        (facts(environment=locked("moving house")), [("lock", "qa is locked: moving house")]),
        (facts(frozen=FROZEN), [("freeze", "qa is frozen until 2026-02-10T18:00+00:00 (audits)")]),
        (
            facts(to="staging", source=CONFIG.environment("develop")),
            [("order", "versions come into staging from qa, not from ")],
        ),
        (
            facts(service_facts(hold=Hold("holds/app/x.json", "it burns"))),
            [("quarantine", "app 2026.02.17 is quarantined: it burns")],
        ),
        (
            facts(service_facts(target=live("qa", "2026.03.1"))),
            [("downgrade", "qa has app 2026.03.1, which is newer than 2026.02.17")],
        ),
        (facts(service_facts(target=live("qa", "not-a-calver"))), []),
        (facts(service_facts(digest=A, recorded_digest=A)), []),
        (
            facts(service_facts(digest=A, recorded_digest=B)),
            [("digest", f"the image of app 2026.02.17 is not the same any more: the registry has {A}, "
              f"was recorded {B}")],
        ),
        (
            facts(service_facts(recorded_digest=A, source=live("develop", "2026.02.17", digest=B))),
            [("digest", f"the image of app 2026.02.17 is not the same any more: was recorded {A}, "
              f"develop pins {B}")],
        ),
        (
            facts(service_facts(digest=A, source=live("develop", "2026.02.17", digest=B))),
            [("digest", f"the image of app 2026.02.17 is not the same any more: the registry has {A}, "
              f"develop pins {B}")],
        ),
    ],
)  # fmt: skip
def test_each_rule_speaks_for_itself(found: Facts, expected: list[tuple[str, str]]) -> None:
    """What says no, in which words, and that nothing else does."""
    assert said(found) == expected


def test_the_whole_line_speaks_first() -> None:
    """A stopped line is told before what is wrong with one service."""
    found = facts(service_facts(hold=Hold("x", "y")), stop="fire", frozen=FROZEN)
    assert [rule for rule, _ in said(found)] == ["stop", "freeze", "quarantine"]


def test_who_may_override_a_freeze_is_named() -> None:
    """The hint says whom to ask."""
    (objection,) = policy.objections(request(), facts(frozen=FROZEN), ())
    assert objection.hint == "wait; alice-sre, bob may override"


RULES = {
    "stop": facts(stop="x"),
    "lock": facts(environment=locked("x")),
    "freeze": facts(frozen=FROZEN),
    "order": facts(to="staging", source=CONFIG.environment("develop")),
    "quarantine": facts(service_facts(hold=Hold("x", "y"))),
    "downgrade": facts(service_facts(target=live("qa", "2026.03.1"))),
    "provenance": facts(service_facts(provenance="no attestation")),
    "digest": facts(service_facts(digest=A, recorded_digest=B)),
}


def moving(found: Facts) -> tuple[tuple[ServiceFacts, str], ...]:
    return tuple((each, "2026.02.17") for each in found.services)


@pytest.mark.parametrize("rule", RULES)
def test_an_override_sets_aside_its_own_rule_alone(rule: str) -> None:
    """With a reason, and it is remembered; the others still say no, and the digest can't be overridden."""
    found = RULES[rule]
    with pytest.raises(Refused):
        policy.apply(request(), found, moving(found))
    if rule not in OVERRIDABLE:
        assert rule == "digest"
        return
    own = request(override=frozenset({rule}), reason="r", caller=Caller(actor="alice-sre"))
    assert policy.apply(own, found, moving(found)) == (rule,)
    others = request(override=frozenset(OVERRIDABLE) - {rule}, reason="r")
    with pytest.raises(Refused):
        policy.apply(others, found, moving(found))


def test_an_override_that_was_not_needed_is_not_remembered() -> None:
    """The record names the rules that would have said no."""
    found = facts()
    assert policy.apply(request(override=frozenset({"freeze"}), reason="r"), found, moving(found)) == ()


@pytest.mark.parametrize(
    ("override", "reason", "words"),
    [
        ({"nonsense"}, "r", "names 'nonsense'"),
        ({"digest"}, "r", "names 'digest'"),
        ({"freeze"}, "", "needs a reason"),
    ],
)
def test_overrides_that_make_no_sense(override: set[str], reason: str, words: str) -> None:
    """They are bad input, whatever the rules would have said."""
    with pytest.raises(InputError, match=words):
        policy.apply(request(override=frozenset(override), reason=reason), facts(), ())


@pytest.mark.parametrize(
    ("current", "wanted", "older"),
    [
        ("2026.02.17", "2026.02.16", True),
        ("2026.02.17", "2026.02.17", False),
        ("2026.9.2", "2026.10.1", False),
        ("2026.10.1", "2026.9.2", True),
        ("2025.12.99", "2026.01.1", False),
        ("2026.01.45", "2026.02.1", False),
        ("v1.2.3", "2026.02.1", False),
        ("2026.02.1", "latest", False),
        ("", "2026.02.1", False),
        ("2026.02.1", "", False),
    ],
)
def test_which_version_is_older(current: str, wanted: str, older: bool) -> None:
    """By numbers, over months and years; what has no order is not a downgrade."""
    assert policy.is_downgrade(current, wanted) is older


VERSIONS = st.builds(
    lambda year, month, build: f"{year}.{month:02}.{build}",
    st.integers(2020, 2040), st.integers(1, 12), st.integers(1, 400),
)  # fmt: skip


@given(VERSIONS, VERSIONS)
def test_older_is_an_order(one: str, other: str) -> None:
    """Of two versions at most one is the older, and it is the one with the smaller numbers."""
    numbers = [tuple(map(int, version.split("."))) for version in (one, other)]
    assert policy.is_downgrade(one, other) is (numbers[1] < numbers[0])
    assert not (policy.is_downgrade(one, other) and policy.is_downgrade(other, one))
