"""``type=match``: regular expressions as JavaScript writes them, which is what tag rules are written in.

https://developer.mozilla.org/en-US/docs/Web/JavaScript/Guide/Regular_expressions. Differences in
spelling are translated; what only JavaScript has (``\\cX``, ``[^]``, the ``v`` flag) is an error.
"""

from __future__ import annotations

import re

from promote_actions.errors import InputError, one_line

PATTERN_LIMIT = 1000
"""Characters of a pattern at most."""

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_WITHOUT_EFFECT = "duy"


def match_groups(pattern: str, text: str, rule: str) -> tuple[str | None, ...] | None:
    """What ``pattern`` finds in ``text``: the whole match, then its groups; None when it finds nothing.

    ``/pattern/flags`` is read as such; with the flag ``g`` the answers are all matches instead, as
    in JavaScript. Raises :class:`InputError` that names ``rule`` for a pattern that is none.
    """
    body, flags = _split(pattern)
    if len(body) > PATTERN_LIMIT:
        raise _wrong(pattern, rule, f"it has more than {PATTERN_LIMIT} characters")
    number: int = re.ASCII
    for flag in flags:
        if flag not in _FLAGS and flag not in _WITHOUT_EFFECT + "g":
            raise _wrong(pattern, rule, f"there is no flag '{flag}'")
        number |= _FLAGS.get(flag, 0)
    if re.search("[^\x00-\x7f]", body):
        number = (number & ~re.ASCII) | re.UNICODE
    try:
        compiled = re.compile(_translate(body, "m" in flags), number)
    except (re.error, OverflowError, RecursionError) as error:
        raise _wrong(pattern, rule, str(error)) from None
    if "g" in flags:
        return tuple(found.group(0) for found in compiled.finditer(text)) or None
    found = compiled.search(text)
    return (found.group(0), *found.groups()) if found else None


def _split(pattern: str) -> tuple[str, str]:
    if pattern.startswith("/") and pattern.count("/") > 1:
        body, _, flags = pattern[1:].rpartition("/")
        if body:
            return body, flags
    return pattern, ""


def _translate(body: str, multiline: bool) -> str:
    """``body`` as Python spells it: named groups, and ``$`` that doesn't match before a line's end."""
    out: list[str] = []
    in_class = False
    position = 0
    while position < len(body):
        char = body[position]
        step = 1
        if char == "\\":
            step = 2
            char = body[position : position + 2]
            if body.startswith("\\k<", position):
                end = body.find(">", position)
                char, step = f"(?P={body[position + 3 : end]})", max(end - position + 1, 3)
        elif in_class:
            in_class = char != "]"
            char = "\\[" if char == "[" else char
        elif char == "[":
            in_class = True
        elif char == "$" and not multiline:
            char = r"\Z"
        elif body.startswith("(?<", position) and body[position + 3 : position + 4] not in ("=", "!"):
            char, step = "(?P<", 3
        out.append(char)
        position += step
    return "".join(out)


def _wrong(pattern: str, rule: str, why: str) -> InputError:
    return InputError(
        f"tags: the pattern '{one_line(pattern[:80])}' of the rule '{one_line(rule[:120])}' is not "
        f"understood: {one_line(why)}",
        hint="write a regular expression such as v(.*) and name the brackets with group=1",
    )
