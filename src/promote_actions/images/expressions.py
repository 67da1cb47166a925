"""The ``{{...}}`` expressions inside values: names, dates, and ``if``/``unless`` blocks.

A small part of Handlebars (https://handlebarsjs.com/guide/expressions.html), as far as tag rules use
it. Unlike there, a name that doesn't exist is an error, and values are not escaped for HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from promote_actions.errors import InputError, one_line

Helper = Callable[["str | None", Mapping[str, str]], str]
"""A name that takes arguments, such as ``date``: its format (None: not quoted) and its options."""

Scope = Mapping[str, "str | Helper"]
"""What names mean. A text stands for itself; a helper is called."""

_BLANK = frozenset(" \t\r\n")
_BLOCKS = ("if", "unless")


class _Call(NamedTuple):
    """One expression: ``name 'argument' key='value'``. ``arguments`` holds None for an unquoted one."""

    name: str
    arguments: tuple[str | None, ...]
    options: Mapping[str, str]


def render(template: str, scope: Scope, place: str) -> str:
    """``template`` with its expressions replaced by what they mean in ``scope``.

    ``place`` says in messages where the template stands. Raises :class:`InputError` for an
    expression that is unknown, not closed, or misses its argument. A backslash before ``{{`` keeps
    the expression as it is written.
    """
    if "{{" not in template:
        return template
    return _Renderer(template, scope, place).render()


def is_only(template: str, name: str) -> bool:
    """Whether ``template`` is the one expression ``{{name}}`` and nothing else."""
    if not (template.startswith("{{") and template.endswith("}}")) or template.count("{{") > 1:
        return False
    return template.strip("{}").strip("&~ \t") == name


class _Renderer:
    """One pass over a template; ``keep`` is the stack of open blocks, True where text is kept."""

    def __init__(self, template: str, scope: Scope, place: str) -> None:
        self.template = template
        self.scope = scope
        self.place = place
        self.out: list[str] = []
        self.open: list[tuple[str, bool]] = []
        self.trim = False

    def render(self) -> str:
        position = 0
        while True:
            start = self.template.find("{{", position)
            if start < 0:
                break
            text = self.template[position:start]
            if text.endswith("\\") and not text.endswith("\\\\"):
                position = self._literal(text[:-1], start)
                continue
            self._text(text[:-1] if text.endswith("\\\\") else text)
            position = self._expression(start)
        if self.open:
            raise self._wrong(f"{{{{#{self.open[-1][0]}}}}} is never closed")
        self._text(self.template[position:])
        return "".join(self.out)

    def _literal(self, text: str, start: int) -> int:
        end = self.template.find("}}", start)
        end = len(self.template) if end < 0 else end + 2
        self._text(text + self.template[start:end])
        return end

    def _text(self, text: str) -> None:
        if self.trim:
            text = text.lstrip()
            self.trim = not text
        if all(kept for _, kept in self.open):
            self.out.append(text)

    def _expression(self, start: int) -> int:
        opening, closing = ("{{{", "}}}") if self.template.startswith("{{{", start) else ("{{", "}}")
        if self.template.startswith(("{{!--", "{{~!--"), start):
            closing = "--}}"
        end = self.template.find(closing, start + len(opening))
        if end < 0:
            raise self._wrong(f"'{one_line(self.template[start : start + 40])}' is never closed")
        body = self.template[start + len(opening) : end]
        if body.startswith("~"):
            body = body[1:]
            self.out = ["".join(self.out).rstrip()]
        self.trim = body.endswith("~")
        self._evaluate(body.removesuffix("~").strip())
        return end + len(closing)

    def _evaluate(self, body: str) -> None:
        if body.startswith("!"):
            return
        if body.startswith("#"):
            self._open_block(body[1:].strip())
        elif body.startswith("/"):
            self._close_block(body[1:].strip())
        elif body in ("else", "^"):
            if not self.open:
                raise self._wrong("{{else}} stands outside a block")
            name, kept = self.open.pop()
            self.open.append((name, not kept))
        elif all(kept for _, kept in self.open):
            self.out.append(self._value(self._call(body.removeprefix("&").strip())))

    def _open_block(self, body: str) -> None:
        name, _, condition = body.partition(" ")
        if name not in _BLOCKS or not condition.strip():
            raise self._unknown("#" + body)
        truth = self._value(self._call(condition.strip())) not in ("", "false")
        self.open.append((name, truth is (name == "if")))

    def _close_block(self, name: str) -> None:
        if not self.open or self.open[-1][0] != name:
            raise self._wrong(f"{{{{/{one_line(name[:40])}}}}} closes no block")
        self.open.pop()

    def _value(self, call: _Call) -> str:
        meaning = self.scope.get(call.name)
        if meaning is None:
            raise self._unknown(call.name)
        if isinstance(meaning, str):
            if call.arguments or call.options:
                raise self._wrong(f"{{{{{call.name}}}}} takes no argument")
            return meaning
        if len(call.arguments) != 1:
            raise self._wrong(
                f"{{{{{call.name}}}}} needs one argument, as in {{{{{call.name} 'YYYYMMDD'}}}}"
            )
        return meaning(call.arguments[0], call.options)

    def _call(self, body: str) -> _Call:
        words = _words(body)
        if words is None or not words or words[0][1] is not None or words[0][0]:
            raise self._unknown(body)
        name = words[0][2]
        arguments = tuple(value if quoted else None for key, quoted, value in words[1:] if not key)
        options = {key: value for key, _, value in words[1:] if key}
        return _Call(name, arguments, options)

    def _unknown(self, body: str) -> InputError:
        known = ", ".join(sorted(self.scope))
        return InputError(
            f"{self.place}: there is no expression '{{{{{one_line(body[:60])}}}}}'",
            hint=f"use one of {known}",
        )

    def _wrong(self, why: str) -> InputError:
        return InputError(
            f"{self.place}: {why} in '{one_line(self.template[:100])}'",
            hint="expressions look like {{sha}} or {{date 'YYYYMMDD' tz='UTC'}}",
        )


def _words(body: str) -> list[tuple[str, str | None, str]] | None:
    """The words of an expression as (key, quote, text); None when it can't be read."""
    words: list[tuple[str, str | None, str]] = []
    position = 0
    while position < len(body):
        if body[position] in _BLANK:
            position += 1
            continue
        key, text_start = _key(body, position)
        if body[text_start : text_start + 1] in ("'", '"'):
            quote = body[text_start]
            end = body.find(quote, text_start + 1)
            while end > 0 and body[end - 1] == "\\":
                end = body.find(quote, end + 1)
            if end < 0:
                return None
            words.append((key, quote, body[text_start + 1 : end].replace("\\" + quote, quote)))
            position = end + 1
        else:
            end = text_start
            while end < len(body) and body[end] not in _BLANK and body[end] not in "'\"":
                end += 1
            if end == text_start:
                return None
            words.append((key, None, body[text_start:end]))
            position = end
    return words


def _key(body: str, start: int) -> tuple[str, int]:
    """The key of ``key=...`` at ``start`` (empty: there is none), and where its value begins."""
    end = start
    while end < len(body) and (body[end].isalnum() or body[end] in "_-"):
        end += 1
    if end > start and body[end : end + 1] == "=":
        return body[start:end], end + 1
    return "", start
