"""Any text at all gives a configuration, or one line about what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.config.load import load
from promote_actions.errors import InputError

STRATEGY = (Path(__file__).parent / "strategy.yaml").read_text()


def outcome(data: bytes) -> None:
    """Whatever ``data`` is, it ends in a configuration that works or in an InputError of one line."""
    try:
        config = load(data, "promotion.yaml")
    except InputError as error:
        assert "\n" not in str(error)
        return
    for environment in config.environments:
        assert config.environment(environment.name) is environment
        config.source_of(environment)
        config.values.file("s", environment.file_suffix, environment.name)
        config.service("s").application(environment.name)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200).map(str.encode), st.binary(max_size=100)))
def test_any_bytes_end_well(data: bytes) -> None:
    """Noise is a configuration or an InputError, never another exception."""
    outcome(data)


_BITS = st.one_of(
    st.sampled_from(
        ["version: 1", "- ", "? ", ": ", "&a ", "*a", "<<: ", "!x ", "!!str ", "%YAML 1.2", "%TAG ! x"]
    ),
    st.sampled_from(["---", "...", "qa", "|", ">-", "\n", "  ", *"'\"{}[],#~\\@\t\x85"]),
)


@settings(max_examples=250, deadline=None)
@given(st.lists(_BITS, max_size=25).map("".join))
def test_any_yaml_punctuation_ends_well(text: str) -> None:
    """YAML's own signs in any order reach no unexpected exception."""
    outcome(text.encode())


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_file_ends_well(data: st.DataObject) -> None:
    """The strategy's file with characters put in and taken out is read or refused."""
    text = STRATEGY
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(st.one_of(_BITS, st.just(""))) + text[end:]
    outcome(text.encode())


_KEYS = st.one_of(
    st.sampled_from(["services", "values", "environments", "drift", "notify", "audit", "qa", "production"]),
    st.sampled_from(["path", "image-tag", "image-digest", "image", "repository", "argocd-app", "suffix"]),
    st.sampled_from(
        ["freeze", "lock", "cron", "duration", "timezone", "reason", "until", "override", "from"]
    ),
    st.sampled_from(["gates", "soak", "labels", "aliases", "approvals", "warn", "fail", "slack"]),
)
_WORDS = [
    "1h",
    "* * * * *",
    "0 0 30 2 *",
    "UTC",
    "Asia",
    "{suffix}",
    "{",
    "a.b",
    "x\n",
    "2026-01-01T00:00Z",
]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(_WORDS),
    st.text(max_size=8),
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_KEYS, _TREES, max_size=4))
def test_any_tree_of_known_words_ends_well(tree: dict[str, object]) -> None:
    """Right words in wrong places and of wrong types are refused in one line."""
    outcome(json.dumps({"version": 1} | tree).encode())


_ENVIRONMENT = st.fixed_dictionaries(
    {},
    optional={
        "approvals": st.integers(0, 50),
        "soak": st.sampled_from(["30m", 0, 2.5, "1h30m"]),
        "from": st.sampled_from("abc"),
        "suffix": st.sampled_from(["a", "b", "x", "y"]),
        "aliases": st.lists(st.sampled_from("abcz"), unique=True, max_size=2),
        "freeze": st.lists(
            st.fixed_dictionaries(
                {
                    "cron": st.sampled_from(["0 0 * * 6", "0 0 31 2 *", "*/5 9-17 1,15 * *"]),
                    "duration": st.just("2h"),
                }
            ),
            max_size=2,
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), _ENVIRONMENT, min_size=1))
def test_accepted_environments_keep_the_promises(environments: dict[str, object]) -> None:
    """What is accepted has one meaning for every word, and every chain of sources has a beginning."""
    try:
        config = load(json.dumps({"version": 1, "environments": environments}).encode(), "x")
    except InputError:
        return
    words = [name for each in config.environments for name in each.names]
    assert len(words) == len(set(words))
    for environment in config.environments:
        steps, source = 0, config.source_of(environment)
        while source is not None:
            steps, source = steps + 1, config.source_of(source)
            assert steps < len(config.environments)
