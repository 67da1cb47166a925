"""``flavor``: what holds for every tag: whether there is a ``latest``, and a common prefix and suffix.

The input of that name of docker/metadata-action
(https://github.com/docker/metadata-action#flavor-input).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from promote_actions.errors import InputError, one_line
from promote_actions.images.fields import split_fields, split_pair


class Flavor(NamedTuple):
    """``latest`` is ``auto``, ``true`` or ``false``; prefix and suffix may hold expressions.

    ``prefix_on_latest`` and ``suffix_on_latest`` apply them to ``latest`` as well.
    """

    latest: str = "auto"
    prefix: str = ""
    suffix: str = ""
    prefix_on_latest: bool = False
    suffix_on_latest: bool = False

    def wants_latest(self, automatic: bool) -> bool:
        """Whether there is a ``latest``, where a rule's own answer is ``automatic``."""
        return automatic if self.latest == "auto" else self.latest == "true"


def parse_flavor(lines: Iterable[str]) -> Flavor:
    """The flavor that ``lines`` say; raises :class:`InputError` that shows the line."""
    found: dict[str, str] = {"latest": "auto", "prefix": "", "suffix": ""}
    on_latest: dict[str, bool] = {}
    for line in lines:
        affix = ""
        for field in split_fields(line, "flavor"):
            key, value = split_pair(field) or ("", "")
            if key == "onlatest":
                if affix:
                    on_latest[affix] = _boolean(line, value)
                continue
            if key not in found:
                raise _wrong(
                    line, "use latest=, prefix= or suffix=, the last two with ,onlatest=true after"
                )
            if key == "latest" and value not in ("auto", "true", "false"):
                raise _wrong(line, "latest is auto, true or false")
            found[key] = value
            affix = key if key != "latest" else affix
    return Flavor(
        **found,
        prefix_on_latest=on_latest.get("prefix", False),
        suffix_on_latest=on_latest.get("suffix", False),
    )


def _boolean(line: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise _wrong(line, "onlatest is true or false")
    return value == "true"


def _wrong(line: str, hint: str) -> InputError:
    return InputError(f"flavor: '{one_line(line[:120])}' is not understood", hint=hint)
