"""The stand-in that keeps inspect out of a short command's start."""

from __future__ import annotations

import subprocess
import sys

from tests.versions.tagged import SOURCE

USE = """
import sys
sys.path.insert(0, sys.argv[1])
import promote_actions.__main__
import dataclasses
assert 'dis' not in sys.modules, 'loaded too early'
import inspect as first
{use}
assert 'dis' in sys.modules, 'not loaded when used'
import inspect as second
assert second.signature is first.signature
assert second.__file__.endswith('inspect.py')
assert inspect_is_real(second)
"""

CHECK = """
import sys
def inspect_is_real(module):
    return type(module) is type(sys) and sys.modules['inspect'] is module
"""


def run(use: str) -> str:
    code = CHECK + USE.format(use=use)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(SOURCE)], capture_output=True, text=True, check=False
    )
    return done.stderr


def test_using_the_stand_in_brings_the_real_module() -> None:
    """An attribute of the stand-in is the real module's, which then takes its place."""
    assert run("assert first.signature(run_it) if (run_it := (lambda a: a)) else None") == ""


def test_importing_a_name_brings_the_real_module() -> None:
    """``from inspect import …`` works as ever."""
    assert run("from inspect import getdoc; assert getdoc(len)") == ""


def test_a_dataclass_without_docstring_gets_its_signature() -> None:
    """The one use that dataclasses has for inspect still works."""
    assert run("assert dataclasses.make_dataclass('C', [('x', int)]).__doc__ == 'C(x: int)'") == ""


def test_a_name_that_inspect_lacks_is_an_attribute_error() -> None:
    """A wrong name is the usual error, not an endless search."""
    assert run("assert not hasattr(first, 'nothing_like_this')") == ""
