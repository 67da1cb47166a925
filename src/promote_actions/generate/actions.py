"""The text of the ``action.yml`` files. Pure: commands in, text out.

A composite action passes its inputs by ``env:`` alone: the runner sets no ``INPUT_*`` in composite
actions (actions/runner#665), and an expression inside ``run:`` would be code that a caller writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promote_actions.generate.yaml_text import mapping, scalar
from promote_actions.spec import Command, Input, inputs_of

DESCRIPTION_LIMIT = 125
"""Characters of a description that GitHub's Marketplace shows at most."""

_NOTICE = "# Made by `make generate` from the specification in {source}; edit that.\n"

_SCRIPT = """\
        cd_up() { until [ -f pyproject.toml ] || [ "$PWD" = / ]; do cd ..; done; }
        root=$(cd -P "${GITHUB_ACTION_PATH:?}" && cd_up && pwd)
        exec "$root/bin/promote-actions" action NAME
"""


def composite(command: Command) -> str:
    """The ``action.yml`` of ``command``; the same text is right at every depth of the repository."""
    specs = inputs_of(command.inputs)
    inputs = "".join(f"  {spec.name}: {mapping(_input(spec))}\n" for spec in specs)
    outputs = "".join(
        f"  {output.name}: "
        + mapping({"description": output.help, "value": "${{ steps.run.outputs." + output.name + " }}"})
        + "\n"
        for output in command.outputs
    )
    variables = "".join(f"        {spec.variable}: ${{{{ inputs.{spec.name} }}}}\n" for spec in specs)
    return (
        _NOTICE.format(source=_source(command))
        + _head(f"promote-actions {command.name}", command.summary, command.icon, command.color)
        + f"inputs:\n{inputs}"
        + (f"outputs:\n{outputs}" if outputs else "")
        + "runs:\n  using: composite\n  steps:\n    - id: run\n      shell: bash\n"
        + f"      env:\n{variables}"
        + "      run: |\n"
        + _SCRIPT.replace("NAME", command.name)
    )


def docker(commands: Sequence[Command]) -> str:
    """The top-level ``action.yml``: every command in one image, for runners without Python.

    Its inputs are those of all commands. None has a default of its own but the token's, because a
    default belongs to a command; the runner passes them as ``INPUT_*``.
    """
    names = ", ".join(command.name for command in commands)
    choose = {"description": f"The command to run: {names}.", "required": "true"}
    inputs = {"command": choose} | {
        spec.name: _shared_input(spec, users) for spec, users in _union(commands)
    }
    outputs: dict[str, list[str]] = {}
    for command in commands:
        for output in command.outputs:
            outputs.setdefault(output.name, []).append(command.name)
    return (
        _NOTICE.format(source="src/promote_actions/*/command.py")
        + _head(
            "promote-actions",
            "Version container images and promote them between environments.",
            "package",
            "blue",
        )
        + "inputs:\n"
        + "".join(f"  {name}: {mapping(pairs)}\n" for name, pairs in inputs.items())
        + "outputs:\n"
        + "".join(f"  {name}: {mapping({'description': _of(users)})}\n" for name, users in outputs.items())
        + "runs:\n  using: docker\n  image: Dockerfile\n"
        + '  args: [action, "${{ inputs.command }}"]\n'
    )


def _head(name: str, summary: str, icon: str, color: str) -> str:
    branding = mapping({"icon": icon, "color": color})
    return f"name: {name}\ndescription: {scalar(summary[:DESCRIPTION_LIMIT])}\nbranding: {branding}\n"


def _input(spec: Input) -> dict[str, str]:
    pairs = {"description": _description(spec)}
    if spec.required:
        return pairs | {"required": "true"}
    return pairs | {"default": _default(spec)}


def _default(spec: Input) -> str:
    """The default that the action shows: none where a variable may say it instead (see spec.resolve)."""
    return spec.action_default or ("" if spec.env else spec.default)


def _description(spec: Input) -> str:
    allowed = f" One of {', '.join(spec.choices)}." if spec.choices else ""
    variables = (
        f" Else {', '.join(spec.env)} from the environment." if spec.env and not spec.action_default else ""
    )
    return spec.help + allowed + variables


def _union(commands: Iterable[Command]) -> list[tuple[Input, list[str]]]:
    found: dict[str, tuple[Input, list[str]]] = {}
    for command in commands:
        for spec in inputs_of(command.inputs):
            found.setdefault(spec.name, (spec, []))[1].append(command.name)
    return list(found.values())


def _shared_input(spec: Input, users: list[str]) -> dict[str, str]:
    return {"description": _of(users) + spec.help, "default": spec.action_default}


def _of(users: list[str]) -> str:
    return f"[{', '.join(users)}] "


def _source(command: Command) -> str:
    return "src/" + command.inputs.__module__.replace(".", "/") + ".py"
