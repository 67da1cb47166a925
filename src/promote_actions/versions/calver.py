"""Calendar versions: ``YYYY.MM.BUILD[-METADATA]`` (the strategy, section "Estratégia de Versionamento").

Pure, and small enough to be used by itself::

    CalVer.parse("2026.02.16-hotfix-auth").base   # CalVer(2026, 2, 16)
    CalVer.parse("2026.02.9").next()              # CalVer(2026, 2, 10)

The order is total: year, month and build are compared as numbers, and a version with metadata comes
right after the same build without it, in ASCII order of the metadata::

    2026.01.45 < 2026.02.9 < 2026.02.10 < 2026.02.16 < 2026.02.16-hotfix-auth < 2026.02.17
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from promote_actions.errors import InputError

LONGEST = 128
"""Characters of an image tag (OCI distribution specification, "Pulling manifests")."""

SHORT_SHA = 7
"""Characters of a commit in ``full-version`` (the strategy's ``git rev-parse --short=7``)."""

LARGEST_BUILD = 999_999_999

_VERSION = r"([1-9][0-9]{3})\.(0[1-9]|1[0-2])\.([1-9][0-9]{0,8})(?:-(.+))?"
_METADATA = r"[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?"
_PREFIX = r"[0-9A-Za-z_](?:[0-9A-Za-z._/-]*[0-9A-Za-z_/-])?"
_EXAMPLE = "write YYYY.MM.BUILD[-METADATA], for example 2026.02.1 or 2026.02.16-hotfix-auth"


@dataclass(frozen=True, order=True)
class CalVer:
    """One version. ``build`` counts from 1 within the month; ``metadata`` is empty or a label.

    Raises :class:`InputError` for a month, build or metadata that no version can have.
    """

    year: int
    month: int
    build: int
    metadata: str = ""

    def __post_init__(self) -> None:
        fits = 1000 <= self.year <= 9999 and 1 <= self.month <= 12 and 1 <= self.build <= LARGEST_BUILD
        if not fits:
            raise InputError(f"there is no version {self}", hint=_EXAMPLE)
        if self.metadata:
            check_metadata(self.metadata)
        if len(str(self)) > LONGEST - SHORT_SHA - 1:
            raise InputError(
                f"version {self} is too long for an image tag with the commit's {SHORT_SHA} characters",
                hint=f"shorten the metadata: {LONGEST} characters are all a registry takes",
            )

    @classmethod
    def parse(cls, text: str) -> CalVer:
        """The version that ``text`` writes out, strictly; raises :class:`InputError`."""
        found = re.fullmatch(_VERSION, text, re.DOTALL)
        if not found:
            raise InputError(f"'{text[:LONGEST]}' is not a version", hint=_EXAMPLE)
        year, month, build, metadata = found.groups()
        return cls(int(year), int(month), int(build), metadata or "")

    @classmethod
    def try_parse(cls, text: str) -> CalVer | None:
        """The version that ``text`` writes out, or None when it is no version."""
        try:
            return cls.parse(text)
        except InputError:
            return None

    def __str__(self) -> str:
        plain = f"{self.year:04}.{self.month:02}.{self.build}"
        return f"{plain}-{self.metadata}" if self.metadata else plain

    @property
    def base(self) -> CalVer:
        """The version without its metadata."""
        return CalVer(self.year, self.month, self.build) if self.metadata else self

    @property
    def semver(self) -> str:
        """The version for tools that insist on SemVer (Helm, npm): no leading zero.

        Metadata becomes *build* metadata (``2026.2.16+hotfix-auth``): after a hyphen it would be a
        pre-release, which SemVer sorts before 2026.2.16 and which Helm and npm skip. SemVer has no
        underscore, so one becomes a hyphen (SemVer 2.0.0, items 9, 10 and 11).
        """
        plain = f"{self.year}.{self.month}.{self.build}"
        return f"{plain}+{self.metadata.replace('_', '-')}" if self.metadata else plain

    def next(self) -> CalVer:
        """The build after this one, in the same month, without metadata."""
        return CalVer(self.year, self.month, self.build + 1)

    def full(self, commit: str) -> str:
        """The strategy's full version: the version and the short SHA of ``commit``."""
        return f"{self}-{commit[:SHORT_SHA]}"


def check_metadata(text: str) -> str:
    """``text`` if an image tag and a git tag can both end in it; raises :class:`InputError`.

    Never altered: a label that people search for must be the label they gave. Sources: the OCI
    distribution specification's tag grammar and ``git check-ref-format``.
    """
    allowed = re.fullmatch(_METADATA, text) and ".." not in text and not text.endswith(".lock")
    if not allowed:
        raise InputError(
            f"metadata '{text[:60]}' can't be part of a tag",
            hint="use letters, digits, and . _ - inside, such as hotfix-auth (no '..', no final '.lock')",
        )
    return text


def check_prefix(text: str) -> str:
    """``text`` if a git tag can begin with it (``nexo-be/``, ``v``); raises :class:`InputError`."""
    if not text:
        return text
    parts = text.split("/")
    bad = any(part.startswith(".") or part.endswith((".", ".lock")) for part in parts[:-1])
    allowed = re.fullmatch(_PREFIX, text) and not bad and "//" not in text and ".." not in text
    if not allowed or parts[-1].startswith(".") or len(text) > LONGEST:
        raise InputError(
            f"tag-prefix '{text[:60]}' can't begin a git tag",
            hint="use letters, digits and . _ - / inside, such as nexo-be/ or v",
        )
    return text


def version_of_tag(name: str, prefix: str = "") -> CalVer | None:
    """The version that the git tag ``name`` stands for in the scope ``prefix``; None for other tags."""
    return CalVer.try_parse(name[len(prefix) :]) if name.startswith(prefix) else None
