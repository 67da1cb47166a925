"""Reading a command line without click: the same words mean the same as with click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote_actions import cli
from promote_actions.arguments import parse
from promote_actions.errors import InputError
from promote_actions.runner import Result
from promote_actions.spec import Command, choice, duration, flag, inputs_of, items, lines, number, text


@dataclass(frozen=True, kw_only=True)
class Inputs:
    repo: str = text("Repository.", aliases=("repository",))
    tags: tuple[str, ...] = lines("Rules.")
    images: tuple[str, ...] = items("Images.")
    build: int | None = number("Build.")
    timeout: float | None = duration("Wait.")
    mode: str = choice("How.", ("auto", "direct"))
    reserve: bool = flag("Reserve.", True)
    first: str = text("First.", positional=True)
    paths: tuple[str, ...] = items("Paths.", positional=True)


COMMAND = Command("sample", "Sample.", Inputs, (), lambda inputs, runner: Result({}))
NAMES = ["repo", "repository", "tags", "images", "build", "timeout", "mode"]


def by_click(arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any] | None:
    """What click makes of ``arguments`` for the same command; None where it refuses."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(cli, "invoke", lambda name, given, runner: seen.append(dict(given)) or 0)
    try:
        cli.click_command(COMMAND).main(list(arguments), standalone_mode=False)
    except click.ClickException:
        return None
    except SystemExit:
        pass
    return seen[0]


def by_us(arguments: Sequence[str]) -> dict[str, Any] | None:
    try:
        return dict(parse(inputs_of(Inputs), arguments))
    except InputError:
        return None


characters = st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_characters="\x7f")
values = st.text(characters, max_size=8) | st.sampled_from(
    ["-", "-x", "--", "--repo", "--reserve", "--no-build"]
)
option = st.one_of(
    st.tuples(st.sampled_from(NAMES), values).map(lambda pair: [f"--{pair[0]}", pair[1]]),
    st.tuples(st.sampled_from(NAMES), values).map(lambda pair: [f"--{pair[0]}={pair[1]}"]),
    st.sampled_from([["--reserve"], ["--no-reserve"], ["--reserve=true"]]),
    values.map(lambda value: [value]),
)


@settings(deadline=None, max_examples=300)
@given(groups=st.lists(option, max_size=6), rest=st.lists(values, max_size=2), dashes=st.booleans())
def test_the_same_words_give_the_same_inputs(
    groups: list[list[str]], rest: list[str], dashes: bool
) -> None:
    """Options, lists, flags, arguments and `--` are read as click reads them."""
    arguments = [word for group in groups for word in group] + (["--", *rest] if dashes else [])
    with pytest.MonkeyPatch.context() as patch:
        assert by_us(arguments) == by_click(arguments, patch)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nope"], "there is no option '--nope'"),
        (["--repo"], "option '--repo' needs a value"),
        (["-x"], "there is no option '-x'"),
    ],
)
def test_what_click_refuses_is_refused(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A usage error names the option and where to read more."""
    assert by_click(arguments, monkeypatch) is None
    with pytest.raises(InputError, match=words):
        parse(inputs_of(Inputs), arguments)


def test_words_without_a_place_are_refused() -> None:
    """A command without arguments takes none."""
    with pytest.raises(InputError, match="unexpected argument 'extra'"):
        parse([spec for spec in inputs_of(Inputs) if not spec.positional], ["extra"])


def test_a_flag_takes_no_value() -> None:
    """The message says how to write the flag's two sides."""
    with pytest.raises(InputError, match="write --reserve or --no-reserve"):
        parse(inputs_of(Inputs), ["--reserve=false"])
