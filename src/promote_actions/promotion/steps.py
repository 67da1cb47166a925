"""Steps after a promotion is there: one that fails doesn't undo it, and doesn't keep the others from being
taken. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from promote_actions.errors import DependencyError, InputError, PromoteError, Refused

T = TypeVar("T")


class Steps:
    """Takes steps and remembers what went wrong. ``done`` says what stands whatever happens.

    A dependency that failed is a note (``notes``): the next run mends it. What somebody must change is
    the ``failure`` with which the run ends, after its outputs are written.
    """

    def __init__(self, done: str) -> None:
        self._done = done
        self.notes: list[str] = []
        self.failure: PromoteError | None = None

    def take(self, otherwise: str, step: Callable[[], T]) -> T | None:
        """The result of ``step``, or None when it failed; ``otherwise`` says what that means.

        A :class:`Refused` passes: it says that the promotion must not stand.
        """
        try:
            return step()
        except Refused:
            raise
        except DependencyError as error:
            self.notes.append(f"{self._done}, but {otherwise}: {error}; run again")
        except PromoteError as error:
            self.failure = self.failure or InputError(
                f"{self._done}, but {otherwise}: {error.message}", hint=error.hint, where=error.where
            )
        return None
