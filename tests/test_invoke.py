"""One command from raw inputs to its exit status: every failure is one line."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promote_actions import invoke as module
from promote_actions.errors import Conflict, DependencyError, InputError, Refused
from promote_actions.invoke import _of_the_system, invoke
from promote_actions.runner import Result, Runner
from promote_actions.spec import OUTCOME, Command, CommonInputs, Output, number
from tests.command_files import parse_key_values


@dataclass(frozen=True, kw_only=True)
class Inputs(CommonInputs):
    build: int | None = number("Build.", minimum=1)


def raising(error: BaseException) -> Callable[[Any, Any], Result]:
    def run(inputs: Inputs, runner: Runner) -> Result:
        raise error

    return run


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Runs a command whose body is ``run``; returns status, stdout and stderr."""

    def call(run: Callable[[Any, Any], Result], given: dict[str, str] | None = None, **env: str) -> Any:
        command = Command("sample", "Sample.", Inputs, (Output("build", "It."),), run)
        monkeypatch.setattr(module, "load", lambda name: command)
        runner = Runner(env=env, stdout=io.StringIO(), stderr=io.StringIO())
        status = invoke("sample", given or {}, runner)
        return status, runner.stdout.getvalue(), runner.stderr.getvalue()  # type: ignore[attr-defined]

    return call


@pytest.mark.parametrize(
    ("error", "status"),
    [(Refused("no"), 1), (InputError("no"), 2), (DependencyError("no"), 3), (Conflict("no"), 3)],
)
def test_each_kind_of_failure_has_its_status(call: Any, error: Exception, status: int) -> None:
    """1 a policy, 2 an input, 3 a dependency: a workflow can branch on it."""
    assert call(raising(error)) == (status, "", "error: no\n")


@pytest.mark.parametrize(
    "error", [RuntimeError("a\nb"), KeyError("x"), RecursionError(), ValueError("c" * 9999)]
)
def test_an_unexpected_failure_is_one_line(call: Any, error: Exception) -> None:
    """A defect exits 3 without a traceback and says how to see one."""
    status, out, err = call(raising(error))
    assert (status, out) == (3, "")
    assert len(err.splitlines()) == 1
    assert len(err) < 600
    assert f"unexpected {type(error).__name__}" in err
    assert "RUNNER_DEBUG=1" in err


def test_debugging_shows_the_traceback(call: Any) -> None:
    """With RUNNER_DEBUG=1 the place of a defect is in the log."""
    status, _, err = call(raising(RuntimeError("here")), RUNNER_DEBUG="1")
    assert status == 3
    assert "Traceback" in err
    assert "test_invoke.py" in err


def test_a_secret_is_masked_before_anything_is_said(call: Any) -> None:
    """A token given as an option, input or variable is in no message, however the command fails."""
    tokens = {"given": "token-one-1", "INPUT_TOKEN": "token-two-2", "GITHUB_TOKEN": "token-three-3"}
    run = raising(RuntimeError(" ".join(tokens.values())))
    env = {name: value for name, value in tokens.items() if name != "given"}
    _, _, err = call(run, {"token": tokens["given"]}, **env, RUNNER_DEBUG="1")
    assert "token-" not in err
    assert "***" in err


def test_an_interrupt_is_130(call: Any) -> None:
    """Ctrl-C and a cancelled job end without a traceback."""
    status, out, err = call(raising(KeyboardInterrupt()))
    assert (status, out) == (130, "")
    assert err == "interrupted; nothing more will be done\n"


def test_a_wrong_input_stops_before_the_command_runs(call: Any) -> None:
    """The command never sees a value that doesn't fit its type."""
    status, _, err = call(raising(AssertionError("ran")), {"build": "0"})
    assert status == 2
    assert "input 'build' is '0'" in err


def test_in_actions_a_failure_is_an_annotation(call: Any) -> None:
    """The error is where a runner looks for it."""
    status, out, _ = call(raising(InputError("no such file", hint="make it")), GITHUB_ACTIONS="true")
    assert status == 2
    assert out == "::error title=promote-actions%3A bad input::no such file; make it\n"


def test_a_result_is_shown(call: Any) -> None:
    """A command that succeeds prints its outputs and exits 0."""
    assert call(lambda inputs, runner: Result({"build": inputs.build}), {"build": "7"}) == (
        0,
        "build: 7\n",
        "",
    )


def test_an_unknown_command_is_a_bad_input() -> None:
    """The message lists the commands that there are."""
    runner = Runner(env={}, stdout=io.StringIO(), stderr=io.StringIO())
    assert invoke("nope", {}, runner) == 2
    assert "there is no command 'nope'; use one of calver, docker-tags" in runner.stderr.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (lambda inputs, runner: Result({}), "success"),
        (lambda inputs, runner: Result({}, refusal=Refused("no")), "refused"),
        (lambda inputs, runner: Result({}, refusal=DependencyError("no")), "failure"),
        (raising(Refused("no")), "refused"),
        (raising(InputError("no")), "failure"),
        (raising(RuntimeError("no")), "failure"),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_later_step_learns_how_it_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Any, outcome: str, declared: bool
) -> None:
    """A command that declares the output `outcome` has it filled in, also when it fails."""
    command = Command("sample", "Sample.", Inputs, (OUTCOME,) if declared else (), run)
    monkeypatch.setattr(module, "load", lambda name: command)
    output = tmp_path / "output"
    runner = Runner(env={"GITHUB_OUTPUT": str(output)}, stdout=io.StringIO(), stderr=io.StringIO())
    invoke("sample", {}, runner)
    written = parse_key_values(output.read_text()) if output.exists() else {}
    assert written == ({"outcome": outcome} if declared else {})


def test_an_output_file_that_cannot_be_written_hides_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The failure itself is still told."""
    command = Command("sample", "Sample.", Inputs, (OUTCOME,), raising(Refused("no")))
    monkeypatch.setattr(module, "load", lambda name: command)
    env = {"GITHUB_OUTPUT": str(tmp_path / "missing" / "output")}
    runner = Runner(env=env, stdout=io.StringIO(), stderr=io.StringIO())
    assert invoke("sample", {}, runner) == 1
    assert runner.stderr.getvalue() == "error: no\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "status"), [(errno.ENAMETOOLONG, 2), (errno.EACCES, 2), (errno.ENOSPC, 3), (errno.EIO, 3)]
)
def test_what_the_system_says_of_a_file(code: int, status: int) -> None:
    """A wrong file is bad input and a full disk a dependency that failed; both are one line."""
    failure = _of_the_system(OSError(code, os.strerror(code), "/some/file"))
    assert failure.exit_status == status
    assert str(failure) == f"{os.strerror(code)} (/some/file); give a file that can be used"
