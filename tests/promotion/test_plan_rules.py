"""From request and facts to a plan: which version, which edits, which way."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.config.model import Config, Service, Values
from promote_actions.errors import InputError, Refused
from promote_actions.promotion.model import Facts
from promote_actions.promotion.plan import plan
from promote_actions.promotion.values import read_scalar
from tests.promotion.promotions import CONFIG, facts, live, request, service_facts

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def test_the_live_version_moves() -> None:
    """What the source names goes into the target's file, and nowhere else."""
    made = plan(request(), facts(), pull_requests=True)
    (move,) = made.moves
    assert (made.mode, move.version, move.previous) == ("direct", "2026.02.17", "2026.02.15")
    assert move.content == move.before.replace(b"2026.02.15", b"2026.02.17")
    assert [(edit.path, edit.before, edit.after) for edit in move.edits] == [
        ("image.tag", "2026.02.15", "2026.02.17")
    ]


def test_settled_services_obey_no_rule() -> None:
    """Nothing to do is nothing to refuse, even while the line is stopped."""
    there = service_facts(target=live("qa", "2026.02.17"))
    made = plan(request(), facts(there, stop="fire"), pull_requests=True)
    assert (made.mode, made.moves, made.settled) == ("none", (), ("app",))


def test_of_a_train_the_rest_moves() -> None:
    """A service that is there stays; one that may not move keeps all of them."""
    there = service_facts("web", target=live("qa", "2026.02.17", "web"))
    made = plan(request(), facts(service_facts(), there), pull_requests=True)
    assert ([move.service.name for move in made.moves], made.settled) == (["app"], ("web",))
    newer = service_facts("web", target=live("qa", "2026.03.1", "web"))
    with pytest.raises(Refused, match="newer"):
        plan(request(), facts(service_facts(), newer), pull_requests=True)


def build(version: str = "") -> Any:
    return request(to="develop", version=version)


@pytest.mark.parametrize(
    ("wanted", "found", "kind", "words"),
    [
        (request(version="2026.02.16"), facts(), Refused, "develop has app 2026.02.17, not 2026.02.16"),
        (
            request(),
            facts(service_facts(source=live("develop", ""))),
            Refused,
            "app has no version in develop",
        ),
        (request(), facts(service_facts(source=live("develop", "../x"))), InputError, "is not a version"),
        (build(), facts(service_facts(source=None), to="develop"), InputError, "pass the built version"),
        (build("a b"), facts(service_facts(source=None), to="develop"), InputError, "is not a version"),
        (build("x" * 129), facts(service_facts(source=None), to="develop"), InputError, "is not a version"),
        (build("a..b"), facts(service_facts(source=None), to="develop"), InputError, "is not a version"),
        (build("x.lock"), facts(service_facts(source=None), to="develop"), InputError, "is not a version"),
    ],
)
def test_which_version_may_move(wanted: Any, found: Facts, kind: type[Exception], words: str) -> None:
    """Only what is live in the source, or the build that the caller names for the first environment."""
    with pytest.raises(kind, match=words):
        plan(wanted, found, pull_requests=True)


@pytest.mark.parametrize(
    ("to", "mode", "reason", "pull_requests", "expected"),
    [
        ("qa", "auto", "", True, "direct"),
        ("qa", "auto", "", False, "direct"),
        ("qa", "pull-request", "", True, "pull-request"),
        ("qa", "pull-request", "", False, InputError),
        ("staging", "auto", "", True, "pull-request"),
        ("staging", "auto", "", False, InputError),
        ("staging", "direct", "", True, Refused),
        ("staging", "direct", "because", True, "direct"),
        ("staging", "direct", "because", False, "direct"),
        ("production", "auto", "because", True, "pull-request"),
    ],
)
def test_which_way(to: str, mode: str, reason: str, pull_requests: bool, expected: Any) -> None:
    """The environment's policy decides; to go round approvals takes a reason, and it is remembered."""
    source = CONFIG.source_of(CONFIG.environment(to))
    assert source is not None
    service = service_facts(target=live(to, "2026.02.15"), source=live(source.name, "2026.02.17"))
    wanted, found = request(to=to, mode=mode, reason=reason), facts(service, to=to)
    if not isinstance(expected, str):
        with pytest.raises(expected):
            plan(wanted, found, pull_requests)
        return
    made = plan(wanted, found, pull_requests)
    assert made.mode == expected
    skipped = expected == "direct" and made.environment.approvals
    assert made.overridden == (("approvals",) if skipped else ())


PINNED = Config(values=Values(image_tag=("image.tag", "job.tag"), image_digest=("image.digest",)))
CONTENT = 'image:\n  tag: "1"\n  digest: "{}"\njob:\n  tag: 1\n'


def pinned(old: str, **more: Any) -> Facts:
    """A target with two tags and a pinned digest."""
    target = dataclasses.replace(live("qa", "1", digest=old), content=CONTENT.format(old).encode())
    return facts(service_facts(target=target, **more), config=PINNED)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"digest": A}, A),
        ({"recorded_digest": A}, A),
        ({"source": live("develop", "2026.02.17", digest=A)}, A),
        ({"digest": A, "recorded_digest": A}, A),
    ],
)
def test_every_scalar_is_written(more: dict[str, Any], expected: str) -> None:
    """Several tags and the digest, from wherever it is known."""
    (move,) = plan(request(), pinned(B, **more), True).moves
    assert move.content.decode() == CONTENT.format(expected).replace('"1"', '"2026.02.17"').replace(
        "tag: 1\n", "tag: 2026.02.17\n"
    )
    assert move.digest == expected


def test_a_pin_is_never_left_stale() -> None:
    """A digest that stays would keep the old image; where there was none, none is needed."""
    with pytest.raises(InputError, match="pins the old image"):
        plan(request(), pinned(B), True)
    (move,) = plan(request(), pinned(""), True).moves
    assert b'digest: ""' in move.content


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,60}", fullmatch=True))
def test_any_version_arrives_as_the_same_text(version: str) -> None:
    """Whatever can be an image tag is read from the file as it was written, by YAML's own rules."""
    if ".." in version or version.endswith((".", ".lock")):
        return
    service = service_facts(source=live("develop", version), service=Service("app"))
    made = plan(request(override=frozenset({"downgrade"}), reason="r"), facts(service), True)
    if not made.moves:
        assert version == "2026.02.15"
        return
    assert read_scalar(made.moves[0].content, "image.tag") == version
    assert made.moves[0].content.count(b"\n") == made.moves[0].before.count(b"\n")
