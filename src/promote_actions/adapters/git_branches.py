"""Branches of a git repository by name: the current one, whether a name can be one, where one stands."""

from __future__ import annotations

from promote_actions.adapters.git_process import Git
from promote_actions.adapters.git_reader import ObjectReader
from promote_actions.errors import InputError, one_line


def current_branch(git: Git) -> str:
    """The branch that HEAD names; raises :class:`InputError` when it names none."""
    done = git.run("symbolic-ref", "--quiet", "HEAD")
    if done.status:
        raise InputError(f"{git.display} is on no branch", hint="pass --branch")
    return done.text.strip().removeprefix("refs/heads/")


def checked_branch(git: Git, branch: str) -> str:
    """``branch`` without ``refs/heads/``; raises :class:`InputError` for what no branch can be called."""
    branch = branch.removeprefix("refs/heads/")
    if branch and git.run("check-ref-format", f"refs/heads/{branch}").status:
        raise InputError(f"'{one_line(branch)[:100]}' can't be the name of a branch", hint="check --branch")
    return branch


def branch_head(reader: ObjectReader, ref: str, branch: str, name: str) -> str:
    """The commit at the head of ``branch``; an unknown one is the caller's mistake."""
    (head,) = reader.read([f"{ref}^{{commit}}"])
    if head is None:
        raise no_branch(branch, name)
    return head.sha


def no_branch(branch: str, name: str) -> InputError:
    """What to raise when the repository called ``name`` has no such branch."""
    return InputError(f"{name} has no branch '{branch[:100]}'", hint="pass an existing one with --branch")
