"""Running one command from raw inputs to exit status: the path that every front end shares."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from promote_actions.catalogue import load
from promote_actions.errors import DependencyError, InputError, PromoteError, Refused
from promote_actions.runner import Result, Runner
from promote_actions.spec import OUTCOME, Command, inputs_of, resolve

INTERRUPTED = 130


def invoke(name: str, given: Mapping[str, str | Sequence[str]], runner: Runner) -> int:
    """Run the command ``name`` with the inputs ``given`` on the command line.

    Returns the exit status; every expected failure becomes one line through the runner, and an
    unexpected one too (its traceback only with ``RUNNER_DEBUG=1``).
    """
    tells = False
    try:
        command = load(name)
        tells = OUTCOME in command.outputs
        _mask_secrets(command, given, runner)
        inputs = resolve(command.inputs, given, runner.env)
        runner.json_output = inputs.format == "json"
        result = command.run(inputs, runner)
        return runner.finish(_with_outcome(result) if tells else result)
    except PromoteError as error:
        if tells:
            runner.leave({OUTCOME.name: outcome_of(error)})
        runner.error(error)
        return error.exit_status
    except KeyboardInterrupt:
        runner.say("interrupted; nothing more will be done")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 3
    except OSError as error:
        failure = _of_the_system(error)
        runner.error(failure)
        return failure.exit_status
    except Exception as error:  # noqa: BLE001 - a traceback is no message for a reader
        if tells:
            runner.leave({OUTCOME.name: "failure"})
        runner.error(_unexpected(error))
        if runner.env.get("RUNNER_DEBUG") == "1":
            import traceback

            runner.say(traceback.format_exc())
        return 3


def outcome_of(error: PromoteError | None) -> str:
    """The value of the output ``outcome`` of a command that ended with ``error`` (None: it didn't fail)."""
    if error is None:
        return "success"
    return "refused" if error.exit_status == Refused.exit_status else "failure"


def _with_outcome(result: Result) -> Result:
    return replace(result, outputs={**result.outputs, OUTCOME.name: outcome_of(result.refusal)})


def _mask_secrets(command: Command, given: Mapping[str, str | Sequence[str]], runner: Runner) -> None:
    for spec in inputs_of(command.inputs):
        if not spec.secret:
            continue
        values = given.get(spec.name, ())
        for value in (values,) if isinstance(values, str) else values:
            runner.mask(value)
        for variable in (spec.variable, "INPUT_" + spec.name.upper(), *spec.env):
            runner.mask(runner.env.get(variable, ""))


def _of_the_system(error: OSError) -> PromoteError:
    """What the operating system said of a file: a wrong name is bad input, a full disk is not."""
    import errno

    named = (errno.ENAMETOOLONG, errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR,
             errno.EROFS, errno.EINVAL, errno.ELOOP)  # fmt: skip
    kind = InputError if error.errno in named else DependencyError
    where = f" ({str(error.filename)[:200]})" if error.filename else ""
    return kind(f"{error.strerror or type(error).__name__}{where}", hint="give a file that can be used")


def _unexpected(error: Exception) -> PromoteError:
    failure = PromoteError(
        f"unexpected {type(error).__name__}: {str(error)[:300]}",
        hint="this is a defect of promote-actions; run again with RUNNER_DEBUG=1 and report it",
    )
    failure.exit_status = 3
    return failure
