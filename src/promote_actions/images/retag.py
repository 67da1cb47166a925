"""Whether a tag may be moved to another image. Pure, standard library only.

Rule (the strategy, "Docker tags"): a version, a version with its commit and ``sha-…`` never change
their image; environments, pull requests and ``latest`` do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from promote_actions.errors import Refused

_IMMUTABLE = re.compile(
    r"v?[0-9]{4}\.[0-9]{1,2}\.[0-9]+([-.+_].*)?|v?[0-9]+\.[0-9]+\.[0-9]+([-.+_].*)?|sha-[0-9a-f]{7,64}"
)


@dataclass(frozen=True)
class Retag:
    """What is to be done: ``move`` the tag, or nothing because it points at the image already.

    ``previous`` is the digest that it points at, empty when there is no such tag.
    """

    move: bool
    previous: str = ""


def is_immutable(tag: str) -> bool:
    """Whether ``tag`` looks like one that is given once: a version, or ``sha-`` and a commit.

    >>> is_immutable("2026.02.1-a3f2b1c"), is_immutable("production")
    (True, False)
    """
    return _IMMUTABLE.fullmatch(tag) is not None


def decide(image: str, tag: str, wanted: str, current: str | None, immutable: bool) -> Retag:
    """What to do so that ``tag`` of ``image`` points at the digest ``wanted``; it is at ``current`` now.

    Raises :class:`Refused` when the tag is immutable and points at another image.
    """
    if current == wanted:
        return Retag(move=False, previous=current)
    if current and immutable:
        raise Refused(
            f"{image}:{tag} is {current[:19]}… and must never become {wanted[:19]}…",
            hint="give the new image a new version; an immutable tag names one image for ever",
        )
    return Retag(move=True, previous=current or "")
