"""Keeping the files of a checkout in step with a commit that was made without them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from promote_actions.adapters.git_objects import contains
from promote_actions.adapters.git_process import Git
from promote_actions.errors import InputError


def _checkout_of(git: Git, branch: str) -> Git | None:
    """git in the work tree that has ``branch`` checked out, here or in a linked one; None when none has."""
    if _has(git, branch):
        return git
    listed = git.run("worktree", "list", "--porcelain").text
    for entry in listed.split("\n\n"):
        path, _, rest = entry.removeprefix("worktree ").partition("\n")
        if f"branch refs/heads/{branch}" in rest.splitlines() and os.path.isdir(path):
            other = Git(path)
            return other if _has(other, branch) else None
    return None


def _has(git: Git, branch: str) -> bool:
    if git.run("rev-parse", "--is-inside-work-tree").text.strip() != "true":
        return False
    return git.run("symbolic-ref", "--quiet", "HEAD").text.strip() == f"refs/heads/{branch}"


def refuse_unsaved(git: Git, branch: str, paths: Sequence[str]) -> None:
    """Raise :class:`InputError` when one of ``paths`` has changes in the checkout that aren't committed."""
    checkout = _checkout_of(git, branch)
    if not checkout:
        return
    changed = checkout.check("--literal-pathspecs", "diff", "--name-only", "-z", "HEAD", "--", *paths)
    names = [name.decode(errors="replace") for name in changed.split(b"\0") if name]
    if names:
        raise InputError(
            f"{', '.join(names[:3])} has changes that are not committed",
            hint="commit or discard them first",
        )


def follow(git: Git, branch: str, base: str, made: str, paths: Sequence[str]) -> None:
    """Bring ``paths`` of a checkout of ``branch`` from ``base`` to ``made``, leaving all else alone.

    A branch that is not where ``base`` is, or files that the user has changed, are left as they are:
    the commit has landed already, and git will say what to do at the next pull.
    """
    checkout = _checkout_of(git, branch)
    if not checkout:
        _forward_branch(git, branch, made)
        return
    head = checkout.line("rev-parse", "HEAD")
    if head == made:
        checkout.run("--literal-pathspecs", "checkout", "--quiet", made, "--", *paths)
    elif head == base or contains(checkout, head, made):
        checkout.run("merge", "--quiet", "--ff-only", made)


def _forward_branch(git: Git, branch: str, made: str) -> None:
    ref = f"refs/heads/{branch}"
    old = git.run("rev-parse", "--verify", "--quiet", ref).text.strip()
    if old and old != made and contains(git, old, made):
        git.run("update-ref", ref, made, old)


def heal(git: Git, branch: str) -> None:
    """Finish what a killed promotion left: its commit landed, the checkout's files did not follow.

    Only for a commit of ours at the head, and only files that are exactly as in its parent.
    """
    checkout = _checkout_of(git, branch)
    if not checkout:
        return
    if "\nPromotion-Service: " not in checkout.run("log", "-1", "--format=%B", "HEAD").text:
        return
    touched = checkout.run("diff-tree", "-r", "-z", "--name-only", "--no-commit-id", "HEAD^", "HEAD").stdout
    paths = [name.decode(errors="surrogateescape") for name in touched.split(b"\0") if name]
    stale = [path for path in paths if _as_in_parent(checkout, path)]
    if stale:
        checkout.check("--literal-pathspecs", "checkout", "--quiet", "HEAD", "--", *stale)


def _as_in_parent(git: Git, path: str) -> bool:
    def differs(*revision: str) -> bool:
        return git.run("--literal-pathspecs", "diff", "--quiet", *revision, "--", path).status != 0

    return differs("HEAD") and not differs("HEAD^")
