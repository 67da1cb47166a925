"""Keeping ``inspect`` out of a start: imported by the entry point before anything else.

``dataclasses`` imports ``inspect`` (and so ``ast``, ``dis``, ``tokenize``) for the docstring of a class
that has none, which is a sixth of the time that ``calver`` takes. A stand-in is in its place until
somebody asks it for something; then the real module takes over. ``importlib.util.LazyLoader`` can't do
this: before Python 3.12 the second ``import inspect`` already loads the module.
"""

from __future__ import annotations

import sys
from types import ModuleType


class Later(ModuleType):
    """Stands for the module of its name, and imports that when an attribute is asked for."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        __import__(self.__name__)
        return getattr(sys.modules[self.__name__], name)


if "inspect" not in sys.modules:
    sys.modules["inspect"] = Later("inspect")
