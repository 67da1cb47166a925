"""Runs a command in the Python that runs this file (``python3 -I -S bin/launch.py COMMAND …``).

A command that needs only the standard library starts at once. Any other gets the packages of the
private environment (:mod:`environment`), which is made when it is not there. The packages are put on
the path of this very process, because starting the environment's own interpreter would take as long
again as starting this one; both are the same interpreter. Children are started by the environment's.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def main(arguments: list[str]) -> int:
    """Run the command line ``arguments``; returns the exit status."""
    sys.path.insert(0, os.path.join(ROOT, "src"))
    if not _starts_bare(arguments):
        failure = _use_environment()
        if failure:
            return failure
    from promote_actions.__main__ import run

    return run(arguments)


def _starts_bare(arguments: list[str]) -> bool:
    from promote_actions import STDLIB_ONLY

    name = arguments[1:2] if arguments[:1] == ["action"] else arguments[:1]
    return STDLIB_ONLY.issuperset(name or [""]) and not {"-h", "--help"} & set(arguments)


def _use_environment() -> int:
    sys.path.insert(0, HERE)
    import environment

    try:
        folder = environment.ensure(os.path.join(ROOT, "requirements", "run.txt"), os.environ)
    except environment.Failure as failure:
        from promote_actions.errors import DependencyError
        from promote_actions.runner import Runner

        Runner().error(DependencyError(failure.message, hint=failure.hint))
        return DependencyError.exit_status
    finally:
        sys.path.remove(HERE)
    sys.path.insert(1, environment.packages_in(folder))
    sys.executable = environment.python_in(folder)
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    if _starts_bare(sys.argv[1:]):
        from promote_actions.__main__ import leave

        leave(status)
    sys.exit(status)
