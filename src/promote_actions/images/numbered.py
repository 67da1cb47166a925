"""Version numbers as tag rules read them: Semantic Versioning 2.0.0 and PEP 440.

https://semver.org/ (with a leading ``v`` allowed, as git tags have it) and
https://packaging.python.org/en/latest/specifications/version-specifiers/ (its appendix B, and its
normal form).
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 256
"""Characters of a version at most."""

_SEMVER = (
    r"v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_PEP440 = (
    r"v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>[0-9]+)?)?"
    r"(?P<post>-(?P<post_bare>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_n>[0-9]+)?)?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>[0-9]+)?)?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?"
)
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_SAFE_INTEGER = 2**53 - 1


class Numbered(NamedTuple):
    """A version that was understood. ``version`` is its normal form, without build metadata.

    ``final`` is false for pre-releases (and, by PEP 440, post- and development releases).
    """

    raw: str
    version: str
    major: str
    minor: str
    patch: str
    final: bool


def parse_semver(text: str) -> Numbered | None:
    """``text`` as a semantic version, or None when it is none."""
    if len(text) > LONGEST:
        return None
    found = re.fullmatch(_SEMVER, text.strip())
    if not found or any(int(part) > _SAFE_INTEGER for part in found.group(1, 2, 3)):
        return None
    major, minor, patch, pre = found.group(1, 2, 3, 4)
    version = f"{major}.{minor}.{patch}" + (f"-{pre}" if pre else "")
    return Numbered(text, version, major, minor, patch, final=not pre)


def parse_pep440(text: str) -> Numbered | None:
    """``text`` as a version by PEP 440, or None when it is none."""
    if len(text) > LONGEST:
        return None
    found = re.fullmatch(_PEP440, text.strip(), re.IGNORECASE | re.ASCII)
    if not found:
        return None
    release = [str(int(part)) for part in found["release"].split(".")]
    version = ".".join(release)
    if found["epoch"] and int(found["epoch"]):
        version = f"{int(found['epoch'])}!{version}"
    if found["pre"]:
        word = found["pre"].lower()
        version += _PRE.get(word, word) + str(int(found["pre_n"] or 0))
    if found["post"]:
        version += f".post{int(found['post_bare'] or found['post_n'] or 0)}"
    if found["dev"]:
        version += f".dev{int(found['dev_n'] or 0)}"
    if found["local"]:
        version += "+" + ".".join(map(_local_part, re.split("[-_.]", found["local"].lower())))
    padded = [*release, "0", "0"]
    final = not (found["pre"] or found["post"] or found["dev"])
    return Numbered(text, version, padded[0], padded[1], padded[2], final)


def _local_part(part: str) -> str:
    return str(int(part)) if part.isdigit() else part
