"""The two ways in: click's group and the front that starts without it."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from promote_actions import STDLIB_ONLY, __version__
from promote_actions.__main__ import main, run
from promote_actions.catalogue import ROOMS, commands
from promote_actions.cli import help_text
from promote_actions.spec import Input, inputs_of

USAGE_ERRORS = [
    ["nope"],
    ["--nope"],
    ["owners", "--nope"],
    ["owners", "--codeowners"],
    ["calver", "--nope"],
    ["calver", "--date"],
    ["calver", "extra"],
    ["docker-tags", "--images"],
    ["action", "nope"],
    ["promote", "--mode", "sideways"],
    ["calver", "--no-reserve=1"],
]


@pytest.mark.parametrize("arguments", USAGE_ERRORS, ids=" ".join)
def test_a_usage_error_is_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words that mean nothing exit 2 with one line on stderr, whichever front reads them."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("error: ")


def test_no_words_show_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the help is shown, and the status says that nothing was done."""
    assert run([]) == 2
    shown = capsys.readouterr().err
    assert all(name in shown for name in ROOMS)


def test_help_shows_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """--help is on stdout and succeeds."""
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +\S", shown, re.MULTILINE) for name in ROOMS)


@pytest.mark.parametrize("name", ROOMS)
def test_help_of_a_command_shows_every_option(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each input is an option or an argument of its command's help, in every front."""
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    command = next(each for each in commands() if each.name == name)
    for spec in inputs_of(command.inputs):
        assert (spec.name.upper() if spec.positional else f"--{spec.name}") in shown


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """--version names the program and its version."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"promote-actions, version {__version__}\n"


def test_main_exits_with_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point of the package exits as run() says."""
    monkeypatch.setattr(sys, "argv", ["promote-actions", "action", "nope"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2


def test_a_missing_dependency_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Started with a Python that has no click, the message names the launcher."""
    monkeypatch.setitem(sys.modules, "promote_actions.cli", None)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert run(["owners"]) == 3
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "run this through bin/promote-actions" in err


@pytest.mark.parametrize("name", sorted(STDLIB_ONLY))
def test_a_bare_command_never_asks_click(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands that are in every build work where nothing is installed."""
    monkeypatch.setitem(sys.modules, "click", None)
    monkeypatch.setitem(sys.modules, "promote_actions.cli", None)
    assert run([name, "--nope"]) == 2


def test_help_text_names_default_and_variables() -> None:
    """An option's help says what holds when it isn't given; a secret's default is not shown."""
    fields: dict[str, Any] = {"name": "x", "kind": "text", "help": "X."}
    assert help_text(Input(**fields, default="a", env=("V",))) == "X.  [default: a; also V]"
    assert help_text(Input(**fields, default="", required=True)) == "X.  [required]"
    assert help_text(Input(**fields, default="a", secret=True)) == "X."


def test_commands_are_declared_well() -> None:
    """Every command has a one-line summary, its name in the catalogue, distinct inputs and outputs."""
    for name, command in zip(ROOMS, commands(), strict=True):
        specs = inputs_of(command.inputs)
        assert command.name == name
        assert "\n" not in command.summary
        assert command.summary
        assert len({output.name for output in command.outputs}) == len(command.outputs)
        assert len({each for spec in specs for each in (spec.name, *spec.aliases)}) >= len(specs)
        for text in [spec.help for spec in specs] + [output.help for output in command.outputs]:
            assert text.endswith((".", "`", ")", "?")), text
            assert "\n" not in text
