"""The text of ``docs/reference.md``: each command's inputs, outputs and exit status. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promote_actions.spec import Command, Input, inputs_of

_INTRODUCTION = """\
# Reference

Made by `make generate` from the input specifications; edit those (`src/promote_actions/*/command.py`).

Each command is also an action, `uses: nexo-org/promote-actions/<command>@v1`. An input `some-name` is the
option `--some-name` on a command line, `some-name` under `with:`, and the variable `INPUT_SOME_NAME`. Order
of precedence: the option, the input, the variables named in its row, the default. An empty value means
"not given". Lists are given by repetition, comma or new line (`lines`: by repetition or new line).

Exit status of all: `0` done, or nothing to do; `1` a gate or a policy says no; `2` an input or the
configuration is wrong; `3` a dependency failed after retries.
"""


def reference(commands: Sequence[Command]) -> str:
    """The whole page."""
    return _INTRODUCTION + "".join(map(_section, commands))


def _section(command: Command) -> str:
    text = command.description or command.summary
    parts = [f"\n## {command.name}\n\n{text.strip()}\n", "\n### Inputs\n\n"]
    parts.append(table(("input", "kind", "default", "what it is"), map(_row, inputs_of(command.inputs))))
    if command.outputs:
        rows = ((f"`{output.name}`", output.help) for output in command.outputs)
        parts += ["\n### Outputs\n\n", table(("output", "what it is"), rows)]
    return "".join(parts)


def _row(spec: Input) -> tuple[str, str, str, str]:
    kind = " \\| ".join(f"`{choice}`" for choice in spec.choices) or spec.kind
    default = "**required**" if spec.required else _code(spec.action_default or spec.default)
    also = f" Also {', '.join(f'`{name}`' for name in spec.env)}." if spec.env else ""
    place = " An argument on the command line." if spec.positional else ""
    return f"`{spec.name}`", kind, default, _cell(spec.help + place + also)


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
