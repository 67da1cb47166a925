"""``python -m promote_actions.generate [--check]``: writes the generated files, or says which differ."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from promote_actions.catalogue import actions, commands
from promote_actions.generate.actions import composite, docker
from promote_actions.generate.reference import reference

ROOT = Path(__file__).resolve().parents[3]


def files() -> Mapping[str, str]:
    """Every generated file: its path in the repository and its text."""
    made = {"action.yml": docker(list(actions())), "docs/reference.md": reference(list(commands()))}
    for command in actions():
        made[f"{command.name}/action.yml"] = made[f"actions/{command.name}/action.yml"] = composite(command)
    return made


def differing(root: Path) -> list[str]:
    """The generated files under ``root`` that are missing or not what the specifications say."""
    return [path for path, text in files().items() if _read(root / path) != text]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def main(arguments: Sequence[str]) -> int:
    """Write the files under the repository's root, or check them; returns the exit status."""
    check = "--check" in arguments
    stale = differing(ROOT)
    for path in stale:
        if not check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(files()[path], encoding="utf-8")
        sys.stdout.write(f"{'differs; run `make generate`:' if check else 'wrote'} {path}\n")
    sys.stdout.write(
        f"generated files: {len(files())}, {'different' if check else 'written'}: {len(stale)}\n"
    )
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
