"""Writing the little YAML that an ``action.yml`` is made of. Pure."""

from __future__ import annotations

import json
import re

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 .,;/()'+-]*[A-Za-z0-9.)]")
_WORDS_WITH_A_TYPE = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def scalar(value: str) -> str:
    """``value`` as a YAML string in a flow mapping: plain where that is safe, else quoted as in JSON."""
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_WITH_A_TYPE and "," not in value
    return value if plain else json.dumps(value, ensure_ascii=False)


def mapping(pairs: dict[str, str]) -> str:
    """A flow mapping of strings, and of the booleans ``true`` and ``false`` for ``required``."""
    inside = (f"{key}: {value if key == 'required' else scalar(value)}" for key, value in pairs.items())
    return "{" + ", ".join(inside) + "}"
