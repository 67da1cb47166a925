"""Typed input specifications: the one place where an input is declared.

A command's inputs are a frozen dataclass whose fields are made by :func:`text`, :func:`flag`,
:func:`number`, :func:`duration`, :func:`choice`, :func:`items` and :func:`lines`. From that class
come the click options, the reading of ``INPUT_*``, every ``action.yml``, the tables in the docs and
the values that the command receives. Standard library only: ``calver`` and ``docker-tags`` run with
nothing installed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from promote_actions.errors import InputError, one_line

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would cost a tenth of a short command's time
    from typing import Any, TypeVar

    T = TypeVar("T")

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = r"(\d+(?:\.\d+)?)(ms|s|m(?:in)?|h|d)"


@dataclass(frozen=True)
class Input:
    """One input: option ``--name``, action input ``name`` and variable ``INPUT_NAME``.

    ``kind`` is one of ``text, flag, number, duration, choice, items, lines``. ``default`` is written
    as a caller would write it. ``env`` lists variables read when the input itself is not given.
    ``positional`` inputs are arguments on the command line. ``action_default`` is the default in
    ``action.yml`` when it must be an expression (``${{ github.token }}``). A ``verbatim`` text keeps
    the white space around it (a separator may be a blank).
    """

    name: str
    kind: str
    help: str
    default: str
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    positional: bool = False
    action_default: str = ""
    minimum: int | None = None
    verbatim: bool = False

    @property
    def variable(self) -> str:
        """The environment variable of the runner, in the form our ``action.yml`` files map."""
        return "INPUT_" + self.name.upper().replace("-", "_")

    @property
    def multiple(self) -> bool:
        return self.kind in ("items", "lines")


@dataclass(frozen=True)
class Output:
    """One output of a command: step output, key of ``--format json``, row in the docs."""

    name: str
    help: str


OUTCOME = Output(
    "outcome",
    "How it ended, also when it failed: `success`, `refused` (a gate or a policy said no) or `failure`.",
)
"""An output that any command may declare; whoever runs the command fills it in, not the command."""


@dataclass(frozen=True)
class Command:
    """A command and the action made from it.

    ``run`` takes an instance of ``inputs`` and a :class:`promote_actions.runner.Runner`, and returns
    a :class:`promote_actions.runner.Result`.
    ``description`` may be several paragraphs; ``icon`` and ``color`` are GitHub's branding.
    """

    name: str
    summary: str
    inputs: type
    outputs: tuple[Output, ...]
    run: Callable[[Any, Any], Any]
    description: str = ""
    action: bool = True
    icon: str = "package"
    color: str = "blue"


def _declare(kind: str, help: str, default: str, **more: Any) -> Any:
    return dataclasses.field(metadata={"kind": kind, "help": help, "default": default, **more})


def text(help: str, default: str = "", **more: Any) -> Any:
    """A string input, stripped of surrounding white space."""
    return _declare("text", help, default, **more)


def flag(help: str, default: bool = False, **more: Any) -> Any:
    """A boolean input: ``true/false``, ``yes/no``, ``on/off``, ``1/0``; ``--name/--no-name``."""
    return _declare("flag", help, "true" if default else "false", **more)


def number(help: str, default: str = "", **more: Any) -> Any:
    """A whole number; ``None`` when the default is empty and nothing is given."""
    return _declare("number", help, default, **more)


def duration(help: str, default: str = "", **more: Any) -> Any:
    """A length of time in seconds (float), written ``90``, ``30m``, ``1h30m``, ``500ms``."""
    return _declare("duration", help, default, **more)


def choice(help: str, choices: Sequence[str], default: str = "", **more: Any) -> Any:
    """One of ``choices``."""
    return _declare("choice", help, default, choices=tuple(choices), **more)


def items(help: str, default: str = "", **more: Any) -> Any:
    """A tuple of strings, given by repetition, comma or new line."""
    return _declare("items", help, default, **more)


def lines(help: str, default: str = "", **more: Any) -> Any:
    """A tuple of lines, given by repetition or new line; commas belong to the line."""
    return _declare("lines", help, default, **more)


@dataclass(frozen=True, kw_only=True)
class CommonInputs:
    """The inputs that every command has (design: "Everywhere")."""

    format: str = choice("How a terminal shows the outputs.", ("text", "json"), "text")
    dry_run: bool = flag("Say what would be done, and change nothing.")
    token: str = text(
        "GitHub token: an App's, a personal one, or the job's own.",
        secret=True,
        env=("GITHUB_TOKEN",),
        action_default="${{ github.token }}",
    )
    config: str = text(
        "Path of the configuration inside the GitOps repository, or of a local file with `./`.",
        "promotion.yaml",
    )


def inputs_of(cls: type) -> tuple[Input, ...]:
    """The specifications of a dataclass of inputs: its own first, then the common ones."""
    common = {field.name for field in dataclasses.fields(CommonInputs)}
    fields = sorted(dataclasses.fields(cls), key=lambda field: field.name in common)
    return tuple(Input(name=_input_name(field.name), **field.metadata) for field in fields)


def _input_name(field: str) -> str:
    """``from_`` (a field can't be called ``from``) is the input ``from``."""
    return field.rstrip("_").replace("_", "-")


def resolve(cls: Callable[..., T], given: Mapping[str, str | Sequence[str]], env: Mapping[str, str]) -> T:
    """The typed inputs of a command.

    ``given`` holds what the command line said, by input name. Order of precedence: the command
    line, ``INPUT_*``, the input's own variables, the default. An empty string means "not given",
    as in an action. Raises :class:`InputError` that names the input.
    """
    fields = {_input_name(field.name): field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    specs = inputs_of(cls)  # type: ignore[arg-type]
    return cls(**{fields[spec.name]: convert(spec, _raw(spec, given, env)) for spec in specs})


def _raw(spec: Input, given: Mapping[str, str | Sequence[str]], env: Mapping[str, str]) -> Sequence[str]:
    value = given.get(spec.name)
    if value is not None:
        return [value] if isinstance(value, str) else list(value)
    docker_spelling = "INPUT_" + spec.name.upper()
    for variable in (spec.variable, docker_spelling, *spec.env):
        if env.get(variable, "").strip() or (spec.verbatim and env.get(variable)):
            return [env[variable]]
    return [spec.default]


def convert(spec: Input, raw: Sequence[str]) -> object:
    """``raw`` texts as the type that the input declares; raises :class:`InputError`."""
    for value in raw:
        if "\0" in value:
            raise InputError(f"input '{spec.name}' holds a NUL character", hint="remove it")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise InputError(f"input '{spec.name}' is not UTF-8 text", hint="write it in UTF-8")
    if spec.multiple:
        found = tuple(part for value in raw for part in _split(value, spec.kind == "items"))
        if spec.required and not found:
            raise _missing(spec)
        return found
    value = raw[-1] if raw else ""
    value = value if spec.verbatim else value.strip()
    if not value:
        if spec.required:
            raise _missing(spec)
        value = spec.default
    return _SCALARS[spec.kind](spec, value)


def _split(value: str, commas: bool) -> list[str]:
    parts = re.split(r"[\n,]", value) if commas else value.split("\n")
    return [part.strip() for part in parts if part.strip()]


def _missing(spec: Input) -> InputError:
    how = f"pass {spec.name.upper()}" if spec.positional else f"pass --{spec.name}"
    return InputError(
        f"input '{spec.name}' is required and empty",
        hint=f"{how}, or set it under `with:` ({spec.help.rstrip('.')})",
    )


def _wrong(spec: Input, value: str, expected: str) -> InputError:
    shown = "(hidden)" if spec.secret else f"'{one_line(value[:80])}'"
    return InputError(f"input '{spec.name}' is {shown}", hint=f"give {expected}")


def _flag(spec: Input, value: str) -> bool:
    lowered = value.lower()
    if lowered in TRUE or lowered in FALSE:
        return lowered in TRUE
    raise _wrong(spec, value, "true or false")


def _number(spec: Input, value: str) -> int | None:
    if not value:
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise _wrong(spec, value, "a whole number")
    found = int(value)
    if spec.minimum is not None and found < spec.minimum:
        raise _wrong(spec, value, f"a whole number of at least {spec.minimum}")
    return found


def parse_duration(value: str) -> float | None:
    """Seconds in ``90``, ``30m``, ``10min``, ``1h30m`` or ``500ms``; None when it is none of them."""
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value):
        return float(value)
    compact = value.lower().replace(" ", "")
    if len(compact) > 40 or not re.fullmatch(rf"(?:{_DURATION})+", compact):
        return None
    return sum(float(n) * _UNITS[unit.removesuffix("in")] for n, unit in re.findall(_DURATION, compact))


def _duration(spec: Input, value: str) -> float | None:
    if not value:
        return None
    seconds = parse_duration(value)
    if seconds is None:
        raise _wrong(spec, value, "a length of time such as 90, 30m or 1h30m")
    return seconds


def _choice(spec: Input, value: str) -> str:
    if value and value not in spec.choices:
        raise _wrong(spec, value, "one of " + ", ".join(spec.choices))
    return value


_SCALARS: Mapping[str, Callable[[Input, str], object]] = {
    "text": lambda _, value: value,
    "flag": _flag,
    "number": _number,
    "duration": _duration,
    "choice": _choice,
}
