"""The command ``owners``: who owns these paths, by which line, and what is wrong with the file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promote_actions.errors import InputError, Refused, one_line
from promote_actions.owners.lint import lint, second_files
from promote_actions.owners.match import Match, Outcome, owners_of
from promote_actions.owners.parse import LOCATIONS, SIZE_LIMIT, Codeowners, Owner, Problem, parse
from promote_actions.runner import Result, Runner
from promote_actions.spec import Command, CommonInputs, Output, flag, lines, text

OUTPUTS = (
    Output("owners", "JSON object: each path with its owners, as written in the file."),
    Output("users", "JSON list: the logins among all owners, each once."),
    Output("teams", "JSON list: the teams among all owners as `org/slug`, each once."),
)

SHOWN = 50
"""Problems that are printed, each on its line; the rest is counted."""

_SAID = {
    Outcome.UNOWNED: "(no owner, on purpose)",
    Outcome.NO_RULE: "(no rule matches)",
    Outcome.NO_FILE: "(CODEOWNERS is not loaded)",
}


@dataclass(frozen=True, kw_only=True)
class OwnersInputs(CommonInputs):
    """Inputs of ``owners``."""

    paths: tuple[str, ...] = lines("Paths to look up, from the root of the repository.", positional=True)
    codeowners: str = text(
        "The CODEOWNERS file. By default the first of .github/CODEOWNERS, CODEOWNERS and docs/CODEOWNERS."
    )
    lint: bool = flag("Fail when the file has problems, instead of warning of them.")
    unused: bool = flag("Report patterns that match no file under the current directory as well.")


def run(inputs: OwnersInputs, runner: Runner) -> Result:
    """Look the paths up; with ``lint``, refuse a file that has problems."""
    if not inputs.paths and not inputs.lint:
        raise InputError(
            "there is no path to look up", hint="pass PATHS, or --lint to check the file alone"
        )
    for path in inputs.paths:
        _check(path)
    file, others = (inputs.codeowners, ()) if inputs.codeowners else _find()
    codeowners = parse(_read(file), file)
    matches = {path: owners_of(codeowners, _normal(path)) for path in inputs.paths}
    problems = (*lint(codeowners, tuple(_files()) if inputs.unused else None), *others)
    _warn(runner, problems)
    faults = [problem for problem in problems if not problem.note]
    return Result(
        outputs=_outputs(matches),
        text=_text(codeowners, matches, problems),
        summary=_summary(codeowners, matches),
        refusal=_refusal(file, faults) if inputs.lint and faults else None,
    )


def _warn(runner: Runner, problems: Sequence[Problem]) -> None:
    for problem in problems[:SHOWN]:
        # A terminal has no place for the location of an annotation, so the words carry it there.
        shown = f"{problem.advice} [{problem.code}]" if runner.in_actions else str(problem)
        runner.warning(shown, problem.where, problem.code)
    if len(problems) > SHOWN:
        runner.warning(f"{len(problems) - SHOWN} more problems are not shown")


def _outputs(matches: dict[str, Match]) -> dict[str, object]:
    owners: dict[str, Owner] = {}
    for match in matches.values():
        for owner in match.owners:
            owners.setdefault(owner.key, owner)
    return {
        "owners": {path: [owner.text for owner in match.owners] for path, match in matches.items()},
        "users": [owner.login for owner in owners.values() if owner.kind == "user"],
        "teams": [
            f"{owner.organization}/{owner.slug}" for owner in owners.values() if owner.kind == "team"
        ],
    }


def _refusal(file: str, problems: Sequence[Problem]) -> Refused:
    more = "problem" if len(problems) == 1 else "problems"
    return Refused(f"{file} has {len(problems)} {more}", hint="each is in a warning above")


def _text(codeowners: Codeowners, matches: dict[str, Match], problems: Sequence[Problem]) -> str:
    rows = [(one_line(path), *_cells(codeowners, match)) for path, match in matches.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(2)] if rows else []
    said = ["  ".join((row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2])).rstrip() for row in rows]
    if not rows and not problems:
        said.append(f"{one_line(codeowners.file)}: {len(codeowners.rules)} rules, no problem")
    return "\n".join(said) or f"{one_line(codeowners.file)}: {len(codeowners.rules)} rules"


def _cells(codeowners: Codeowners, match: Match) -> tuple[str, str]:
    """The owners of a path, and the line that says so."""
    said = " ".join(owner.text for owner in match.owners) or _SAID[match.outcome]
    line = f"{codeowners.file}:{match.rule.line} {match.rule.pattern.text}" if match.rule else ""
    skipped = ", ".join(str(problem.line) for problem in match.skipped)
    note = f"(line {skipped} names it too, but GitHub skips that)" if skipped else ""
    return one_line(said), one_line(f"{line} {note}".strip())


def _summary(codeowners: Codeowners, matches: dict[str, Match]) -> str:
    if not matches:
        return ""
    rows = ["| path | owners | line |", "| --- | --- | --- |"]
    for path, match in matches.items():
        cells = (one_line(path), *_cells(codeowners, match))
        rows.append("| " + " | ".join(map(_markdown, cells)) + " |")
    return "### Owners\n\n" + "\n".join(rows) + "\n"


def _markdown(cell: str) -> str:
    """``cell`` as code in a table: nothing in it is markup, a mention or the end of the cell."""
    safe = "".join(char if char.isalnum() or char in " /.-" else f"&#{ord(char)};" for char in cell)
    return f"<code>{safe}</code>" if cell else ""


def _check(path: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in path):
        raise InputError(f"path '{path[:80]}' is not UTF-8", hint="pass paths in UTF-8")
    if path.startswith("/") or ".." in path.split("/") or not _normal(path):
        hint = "pass paths from the root of the repository, as `git diff --name-only` prints them"
        raise InputError(f"path '{path[:80]}' is not inside the repository", hint=hint)


def _normal(path: str) -> str:
    return "/".join(part for part in path.split("/") if part != ".")


def _find() -> tuple[str, tuple[Problem, ...]]:
    """The CODEOWNERS file under the current directory, and warnings of others that GitHub ignores."""
    present = [location for location in LOCATIONS if os.path.isfile(location)]
    if not present:
        raise InputError(
            "there is no CODEOWNERS in .github/, here or in docs/", hint="pass --codeowners FILE"
        )
    return present[0], second_files(present)


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}", hint="pass --codeowners FILE") from None


def _files() -> Iterator[str]:
    """Every file under the current directory but git's own, from the current directory."""
    for folder, folders, names in os.walk("."):
        if ".git" in folders:
            folders.remove(".git")
        for name in names:
            yield os.path.normpath(os.path.join(folder, name)).replace(os.sep, "/")


COMMAND = Command(
    name="owners",
    summary="Say who owns paths by CODEOWNERS, which line says so, and what is wrong with the file.",
    inputs=OwnersInputs,
    outputs=OUTPUTS,
    run=run,
    description=(
        "Reads CODEOWNERS as GitHub does (last match wins, invalid lines are skipped) and prints the "
        "owners of each path with the line that decided. Lines that GitHub skips or that never decide "
        "are warnings, or with --lint the reason to fail."
    ),
    icon="users",
    color="purple",
)
