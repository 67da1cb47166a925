"""Input specifications: what a raw text becomes, and which source of it wins."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions.errors import InputError
from promote_actions.spec import (
    CommonInputs,
    Input,
    choice,
    convert,
    duration,
    flag,
    inputs_of,
    items,
    lines,
    number,
    parse_duration,
    resolve,
    text,
)


@dataclass(frozen=True, kw_only=True)
class Inputs(CommonInputs):
    service: tuple[str, ...] = items("Services.", required=True)
    tags: tuple[str, ...] = lines("Rules.")
    mode: str = choice("How.", ("auto", "direct"), "auto")
    timeout: float = duration("How long.", "10m")
    build: int | None = number("Build.", minimum=0)
    reserve: bool = flag("Reserve.", True, env=("RESERVE_TAG",))
    reason: str = text("Why.")


def spec(kind: str, **more: object) -> Input:
    return Input(**{"name": "some-name", "kind": kind, "help": "Some.", "default": "", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("text", ["  a b "], "a b"),
        ("text", ["first", "last"], "last"),
        ("text", [], ""),
        ("flag", ["true"], True),
        ("flag", ["YES"], True),
        ("flag", ["On"], True),
        ("flag", ["1"], True),
        ("flag", ["False"], False),
        ("flag", ["no"], False),
        ("flag", ["off"], False),
        ("flag", ["0"], False),
        ("number", ["42"], 42),
        ("number", ["-3"], -3),
        ("number", ["007"], 7),
        ("number", [""], None),
        ("duration", ["90"], 90.0),
        ("duration", ["1.5"], 1.5),
        ("duration", ["30m"], 1800.0),
        ("duration", ["10min"], 600.0),
        ("duration", ["1h30m"], 5400.0),
        ("duration", ["1 h 30 m"], 5400.0),
        ("duration", ["500ms"], 0.5),
        ("duration", ["2d"], 172800.0),
        ("duration", [""], None),
        ("items", ["a,b", "c\nd,, e "], ("a", "b", "c", "d", "e")),
        ("items", ["", " ,\n"], ()),
        ("lines", ["type=raw,value=1\n\n type=sha "], ("type=raw,value=1", "type=sha")),
    ],
)
def test_a_raw_text_becomes_the_declared_type(kind: str, raw: list[str], value: object) -> None:
    """Each kind reads what its help promises."""
    assert convert(spec(kind), raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        ("flag", "maybe", "give true or false"),
        ("number", "4.2", "a whole number"),
        ("number", "٣", "a whole number"),
        ("number", "9" * 19, "a whole number"),
        ("duration", "soon", "such as 90, 30m or 1h30m"),
        ("duration", "-5m", "such as 90"),
        ("duration", "5m garbage", "such as 90"),
        ("text", "a\0b", "NUL"),
    ],
)
def test_what_is_not_of_the_type_is_refused(kind: str, raw: str, words: str) -> None:
    """The message names the input, shows the value and says what would do."""
    with pytest.raises(InputError, match="some-name") as caught:
        convert(spec(kind), [raw])
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_choice_names_what_may_be_chosen() -> None:
    """A wrong choice is answered with all the right ones."""
    with pytest.raises(InputError, match="one of auto, direct"):
        convert(spec("choice", choices=("auto", "direct")), ["later"])


def test_a_number_below_its_minimum_is_refused() -> None:
    """The minimum is in the message."""
    with pytest.raises(InputError, match="at least 1"):
        convert(spec("number", minimum=1), ["0"])


def test_a_secret_is_never_shown() -> None:
    """A wrong secret is reported without its value."""
    with pytest.raises(InputError) as caught:
        convert(spec("number", secret=True), ["hunter2hunter2"])
    assert "hunter2" not in str(caught.value)
    assert "(hidden)" in str(caught.value)


@pytest.mark.parametrize("raw", [[], [""], [" \n "]])
@pytest.mark.parametrize("kind", ["text", "items", "lines", "number"])
def test_a_required_input_that_is_empty_is_refused(kind: str, raw: list[str]) -> None:
    """Empty is missing, and the message says both ways to give it."""
    with pytest.raises(InputError, match="pass --some-name, or set it under `with:`"):
        convert(spec(kind, required=True), raw)


def test_a_required_argument_is_asked_for_by_its_place() -> None:
    """A positional input is not asked for as an option."""
    with pytest.raises(InputError, match="pass SOME-NAME"):
        convert(spec("text", required=True, positional=True), [""])


def test_defaults_are_typed_and_common_inputs_come_last() -> None:
    """What nobody gives has its default, converted; the common inputs stand after a command's own."""
    inputs = resolve(Inputs, {"service": "be"}, {})
    assert (inputs.service, inputs.tags, inputs.mode, inputs.timeout) == (("be",), (), "auto", 600.0)
    assert (inputs.build, inputs.reserve, inputs.dry_run, inputs.config) == (
        None,
        True,
        False,
        "promotion.yaml",
    )
    assert [each.name for each in inputs_of(Inputs)][-4:] == ["format", "dry-run", "token", "config"]


@pytest.mark.parametrize(
    ("given_", "env", "value"),
    [
        ({"reserve": "false"}, {"INPUT_RESERVE": "true", "RESERVE_TAG": "true"}, False),
        ({}, {"INPUT_RESERVE": "false", "RESERVE_TAG": "true"}, False),
        ({}, {"INPUT_RESERVE": "", "RESERVE_TAG": "false"}, False),
        ({}, {"INPUT_RESERVE": " \n", "RESERVE_TAG": "false"}, False),
        ({}, {"INPUT_RESERVE": "", "RESERVE_TAG": ""}, True),
        ({"reserve": ""}, {"INPUT_RESERVE": "false"}, True),
    ],
)
def test_the_nearest_source_wins(given_: dict[str, str], env: dict[str, str], value: bool) -> None:
    """The command line, then INPUT_*, then the input's own variables, then the default."""
    assert resolve(Inputs, {"service": "be", **given_}, env).reserve is value


@pytest.mark.parametrize("name", ["INPUT_DRY_RUN", "INPUT_DRY-RUN"])
def test_both_spellings_of_a_variable_are_read(name: str) -> None:
    """Composite actions map an underscore; the runner keeps the hyphen for Docker actions."""
    assert resolve(Inputs, {"service": "be"}, {name: "true"}).dry_run is True


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 9), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int) -> None:
    """Hours, minutes and seconds add up however they are written together."""
    expected = hours * 3600 + minutes * 60 + seconds
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == expected
    assert parse_duration(f"{hours}H {minutes} min {seconds} s") == expected
    assert parse_duration(str(expected)) == expected


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_a_duration_or_none(value: str) -> None:
    """No text makes the parser fail, and none means a negative time."""
    seconds = parse_duration(value)
    assert seconds is None or seconds >= 0


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.text(st.characters(exclude_characters=",\n\0", exclude_categories=["Cs"]), max_size=8),
        max_size=6,
    )
)
def test_a_list_is_the_same_by_comma_line_and_repetition(words: list[str]) -> None:
    """The three ways to give a list mean one thing, and empty items don't count."""
    wanted = tuple(word.strip() for word in words if word.strip())
    assert convert(spec("items"), [",".join(words)]) == wanted
    assert convert(spec("items"), ["\n".join(words)]) == wanted
    assert convert(spec("items"), words) == wanted
