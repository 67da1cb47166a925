"""Reading the options of a check: names, types, and errors that say what there is. Pure.

Options come from ``promotion.yaml`` (typed by YAML) or from ``--check`` (text), so every reader takes both.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from promote_actions.errors import InputError, one_line
from promote_actions.spec import FALSE, TRUE, parse_duration

COMMON = (
    "initial-delay",
    "interval",
    "timeout",
    "success",
    "failure-limit",
    "error-limit",
    "name",
    "result",
)
"""The options that every check has."""


class OptionError(InputError):
    """A mistake in the option ``key`` of a check; ``of_key``: in its very name."""

    def __init__(self, message: str, *, key: str, hint: str, of_key: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.of_key = of_key


class Options:
    """The options of the check ``name``; reading takes them out, and :meth:`done` refuses what is left."""

    def __init__(self, name: str, values: Mapping[str, Any], known: Sequence[str]) -> None:
        self.name = name
        self._values = {str(key).replace("_", "-"): value for key, value in values.items()}
        for key in self._values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean '{near[0]}'?" if near else "it has " + ", ".join(known)
                message = f"check '{name}' has no option '{one_line(key[:60])}'"
                raise OptionError(message, key=key, hint=hint, of_key=True)

    def given(self, key: str) -> bool:
        return self._values.get(key) not in (None, "", [], ())

    def text(self, key: str, default: str = "") -> str:
        value = self._values.get(key)
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (str, int, float)):
            return str(value).strip()
        raise self.wrong(key, value, "text")

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list; text is cut at commas and line ends."""
        value = self._values.get(key)
        if value is None or value == "":
            return tuple(default)
        if isinstance(value, str):
            return tuple(part.strip() for part in value.replace("\n", ",").split(",") if part.strip())
        if isinstance(value, Sequence) and all(isinstance(item, (str, int, float)) for item in value):
            return tuple(str(item) for item in value)
        raise self.wrong(key, value, "a list of texts")

    def flag(self, key: str, default: bool) -> bool:
        lowered = self.text(key, "true" if default else "false").lower()
        if lowered not in TRUE | FALSE:
            raise self.wrong(key, lowered, "true or false")
        return lowered in TRUE

    def number(self, key: str, default: float, minimum: float = 0.0) -> float:
        text = self.text(key, str(default))
        try:
            found = float(text)
        except ValueError:
            found = float("nan")
        if not minimum <= found < float("inf"):
            raise self.wrong(key, text, f"a number of at least {minimum:g}")
        return found

    def whole(self, key: str, default: int, minimum: int = 0) -> int:
        found = self.number(key, default, minimum)
        if found != int(found):
            raise self.wrong(key, found, "a whole number")
        return int(found)

    def seconds(self, key: str, default: float) -> float:
        """A length of time: a number of seconds, or ``30m``."""
        text = self.text(key)
        if not text:
            return default
        found = parse_duration(text)
        if found is None:
            raise self.wrong(key, text, "a length of time such as 90, 30m or 1h30m")
        return found

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        found = self.text(key, default)
        if found not in choices:
            raise self.wrong(key, found, "one of " + ", ".join(choices))
        return found

    def required(self, key: str, what: str) -> str:
        found = self.text(key)
        if not found:
            raise InputError(f"check '{self.name}' has no {what}", hint=f"give its option '{key}'")
        return found

    def wrong(self, key: str, value: object, expected: str) -> OptionError:
        """The error that ``value`` of the option ``key`` is, where ``expected`` was."""
        message = f"option '{key}' of check '{self.name}' is '{one_line(str(value)[:80])}'"
        return OptionError(message, key=key, hint=f"give {expected}")

    @contextmanager
    def reading(self, key: str) -> Iterator[None]:
        """Let an error that is raised here be one of the option ``key``."""
        try:
            yield
        except InputError as error:
            raise OptionError(error.message, key=key, hint=error.hint) from None
