"""Keeping ``inspect`` out of a start: imported by the entry point before anything else.

``dataclasses`` imports ``inspect`` (and so ``ast``, ``dis``, ``tokenize``), which is a sixth of the time
that ``calver`` takes, for the docstring of a class that has none and, in Python 3.12 and 3.13, for the
annotations of a class. A stand-in is in its place until somebody asks it for something else; then the
real module takes over. ``importlib.util.LazyLoader`` can't do this: before Python 3.12 the second
``import inspect`` already loads the module.
"""

from __future__ import annotations

import sys
from types import ModuleType


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
