"""``init``: writes the example workflows into a repository, with the caller's names in them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from promote_actions.errors import InputError
from promote_actions.runner import Result, Runner
from promote_actions.setup.init.examples import KINDS
from promote_actions.spec import Command, CommonInputs, Output, choice, flag, inputs_of, items, text

if TYPE_CHECKING:
    from promote_actions.setup.init.files import File, Step
    from promote_actions.setup.init.names import Names

SIZE_LIMIT = 1024 * 1024
"""Bytes; a file beyond this is no workflow, and is not compared."""


@dataclass(frozen=True, kw_only=True)
class InitInputs(CommonInputs):
    """What ``init`` needs to be told; on a terminal it asks for what is missing."""

    folder: str = text("The repository's folder; the current one if empty.", positional=True)
    kind: str = choice("What the repository is.", KINDS, "gitops-repo")
    gitops: str = text("The GitOps repository, owner/name.")
    service: tuple[str, ...] = items("The services.")
    registry: str = text("Where images are: a registry with a folder; by default ghcr.io/OWNER.")
    base_url: str = text(
        "Where services answer; may hold {service} and {environment}.",
        "https://{service}-{environment}.example.com",
    )
    sre_team: str = text("The team that approves production.", "sre")
    platform_team: str = text("The team that approves staging.", "platform")
    leads_team: str = text("The team that owns the rules.", "platform-leads")
    suite: str = text(
        "Where the actions come from; your own copy, if you keep one.", "nexo-org/promote-actions"
    )
    ref: str = text("At which version: a major one, or a commit.", "v1")
    force: bool = flag("Replace files that are there and differ.")


OUTPUTS = (
    Output("written", "JSON list of the files that were written."),
    Output("kept", "JSON list of the files that are there and differ, and were left."),
)

_ASKED = ("gitops", "service", "registry", "base-url", "sre-team", "platform-team", "leads-team")


def run(inputs: InitInputs, runner: Runner) -> Result:
    """Write the files that are missing; show how those that are there differ."""
    from promote_actions.setup.init import files, names
    from promote_actions.setup.init.examples import examples

    if runner.interactive and sys.stdin.isatty():
        inputs = _ask(inputs)
    folder = Path(inputs.folder or ".").expanduser()
    if not folder.is_dir():
        raise InputError(f"'{inputs.folder[:200]}' is no folder", hint="name the repository's folder")
    named = names.checked(_names(inputs))
    wanted = [replace(each, text=names.adapt(each.text, named)) for each in examples(inputs.kind)]
    steps = files.plan(wanted, _present(folder, wanted), inputs.force)
    if not inputs.dry_run:
        for step in steps:
            if step.deed in ("written", "replaced"):
                _write(folder, step)
    outputs = {
        "written": [step.file.path for step in steps if step.deed in ("written", "replaced")],
        "kept": [step.file.path for step in steps if step.deed == "kept"],
    }
    next_step = "next: promote-actions doctor --gitops " + named.gitops
    return Result(outputs, files.words(steps, inputs.dry_run) + f"\n{next_step}")


def _names(inputs: InitInputs) -> Names:
    from promote_actions.setup.init.names import Names

    owner = inputs.gitops.partition("/")[0]
    given = {field.name: getattr(inputs, field.name) for field in fields(Names) if field.name != "services"}
    given["registry"] = inputs.registry or f"ghcr.io/{owner.lower()}"
    services = inputs.service or (("any",) if inputs.kind == "service-repo" else ())
    return Names(services=services, **given)


def _ask(inputs: InitInputs) -> InitInputs:
    """Ask for every name, with what is known as the answer to take by pressing Enter."""
    answers: dict[str, object] = {}
    for spec in inputs_of(InitInputs):
        if spec.name not in _ASKED:
            continue
        field = spec.name.replace("-", "_")
        known = getattr(inputs, field)
        shown = ", ".join(known) if isinstance(known, tuple) else known
        sys.stderr.write(f"{spec.help} [{shown}] " if shown else f"{spec.help} ")
        sys.stderr.flush()
        said = sys.stdin.readline().strip()
        if said:
            answers[field] = tuple(filter(None, said.replace(",", " ").split())) if spec.multiple else said
    return replace(inputs, **answers)  # type: ignore[arg-type]


def _present(folder: Path, wanted: list[File]) -> dict[str, str]:
    """The text of those of the wanted files that are there; what can't be read as text is in the way."""
    found = {}
    for each in wanted:
        path = folder / each.path
        _refuse_links(folder, path)
        if not os.path.lexists(path):
            continue
        try:
            if path.stat().st_size > SIZE_LIMIT:
                raise InputError(f"'{path}' is too large", hint="move it out of the way")
            found[each.path] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise InputError(f"cannot read '{path}': {reason}", hint="move it out of the way") from None
    return found


def _refuse_links(folder: Path, path: Path) -> None:
    """A link would lead what is written out of the repository."""
    for part in (path, *path.parents):
        if part == folder:
            return
        if part.is_symlink():
            raise InputError(f"'{part}' is a symbolic link", hint="replace it by what it leads to")


def _write(folder: Path, step: Step) -> None:
    path = folder / step.file.path
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(step.file.text, encoding="utf-8", newline="\n")
        beside.chmod(0o755 if step.file.executable else 0o644)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(
            f"cannot write '{path}': {error.strerror}", hint="make the folder writable"
        ) from None


COMMAND = Command(
    name="init",
    summary="Write the example workflows into a repository, with your names in them.",
    description=(
        "Writes workflows, promotion.yaml, CODEOWNERS and the branch's ruleset into a repository. On a "
        "terminal it asks for names. A file that is there and differs is shown and kept, unless --force."
    ),
    inputs=InitInputs,
    outputs=OUTPUTS,
    run=run,
    action=False,
)
