"""The container's entry point: gives up root, then runs the command.

A Docker action is started as root, in a workspace and with command files (``GITHUB_OUTPUT``) that belong
to the runner's user, whose number differs from runner to runner. So the process becomes the owner of those
files: it can write them, what it writes can be removed by the runner, and git trusts the workspace.
"""

from __future__ import annotations

import os
import sys

NOBODY = 65532
"""User and group when there is no owner to become."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def main(arguments: list[str]) -> int:
    """Run the command line ``arguments`` without root's powers; returns the exit status."""
    if os.getuid() == 0:
        user, group = owner(os.environ, os.getcwd())
        if user:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import launch

    return launch.main(arguments)


def owner(env: Mapping[str, str], folder: str) -> tuple[int, int]:
    """User and group to become: those of the runner's output file, else of the working folder ``folder``.

    Root itself only where the runner's files belong to root, as under a rootless engine.
    """
    files = (env.get("GITHUB_OUTPUT", ""), env.get("GITHUB_WORKSPACE", ""))
    for path in filter(None, files):
        if os.path.exists(path):
            found = os.stat(path)
            return found.st_uid, found.st_gid
    found = os.stat(folder)
    return (found.st_uid, found.st_gid) if found.st_uid else (NOBODY, NOBODY)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
