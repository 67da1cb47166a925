"""Putting work off at a start: imported by the entry point before anything else.

**Methods of dataclasses.** ``dataclass`` writes and compiles six methods for each frozen class, which for
the seventy classes of a promotion is a fifth of the time that it takes. Most are never called: here each
but ``__init__`` is compiled when it is called first. Python 3.13 has a faster ``dataclass``; there, and
wherever ``dataclasses`` is not made as it is in 3.10 to 3.12, nothing is changed.

**inspect.** ``dataclasses`` imports it (and so ``ast``, ``dis``, ``tokenize``), which is a sixth of the
time that ``calver`` takes, for the docstring of a class that has none and, in Python 3.12 and 3.13, for the
annotations of a class. A stand-in is in its place until somebody asks it for something else; then the
real module takes over. ``importlib.util.LazyLoader`` can't do this: before Python 3.12 the second
``import inspect`` already loads the module.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Inspect(ModuleType):
    """Stands for ``inspect``, and imports it when an attribute is asked for that it hasn't itself."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        __import__(self.__name__)
        return getattr(sys.modules[self.__name__], name)

    def get_annotations(self, thing: object, **options: object) -> object:
        """A class's own annotations, unevaluated, as ``inspect.get_annotations`` gives them."""
        if isinstance(thing, type) and not options and sys.version_info < (3, 14):
            return dict(thing.__dict__.get("__annotations__", {}))  # noqa: RUF063 - this is that function
        return self.__getattr__("get_annotations")(thing, **options)  # type: ignore[operator]


if "inspect" not in sys.modules:
    sys.modules["inspect"] = Inspect("inspect")


def put_off_methods() -> None:
    """From now on, methods that ``dataclass`` makes are compiled when they are first called."""
    import dataclasses

    now: Any = getattr(dataclasses, "_create_fn", None)
    code = getattr(now, "__code__", None)
    if code is None or code.co_varnames[:6] != ("name", "args", "body", "globals", "locals", "return_type"):
        return

    def create(name: str, args: Sequence[str], body: Sequence[str], **more: Any) -> Callable[..., Any]:
        if name == "__init__":
            return now(name, args, body, **more)  # type: ignore[no-any-return]
        made: list[Callable[..., Any]] = []

        def method(self: object, *rest: object) -> object:
            if not made:
                made.append(now(name, args, body, **more))
                made[0].__qualname__ = method.__qualname__
                for cls in type(self).__mro__:
                    if cls.__dict__.get(name) is method:
                        setattr(cls, name, made[0])
            return made[0](self, *rest)

        method.__name__ = name
        return method

    dataclasses._create_fn = create  # type: ignore[attr-defined]  # noqa: SLF001 - see above


put_off_methods()
