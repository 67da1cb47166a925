"""What a release needs: the changelog's and the package's version, the notes, and the action released.

    python3 -I bin/release.py cut 1.2.0 [DATE]     # names what is unreleased, and sets the version
    python3 -I bin/release.py check 1.2.0          # the files say that this is 1.2.0
    python3 -I bin/release.py notes 1.2.0          # its section of the changelog
    python3 -I bin/release.py image DIGEST         # action.yml starts the built image, and builds none

Standard library only; run in the repository's root.
"""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path

CHANGELOG = Path("CHANGELOG.md")
PACKAGE = Path("src/promote_actions/__init__.py")
ACTION = Path("action.yml")
UNRELEASED = "## Unreleased"

_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_IMAGE = re.compile(r"(ghcr\.io/[a-z0-9][a-z0-9._/-]*)@(sha256:[0-9a-f]{64})")
_ASSIGNED = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)


class Wrong(Exception):
    """One line: what is wrong and what to do."""


def notes(changelog: str, version: str) -> str:
    """The section of ``version``; raises :class:`Wrong` when there is none or it is empty."""
    head = rf"^## {re.escape(version)}(?: - [0-9-]{{10}})?$"
    found = re.search(rf"{head}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise Wrong(f"{CHANGELOG} says nothing of {version}; run `bin/release.py cut {version}` and commit")
    return found[1].strip() + "\n"


def cut(changelog: str, package: str, version: str, day: str) -> tuple[str, str]:
    """Changelog and package with what was unreleased named ``version``; raises :class:`Wrong`."""
    if changelog.count(UNRELEASED) != 1:
        raise Wrong(f"{CHANGELOG} has no section '{UNRELEASED}'; add one with what is new for users")
    after = changelog.partition(UNRELEASED)[2].partition("\n## ")[0]
    if not after.strip():
        raise Wrong(f"nothing is unreleased in {CHANGELOG}; say what is new for users")
    if not _ASSIGNED.search(package):
        raise Wrong(f"{PACKAGE} has no __version__")
    named = changelog.replace(UNRELEASED, f"{UNRELEASED}\n\n## {version} - {day}", 1)
    return named, _ASSIGNED.sub(f'__version__ = "{version}"', package)


def check(changelog: str, package: str, version: str) -> None:
    """Raises :class:`Wrong` unless the files are those of ``version``."""
    notes(changelog, version)
    found = _ASSIGNED.search(package)
    if found is None or found[1] != version:
        raise Wrong(f"{PACKAGE} says {found[1] if found else 'nothing'}, not {version}")


def with_image(action: str, image: str) -> str:
    """``action.yml`` that starts ``image`` (a name with its digest); raises :class:`Wrong`."""
    if not _IMAGE.fullmatch(image):
        raise Wrong(f"'{image[:120]}' is no image with a digest, such as ghcr.io/o/n@sha256:…")
    if action.count("\n  image: Dockerfile\n") != 1:
        raise Wrong(f"{ACTION} doesn't build the Dockerfile")
    return action.replace("\n  image: Dockerfile\n", f"\n  image: docker://{image}\n")


def _semver(text: str) -> str:
    if not _VERSION.fullmatch(text):
        raise Wrong(f"'{text[:40]}' is no version such as 1.2.0")
    return text


def main(words: list[str]) -> int:
    """The command line; returns the exit status."""
    command, argument, day = [*words, "", "", ""][:3]
    try:
        if command == "image":
            ACTION.write_text(with_image(ACTION.read_text(encoding="utf-8"), argument), encoding="utf-8")
            return 0
        version = _semver(argument)
        changelog, package = (path.read_text(encoding="utf-8") for path in (CHANGELOG, PACKAGE))
        if command == "cut":
            today = day or datetime.datetime.now(datetime.timezone.utc).date().isoformat()
            changelog, package = cut(changelog, package, version, today)
            CHANGELOG.write_text(changelog, encoding="utf-8")
            PACKAGE.write_text(package, encoding="utf-8")
        elif command == "check":
            check(changelog, package, version)
        elif command == "notes":
            sys.stdout.write(notes(changelog, version))
        else:
            sys.stderr.write("error: use cut, check, notes or image\n")
            return 2
    except (Wrong, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
